"""Write snapshots: bases, deltas, their files and their signed manifests.

The other side of ``syncing``, for registries and for tests. Gets rows in order and writes them as
they come, a shard at a time; keeps its own copy of the state, from which a delta is told and the
state root is taken. Where rows come from, and who may sign, is the registry's business.
"""

import base64
import hashlib
import itertools
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tribute.identifiers import CKEY_VERSION
from tribute.receipts import ALGORITHM, canonical_json, key_id, signing_input
from tribute.snapshot.manifest import BASE, DELTA, FORMAT, File, Link, Manifest, manifest_name
from tribute.snapshot.scores import PURPOSES, Segment
from tribute.snapshot.tables import (
    CODE_MASK,
    CODES,
    KEY_TABLES,
    Columns,
    Numbers,
    StateWriter,
    Summary,
    columns_of,
    merged,
    state_root,
    to_arrow,
)
from tribute.vocabulary import VOCABULARY_VERSION

ROWS_PER_SHARD = 1 << 16
_MOST_DIGITS = 4
_NIBBLES = 16
_KEY_BITS = 64


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the (32,) byte public key, and what turns bytes into their signature."""

    public_key: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Edition:
    """What a manifest says beside its files.

    previous: the snapshot before, None for a registry's first. created, expires: aware.
    log_size: leaves of the transparency log that were taken into account.
    """

    previous: Manifest | None
    created: datetime
    expires: datetime
    log_size: int

    @property
    def seq(self) -> int:
        """The sequence number: one more than the one before, the first is 0."""
        return 0 if self.previous is None else self.previous.seq + 1


@dataclass(slots=True)
class CodeBook:
    """Gives each different timeline a number, from 1 on; 0 says nothing."""

    numbers: dict[tuple[Segment, ...], int] = field(default_factory=dict)
    fresh: list[tuple[int, Segment]] = field(default_factory=list)
    last: int = 0

    @classmethod
    def of(cls, codes: Columns) -> "CodeBook":
        """Read a published table of codes back."""
        timelines: dict[int, list[Segment]] = {}
        rows = zip(*(codes[name].tolist() for name in columns_of(CODES)), strict=True)
        for code, since, *scores in rows:
            timelines.setdefault(code, []).append(Segment(since, tuple(scores)))
        numbers = {tuple(segments): code for code, segments in timelines.items()}
        return cls(numbers, last=max(timelines, default=0))

    def number(self, timeline: tuple[Segment, ...]) -> int:
        """Return the code of what a key says."""
        if not timeline:
            return 0
        known = self.numbers.get(timeline)
        if known is None:
            known = self.last = self.numbers[timeline] = self.last + 1
            assert known <= CODE_MASK, "the gate's bits lie above"
            self.fresh += [(known, segment) for segment in timeline]
        return known

    def fresh_rows(self) -> Columns:
        """Return the codes that were not published before."""
        rows = [(code, s.since, *s.scores) for code, s in self.fresh]
        columns = zip(*rows, strict=True) if rows else [()] * len(columns_of(CODES))
        return {
            name: np.array(values, kind)
            for (name, kind), values in zip(columns_of(CODES).items(), columns, strict=True)
        }


@dataclass(frozen=True, slots=True)
class Publisher:
    """Writes the snapshots of one registry below ``root``, each after the one before."""

    root: Path
    signer: Signer

    def base(
        self,
        rows: Iterable[tuple[str, Columns]],
        codes: CodeBook,
        edition: Edition,
        *,
        sizes: Mapping[str, int],
    ) -> bytes:
        """Write a complete snapshot; return its signed manifest.

        rows: pieces of tables; within a table in order of keys, each key once.
        sizes: about how many rows each table will have, from which shards are cut.
        """
        files: list[File] = []
        with StateWriter(_fresh_folder(state_folder(self.root, edition.seq))) as state:
            for table, prefix, columns in _sharded(rows, sizes):
                state.append(table, columns)
                files.append(self._write_shard(edition, table, prefix, columns))
            files += self._write_codes(edition, codes, state)
            return self._write_manifest(BASE, edition, state.summaries(), files)

    def delta(
        self,
        changes: Mapping[str, Columns],
        codes: CodeBook,
        edition: Edition,
        *,
        old: Mapping[str, Columns],
    ) -> bytes:
        """Write what changed since the snapshot before, whose state is ``old``.

        changes: by table, in order, each key once; the code 0 takes a key out.
        """
        files: list[File] = []
        with StateWriter(_fresh_folder(state_folder(self.root, edition.seq))) as state:
            for kind in KEY_TABLES:
                change = changes[kind.value]
                for piece in merged(old[kind.value], change):
                    state.append(kind.value, piece)
                pieces = [(kind.value, change)] if len(change["code"]) else []
                files += [
                    self._write_shard(edition, table, prefix, columns)
                    for table, prefix, columns in _sharded(pieces, {kind: len(change["code"])})
                ]
            state.append(CODES, old[CODES])
            files += self._write_codes(edition, codes, state)
            return self._write_manifest(DELTA, edition, state.summaries(), files)

    def _write_codes(self, edition: Edition, codes: CodeBook, state: StateWriter) -> list[File]:
        meanings = codes.fresh_rows()
        state.append(CODES, meanings)
        if not len(meanings["code"]):
            return []
        return [self._write_shard(edition, CODES, "", meanings)]

    def _write_shard(self, edition: Edition, table: str, prefix: str, columns: Columns) -> File:
        data = to_arrow(table, columns)
        digest = hashlib.sha256(data).hexdigest()
        parts = (str(edition.seq), table, prefix, digest[:16])
        name = f"{'-'.join(filter(None, parts))}.arrow"
        _write(files_folder(self.root) / name, data)
        return File(name, table, prefix, len(columns["code"]), len(data), digest)

    def _write_manifest(
        self,
        kind: str,
        edition: Edition,
        summaries: Mapping[str, Summary],
        files: Sequence[File],
    ) -> bytes:
        chain = _chain(edition.previous) if kind == DELTA else ()
        page: dict[str, Any] = {
            "format": FORMAT,
            "ckey": CKEY_VERSION,
            "vocabulary": VOCABULARY_VERSION,
            "purposes": [purpose.value for purpose in PURPOSES],
            "kind": kind,
            "seq": edition.seq,
            "base_seq": chain[0].seq if chain else edition.seq,
            "prev": None if edition.previous is None else edition.previous.sha256,
            "chain": [asdict(link) for link in chain],
            "created": _instant(edition.created),
            "expires": _instant(edition.expires),
            "log_size": edition.log_size,
            "tables": {table: asdict(summary) for table, summary in summaries.items()},
            "state_root": state_root(summaries),
            "files": [asdict(file) for file in files],
        }
        data = signed(page, self.signer)
        _write(files_folder(self.root) / manifest_name(edition.seq), data)
        return data


def _chain(previous: Manifest | None) -> tuple[Link, ...]:
    assert previous is not None, "a delta follows something"
    link = Link(previous.seq, manifest_name(previous.seq), previous.sha256)
    return (*previous.chain, link)


def state_folder(root: Path, seq: int) -> Path:
    """Return where the publisher keeps the tables of one of its snapshots."""
    return root / "state" / str(seq)


def files_folder(root: Path) -> Path:
    """Return where files lie that are served by name."""
    return root / "files"


def shard_digits(rows: int) -> int:
    """Return by how many hexadecimal digits of its keys a table of so many rows is cut."""
    digits = 0
    while digits < _MOST_DIGITS and rows > ROWS_PER_SHARD * _NIBBLES**digits:
        digits += 1
    return digits


def _sharded(
    pieces: Iterable[tuple[str, Columns]], sizes: Mapping[str, int]
) -> Iterator[tuple[str, str, Columns]]:
    """Cut tables at their prefixes; hold one shard of each table at a time."""
    digits = {table: shard_digits(size) for table, size in sizes.items()}
    waiting: dict[str, tuple[int, list[Columns]]] = {}
    for table, columns in pieces:
        for prefix, part in _cut(columns, digits[table]):
            if table in waiting and waiting[table][0] != prefix:
                yield _joined(table, digits[table], *waiting.pop(table))
            waiting.setdefault(table, (prefix, []))[1].append(part)
    for table, (prefix, parts) in waiting.items():
        yield _joined(table, digits[table], prefix, parts)


def _cut(columns: Columns, digits: int) -> Iterator[tuple[int, Columns]]:
    if not digits:
        yield 0, columns
        return
    prefixes = columns["high"] >> np.uint64(_KEY_BITS - 4 * digits)
    edges: Numbers = np.flatnonzero(prefixes[1:] != prefixes[:-1]) + 1
    bounds = [0, *edges.tolist(), len(prefixes)]
    for start, stop in itertools.pairwise(bounds):
        if stop > start:
            part = {name: column[start:stop] for name, column in columns.items()}
            yield int(prefixes[start]), part


def _joined(
    table: str, digits: int, prefix: int, parts: Sequence[Columns]
) -> tuple[str, str, Columns]:
    columns = {name: np.concatenate([p[name] for p in parts]) for name in columns_of(table)}
    return table, f"{prefix:0{digits}x}" if digits else "", columns


def signed(page: Mapping[str, Any], signer: Signer) -> bytes:
    """Return a manifest's canonical JSON with its signature."""
    named = {"alg": ALGORITHM, "key_id": key_id(signer.public_key)}
    value = base64.b64encode(signer.sign(signing_input({**page, "signature": named}))).decode()
    return canonical_json({**page, "signature": {**named, "value": value}})


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)


def _fresh_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
