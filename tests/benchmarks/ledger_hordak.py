"""django-hordak's fastest road, in a process of its own with settings of its own.

``HordakProcess`` is the side that the benchmark talks to. Run as a program it is the other side:
reads how many seconds to work from standard input, one round a line, answers as JSON.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any, Self

import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction

from server.postgres import superuser_url
from tests.benchmarks.ledger_meter import Work, time_batches
from tests.benchmarks.ledger_traffic import CREATORS, OPERATORS, Traffic, World

BATCH = 100
"""Queries to a commit; more make it no faster, since its trigger runs once a leg."""


class HordakProcess:
    """The contender: starts the other process, which migrates and fills its own database."""

    name = f"hordak bulk, {BATCH} a commit"

    def __init__(self, database_url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.ledger_hordak"],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.benchmarks.ledger_hordak_settings",
                "HORDAK_DATABASE_URL": database_url,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.backend = int(self._answer()["backend"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._process.communicate(timeout=60)

    def work(self, seconds: float) -> Work:
        """One round in the other process."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return Work(**self._answer())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline() or "null")
        return answer


def main() -> None:
    """Serve rounds until standard input ends."""
    call_command("migrate", verbosity=0)
    traffic = Traffic(_open_accounts(), seed=3)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        sys.stdout.write(json.dumps({"backend": cursor.fetchone()[0]}) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        work = time_batches(lambda: _prepare(traffic), float(line))
        sys.stdout.write(
            json.dumps(
                {
                    "queries": work.queries,
                    "seconds": work.seconds,
                    "client_seconds": work.client_seconds,
                }
            )
            + "\n"
        )
        sys.stdout.flush()


def _open_accounts() -> World:
    """Insert the accounts with triggers off: one by one its tree of codes takes hours."""
    last = CREATORS + OPERATORS + 1
    with psycopg.connect(superuser_url(str(connection.settings_dict["NAME"]))) as server:
        server.execute("SET session_replication_role = replica")
        server.execute(
            "INSERT INTO hordak_account"
            " (id, uuid, name, type, is_bank_account, currencies, lft, rght, tree_id, level)"
            " SELECT n, gen_random_uuid(), 'account ' || n, 'LI', false, '[\"EUR\"]', 1, 2, n, 0"
            "   FROM generate_series(1, %s) AS n",
            [last],
        )
    return World.numbered()


def _prepare(traffic: Traffic) -> Callable[[], int]:
    """Amounts as hordak's Money, made before the clock starts."""
    money = import_module("djmoney.money").Money
    queries = traffic.next(BATCH)
    legs = [
        [(account, micros > 0, money(Decimal(abs(micros)).scaleb(-6), "EUR"))
         for account, micros in zip(accounts, amounts, strict=True)]
        for accounts, amounts in zip(
            queries.accounts.tolist(), queries.amounts.tolist(), strict=True
        )
    ]  # fmt: skip
    return lambda: _post(legs)


def _post(queries: list[list[tuple[int, bool, Any]]]) -> int:
    entries, legs = (_model(name) for name in ("Transaction", "Leg"))
    with transaction.atomic():
        written = entries.objects.bulk_create(entries() for _ in queries)
        legs.objects.bulk_create(
            legs(transaction=entry, account_id=account, **{"credit" if credit else "debit": money})
            for entry, query in zip(written, queries, strict=True)
            for account, credit, money in query
        )
    return len(queries)


def _model(name: str) -> Any:
    """A model of hordak's; found by name, since only this process has hordak installed."""
    return apps.get_model(f"hordak.{name}")


if __name__ == "__main__":
    main()
