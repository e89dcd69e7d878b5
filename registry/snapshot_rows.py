"""What keys say: the verdict run on the rows of the decision index, once for each different case.

Reads those of some keys, for deltas; ``snapshot_base`` reads all. What is written where is decided by
``snapshots`` and ``tribute.snapshot``.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from django.db import connection
from psycopg import Cursor

from registry.decision_index import EPOCH, MICROSECOND
from tribute.snapshot.records import Case
from tribute.snapshot.scores import PURPOSES, SILENCE, Segment, micros, timeline
from tribute.snapshot.stored import Row, record
from tribute.verdict import Statement, Tier
from tribute.vocabulary import Decision, IdentifierKind, Purpose

ROWS_AT_ONCE = 10_000
CASES_REMEMBERED = 100_000
READ_SNAPSHOT_ROWS = (Path(__file__).parent / "sql" / "read_snapshot_rows.sql").read_text()

NOTHING_SAID = (Segment(0, (SILENCE,) * len(PURPOSES)),)
"""What a key says that leads to something about which nobody has spoken: it is listed all the same."""


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
    said = told(parsed, IdentifierKind(kind), at)
    return Spoken(key, IdentifierKind(kind), canonical, said, record(parsed))


def told(rows: Sequence[Row], kind: IdentifierKind, at: datetime) -> tuple[Segment, ...]:
    """Return what a key of ``kind`` with these rows says from ``at`` on."""
    return timeline_of(_cases(rows, likeness=kind == IdentifierKind.ISCC, now=micros(at)), at)


def timeline_of(case: tuple[Case, ...], at: datetime) -> tuple[Segment, ...]:
    """Return what one case says from ``at`` on; there is always something: see NOTHING_SAID."""
    return _timeline(case, at) or NOTHING_SAID


def _cases(rows: Sequence[Row], *, likeness: bool, now: int) -> tuple[Case, ...]:
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


def _batched(keys: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))
