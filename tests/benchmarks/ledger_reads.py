"""Whether reading slows down as the ledger grows: balance, history page, a month's statement.

    make bench NAME=ledger_reads [LEGS=10000000]

The ledger is filled to 10^4, 10^5, 10^6 (or LEGS) legs. The month asked about always holds the
last 10,000 legs, in 42 batches; everything older is set back over the two years before, which only
a superuser with triggers off can do and which breaks this scratch ledger's chain of hashes.
"""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from statistics import median, quantiles

import psycopg
from django.db import connection

from ledger import balances, statements
from ledger.models import Account
from ledger.posting import post
from server.embedded import PROJECT
from server.postgres import superuser_url
from tests.benchmarks import machine
from tests.benchmarks.ledger import say
from tests.benchmarks.ledger_traffic import CREDITS, LEGS, NOON, Traffic, World, drafts
from tests.benchmarks.ledger_world import migrate, populate, prepare_server, scratch_database

DATABASE = "bench_ledger_reads"
MONTH_BATCHES, MONTH_BATCH = 42, 20
"""The month asked about: 840 queries, 10,080 legs."""
BULK = 1_000
ASKED = 200
"""How many creators are drawn to be asked about, the popular ones more often."""


def main() -> None:
    """Fill, read, print, keep."""
    most = int(os.environ.get("LEGS") or 1_000_000)
    sizes = [size for size in (10**4, 10**5, 10**6, 10**7) if size <= most]
    prepare_server()
    with ExitStack() as stack:
        server = stack.enter_context(psycopg.connect(superuser_url(), autocommit=True))
        described = machine.describe(server)
        machine.show(described)
        stack.enter_context(scratch_database(DATABASE))
        migrate(DATABASE)
        world = populate()
        traffic = Traffic(world, seed=5)
        say(f"{'legs':>12}{'lines':>12}" + "".join(f"{name:>24}" for name in READS))
        say(f"{'':>24}" + f"{'median ms':>15}{'95 %':>9}" * len(READS))
        found = {size: _read_at(size, traffic, world) for size in sizes}
    path = machine.record("ledger_reads", {"milliseconds": found}, described)
    say(f"\nWritten to {path.relative_to(PROJECT)}")


def _read_at(size: int, traffic: Traffic, world: World) -> dict[str, tuple[float, float]]:
    """Grow the ledger to ``size`` legs and time every read: its median and 95th percentile."""
    _fill(size, traffic)
    ranks = traffic.ranks(ASKED // CREDITS).ravel()
    asked = Account.objects.select_related("creator").in_bulk(world.creators[ranks].tolist())
    found = {name: _time(read, list(asked.values())) for name, read in READS.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT sum(legs_count) FROM ledger_batch), count(*) FROM ledger_line"
        )
        legs, lines = cursor.fetchone()
    say(
        f"{legs:>12,}{lines:>12,}"
        + "".join(f"{middle:>15.2f}{slow:>9.2f}" for middle, slow in found.values())
    )
    return found


def _fill(size: int, traffic: Traffic) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(legs_count), 0) FROM ledger_batch")
        missing = size // LEGS - cursor.fetchone()[0] // LEGS - MONTH_BATCHES * MONTH_BATCH
    while missing > 0:
        post(drafts(traffic.legs(min(BULK, missing))), at=NOON)
        missing -= BULK
    for _ in range(MONTH_BATCHES):
        post(drafts(traffic.legs(MONTH_BATCH)), at=NOON)
    _set_back()


def _set_back() -> None:
    """Spread all but the month's batches over the two years before; tidy as autovacuum would."""
    with psycopg.connect(superuser_url(DATABASE), autocommit=True) as server:
        server.execute("SET session_replication_role = replica")
        server.execute(
            "UPDATE ledger_batch SET posted_at = date_trunc('month', now()) - interval '1 second'"
            "       - interval '2 years' * (1 - seq::float8 / newest)"
            "  FROM (SELECT max(seq) - %s AS newest FROM ledger_batch) AS older"
            " WHERE seq <= newest",
            [MONTH_BATCHES],
        )
        server.execute("VACUUM (ANALYZE)")


def _time(read: Callable[[Account], object], accounts: Sequence[Account]) -> tuple[float, float]:
    """Milliseconds of one read by a client that is warm: (median, 95th percentile)."""
    spent = []
    for account in accounts:
        clock = time.perf_counter()
        read(account)
        spent.append(1e3 * (time.perf_counter() - clock))
    return round(median(spent), 3), round(quantiles(spent, n=20)[-1], 3)


def _balance(account: Account) -> object:
    return balances.balance(account.pk)


def _as_of(account: Account) -> object:
    return balances.as_of(account.pk, datetime.now(UTC))


def _history(account: Account) -> object:
    return list(balances.lines(account.pk)[:50])


def _statement(account: Account) -> object:
    assert account.creator is not None, "only creators were asked about"
    return statements.lines(account.creator, f"{datetime.now(UTC):%Y-%m}")


READS: dict[str, Callable[[Account], object]] = {
    "balance": _balance,
    "balance at an instant": _as_of,
    "history, 50 lines": _history,
    "a month's statement": _statement,
}


if __name__ == "__main__":
    main()
