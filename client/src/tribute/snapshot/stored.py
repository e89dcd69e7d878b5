"""Rows of a registry, as PostgreSQL copies them, turned into numbers that can be sorted and joined.

Owns what ``COPY … (FORMAT binary)`` of six columns becomes: what is said under a key about one subject,
already in the form of ``sayings``, and the places to which keys belong. The compiled kernel
(native/storing.h) reads ordinary rows, and plain Python the rest, or all where there is no kernel.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np

from tribute import ids
from tribute.identifiers import TAGS
from tribute.snapshot.changes import MASKED
from tribute.snapshot.errors import Corrupt
from tribute.snapshot.piles import UNIT
from tribute.snapshot.probing import KERNEL
from tribute.snapshot.sayings import (
    DECISIONS,
    ODD_RECORD,
    PURPOSES,
    Saying,
    Subject,
    packed,
    parts_of,
    unpacked,
)
from tribute.snapshot.tables import GATE_URLS, KEY_TABLES, Numbers
from tribute.vocabulary import IdentifierKind

SUBJECT_WORDS = {"collection": "col", "creator": "cre", "work": "wrk"}
"""How a registry names the types of subjects, in the order of ``sayings.SUBJECT_TYPES``."""

SAID = np.dtype([("high", "<u8"), ("low", "<u8"), ("units", "<u4"), ("odd", "<u4")])
"""A key and one subject's part of its record: how many units of 8 bytes it has, and whether it is odd."""

PLACE = np.dtype(
    [("high", "<u8"), ("low", "<u8"), ("host_high", "<u8"), ("host_low", "<u8"), ("kind", "<u4"), ("gate", "<u4")]
)  # fmt: skip
"""A key, its kind (in the order of KEY_TABLES), and what it opens of which host's gate; 0: nothing."""

_FIELDS = 6
_GATED = {IdentifierKind.URL: GATE_URLS, IdentifierKind.PATH: 0}
_NO_HOST = bytes(16)
_MASKED = MASKED.encode()
_SAID_ROW, _PLACE_ROW = struct.Struct("<QQII"), struct.Struct("<QQQQII")
_HALVES = struct.Struct(">QQ")
_REMEMBERED = 100_000
_WORDS = tuple(
    ",".join(words).encode()
    for words in (SUBJECT_WORDS, PURPOSES, DECISIONS, [kind.value for kind in KEY_TABLES])
)

# Subject, its word, tier, narrowness, statements as the decision index keeps them.
Row = tuple[UUID, str, int, int, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows that were read. said: of type SAID. parts: (units,) u8, theirs in turn. places: of PLACE."""

    said: Numbers
    parts: Numbers
    places: Numbers


def read(data: bytes) -> Stored:
    """Read whole rows of COPY, without its header and its end.

    Columns: key, subject (none: a place), subject_type or kind, tier, specificity (both integer), and
    statements or canonical form as text. Raises Corrupt for anything else.
    """
    said, parts, places, rest = b"", b"", b"", data
    if KERNEL is not None:
        try:
            said, parts, places, rest = KERNEL.stored(data, *_WORDS)
        except ValueError as error:
            raise Corrupt(str(error)) from error
    more = _read_plainly(rest)
    return Stored(
        np.frombuffer(said + more[0], SAID),
        np.frombuffer(parts + more[1], "<u8"),
        np.frombuffer(places + more[2], PLACE),
    )


def record(rows: Iterable[Row]) -> bytes:
    """Return the record of a key; ODD_RECORD where it is to be asked about elsewhere."""
    known = list(rows)
    if any("distance" in statement for row in known for statement in row[4]):
        return ODD_RECORD
    try:
        return packed(
            Subject(subject, SUBJECT_WORDS[word], tier, narrowness, list(map(_saying, statements)))
            for subject, word, tier, narrowness, statements in known
        )
    except ids.InvalidId:
        return ODD_RECORD


def row_of(part: bytes, *, odd: bool) -> Row:
    """Return a row again from its part; of a statement what a verdict looks at."""
    if odd:
        subject, word, tier, narrowness, statements = json.loads(part)
        return UUID(subject), word, tier, narrowness, statements
    ((subject, kind, tier, narrowness, said),) = unpacked(part)
    word = next(word for word, prefix in SUBJECT_WORDS.items() if prefix == kind)
    return subject, word, tier, narrowness, [_statement(saying) for saying in said]


def _read_plainly(data: bytes) -> tuple[bytes, bytes, bytes]:
    said, parts, places = [], [], []
    for key, subject, word, tier, narrowness, text in _rows(data):
        halves = _HALVES.unpack_from(key)
        if not subject:
            places.append(_PLACE_ROW.pack(*halves, *_opened(word.decode(), text)))
            continue
        numbers = int.from_bytes(tier, signed=True), int.from_bytes(narrowness, signed=True)
        row = (UUID(bytes=subject), word.decode(), *numbers, json.loads(text))
        part, odd = parts_of(record([row])), 0
        if not part:
            part, odd = json.dumps([row[0].hex, *row[1:]]).encode(), 1
            part += b" " * (-len(part) % UNIT.itemsize)
        said.append(_SAID_ROW.pack(*halves, len(part) // UNIT.itemsize, odd))
        parts.append(part)
    return b"".join(said), b"".join(parts), b"".join(places)


def _rows(data: bytes) -> Iterator[list[bytes]]:
    at = 0
    try:
        while at < len(data):
            (count,) = struct.unpack_from(">H", data, at)
            at += 2
            if count != _FIELDS:
                raise Corrupt(f"a row has {count} columns instead of {_FIELDS}")
            fields = []
            for _ in range(_FIELDS):
                (size,) = struct.unpack_from(">i", data, at)
                at += 4 + max(size, 0)
                fields.append(data[at - max(size, 0) : at])
            if at > len(data):
                raise Corrupt("a row is cut off")
            yield fields
    except struct.error as error:
        raise Corrupt("a row is cut off") from error


def _opened(kind: str, canonical: bytes) -> tuple[int, int, int, int]:
    """Return a place's host key in halves, its kind's number, and its gate."""
    number = KEY_TABLES.index(IdentifierKind(kind))
    if kind not in _GATED:
        return 0, 0, number, 0
    authority, _, _ = canonical.partition(b"/")
    high, low = _HALVES.unpack(_host(authority))
    depth = canonical.count(b"/") if kind == IdentifierKind.PATH else 0
    return high, low, number, _GATED[IdentifierKind(kind)] | min(depth, GATE_URLS - 1)


@lru_cache(maxsize=_REMEMBERED)
def _host(authority: bytes) -> bytes:
    if authority.startswith(_MASKED):
        return bytes.fromhex(authority.removeprefix(_MASKED).decode())[: len(_NO_HOST)]
    return hashlib.sha256(TAGS[IdentifierKind.HOST] + authority).digest()[: len(_NO_HOST)]


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


def _statement(saying: Saying) -> dict[str, Any]:
    return {
        "id": ids.encode("stm", saying.id),
        "claimant": ids.encode("cre", saying.claimant),
        "terms": None if saying.terms is None else ids.encode("trm", saying.terms),
        "from": saying.since,
        "sequence": saying.sequence,
        "purpose": saying.purpose,
        "decision": saying.decision,
        "proven": saying.proven,
        "disputed": saying.disputed,
    }


@lru_cache(maxsize=_REMEMBERED)
def _claimant(public_id: str) -> UUID:
    return ids.decode("cre", public_id)
