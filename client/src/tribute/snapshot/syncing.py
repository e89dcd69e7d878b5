"""Bring a folder up to date with a registry's newest snapshot, believing nothing on the way.

Downloads what is missing, goes on where an earlier attempt stopped, applies deltas, compares the
result with the signed state root, and only then switches over. The folder remembers the highest
sequence number it has seen. Readers keep what they have open; they meet the new state when they
open the folder again.
"""

import hashlib
import importlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from tribute.snapshot.errors import (
    BrokenChain,
    Corrupt,
    InvalidManifest,
    Rollback,
    SnapshotError,
    StaleSnapshot,
    SwappedShard,
    Truncated,
)
from tribute.snapshot.manifest import BASE, File, Manifest, verify
from tribute.snapshot.sources import Source
from tribute.snapshot.tables import (
    CODES,
    KEY_TABLES,
    Columns,
    StateWriter,
    from_arrow,
    load,
    merged_in_turn,
    newest,
    state_root,
    summarise,
)

CURRENT = "current"
HIGHEST = "highest"
MANIFEST = "manifest.json"
_DOWNLOADS = "download"

fcntl: Any
try:
    fcntl = importlib.import_module("fcntl")
except ImportError:  # where processes have to be kept apart by whoever starts them
    fcntl = None

Report = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes wanted in all."""


@dataclass(frozen=True, slots=True)
class Synchronised:
    """What a synchronisation did. bytes: how many were wanted; 0 when nothing was new."""

    seq: int
    sha256: str
    expires: datetime
    keys: int
    bytes: int


def sync(
    source: Source,
    folder: Path,
    *,
    public_key: bytes,
    at: datetime,
    report: Report = lambda _done, _wanted: None,
) -> Synchronised:
    """Make ``folder`` hold the newest snapshot of ``source``.

    public_key: (32,) raw Ed25519 bytes, the registry's, from somewhere other than ``source``.
    Processes that synchronise one folder take turns. What is there is verified, and fetched anew
    where it was spoilt. Raises a SnapshotError; the folder then still holds what it held before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        return _sync(source, folder, public_key, at, report)


def _sync(
    source: Source, folder: Path, public_key: bytes, at: datetime, report: Report
) -> Synchronised:
    data = source.manifest()
    manifest = verify(data, public_key=public_key)
    require_current(manifest, at=at)
    require_not_older(manifest.seq, folder)
    mine = _mine(folder, public_key)
    if mine is not None and mine.sha256 == manifest.sha256:
        return _done(manifest, 0)
    steps = steps_to(manifest, mine, source, public_key)
    wanted = _fetch_all(source, folder / _DOWNLOADS, steps, report)
    _apply(folder, steps, data, manifest)
    return _done(manifest, wanted)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; whoever comes meanwhile waits, and a killed one lets go."""
    if fcntl is None:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def require_current(manifest: Manifest, *, at: datetime) -> None:
    """Raise StaleSnapshot from the instant on at which the manifest expires."""
    if at >= manifest.expires:
        raise StaleSnapshot(f"snapshot {manifest.seq} expired {manifest.expires.isoformat()}")


def require_not_older(seq: int, folder: Path) -> None:
    """Raise Rollback when the folder has seen a later sequence number."""
    highest = read_number(folder / HIGHEST)
    if highest is not None and seq < highest:
        raise Rollback(f"snapshot {seq} is older than {highest}, which was seen before")


def read_number(path: Path) -> int | None:
    """Return the whole number in a file, None without one. Raises Corrupt for anything else."""
    try:
        text = path.read_text("ascii")
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise Corrupt(f"{path.name} holds no number") from error
    if not text.isdigit():
        raise Corrupt(f"{path.name} holds no number")
    return int(text)


def _mine(folder: Path, public_key: bytes) -> Manifest | None:
    """Return the manifest of the state that is here, None when there is none to build upon."""
    try:
        seq = read_number(folder / CURRENT)
        if seq is None:
            return None
        manifest = verify((folder / str(seq) / MANIFEST).read_bytes(), public_key=public_key)
        whole = state_root(summarise(load(folder / str(seq)))) == manifest.state_root
    except (OSError, SnapshotError):
        return None  # a base replaces what cannot be used
    return manifest if whole else None


def steps_to(
    newest_one: Manifest, mine: Manifest | None, source: Source, public_key: bytes
) -> list[Manifest]:
    """Return the manifests whose files lead from what is here to the newest, each verified.

    mine: the state that is here, None for none. Raises BrokenChain, and what ``verify`` raises.
    """
    known = {link.seq: link.sha256 for link in newest_one.chain}
    start = newest_one.base_seq
    if mine is not None and mine.seq in known:
        if known[mine.seq] != mine.sha256:
            raise BrokenChain(f"there are two snapshots {mine.seq}")
        start = mine.seq + 1
    elif mine is not None and mine.seq == newest_one.seq:
        raise BrokenChain(f"there are two snapshots {mine.seq}")
    steps: list[Manifest] = []
    for link in newest_one.chain:
        if link.seq < start:
            continue
        data = b"".join(source.read(link.name, start=0))
        if hashlib.sha256(data).hexdigest() != link.sha256:
            raise BrokenChain(f"manifest {link.seq} is not the one that was built upon")
        steps.append(_link_in_chain(verify(data, public_key=public_key), link.seq, steps))
    return [*steps, newest_one]


def _link_in_chain(manifest: Manifest, seq: int, before: Sequence[Manifest]) -> Manifest:
    if manifest.seq != seq or (before and manifest.prev != before[-1].sha256):
        raise BrokenChain(f"manifest {seq} does not follow the one before")
    return manifest


def _fetch_all(source: Source, downloads: Path, steps: Iterable[Manifest], report: Report) -> int:
    files = [file for step in steps for file in step.files]
    names = {file.sha256: file.name for file in files}
    if len({file.name for file in files}) != len(files):
        raise InvalidManifest("two files have one name")
    downloads.mkdir(exist_ok=True)
    wanted = sum(file.bytes for file in files)
    done = 0
    for file in files:
        _fetch(source, downloads, file, names, partial(_report_sum, report, done, wanted))
        done += file.bytes
    return wanted


def _report_sum(report: Report, before: int, wanted: int, here: int) -> None:
    report(before + here, wanted)


def _fetch(
    source: Source,
    downloads: Path,
    file: File,
    names: dict[str, str],
    report: Callable[[int], None],
) -> None:
    """Download one file unless it is here; what is cut off stays for the next attempt."""
    path, part = downloads / file.name, downloads / f"{file.name}.part"
    if path.exists() and _sha256(path) == file.sha256:
        report(file.bytes)
        return
    size = part.stat().st_size if part.exists() else 0
    if size > file.bytes:
        part.unlink()
        size = 0
    with part.open("ab") as stream:
        for piece in source.read(file.name, start=size) if size < file.bytes else ():
            size += len(piece)
            if size > file.bytes:
                break
            stream.write(piece)
            report(size)
    if size < file.bytes:
        raise Truncated(f"{file.name} has {size} bytes instead of {file.bytes}")
    found = _sha256(part)
    if size > file.bytes or found != file.sha256:
        part.unlink()
        if found in names:
            raise SwappedShard(f"{file.name} is {names[found]}")
        raise Corrupt(f"{file.name} is not what the manifest says")
    part.replace(path)


def _apply(folder: Path, steps: list[Manifest], data: bytes, manifest: Manifest) -> None:
    state = folder / str(manifest.seq)
    building = folder / f"{manifest.seq}.new"
    shutil.rmtree(building, ignore_errors=True)
    old = None if steps[0].kind == BASE else load(folder / str(read_number(folder / CURRENT)))
    with StateWriter(building) as writer:
        for kind in KEY_TABLES:
            _write_table(writer, kind.value, folder / _DOWNLOADS, steps, old)
        for codes in [old[CODES]] if old else []:
            writer.append(CODES, codes)
        for codes in _shards(CODES, folder / _DOWNLOADS, steps):
            writer.append(CODES, codes)
        found = state_root(writer.summaries())
    if found != manifest.state_root:
        shutil.rmtree(building)
        raise Corrupt(f"the tables of snapshot {manifest.seq} do not add up to its state root")
    (building / MANIFEST).write_bytes(data)
    shutil.rmtree(state, ignore_errors=True)
    building.rename(state)
    write_durably(folder / HIGHEST, str(manifest.seq))
    write_durably(folder / CURRENT, str(manifest.seq))
    _tidy(folder, manifest.seq)


def _write_table(
    writer: StateWriter,
    table: str,
    downloads: Path,
    steps: list[Manifest],
    old: dict[str, Columns] | None,
) -> None:
    base = [step for step in steps if step.kind == BASE]
    deltas = [step for step in steps if step.kind != BASE]
    change = newest(_shards(table, downloads, deltas))
    before = _shards(table, downloads, base) if old is None else [old[table]]
    for piece in merged_in_turn(before, change):
        writer.append(table, piece)


def _shards(table: str, downloads: Path, steps: Iterable[Manifest]) -> Iterable[Columns]:
    for step in steps:
        for file in sorted(step.files, key=lambda file: file.prefix):
            if file.table == table:
                yield _read_shard(file, downloads)


def _read_shard(file: File, downloads: Path) -> Columns:
    columns = from_arrow(file.table, (downloads / file.name).read_bytes(), prefix=file.prefix)
    if len(columns["code"]) != file.rows:
        raise Corrupt(f"{file.name} has {len(columns['code'])} rows instead of {file.rows}")
    return columns


def write_durably(path: Path, text: str) -> None:
    """Put a short text into a file so that a crash leaves the old text or the new."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def _tidy(folder: Path, seq: int) -> None:
    """Remove downloads and every state but this one; who has them mapped keeps reading them."""
    shutil.rmtree(folder / _DOWNLOADS, ignore_errors=True)
    for other in folder.iterdir():
        if other.is_dir() and other.name != str(seq) and other.name.removesuffix(".new").isdigit():
            shutil.rmtree(other, ignore_errors=True)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _done(manifest: Manifest, wanted: int) -> Synchronised:
    keys = sum(manifest.tables[kind.value].rows for kind in KEY_TABLES)
    return Synchronised(manifest.seq, manifest.sha256, manifest.expires, keys, wanted)
