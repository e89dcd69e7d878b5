"""What a batch's size does to the ledger's speed, log and storage; a figure for planning.

    make bench NAME=ledger_batches

A batch writes one line for each account it touches, so larger batches write fewer lines a leg.
Each size has a database of its own, since storage is compared; rounds are not interleaved.
"""

import psycopg

from server.embedded import PROJECT
from server.postgres import superuser_url
from tests.benchmarks import machine
from tests.benchmarks.ledger import say, stored_bytes
from tests.benchmarks.ledger_contenders import Ledger
from tests.benchmarks.ledger_meter import measure, typical
from tests.benchmarks.ledger_traffic import LEGS, Traffic
from tests.benchmarks.ledger_world import migrate, populate, prepare_server, scratch_database

SIZES = (100, 1_000, 5_000)
DATABASE = "bench_ledger_batches"
ROUNDS, SECONDS = 5, 2.0


def main() -> None:
    """Measure each size, print, keep."""
    prepare_server()
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
        machine.show(described)
        say("queries a batch   queries/s   CPU µs/query   WAL B/leg   stored B/leg")
        found = {size: _measure(size, server) for size in SIZES}
    path = machine.record("ledger_batches", {"batches": found}, described)
    say(f"\nWritten to {path.relative_to(PROJECT)}")


def _measure(size: int, server: psycopg.Connection) -> dict[str, float]:
    with scratch_database(DATABASE):
        migrate(DATABASE)
        ledger = Ledger("ledger", Traffic(populate(), seed=6), batch=size)
        ledger.work(SECONDS)
        server.execute("CHECKPOINT")
        rounds = [measure(ledger, SECONDS, server, stored=stored_bytes) for _ in range(ROUNDS)]
    legs = LEGS * sum(each.queries for each in rounds)
    figures = {
        "queries_per_second": typical(rounds, "rate"),
        "cpu_us_per_query": typical(rounds, "cpu_us"),
        "wal_bytes_per_leg": typical(rounds, "wal_bytes") / LEGS,
        "stored_bytes_per_leg": sum(each.stored for each in rounds) / legs,
    }
    rate, cpu, log, stored = figures.values()
    say(f"{size:>15,}{rate:>12,.0f}{cpu:>15.0f}{log:>12.0f}{stored:>15.0f}")
    return {name: round(value, 1) for name, value in figures.items()}


if __name__ == "__main__":
    main()
