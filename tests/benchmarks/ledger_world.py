"""The world that the ledger's benchmarks measure in.

Owns scratch databases (made by the owner, dropped afterwards) and fills one with 10,000 creators
and 20 operators. What happens there is ``ledger_traffic``'s; measuring is ``ledger_meter``'s.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from ledger.accounts import AccountKind, account_id, account_ids
from ledger.posting import Draft, EntryKind, key_for, post
from registry.models import Creator, Operator
from server.postgres import OWNER, Postgres, superuser_url
from tests.benchmarks.ledger_traffic import CREATORS, CURRENCY, NOON, OPERATORS, World

DEPOSIT_MICROS = 10**15
"""What each operator paid in: never the limit here."""


@contextmanager
def scratch_database(name: str) -> Iterator[str]:
    """An empty database of the owner's, dropped at the end; gives the owner's address of it."""
    database, owner = sql.Identifier(name), sql.Identifier(OWNER)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database)
    # The superuser drops: the owner may not send autovacuum away.
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
        try:
            yield Postgres().url(role=OWNER, database=name)
        finally:
            connections.close_all()
            server.execute(drop)


def prepare_server() -> None:
    """Give the private server room for a run's log, so that no checkpoint falls into one round.

    Durability stays as it is: fsync, synchronous_commit and full_page_writes are on.
    """
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        server.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
        server.execute("ALTER SYSTEM SET checkpoint_timeout = '15min'")
        server.execute("SELECT pg_reload_conf()")


def migrate(name: str) -> None:
    """Point Django at the scratch database and bring it up to date as its owner."""
    for alias in ("default", "owner"):
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name
    call_command("migrate", database="owner", verbosity=0)


def populate() -> World:
    """Open everybody's account and fund the operators, as the application would."""
    creators = Creator.objects.bulk_create(
        Creator(handle=f"creator-{n}", display_name=f"Creator {n}", created_at=NOON)
        for n in range(CREATORS)
    )
    operators = Operator.objects.bulk_create(
        Operator(handle=f"operator-{n}", name=f"Operator {n}", created_at=NOON)
        for n in range(OPERATORS)
    )
    pending = [(AccountKind.CREATOR_PENDING, creator.pk, CURRENCY) for creator in creators]
    prepaid = [(AccountKind.OPERATOR_PREPAID, operator.pk, CURRENCY) for operator in operators]
    numbers = account_ids([*pending, *prepaid])
    world = World(
        creators=np.array([numbers[key] for key in pending], dtype=np.int32),
        operators=np.array([numbers[key] for key in prepaid], dtype=np.int32),
        fee=account_id(AccountKind.PLATFORM_FEE, None, CURRENCY),
    )
    _fund(world)
    return world


def _fund(world: World) -> None:
    clearing = account_id(AccountKind.PROVIDER_CLEARING, None, CURRENCY)
    deposits = [
        Draft(
            key=key_for(f"deposit:{operator}"),
            kind=EntryKind.TOPUP,
            currency=CURRENCY,
            legs=((clearing, -DEPOSIT_MICROS), (int(operator), DEPOSIT_MICROS)),
            effective_at=NOON,
        )
        for operator in world.operators
    ]
    assert len(post(deposits, at=NOON).entry_ids) == OPERATORS
