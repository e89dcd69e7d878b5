"""Where a log's files come from: its address, or a folder that mirrors it. Trusts nothing it reads."""

import time
from pathlib import Path
from typing import Protocol

from tribute.fetching import FetchFailed, fetcher
from tribute.log.errors import LogUnavailable
from tribute.log.tiles import ENTRIES, HASH_BYTES, WIDTH, Tile, pack, unpack

CHECKPOINT = "checkpoint"
MOST_BYTES = 32 * 1024 * 1024

_ATTEMPTS = 4
_DELAY_SECONDS = 0.5
_OK = 200
_MISSING = {404, 410}
_WORTH_RETRYING = {429, 500, 502, 503, 504}


class LogSource(Protocol):
    """Offers a log's files by their address below its prefix."""

    def get(self, path: str) -> bytes | None:
        """Return a file's bytes; None when there is none. Raises LogUnavailable."""
        ...


class HttpLog:
    """A log at its prefix, such as ``https://registry.example/log``."""

    def __init__(self, prefix: str, *, timeout: float = 30.0) -> None:
        self._prefix = prefix.rstrip("/")
        self._fetch = fetcher(timeout=timeout, limit=MOST_BYTES)

    def get(self, path: str) -> bytes | None:
        """Return a file's bytes, asking again when the log is only busy."""
        address = f"{self._prefix}/{path}"
        said = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_DELAY_SECONDS * 2 ** (attempt - 1))
            try:
                answer = self._fetch(address)
            except FetchFailed as error:
                said = str(error)
                continue
            if answer.status == _OK and answer.complete:
                return answer.body
            if answer.status in _MISSING:
                return None
            said = f"{address} answered {answer.status}"
            if answer.status not in _WORTH_RETRYING:
                break
        raise LogUnavailable(said)


class FolderLog:
    """A folder with ``checkpoint`` and ``tile/``, as a log serves them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, path: str) -> bytes | None:
        """Return a file's bytes."""
        try:
            return (self._folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LogUnavailable(f"{path} cannot be read: {error}") from error


def read_checkpoint(source: LogSource) -> bytes:
    """Return the newest checkpoint, as it was signed. Raises LogUnavailable."""
    note = source.get(CHECKPOINT)
    if note is None:
        raise LogUnavailable("there is no checkpoint: this is not a log, or one not yet begun")
    return note


def read_tile(source: LogSource, tile: Tile) -> bytes:
    """Return a tile's bytes; those of a narrow tile from the full one when it has grown since.

    Raises LogUnavailable, TamperedTile.
    """
    data = source.get(tile.path)
    if data is None and tile.width < WIDTH:
        full = Tile(tile.level, tile.number)
        grown = source.get(full.path)
        if grown is not None:
            return _narrowed(full, grown, tile.width)
    if data is None:
        raise LogUnavailable(f"the log lacks {tile.path}")
    return data


def _narrowed(full: Tile, data: bytes, width: int) -> bytes:
    if full.level == ENTRIES:
        return pack(unpack(full, data)[:width])
    return data[: width * HASH_BYTES]
