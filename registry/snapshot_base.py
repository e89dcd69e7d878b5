"""What every key says, in the order of keys, as a complete snapshot needs it.

Reads the tables once, as they lie, in one statement and so as of one instant; puts their rows by in piles on
disk, and sorts and joins a pile at a time, in bounded memory whatever the registry's size. The verdict is
run once for each different case. What a key says is ``snapshot_rows``'s.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

import numpy as np
from django.db import connection
from psycopg import Cursor

from registry import snapshot_rows
from tribute.snapshot import stored
from tribute.snapshot.piles import Piles, Scratch, bits_for, gathered, limits_of
from tribute.snapshot.publishing import CodeBook
from tribute.snapshot.records import MOST_NUMBERS, MOST_ROWS, Records, case_of
from tribute.snapshot.sayings import KINDS, SayingsWriter
from tribute.snapshot.scores import micros
from tribute.snapshot.tables import GATE_SHIFT, GATE_URLS, KEY_TABLES, Columns, Numbers, find
from tribute.vocabulary import IdentifierKind

ROWS_AT_ONCE = 1 << 13
PIECE = 1 << 18
_SQL = Path(__file__).parent / "sql"
COPY_SNAPSHOT_ROWS = (_SQL / "copy_snapshot_rows.sql").read_text()
# PostgreSQL manual, "Binary Format": signature, flags, length of the (empty) extension; and the end.
_HEADER, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_KEY = np.dtype([("high", "<u8"), ("low", "<u8"), ("code", "<u4")])
_DEPTH = np.uint32((GATE_URLS - 1) << GATE_SHIFT)
_HOST = KEY_TABLES.index(IdentifierKind.HOST)
_ISCC = KEY_TABLES.index(IdentifierKind.ISCC)
_COLUMN_OF = np.array([KINDS.index(k) if k in KINDS else len(KINDS) for k in KEY_TABLES])


@dataclass(frozen=True, slots=True)
class Sorted:
    """The rows of all tables of keys; they last as long as the ``with`` they were made in."""

    tables: Mapping[IdentifierKind, Scratch]

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows each table has."""
        return {kind.value: rows.rows for kind, rows in self.tables.items()}

    def pieces(self) -> Iterator[tuple[str, Columns]]:
        """Yield the rows in pieces, table by table, each in the order of its keys."""
        for kind, table in self.tables.items():
            for start in range(0, table.rows, PIECE):
                yield kind.value, _columns(table.read(start, min(start + PIECE, table.rows)))


@contextmanager
def everything(
    folder: Path, codes: CodeBook, *, at: datetime, said: SayingsWriter
) -> Iterator[Sorted]:
    """Sort what every key says.

    folder: where there is room for some 200 bytes a key meanwhile. codes: gets what keys say. said:
    gets with which statements they do.
    """
    with ExitStack() as stack:
        bits = bits_for(_bytes_to_read())
        spoken, places, gates = (
            stack.enter_context(Piles(folder, kind, bits=bits))
            for kind in (stored.SAID, stored.PLACE, _KEY)
        )
        tables = {kind: stack.enter_context(Scratch(folder, _KEY)) for kind in KEY_TABLES}
        hosts = stack.enter_context(Scratch(folder, _KEY))
        _put_by(spoken, places)
        speakers = _Speakers(codes, at)
        limits = [0]
        for number in range(spoken.count):
            keys = _joined(spoken.pile(number), places.pile(number)[0])
            code = speakers.codes(keys)
            said.put_all(*keys.sayings())
            gates.add(keys.gates())
            for place, kind in enumerate(KEY_TABLES):
                (hosts if place == _HOST else tables[kind]).append(keys.rows(place, code))
            limits.append(hosts.rows)
        for number in range(spoken.count):
            rows = hosts.read(limits[number], limits[number + 1])
            tables[IdentifierKind.HOST].append(
                _merged(np.concatenate([rows, gates.pile(number)[0]]))
            )
        yield Sorted(tables)


def _put_by(spoken: Piles, places: Piles) -> None:
    for data in _copied():
        read = stored.read(data)
        spoken.add(read.said, read.parts)
        places.add(read.places)


class _Speakers:
    """Runs the verdict on what keys say, once for each case, and numbers what comes of it."""

    def __init__(self, codes: CodeBook, at: datetime) -> None:
        self._codes, self._at = codes, at
        self._known: dict[bytes, int] = {}

    def codes(self, keys: "_Keys") -> Numbers:
        """Return the code of each key; those that were never met before get theirs in order."""
        cases = keys.records.cases(now=micros(self._at), likeness=keys.kind == _ISCC)
        odd = keys.odd_rows
        found = [
            self._odd(keys.kind[number], odd[number])
            if number in odd
            else self._known.get(case) or self._new(case)
            for number, case in enumerate(cases)
        ]
        return np.array(found, "<u4")

    def _new(self, case: bytes) -> int:
        if len(self._known) >= snapshot_rows.CASES_REMEMBERED:
            self._known.clear()
        said = snapshot_rows.timeline_of(tuple(case_of(case)), self._at)
        code = self._known[case] = self._codes.number(said)
        return code

    def _odd(self, kind: int, rows: Sequence[stored.Row]) -> int:
        return self._codes.number(snapshot_rows.told(rows, KEY_TABLES[kind], self._at))


@dataclass(frozen=True, slots=True)
class _Keys:
    """The keys of one pile that lead somewhere, in order.

    kind: places in KEY_TABLES. odd_rows: what is said under those whose record would not say it.
    opened: of type PLACE, those of them that are in need of a host's gate.
    """

    high: Numbers
    low: Numbers
    kind: Numbers
    records: Records
    odd_rows: Mapping[int, Sequence[stored.Row]]
    opened: Numbers

    def sayings(self) -> tuple[Numbers, Numbers, Numbers, Numbers, bytes]:
        """Return what ``SayingsWriter.put_all`` takes."""
        columns = _COLUMN_OF[self.kind]
        wanted = columns < len(KINDS)
        data, sizes = self.records.of_keys(wanted)
        return columns[wanted], self.high[wanted], self.low[wanted], sizes, data

    def rows(self, kind: int, code: Numbers) -> Numbers:
        """Return the rows of one table, before gates."""
        these = self.kind == kind
        return _rows(self.high[these], self.low[these], code[these])

    def gates(self) -> Numbers:
        """Return which hosts' gates are to be opened how far, each once."""
        opened = self.opened
        return _merged(_rows(opened["host_high"], opened["host_low"], opened["gate"] << GATE_SHIFT))


def _joined(said: tuple[Numbers, Numbers], places: Numbers) -> _Keys:
    """Put together what is said under each key of a pile; keys without a place lead nowhere."""
    rows, parts = said
    units = rows["units"].astype("<i8")
    places = places[np.lexsort((places["low"], places["high"]))]
    places = places[_fresh(places)]
    order = _in_order(rows, parts[limits_of(units)[:-1] + 1])
    found = find(_numbered(places), rows["high"][order], rows["low"][order])
    order, place = order[found > 0], found[found > 0] - 1
    rows = rows[order]
    fresh = _fresh(rows)
    keys, owners = rows[fresh], np.cumsum(fresh) - 1
    odd = _too_much(rows, owners, len(keys))
    plain = ~odd[owners]
    records = Records.of(
        gathered(parts, units, order[plain]), units[order[plain]], owners[plain], odd
    )
    return _Keys(
        high=keys["high"],
        low=keys["low"],
        kind=places["kind"][place[fresh]].astype("<i8"),
        records=records,
        odd_rows=_odd_rows(rows, owners, odd, parts, limits_of(units)[order]),
        opened=places[
            (places["gate"] > 0) & (find(_numbered(keys), places["high"], places["low"]) > 0)
        ],
    )


def _in_order(rows: Numbers, names: Numbers) -> Numbers:
    """Return the order of keys; under one key by subject, of whose ids ``names`` are the first halves."""
    return np.lexsort((names.byteswap(), rows["low"], rows["high"]))


def _too_much(rows: Numbers, owners: Numbers, keys: int) -> Numbers:
    """Return which keys' records cannot say what is said under them."""
    units = np.bincount(owners, rows["units"], keys)
    large = (np.bincount(owners, minlength=keys) > MOST_ROWS) | (units >= MOST_NUMBERS)
    odd: Numbers = large | (np.bincount(owners, rows["odd"], keys) > 0)
    return odd


def _odd_rows(
    rows: Numbers, owners: Numbers, odd: Numbers, parts: Numbers, starts: Numbers
) -> dict[int, list[stored.Row]]:
    found: dict[int, list[stored.Row]] = defaultdict(list)
    for number in np.flatnonzero(odd[owners]).tolist():
        start, row = int(starts[number]), rows[number]
        part = parts[start : start + int(row["units"])].tobytes()
        found[int(owners[number])].append(stored.row_of(part, odd=bool(row["odd"])))
    return found


def _merged(rows: Numbers) -> Numbers:
    """Return the rows of hosts in order, each host once: its code, and its gate as far as any opens it."""
    rows = rows[np.lexsort((rows["low"], rows["high"]))]
    starts = np.flatnonzero(_fresh(rows))
    if not len(starts):
        return rows
    merged = rows[starts]
    depth = np.maximum.reduceat(rows["code"] & _DEPTH, starts)
    merged["code"] = depth | np.bitwise_or.reduceat(rows["code"] & ~_DEPTH, starts)
    return merged


def _fresh(rows: Numbers) -> Numbers:
    """Return which of sorted rows are the first of their key."""
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (rows["high"][1:] != rows["high"][:-1]) | (rows["low"][1:] != rows["low"][:-1])
    return fresh


def _numbered(rows: Numbers) -> Columns:
    """Return sorted rows as a table in which each leads to its number, from 1 on."""
    high, low = (np.ascontiguousarray(rows[name]) for name in ("high", "low"))
    return {"high": high, "low": low, "code": np.arange(1, len(rows) + 1, dtype="<u4")}


def _rows(high: Numbers, low: Numbers, code: Numbers) -> Numbers:
    rows = np.empty(len(high), _KEY)
    rows["high"], rows["low"], rows["code"] = high, low, code
    return rows


def _columns(rows: Numbers) -> Columns:
    return {name: np.ascontiguousarray(rows[name]) for name in ("high", "low", "code")}


def _bytes_to_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('registry_decisionindex')")
        (size,) = cursor.fetchone()
    return int(size)


def _copied() -> Iterator[bytes]:
    """Yield whole rows as PostgreSQL copies them, some thousand at a time."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor, cursor.copy(COPY_SNAPSHOT_ROWS) as copy:
        messages = iter(copy)
        data = b"".join(islice(messages, ROWS_AT_ONCE)).removeprefix(_HEADER)
        while more := b"".join(islice(messages, ROWS_AT_ONCE)):
            yield data
            data = more
        yield data.removesuffix(_END)
