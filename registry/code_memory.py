"""The content codes of all works, held in memory by each process and kept up with PostgreSQL.

Owns how they get there and how they stay exact; comparing is ``registry.likeness``'s part.

Codes are numbered in the order in which they are committed: who writes one holds a lock from then
until the transaction ends (migration 0011). What is known up to a number is therefore complete,
and each question reads only the rows after it: a work registered anywhere counts at once. Rows of
the asking transaction itself, which may still be rolled back, count for it alone.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from django.db import connection
from psycopg import Cursor

from registry import code_files
from registry.code_files import Group, Kind
from registry.likeness import Codes

COPY_CONTENT_CODES = (Path(__file__).parent / "sql" / "copy_content_codes.sql").read_text()
COPY_HEADER = 19
COPY_TRAILER = 2
# A row of PostgreSQL's binary COPY: the number of fields, then each field's length before it.
ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("number_size", ">i4"),
        ("number", ">i8"),
        ("work_size", ">i4"),
        ("work", "V16"),
        ("kind_size", ">i4"),
        ("kind", ">i4"),
        ("bits_size", ">i4"),
        ("bits", ">i2"),
        ("code_size", ">i4"),
        ("code", ">u8", (4,)),
        ("own_size", ">i4"),
        ("own", "?"),
    ]
)
MOST_LOOSE = 65_536
"""Rows after the last that was filed; with more, everything known is filed anew."""

Groups = Mapping[Kind, Sequence[Group]]
Rows = np.ndarray[tuple[int], np.dtype[np.void]]


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything up to a row. filed: what lies in a file, in large pieces; loose: what came since.

    number, work: of the last row known, by which a restored database is told from a grown one.
    """

    number: int = 0
    work: bytes = b""
    filed: Mapping[Kind, Group] = field(default_factory=dict)
    loose: Mapping[Kind, Group] = field(default_factory=dict)

    def with_rows(self, rows: Rows) -> "_Known":
        if not len(rows):
            return self
        last = rows[-1]
        return _Known(
            int(last["number"]), last["work"].tobytes(), self.filed, _joined(self.loose, rows)
        )

    def groups(self, own: Rows) -> dict[Kind, list[Group]]:
        found: dict[Kind, list[Group]] = {}
        for part in (self.filed, self.loose, _joined({}, own)):
            for kind, group in part.items():
                found.setdefault(kind, []).append(group)
        return found


class CodeMemory:
    """What one process knows of the codes. One for each process; threads share it.

    folder: where processes on this machine share what they filed, mapped into memory; it holds
    nothing that PostgreSQL does not.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._known = _Known()

    def groups(self) -> Groups:
        """Return all codes that the asking transaction may see, by kind, some in several pieces."""
        with self._lock:
            if not self._known.number:
                self._known = self._from_file()
            known, own = self._grown(self._known)
            if sum(len(group) for group in known.loose.values()) > MOST_LOOSE:
                known = self._filed(known)
            self._known = known
        return known.groups(own)

    def _grown(self, known: _Known) -> tuple[_Known, Rows]:
        """Read what came after what is known; return it all, and the transaction's own rows."""
        rows = _rows_from(known.number)
        if known.number:
            if not len(rows) or rows[0]["work"].tobytes() != known.work:
                # Restored from a backup, or the last work was deleted: begin anew.
                return self._grown(_Known())
            rows = rows[1:]
        return known.with_rows(rows[~rows["own"]]), rows[rows["own"]]

    def _filed(self, known: _Known) -> _Known:
        """File what is known, unless another process filed more; forget the loose rows."""
        groups = {
            kind: Group.joined(pieces) for kind, pieces in known.groups(np.empty(0, ROW)).items()
        }
        code_files.write(self._folder, code_files.Filed(known.number, known.work, groups))
        filed = self._from_file()
        return filed if filed.number == known.number else _Known(known.number, known.work, groups)

    def _from_file(self) -> _Known:
        filed = code_files.read(self._folder)
        return _Known() if filed is None else _Known(filed.number, filed.work, filed.groups)


def _joined(groups: Mapping[Kind, Group], rows: Rows) -> dict[Kind, Group]:
    """Add rows to groups, by kind."""
    joined = dict(groups)
    for kind, group in _grouped(rows):
        joined[kind] = Group.joined([joined[kind], group]) if kind in joined else group
    return joined


def _grouped(rows: Rows) -> Iterator[tuple[Kind, Group]]:
    kinds = rows["kind"].astype(np.int64) << 16 | rows["bits"]
    for both in np.unique(kinds).tolist():
        kind = Kind(both >> 16, both & 0xFFFF)
        chosen = rows[kinds == both]
        words = chosen["code"][:, : kind.words].T.astype(np.uint64)
        works = np.ascontiguousarray(chosen["work"]).view(np.uint8).reshape(-1, 16)
        yield kind, Group(works, Codes(np.ascontiguousarray(words), kind.bits))


def _rows_from(number: int) -> Rows:
    """Read the rows from a number on, in order."""
    connection.ensure_connection()
    with (
        Cursor(connection.connection) as cursor,
        cursor.copy(COPY_CONTENT_CODES, {"number": number}) as copy,
    ):
        data = b"".join(copy)
    body = data[COPY_HEADER : len(data) - COPY_TRAILER]
    return np.frombuffer(body, ROW)
