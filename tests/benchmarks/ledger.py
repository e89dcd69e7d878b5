"""How fast the ledger posts, next to three yardsticks, in one interleaved run.

    make bench NAME=ledger

A query is an entry of 12 legs: an operator's debit, ten creators' credits, a fee. Ours runs with
everything on: CHECKs, trigger, lines, balances, hash chain, and the service's own role. Each
contender works alone in short rounds, turn by turn. A ratio is the median of each round's ratio,
so that a neighbour who keeps the machine busy for a minute slows both sides of it. Figures are
kept in ``.tribute/bench/ledger.json``.
"""

import operator
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import psycopg
from django.db import connection

from ledger import invariants
from server import garbage
from server.embedded import PROJECT
from server.postgres import superuser_url
from tests.benchmarks import machine
from tests.benchmarks.ledger_contenders import BATCH, Ledger, RawCopy
from tests.benchmarks.ledger_hordak import HordakProcess
from tests.benchmarks.ledger_meter import Contender, Round, measure, ratio, typical
from tests.benchmarks.ledger_traffic import LEGS, Traffic
from tests.benchmarks.ledger_world import migrate, populate, prepare_server, scratch_database

ROUNDS, SECONDS = 15, 1.2

BARS: dict[str, tuple[Callable[[float, float], bool], float]] = {
    "× raw COPY": (operator.ge, 0.8),
    "× hordak bulk": (operator.ge, 25),
    "× a commit per query": (operator.ge, 40),
    "CPU µs per query": (operator.le, 60),
    "WAL bytes per leg": (operator.le, 105),
    "stored bytes per leg": (operator.le, 55),
}


def main() -> None:
    """Measure, print, keep."""
    prepare_server()
    with ExitStack() as stack:
        server = stack.enter_context(psycopg.connect(superuser_url(), autocommit=True))
        described = machine.describe(server)
        machine.show(described)
        say("Making two scratch databases: ours and django-hordak's …")
        ours = stack.enter_context(scratch_database("bench_ledger"))
        theirs = stack.enter_context(scratch_database("bench_hordak"))
        hordak = stack.enter_context(HordakProcess(theirs))
        migrate("bench_ledger")
        world = populate()
        garbage.look_seldom()  # as in every process of the service
        owner = stack.enter_context(psycopg.connect(ours, autocommit=True))
        contenders: list[Contender] = [
            Ledger("ledger", Traffic(world, seed=1), batch=BATCH),
            RawCopy(Traffic(world, seed=2), owner),
            hordak,
            Ledger("a commit per query", Traffic(world, seed=4), batch=1),
        ]
        rounds = play(contenders, server)
        say("Auditing what was posted …")
        assert invariants.findings() == [], "what was posted is sound"
    report(contenders, rounds, described)


def play(contenders: Sequence[Contender], server: psycopg.Connection[Any]) -> list[list[Round]]:
    """Let everybody work in turn, ROUNDS times, after a short warm-up; rounds by contender."""
    for contender in contenders:
        contender.work(0.5)
    server.execute("CHECKPOINT")
    say(f"{ROUNDS} rounds of {SECONDS:g} s each; queries per second:")
    say(" " * 10 + "".join(f"{contender.name:>28}" for contender in contenders))
    rounds: list[list[Round]] = [[] for _ in contenders]
    for number in range(1, ROUNDS + 1):
        for contender, done in zip(contenders, rounds, strict=True):
            done.append(measure(contender, SECONDS, server, stored=stored_bytes))
        say(f"round {number:>2}  " + "".join(f"{done[-1].rate:>28,.0f}" for done in rounds))
    return rounds


def stored_bytes() -> int:
    """What entries, lines, batches and their indexes take; nothing else grows by posting."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name))"
            "  FROM unnest(ARRAY['ledger_entry', 'ledger_line', 'ledger_batch']::regclass[]) AS name"
        )
        return int(cursor.fetchone()[0])


def report(
    contenders: Sequence[Contender],
    rounds: Sequence[Sequence[Round]],
    described: dict[str, str],
) -> None:
    """Print the medians and how they stand to the bars; write the figures down."""
    say(f"\n{'median of rounds':<28}{'queries/s':>12}{'legs/s':>12}{'CPU µs':>10}{'WAL B/leg':>12}")
    for contender, done in zip(contenders, rounds, strict=True):
        rate, log = typical(done, "rate"), typical(done, "wal_bytes") / LEGS
        cpu = typical(done, "cpu_us")
        say(f"{contender.name:<28}{rate:>12,.0f}{rate * LEGS:>12,.0f}{cpu:>10,.0f}{log:>12,.0f}")
    ours = rounds[0]
    reached = [
        *(ratio(ours, other) for other in rounds[1:]),
        typical(ours, "cpu_us"),
        typical(ours, "wal_bytes") / LEGS,
        sum(each.stored for each in ours) / sum(each.queries for each in ours) / LEGS,
    ]
    say(f"\n{'the ledger':<28}{'reached':>12}{'bar':>12}")
    for (name, (holds, bar)), value in zip(BARS.items(), reached, strict=True):
        sign = "≥" if holds is operator.ge else "≤"
        verdict = "" if holds(value, bar) else "   missed"
        say(f"{name:<28}{value:>12,.2f}{sign:>8} {bar:<4g}{verdict}")
    path = machine.record("ledger", figures(reached, typical(ours, "rate")), described)
    say(f"\nWritten to {path.relative_to(PROJECT)}")


def figures(reached: Sequence[float], rate: float) -> dict[str, Any]:
    """The results by the names that others read."""
    raw_copy, hordak, per_query, cpu, wal, stored = [round(value, 2) for value in reached]
    return {
        "ratios": {"raw_copy": raw_copy, "hordak_bulk": hordak, "per_query": per_query},
        "queries_per_second": round(rate),
        "cpu_us_per_query": cpu,
        "wal_bytes_per_leg": wal,
        "stored_bytes_per_leg": stored,
    }


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
