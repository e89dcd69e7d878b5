"""Report what a manifest holds: decisions, works, violations, and what was trained on repeatedly.

The counts are taken once, when the last row is matched, and kept: at ten million rows they take
minutes. Duplicates matter because what a model sees often is what it can be made to repeat.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from psycopg import Cursor

from registry import near_copies, near_pairs
from registry.manifest_matching import VIOLATIONS
from registry.models import Manifest, ManifestRow
from registry.near_pairs import Codes
from tribute import ids
from tribute.vocabulary import Decision

EXAMPLES = 100
MOST_CODES = 2_000_000
"""Codes of one type that are compared; a code takes 32 bytes of memory, and as much while sorted."""
PPM = 1_000_000
_SQL = Path(__file__).parent / "sql"
COUNT_MANIFEST_ROWS = (_SQL / "count_manifest_rows.sql").read_text()
FIND_REPEATED_ROWS = (_SQL / "find_repeated_rows.sql").read_text()


@dataclass(frozen=True, slots=True)
class Repeated:
    """An identifier that several rows have."""

    kind: str
    value: str
    rows: int
    first_row: int


@dataclass(frozen=True, slots=True)
class NearRow:
    """A row whose content is like an earlier one's; the share of bits that differ, in ppm."""

    row: int
    earlier_row: int
    distance_ppm: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a manifest holds.

    matched: rows recognised as a registered work, in ``coverage_ppm`` of all rows; allowed,
    denied: rows by their decision at ingestion, licences without a grant among the denied;
    duplicated: rows whose identifier an earlier row has; with_codes: rows with a content code;
    near_duplicated: those of them with an earlier row's within near_copies.FARTHEST, the same
    code included; near_compared: how many were compared.
    """

    rows: int
    matched: int
    coverage_ppm: int
    works: int
    allowed: int
    unknown: int
    denied: int
    duplicated: int
    with_codes: int = 0
    near_duplicated: int = 0
    near_compared: int = 0
    repeated: Sequence[Repeated] = field(default=())
    near: Sequence[NearRow] = field(default=())
    violations: Sequence[ManifestRow] = field(default=())


def summarise(manifest: Manifest) -> dict[str, Any]:
    """Count what ``report`` prints; takes minutes for ten million rows."""
    return {
        **_counts(manifest),
        **_repeated(manifest),
        **_near(manifest),
    }


def report(manifest: Manifest, *, most_violations: int = EXAMPLES) -> Report:
    """Return what a manifest that is ready holds, with the first of its violations."""
    summary: Mapping[str, Any] = manifest.summary or summarise(manifest)
    decisions = summary["decisions"]
    found = violations(manifest).select_related("work", "statement")
    return Report(
        rows=manifest.rows_count,
        matched=manifest.matched_count,
        coverage_ppm=manifest.matched_count * PPM // max(manifest.rows_count, 1),
        works=summary["works"],
        allowed=decisions.get(Decision.ALLOW.value, 0),
        unknown=decisions.get(Decision.UNKNOWN.value, 0),
        denied=manifest.violations_count,
        duplicated=summary["duplicated"],
        with_codes=summary["with_codes"],
        near_duplicated=summary["near_duplicated"],
        near_compared=summary["near_compared"],
        repeated=[Repeated(**row) for row in summary["repeated"]],
        near=[NearRow(**row) for row in summary["near"]],
        violations=list(found.order_by("row_number")[:most_violations]),
    )


def violations(manifest: Manifest) -> QuerySet[ManifestRow]:
    """Return the rows that were not allowed when they were ingested."""
    return manifest.rows.filter(decision__in=VIOLATIONS)


def _counts(manifest: Manifest) -> dict[str, Any]:
    parameters = {"manifest": ids.decode("mft", manifest.pk)}
    with connection.cursor() as cursor:
        cursor.execute(COUNT_MANIFEST_ROWS, parameters)
        decisions = dict(cursor.fetchall())
    works = manifest.rows.exclude(work=None).values("work_id").distinct().count()
    return {"decisions": decisions, "works": works}


def _repeated(manifest: Manifest) -> dict[str, Any]:
    parameters: dict[str, Any] = {"manifest": str(ids.decode("mft", manifest.pk)), "most": EXAMPLES}
    with connection.cursor() as cursor:
        cursor.execute(FIND_REPEATED_ROWS, parameters)
        rows = cursor.fetchall()
    named = [
        {"kind": kind, "value": value, "rows": count, "first_row": first}
        for _, _, kind, value, count, first in rows
    ]
    return {"duplicated": rows[0][1] if rows else 0, "repeated": named}


def _near(manifest: Manifest) -> dict[str, Any]:
    """Find rows that are like an earlier one; what has another type or length never compares."""
    found, examples = {"with_codes": 0, "near_duplicated": 0, "near_compared": 0}, []
    kinds = manifest.codes.extra(select={"length": "octet_length(code)"}).values_list(
        "type", "length"
    )
    for kind, length in sorted(set(kinds.distinct())):
        counted = manifest.codes.filter(type=kind).extra(
            where=["octet_length(code) = %s"], params=[length]
        )
        found["with_codes"] += counted.count()
        numbers, codes = _codes(manifest, kind, length)
        found["near_compared"] += len(numbers)
        most = (
            near_copies.FARTHEST_SHORT
            if length * 8 <= near_copies.SHORT_BITS
            else (near_copies.FARTHEST)
        )
        best, distance = near_pairs.nearest_before(codes, most=most)
        later = np.nonzero(best >= 0)[0]
        found["near_duplicated"] += len(later)
        examples += [
            {
                "row": int(numbers[i]),
                "earlier_row": int(numbers[best[i]]),
                "distance_ppm": int(distance[i]) * PPM // (length * 8),
            }
            for i in later[:EXAMPLES]
        ]
    return {**found, "near": sorted(examples, key=lambda near: near["row"])[:EXAMPLES]}


def _codes(
    manifest: Manifest, kind: str, length: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Codes]:
    """Return the row numbers and codes of one type and length, by row: (n,) and (n, words)."""
    numbers: list[int] = []
    packed = bytearray()
    for number, code in _stream(manifest, kind, length):
        numbers.append(number)
        packed += code
    codes = np.frombuffer(bytes(packed), np.uint64).reshape(len(numbers), length // 8)
    return np.array(numbers, np.int64), codes


def _stream(manifest: Manifest, kind: str, length: int) -> Iterator[tuple[int, bytes]]:
    with Cursor(connection.connection) as cursor:
        yield from cursor.stream(
            "SELECT row_number, code FROM registry_manifestcode"
            " WHERE manifest_id = %s AND type = %s AND octet_length(code) = %s"
            " ORDER BY row_number LIMIT %s",
            [ids.decode("mft", manifest.pk), kind, length, MOST_CODES],
            binary=True,
        )
