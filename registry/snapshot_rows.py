"""What every key says, read from the decision index in bounded memory, as snapshots need it.

Groups the rows of a key and runs the verdict on them, once for each different case. Streams in
the order of keys; what is written where is decided by ``snapshots`` and ``tribute.snapshot``.
"""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from django.db import connection
from psycopg import Cursor

from registry.decision_index import EPOCH, MICROSECOND
from tribute import ids
from tribute.snapshot.changes import KEY_BYTES
from tribute.snapshot.publishing import CodeBook
from tribute.snapshot.sayings import ODD_RECORD, Saying, Subject, packed
from tribute.snapshot.scores import PURPOSES, SILENCE, Segment, micros, timeline
from tribute.snapshot.tables import GATE_SHIFT, GATE_URLS, KEY_TABLES, Columns, split_keys
from tribute.verdict import Statement, Tier
from tribute.vocabulary import Decision, IdentifierKind, Purpose

ROWS_AT_ONCE = 10_000
CASES_REMEMBERED = 100_000
MOST_DEPTH = GATE_URLS - 1
_SQL = Path(__file__).parent / "sql"
COUNT_SNAPSHOT_ROWS = (_SQL / "count_snapshot_rows.sql").read_text()
STREAM_SNAPSHOT_ROWS = (_SQL / "stream_snapshot_rows.sql").read_text()
STREAM_SNAPSHOT_GATES = (_SQL / "stream_snapshot_gates.sql").read_text()
READ_SNAPSHOT_ROWS = (_SQL / "read_snapshot_rows.sql").read_text()

NOTHING_SAID = (Segment(0, (SILENCE,) * len(PURPOSES)),)
"""What a key says that leads to something about which nobody has spoken: it is listed all the same."""

# One statement without its names: subject, tier, narrowness, claimant, purpose, decision, since
# (0: already), sequence, proven, disputed, and whether it is only about a likeness.
Case = tuple[int, int, int, int, str, str, int, int, bool, bool, bool]


Keep = Callable[[IdentifierKind, bytes, bytes], None]
"""Takes the kind of each key, the key, and the record of what is said under it."""

_TYPES = {"work": "wrk", "collection": "col", "creator": "cre"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a key says. key: (32,) bytes. canonical: the identifier; empty where not asked for.

    record: the same with the ids of statements, as ``tribute.snapshot.sayings`` keeps it.
    """

    key: bytes
    kind: IdentifierKind
    canonical: str
    timeline: tuple[Segment, ...]
    record: bytes


def sizes() -> dict[str, int]:
    """Return about how many rows each table of a complete snapshot will have."""
    counted: dict[str, int] = {kind.value: 0 for kind in KEY_TABLES}
    with connection.cursor() as cursor:
        cursor.execute(COUNT_SNAPSHOT_ROWS)
        for kind, count in cursor.fetchall():
            counted[kind] += count
    return counted


def everything(
    codes: CodeBook, *, at: datetime, keep: Keep = lambda *_: None
) -> Iterator[tuple[str, Columns]]:
    """Yield the rows of all tables in pieces, each table in the order of its keys.

    A gate may stand for a URL that was registered after the rows were read, never the reverse.
    """
    waiting: dict[str, dict[bytes, int]] = defaultdict(dict)
    said = _numbered(_all_spoken(at), codes, keep)
    for key, table, code in heapq.merge(said, _gates()):
        rows = waiting[table]
        # A host's own rule and its gate come one after the other, and make one row.
        rows[key[:KEY_BYTES]] = rows.get(key[:KEY_BYTES], 0) | code
        if len(rows) > ROWS_AT_ONCE:
            last = rows.popitem()
            yield table, _columns(rows)
            waiting[table] = dict([last])
    for table, rows in waiting.items():
        yield table, _columns(rows)


def _numbered(
    said: Iterable[Spoken], codes: CodeBook, keep: Keep
) -> Iterator[tuple[bytes, str, int]]:
    for each in said:
        keep(each.kind, each.key, each.record)
        yield each.key, each.kind.value, codes.number(each.timeline)


def some(keys: Iterable[bytes], *, at: datetime) -> Iterator[Spoken]:
    """Yield what these keys say; nothing for those that say nothing."""
    connection.ensure_connection()
    for batch in _batched(sorted(keys), ROWS_AT_ONCE):
        with Cursor(connection.connection) as cursor:
            cursor.execute(READ_SNAPSHOT_ROWS, {"keys": batch}, binary=True)
            for (key, kind, canonical), rows in itertools.groupby(cursor, lambda row: row[:3]):
                yield spoken(key, kind, canonical, [row[3:] for row in rows], at)


def spoken(
    key: bytes, kind: str, canonical: str, rows: Sequence[tuple[Any, ...]], at: datetime
) -> Spoken:
    """Return what the rows of one key say from ``at`` on.

    rows: subject, subject_type, tier, specificity, statements (JSON text) of each.
    """
    parsed = [(*row[:4], orjson.loads(row[4])) for row in rows]
    cases = _cases(parsed, likeness=kind == IdentifierKind.ISCC, now=micros(at))
    told = _timeline(cases, at) or NOTHING_SAID
    return Spoken(key, IdentifierKind(kind), canonical, told, _record(parsed))


def _record(rows: Sequence[tuple[Any, ...]]) -> bytes:
    if any("distance" in s for row in rows for s in row[4]):
        return ODD_RECORD
    try:
        return packed(
            Subject(subject, _TYPES[kind], tier, narrowness, list(map(_saying, statements)))
            for subject, kind, tier, narrowness, statements in rows
        )
    except ids.InvalidId:
        return ODD_RECORD


def _saying(s: Mapping[str, Any]) -> Saying:
    return Saying(
        id=ids.decode("stm", s["id"]),
        claimant=_claimant(s["claimant"]),
        terms=None if s["terms"] is None else ids.decode("trm", s["terms"]),
        since=s["from"],
        sequence=s["sequence"],
        purpose=s["purpose"],
        decision=s["decision"],
        proven=s["proven"],
        disputed=s["disputed"],
    )


@lru_cache(maxsize=CASES_REMEMBERED)
def _claimant(public_id: str) -> UUID:
    return ids.decode("cre", public_id)


def _all_spoken(at: datetime) -> Iterator[Spoken]:
    for (key, kind), rows in itertools.groupby(
        _streamed("rows", STREAM_SNAPSHOT_ROWS), lambda row: row[:2]
    ):
        yield spoken(key, kind, "", [row[2:] for row in rows], at)


def _gates() -> Iterator[tuple[bytes, str, int]]:
    for key, urls, depth in _streamed("gates", STREAM_SNAPSHOT_GATES):
        gate = (GATE_URLS if urls else 0) | min(depth, MOST_DEPTH)
        yield key, IdentifierKind.HOST.value, gate << GATE_SHIFT


def _streamed(name: str, query: str) -> Iterator[tuple[Any, ...]]:
    """Read a long answer through a cursor of the server, so that it is never here as a whole."""
    connection.ensure_connection()
    with connection.connection.cursor(f"snapshot_{name}", binary=True) as cursor:
        cursor.itersize = ROWS_AT_ONCE
        cursor.execute(query)
        yield from cursor


def _cases(rows: Sequence[tuple[Any, ...]], *, likeness: bool, now: int) -> tuple[Case, ...]:
    claimants: dict[str, int] = {}
    return tuple(
        (
            number,
            tier,
            narrowness,
            claimants.setdefault(s["claimant"], len(claimants)),
            s["purpose"],
            s["decision"],
            s["from"] if s["from"] > now else 0,
            s["sequence"],
            s["proven"],
            s["disputed"],
            likeness or "distance" in s,
        )
        for number, (_, _, tier, narrowness, statements) in enumerate(rows)
        for s in statements
    )


@lru_cache(maxsize=CASES_REMEMBERED)
def _timeline(cases: tuple[Case, ...], at: datetime) -> tuple[Segment, ...]:
    """Run the verdict on one case. Most keys say the same as many others."""
    return timeline(map(_statement, cases, itertools.repeat(at)), at=at)


def _statement(case: Case, at: datetime) -> Statement:
    (subject, tier, narrowness, claimant, purpose, decision, since, sequence, proven, disputed,
     likeness) = case  # fmt: skip
    return Statement(
        id=f"{subject}/{claimant}/{sequence}",
        subject=str(subject),
        tier=Tier(tier),
        specificity=narrowness,
        claimant=str(claimant),
        purpose=Purpose(purpose),
        decision=Decision(decision),
        effective_from=EPOCH + since * MICROSECOND if since else at,
        sequence=sequence,
        proven=proven,
        matched_by=(IdentifierKind.ISCC if likeness else IdentifierKind.URL).value,
        disputed=disputed,
    )


def _columns(rows: dict[bytes, int]) -> Columns:
    high, low = split_keys(b"".join(rows), len(rows))
    return {"high": high, "low": low, "code": np.fromiter(rows.values(), "<u4", len(rows))}


def _batched(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
