"""Ask about one item without saying which: fetch the few files its keys would lie in, and look there.

Whoever serves the files learns the first digits of the keys and no more. Several prefixes asked for
together tell more than one, so whoever asks about many items had better bring the whole copy here
(``syncing``), which tells nothing.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from tribute.identifiers import Key, candidate_keys, key_of
from tribute.snapshot.errors import Corrupt, InvalidManifest, Rollback, Truncated
from tribute.snapshot.manifest import File, verify
from tribute.snapshot.reading import Decisions, Snapshot
from tribute.snapshot.sources import Source
from tribute.snapshot.syncing import require_current, steps_to
from tribute.snapshot.tables import CODES, KEY_TABLES, TABLES, Columns, empty, from_arrow, newest
from tribute.vocabulary import IdentifierKind, Purpose

LARGEST_FILE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LookedUp:
    """One item's answer; seq, sha256: of the manifest it is from. bytes: how much was fetched.

    revealed: name of each file of keys that was asked for, which is what the source learned.
    """

    decisions: Decisions
    seq: int
    sha256: str
    bytes: int
    revealed: tuple[str, ...]


def look_up(  # noqa: PLR0913 - what is asked, of whom, and what the answer is held to
    source: Source,
    item: Mapping[IdentifierKind, str],
    purposes: Iterable[Purpose] = tuple(Purpose),
    *,
    public_key: bytes,
    not_before: int = 0,
    at: datetime | None = None,
) -> LookedUp:
    """Return what the newest snapshot of ``source`` says about one item.

    item: its URL, SHA-256 or ISCC, or several of them. public_key: (32,) raw Ed25519 bytes, the
    registry's, from somewhere other than ``source``. not_before: a sequence number seen earlier;
    an older snapshot is refused. at: aware; None: now.
    Each file is held to the signed manifest; that the others add up is only known to who has all
    of them. Raises InvalidIdentifier, ValueError without an identifier, and a SnapshotError.
    """
    at = at or datetime.now(UTC)
    keys = _keys(item)
    manifest = verify(source.manifest(), public_key=public_key)
    require_current(manifest, at=at)
    if manifest.seq < not_before:
        raise Rollback(f"snapshot {manifest.seq} is older than {not_before}, which was seen before")
    steps = steps_to(manifest, None, source, public_key)
    wanted = [f for step in steps for f in step.files if f.table == CODES or _may_hold(f, keys)]
    shards = [(file.table, _shard(source, file)) for file in wanted]
    partial = Snapshot(manifest, _tables(shards), plain=True)
    decisions = partial.check(
        _column(item, IdentifierKind.URL),
        tuple(purposes),
        sha256=_column(item, IdentifierKind.SHA256),
        iscc=_column(item, IdentifierKind.ISCC),
        at=at,
    )
    revealed = tuple(file.name for file in wanted if file.table != CODES)
    fetched = sum(file.bytes for file in wanted)
    return LookedUp(decisions, manifest.seq, manifest.sha256, fetched, revealed)


def _keys(item: Mapping[IdentifierKind, str]) -> dict[str, list[str]]:
    """Return the item's keys by table, in hexadecimal digits."""
    keys: list[Key] = []
    for kind, value in item.items():
        keys += candidate_keys(value) if kind == IdentifierKind.URL else [key_of(kind, value)]
    if not keys:
        raise ValueError("an item is known by a URL, a SHA-256 or an ISCC")
    by_table: dict[str, list[str]] = {}
    for key in keys:
        by_table.setdefault(key.kind.value, []).append(key.digest.hex())
    return by_table


def _may_hold(file: File, keys: Mapping[str, Sequence[str]]) -> bool:
    return any(key.startswith(file.prefix) for key in keys.get(file.table, ()))


def _column(item: Mapping[IdentifierKind, str], kind: IdentifierKind) -> list[str | None] | None:
    return [item[kind]] if kind in item else None


def _shard(source: Source, file: File) -> Columns:
    """Fetch one file and hold it to the manifest."""
    if file.bytes > LARGEST_FILE:
        raise InvalidManifest(f"{file.name} has {file.bytes} bytes: bring the whole copy here")
    data = bytearray()
    for piece in source.read(file.name, start=0):
        data += piece
        if len(data) > file.bytes:
            break
    if len(data) < file.bytes:
        raise Truncated(f"{file.name} has {len(data)} bytes instead of {file.bytes}")
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise Corrupt(f"{file.name} is not what the manifest says")
    columns = from_arrow(file.table, bytes(data), prefix=file.prefix)
    if len(columns["code"]) != file.rows:
        raise Corrupt(f"{file.name} has {len(columns['code'])} rows instead of {file.rows}")
    return columns


def _tables(shards: Sequence[tuple[str, Columns]]) -> dict[str, Columns]:
    """Join the shards of each table, the oldest first; a key that was taken out leads nowhere."""
    tables = {table: empty(table) for table in TABLES}
    for kind in KEY_TABLES:
        found = [columns for table, columns in shards if table == kind.value]
        if found:
            tables[kind.value] = newest(found)
    codes = [columns for table, columns in shards if table == CODES]
    if codes:
        tables[CODES] = {name: np.concatenate([c[name] for c in codes]) for name in codes[0]}
    return tables
