"""What is said under each key of a snapshot, with the ids of statements, in files beside its tables.

For a registry's own web processes, which answer from it without asking a database; clients never get it.
Owns the files: one of records, to which each delta appends, and for each table of keys by which
addresses are found a column that says where each row's record is (in units of 32 bytes; 0: nowhere). A
signed page states the hashes of all of them. The compiled kernel (native/sayings.h) reads records.
"""

import hashlib
import json
import os
import shutil
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self
from uuid import UUID

import numpy as np

from tribute.snapshot.errors import Corrupt, InvalidManifest
from tribute.snapshot.manifest import verify_signature
from tribute.snapshot.publishing import Signer, signed
from tribute.snapshot.tables import Columns, Numbers, rows_of
from tribute.vocabulary import Decision, IdentifierKind, Purpose

FORMAT = "tribute-sayings/2"
KINDS = (IdentifierKind.DOMAIN, IdentifierKind.HOST, IdentifierKind.PATH, IdentifierKind.URL)
"""The tables that have a column of records, in the order in which the kernel takes them."""

PURPOSES = tuple(Purpose)
DECISIONS = tuple(Decision)
SUBJECT_TYPES = ("col", "cre", "wrk")
"""In the order of the ids that begin so."""

UNIT = 32
"""Where records begin: 2**32 places reach 1.4 thousand million records of one statement."""

_PAGE, _BLOB = "sayings.json", "sayings.blob"
_KEY_BYTES = 16
_AT_ONCE = 1 << 18
_PLACE_BYTES = 4
_MOST_PLACE = (1 << 32) - 1
_HEAD = struct.Struct("<IHBx")
SUBJECT = struct.Struct("<BBHi16s")
SAYING = struct.Struct("<16s16s16sqIBBBx")
ODD = 1
PROVEN, DISPUTED, WITH_TERMS = 1, 2, 4
_CASE_SUBJECT = struct.Struct("<BBBBi")
_CASE_SAYING = struct.Struct("<BBBBBBxxI")

HEAD_BYTES = _HEAD.size
ODD_RECORD = _HEAD.pack(HEAD_BYTES, 0, ODD) + bytes(UNIT - HEAD_BYTES)
"""Says that this key is to be asked about elsewhere."""


class Saying(NamedTuple):
    """One statement. since: microseconds since 1970."""

    id: UUID
    claimant: UUID
    terms: UUID | None
    since: int
    sequence: int
    purpose: str
    decision: str
    proven: bool
    disputed: bool


class Subject(NamedTuple):
    """What is said about one thing. type: one of SUBJECT_TYPES."""

    id: UUID
    type: str
    tier: int
    narrowness: int
    sayings: Sequence[Saying]


def packed(subjects: Iterable[Subject]) -> bytes:
    """Return the record of a key; ODD_RECORD where one number or another is too large for it."""
    parts, count = [b""], 0
    try:
        for subject in subjects:
            count += 1
            said = [_packed(saying) for saying in subject.sayings]
            kind = SUBJECT_TYPES.index(subject.type)
            head = (kind, subject.tier, len(said), subject.narrowness, subject.id.bytes)
            parts += [SUBJECT.pack(*head), *said]
        size = HEAD_BYTES + sum(map(len, parts))
        parts[0] = _HEAD.pack(size, count, 0)
    except (struct.error, ValueError):
        return ODD_RECORD
    return b"".join([*parts, bytes(-size % UNIT)])


def _packed(saying: Saying) -> bytes:
    flags = PROVEN * saying.proven | DISPUTED * saying.disputed
    terms = bytes(_KEY_BYTES)
    if saying.terms is not None:
        terms, flags = saying.terms.bytes, flags | WITH_TERMS
    purpose = PURPOSES.index(Purpose(saying.purpose))
    decision = DECISIONS.index(Decision(saying.decision))
    names = (saying.id.bytes, saying.claimant.bytes, terms)
    return SAYING.pack(*names, saying.since, saying.sequence, purpose, decision, flags)


def parts_of(record: bytes) -> bytes:
    """Return what is between a record's head and the end of what it says: its subjects."""
    (size, _, _) = _HEAD.unpack_from(record)
    return record[HEAD_BYTES:size]


def unpacked(parts: bytes) -> list[Subject]:
    """Read a record's subjects again."""
    subjects, at = [], 0
    while at < len(parts):
        kind, tier, count, narrowness, name = SUBJECT.unpack_from(parts, at)
        at += SUBJECT.size
        stop = at + count * SAYING.size
        said = [_unpacked(fields) for fields in SAYING.iter_unpack(parts[at:stop])]
        subjects.append(Subject(UUID(bytes=name), SUBJECT_TYPES[kind], tier, narrowness, said))
        at = stop
    return subjects


def _unpacked(fields: tuple[Any, ...]) -> Saying:
    name, claimant, terms, since, sequence, purpose, decision, flags = fields
    return Saying(
        id=UUID(bytes=name),
        claimant=UUID(bytes=claimant),
        terms=UUID(bytes=terms) if flags & WITH_TERMS else None,
        since=since,
        sequence=sequence,
        purpose=PURPOSES[purpose],
        decision=DECISIONS[decision],
        proven=bool(flags & PROVEN),
        disputed=bool(flags & DISPUTED),
    )


class CaseSaying(NamedTuple):
    """A statement of a case. claimant, sequence, id, terms: ranks among those of the case."""

    claimant: int
    purpose: Purpose
    decision: Decision
    sequence: int
    proven: bool
    disputed: bool
    id: int
    terms: int


class CaseSubject(NamedTuple):
    """A subject of a case, reached by a key with ``tag``. narrowness, subject: ranks in the case."""

    tag: int
    tier: int
    narrowness: int
    subject: int
    sayings: Sequence[CaseSaying]


def read_case(data: bytes) -> list[CaseSubject]:
    """Read a case as the kernel writes it."""
    subjects, at = [], 0
    while at < len(data):
        tag, tier, subject, count, narrowness = _CASE_SUBJECT.unpack_from(data, at)
        at += _CASE_SUBJECT.size
        stop = at + count * _CASE_SAYING.size
        said = [_case_saying(each) for each in _CASE_SAYING.iter_unpack(data[at:stop])]
        subjects.append(CaseSubject(tag, tier, narrowness, subject, said))
        at = stop
    return subjects


def _case_saying(numbers: tuple[int, ...]) -> CaseSaying:
    claimant, purpose, decision, flags, rank, terms, sequence = numbers
    return CaseSaying(
        claimant,
        PURPOSES[purpose],
        DECISIONS[decision],
        sequence,
        bool(flags & PROVEN),
        bool(flags & DISPUTED),
        rank,
        terms,
    )


@dataclass(frozen=True, slots=True)
class Sayings:
    """Files that are mapped. columns: where the records are, by kind, row for row with its table."""

    blob: Numbers
    columns: Mapping[str, Numbers]

    @classmethod
    def open(
        cls, folder: Path, tables: Mapping[str, Columns], *, manifest: str, public_key: bytes
    ) -> Self:
        """Map the files after hashing them. Raises SnapshotError for what is not as it was signed.

        manifest: the SHA-256, in hexadecimal, of the manifest that they must belong to.
        """
        page = _read_page(folder, public_key)
        if page["manifest"] != manifest:
            raise Corrupt("what is said belongs to another snapshot")
        mapped = cls(
            _mapped(folder / _BLOB, "u1")[: page["bytes"]],
            {kind.value: _mapped(folder / f"{kind.value}.record", "<u4") for kind in KINDS},
        )
        for kind, column in mapped.columns.items():
            if len(column) != len(tables[kind]["code"]):
                raise Corrupt(f"the records of {kind} are not those of its keys")
        if mapped._hashes() != page["sha256"]:
            raise Corrupt("what is said is not what was signed")
        return mapped

    def _hashes(self) -> dict[str, str]:
        files = {_BLOB: self.blob, **self.columns}
        return {name: hashlib.sha256(data.data).hexdigest() for name, data in files.items()}


class SayingsWriter:
    """Collects records, then writes the files of one state.

    before: where those of the state before are, which these change; None to begin anew.
    """

    def __init__(self, folder: Path, *, before: Path | None = None) -> None:
        self._folder, self._before = folder, before
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if before is not None:
            _link(before / _BLOB, folder / _BLOB)
        self._blob = (folder / _BLOB).open("ab")
        self._size = self._blob.tell()
        if pad := -self._size % UNIT or (0 if self._size else UNIT):
            self._size += self._blob.write(bytes(pad))
        self._keys = {k: (folder / f"{k.value}.keys").open("w+b") for k in KINDS}
        self._places = {k: (folder / f"{k.value}.places").open("w+b") for k in KINDS}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as closing:  # all of them, though the disk be too full for one
            for file in (self._blob, *self._keys.values(), *self._places.values()):
                closing.callback(file.close)
        for leftover in (*self._folder.glob("*.keys"), *self._folder.glob("*.places")):
            leftover.unlink()

    def put(self, kind: IdentifierKind, key: bytes, record: bytes) -> None:
        """Say what is said under a key; of kinds without a column nothing is kept."""
        if kind not in KINDS:
            return
        self._keys[kind].write(key[:_KEY_BYTES])
        self._places[kind].write(struct.pack("<I", self._size // UNIT))
        self._size += self._blob.write(record)

    def put_all(
        self, kinds: Numbers, high: Numbers, low: Numbers, sizes: Numbers, data: bytes
    ) -> None:
        """Say what is said under many keys of KINDS.

        kinds: (keys,) their places in KINDS. sizes: (keys,) bytes of each record, which lie in
        ``data`` one after another, each of whole UNITs.
        """
        places = (self._size + np.cumsum(sizes) - sizes) // UNIT
        if len(places) and places[-1] > _MOST_PLACE:
            raise OverflowError("more is said than a snapshot can name the places of")
        keys = np.stack([high, low], axis=1).astype(">u8")
        for number, kind in enumerate(KINDS):
            these = kinds == number
            self._keys[kind].write(keys[these].data)
            self._places[kind].write(places[these].astype("<u4").data)
        self._size += self._blob.write(data)

    def finish(
        self,
        tables: Mapping[str, Columns],
        *,
        old: Mapping[str, Columns] | None = None,
        manifest: str,
        signer: Signer,
    ) -> None:
        """Write the columns beside ``tables`` and the signed page.

        old: the tables of the state before, when there is one. manifest: the SHA-256, in
        hexadecimal, of the manifest that signs ``tables``.
        """
        self._blob.flush()
        files = {_BLOB: self._folder / _BLOB}
        for kind in KINDS:
            files[kind.value] = self._write_column(kind, tables, old)
        page = {
            "format": FORMAT,
            "manifest": manifest,
            "bytes": self._size,
            "sha256": {name: _digest(path) for name, path in files.items()},
        }
        (self._folder / _PAGE).write_bytes(signed(page, signer))

    def _write_column(
        self,
        kind: IdentifierKind,
        tables: Mapping[str, Columns],
        old: Mapping[str, Columns] | None,
    ) -> Path:
        """Write where the record of each row of a table is, in a file that is mapped, not held."""
        table, path = tables[kind.value], self._folder / f"{kind.value}.record"
        with path.open("wb") as file:
            file.truncate(_PLACE_BYTES * len(table["code"]))
        column = _mapped(path, "<u4", mode="r+")
        if old is not None and self._before is not None:
            places = _mapped(self._before / path.name, "<u4")
            _place(column, table, old[kind.value]["high"], old[kind.value]["low"], places)
        self._keys[kind].flush()
        self._places[kind].flush()
        keys = _mapped(self._folder / f"{kind.value}.keys", ">u8").reshape(-1, 2)
        places = _mapped(self._folder / f"{kind.value}.places", "<u4")
        _place(column, table, keys[:, 0], keys[:, 1], places)
        return path


def is_whole(folder: Path, *, manifest: str, public_key: bytes) -> bool:
    """Whether a folder's page belongs to a manifest; says nothing of the files it speaks of."""
    try:
        return bool(_read_page(folder, public_key)["manifest"] == manifest)
    except (Corrupt, InvalidManifest):
        return False


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file, which is read and not mapped: it may be larger than memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _link(path: Path, other: Path) -> None:
    """Give a file a second name: what is appended, those who map it do not see."""
    try:
        os.link(path, other)
    except OSError:  # not every file system has hard links
        shutil.copyfile(path, other)


def _place(column: Numbers, table: Columns, high: Numbers, low: Numbers, places: Numbers) -> None:
    """Write places into a table's column where its keys stand; of several of one key the last."""
    for start in range(0, len(high), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        rows = rows_of(table, high[part].astype("<u8"), low[part].astype("<u8"))
        there = rows > 0
        column[rows[there] - 1] = places[part][there]


def _read_page(folder: Path, public_key: bytes) -> dict[str, Any]:
    try:
        page = json.loads((folder / _PAGE).read_bytes())
    except (OSError, ValueError) as error:
        raise Corrupt("what is said cannot be read") from error
    if not isinstance(page, dict) or page.get("format") != FORMAT:
        raise InvalidManifest(f"not a {FORMAT} page")
    verify_signature(page, public_key)
    return page


def _mapped(path: Path, kind: str, *, mode: Literal["r", "r+"] = "r") -> Numbers:
    try:
        return np.memmap(path, kind, mode) if path.stat().st_size else np.empty(0, kind)
    except (OSError, ValueError) as error:
        raise Corrupt(f"{path.name} cannot be read") from error
