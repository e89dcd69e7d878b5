"""The log's files: tiles, the checkpoint, and the memory of what was last signed.

Owns where they lie and that what was written stays: each file is flushed, moved into its place in one
step, and its folder flushed. Knows nothing of what they mean. The memory lies apart from both the
database and the tiles, so that restoring those does not make the log forget what it signed.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from registry.errors import LogDamaged
from tribute.log.errors import LogError
from tribute.log.sources import CHECKPOINT, FolderLog, read_tile
from tribute.log.tiles import WIDTH, Tile

PUBLIC = 0o644


def folder() -> Path:
    """Return the folder that is served as ``/log/``, shared by the sequencer and web servers."""
    return Path(settings.LOG_FOLDER)


def last_signed_path() -> Path:
    """Return the file that remembers the last signed checkpoint."""
    return Path(settings.LOG_LAST_SIGNED)


def checkpoint() -> bytes | None:
    """Return the published checkpoint."""
    return _read(folder() / CHECKPOINT)


def last_signed() -> bytes | None:
    """Return the checkpoint that was last signed, published or not."""
    return _read(last_signed_path())


def tile(wanted: Tile) -> bytes:
    """Return a tile's bytes. Raises LogDamaged when it is gone."""
    try:
        return read_tile(FolderLog(folder()), wanted)
    except LogError as error:
        raise LogDamaged(str(error)) from error


def write_tiles(tiles: Iterable[tuple[Tile, bytes]]) -> None:
    """Write tiles, all of them durable on return."""
    folders = {_write(folder() / each.path, data) for each, data in tiles}
    for each in folders:
        _flush(each)


def publish(note: bytes) -> None:
    """Replace the published checkpoint."""
    _flush(_write(folder() / CHECKPOINT, note))


def remember(note: bytes) -> None:
    """Remember a checkpoint as signed; do so before anybody sees it."""
    _flush(_write(last_signed_path(), note))


def forget_narrow(full: Tile) -> None:
    """Remove the narrow forms of a tile that is full and signed by now."""
    path = folder() / full.path
    narrow = path.with_name(f"{path.name}.p")
    if full.width == WIDTH and narrow.is_dir():
        for each in narrow.iterdir():
            each.unlink(missing_ok=True)
        narrow.rmdir()


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other process on this machine writes the log's files, and keep others out.

    The sequencer's lock in the database would go with a lost connection; this one does not.
    """
    _make(folder())
    descriptor = os.open(folder(), os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, data: bytes) -> Path:
    """Put a file into its place in one step; return its folder, which is still to be flushed."""
    _make(path.parent)
    fresh = path.with_name(f".{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PUBLIC)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return path.parent


def _make(path: Path) -> None:
    """Make a folder that lasts, and those above it."""
    if not path.is_dir():
        _make(path.parent)
        path.mkdir(exist_ok=True)
        _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
