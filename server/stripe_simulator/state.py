"""The simulation's memory: one SQLite file that survives a restart and ``kill -9``.

Owns tables, transactions and lists; what the objects mean is the noun modules' business.
Every request and every thing that happens by itself is one transaction.
"""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from server.stripe_simulator.errors import ApiError
from server.stripe_simulator.parameters import (
    DEFAULT_PAGE,
    MAXIMUM_PAGE,
    Parameters,
    branch,
    text,
    whole,
)

Body = dict[str, Any]

PLATFORM = ""
"""The account column of what belongs to the platform itself."""

FOREVER = 2**62

_TABLES = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    account TEXT NOT NULL, grp TEXT NOT NULL, created INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS object_list ON object (kind, account, grp, seq);
CREATE TABLE IF NOT EXISTS money (
    id TEXT PRIMARY KEY, account TEXT NOT NULL, currency TEXT NOT NULL, net INTEGER NOT NULL,
    available_on INTEGER NOT NULL, payout TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS money_balance ON money (account, currency, available_on, net);
CREATE TABLE IF NOT EXISTS kept_answer (
    account TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (account, key)
) STRICT;
CREATE TABLE IF NOT EXISTS delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL, secret TEXT NOT NULL,
    due REAL NOT NULL, attempts INTEGER NOT NULL, recorded REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS appointment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, deed TEXT NOT NULL,
    subject TEXT NOT NULL, UNIQUE (deed, subject)
) STRICT;
CREATE TABLE IF NOT EXISTS fault (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, route TEXT NOT NULL,
    remaining INTEGER NOT NULL, seconds REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS tally (name TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
"""


class State:
    """One open state file. Threads share it; `transaction` lets one in at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._sqlite = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        # A killed process loses nothing that was committed; only a power cut could.
        self._sqlite.execute("PRAGMA journal_mode = WAL")
        self._sqlite.execute("PRAGMA synchronous = NORMAL")
        self._sqlite.executescript(_TABLES)

    def close(self) -> None:
        """Close the file; the state stays in it."""
        with self._lock:
            self._sqlite.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit the block at its end, or nothing of it when it raises."""
        with self._lock:
            self._sqlite.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._sqlite.execute("ROLLBACK")
                raise
            self._sqlite.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo the block when it raises, inside a transaction that goes on."""
        self._sqlite.execute("SAVEPOINT deed")
        try:
            yield
        except BaseException:
            self._sqlite.execute("ROLLBACK TO deed")
            raise
        finally:
            self._sqlite.execute("RELEASE deed")

    def run(self, sql: str, *values: object) -> sqlite3.Cursor:
        """Run one statement; `transaction` must be open when it writes."""
        with self._lock:
            return self._sqlite.execute(sql, values)

    def add(self, kind: str, body: Body, *, account: str = PLATFORM, group: str = "") -> Body:
        """Keep a new object. ``group`` is what lists filter by (a transfer group, a payout)."""
        self.run(
            "INSERT INTO object (id, kind, account, grp, created, body) VALUES (?, ?, ?, ?, ?, ?)",
            body["id"],
            kind,
            account,
            group,
            _seconds(body["created"]),
            json.dumps(body),
        )
        return body

    def change(self, object_id: str, **fields: object) -> Body:
        """Change fields of an object and return it whole."""
        (written,) = self.run("SELECT body FROM object WHERE id = ?", object_id).fetchone()
        body = {**json.loads(written), **fields}
        self.run("UPDATE object SET body = ? WHERE id = ?", json.dumps(body), object_id)
        return body

    def regroup(self, object_id: str, group: str) -> None:
        """Put an object into another group."""
        self.run("UPDATE object SET grp = ? WHERE id = ?", group, object_id)

    def find(self, kind: str, object_id: str, *, account: str = PLATFORM) -> Body | None:
        """The object, or None when it does not exist for this account."""
        row = self.run(
            "SELECT body FROM object WHERE id = ? AND kind = ? AND account = ?",
            object_id,
            kind,
            account,
        ).fetchone()
        return json.loads(row[0]) if row else None

    def find_anywhere(self, kind: str, object_id: str) -> Body | None:
        """The object, whoever's it is."""
        row = self.run(
            "SELECT body FROM object WHERE id = ? AND kind = ?", object_id, kind
        ).fetchone()
        return json.loads(row[0]) if row else None

    def newest(self, kind: str, *, account: str) -> list[Body]:
        """All objects of one kind and account, newest first."""
        rows = self.run(
            "SELECT body FROM object WHERE kind = ? AND account = ? ORDER BY seq DESC",
            kind,
            account,
        )
        return [json.loads(row[0]) for row in rows]

    def page(  # noqa: PLR0913 - what lists filter by, each part by name
        self,
        kind: str,
        params: Parameters,
        url: str,
        *,
        account: str,
        group: str = "",
        types: Sequence[str] = (),
        least: int = 0,
    ) -> Body:
        """A list object, newest first, by cursor (docs.stripe.com/api/pagination).

        Reads limit, starting_after, ending_before and created[gte|gt|lte|lt] from params;
        a ``type`` there filters too. group "" lists all groups, no types all of them; least: the
        earliest second listed.
        """
        limit = min(whole(params, "limit", DEFAULT_PAGE), MAXIMUM_PAGE)
        after, before = (
            self._position(params, "starting_after"),
            self._position(params, "ending_before"),
        )
        since, until = _created_between(params)
        since, wanted = max(since, least), json.dumps(list(types))
        order = "ASC" if before else "DESC"
        rows = self.run(
            "SELECT body FROM object WHERE kind = ? AND account = ? AND (? = '' OR grp = ?)"  # noqa: S608 - ASC or DESC
            " AND created >= ? AND created <= ? AND seq < ? AND seq > ?"
            " AND (? = '' OR json_extract(body, '$.type') = ?)"
            " AND (? = '[]' OR json_extract(body, '$.type') IN (SELECT value FROM json_each(?)))"
            f" ORDER BY seq {order} LIMIT ?",
            *(kind, account, group, group, since, until, after or FOREVER, before),
            *(text(params, "type", ""), text(params, "type", ""), wanted, wanted, limit + 1),
        ).fetchall()
        bodies = [json.loads(row[0]) for row in rows[:limit]]
        return {
            "object": "list",
            "data": bodies[::-1] if before else bodies,
            "has_more": len(rows) > limit,
            "url": url,
        }

    def count(self, name: str) -> None:
        """Add one to a tally."""
        self.run(
            "INSERT INTO tally (name, count) VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET count = count + 1",
            name,
        )

    def _position(self, params: Parameters, cursor: str) -> int:
        if cursor not in params:
            return 0
        object_id = text(params, cursor)
        row = self.run("SELECT seq FROM object WHERE id = ?", object_id).fetchone()
        if row is None:
            raise ApiError(f"No such object: '{object_id}'", code="resource_missing", param=cursor)
        return int(row[0])


def new_id(prefix: str) -> str:
    """An id nobody can guess or meet twice, also across state files."""
    return f"{prefix}_{secrets.token_hex(12)}"


def _created_between(params: Parameters) -> tuple[int, int]:
    """The first and last second that the ``created`` filter admits."""
    if not isinstance(params.get("created", {}), Mapping):
        exactly = whole(params, "created", least=0)
        return exactly, exactly
    bounds = branch(params, "created")
    since = max(whole(bounds, "gte", 0, least=0), whole(bounds, "gt", -1, least=0) + 1)
    until = min(whole(bounds, "lte", FOREVER), whole(bounds, "lt", FOREVER + 1) - 1)
    return since, until


def _seconds(created: object) -> int:
    """Unix seconds of a v1 object; v2's are written out and never listed by time."""
    return created if isinstance(created, int) else 0
