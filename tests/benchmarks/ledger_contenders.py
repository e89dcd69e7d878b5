"""Our posting, and what it is compared with: a bare COPY, and a commit for every query.

Each posts the same kind of queries. What the caller must have anyway is made before the clock
starts: for the ledger plain numbers and keys, for COPY whole arrays.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
from django.db import connection

from ledger.copy_format import HEADER, TRAILER
from ledger.posting import post
from tests.benchmarks.ledger_meter import Work, time_batches
from tests.benchmarks.ledger_traffic import LEGS, NOON, Queries, Traffic, drafts

BATCH = 1_000


class Ledger:
    """`ledger.posting.post` as the service calls it: logged in as ``tribute_app``."""

    def __init__(self, name: str, traffic: Traffic, *, batch: int) -> None:
        self.name = name
        self._traffic, self._batch = traffic, batch
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid(), current_user")
            self.backend, user = cursor.fetchone()
        assert user == "tribute_app", "measured with the service's own rights"

    def work(self, seconds: float) -> Work:
        """Post batches, each in a transaction of its own."""
        return time_batches(self._prepare, seconds)

    def _prepare(self) -> Callable[[], int]:
        legs = self._traffic.legs(self._batch)

        def run() -> int:
            posted = post(drafts(legs), at=NOON)
            assert not posted.duplicates
            assert not posted.refused
            return len(posted.entry_ids)

        return run


class RawCopy:
    """The same legs into a plain table with the two indexes a reader needs, and no law at all."""

    name = "raw COPY"

    def __init__(self, traffic: Traffic, owner: psycopg.Connection[Any]) -> None:
        self._traffic, self._owner = traffic, owner
        self._queries = 0
        self.backend = owner.info.backend_pid
        owner.execute("CREATE SCHEMA peer")
        owner.execute(
            "CREATE TABLE peer.leg (tx bigint NOT NULL, account int NOT NULL, amount bigint NOT NULL)"
        )
        owner.execute("CREATE INDEX ON peer.leg (account, tx)")
        owner.execute("CREATE INDEX ON peer.leg USING brin (tx)")

    def work(self, seconds: float) -> Work:
        """COPY as many queries at a time as the ledger posts, each time committed."""
        return time_batches(self._prepare, seconds)

    def _prepare(self) -> Callable[[], int]:
        queries = self._traffic.next(BATCH)
        first = self._queries
        self._queries += BATCH

        def run() -> int:
            with self._owner.transaction(), self._owner.cursor() as cursor:
                with cursor.copy("COPY peer.leg FROM STDIN (FORMAT binary)") as copy:
                    copy.write(HEADER + _rows(queries, first) + TRAILER)
                return cursor.rowcount // LEGS

        return run


_LEG = np.dtype(
    {
        "names": ["columns", "l1", "tx", "l2", "account", "l3", "amount"],
        "formats": [">i2", ">i4", ">i8", ">i4", ">i4", ">i4", ">i8"],
    }
)
"""A row of three columns in binary COPY, each after its length in bytes."""


def _rows(queries: Queries, first: int) -> bytes:
    """Every leg as a row of binary COPY, packed by numpy: the fastest client we know."""
    rows = np.empty(queries.accounts.size, dtype=_LEG)
    rows["columns"], rows["l1"], rows["l2"], rows["l3"] = 3, 8, 4, 8
    rows["tx"] = np.repeat(np.arange(first, first + len(queries.accounts)), LEGS)
    rows["account"], rows["amount"] = queries.accounts.ravel(), queries.amounts.ravel()
    return rows.tobytes()
