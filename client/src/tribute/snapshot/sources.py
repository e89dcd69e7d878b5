"""Where the files of a snapshot come from: a registry over HTTP, or a folder that mirrors one.

Reads bytes and trusts none of them: what they must be is verified by ``syncing``.
"""

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tribute.snapshot.errors import SourceUnavailable

NEWEST = "manifest.json"
MOST_MANIFEST_BYTES = 16 * 1024 * 1024

_PIECE = 1 << 20
_ATTEMPTS = 4
_DELAY_SECONDS = 0.5
_PARTIAL = 206
_WORTH_RETRYING = {429, 500, 502, 503, 504}


class Source(Protocol):
    """Offers the newest manifest, and files by name."""

    def manifest(self) -> bytes:
        """Return the newest manifest. Raises SourceUnavailable."""
        ...

    def read(self, name: str, *, start: int) -> Iterator[bytes]:
        """Yield a file's bytes from ``start`` on. Raises SourceUnavailable."""
        ...


class FolderSource:
    """A folder with ``manifest.json`` and the files, as a registry serves them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def manifest(self) -> bytes:
        """Return the newest manifest."""
        return b"".join(self.read(NEWEST, start=0))

    def read(self, name: str, *, start: int) -> Iterator[bytes]:
        """Yield a file's bytes."""
        try:
            with (self._folder / name).open("rb") as file:
                file.seek(start)
                while piece := file.read(_PIECE):
                    yield piece
        except OSError as error:
            raise SourceUnavailable(f"{name} cannot be read: {error}") from error


class HttpSource:
    """A registry at ``https://registry.example``; the snapshot is below ``/v1/snapshot``.

    Redirects are followed: a registry may keep the files elsewhere, and no secret is sent.
    Raises ValueError for an address that is not http or https.
    """

    def __init__(self, registry: str, *, timeout: float = 60.0) -> None:
        if urllib.parse.urlsplit(registry).scheme not in {"http", "https"}:
            raise ValueError(f"not the address of a registry: {registry!r}")
        self._address = registry.rstrip("/") + "/v1/snapshot"
        self._timeout = timeout

    def manifest(self) -> bytes:
        """Return the newest manifest."""
        data = b""
        for piece in self._get(self._address, start=0):
            data += piece
            if len(data) > MOST_MANIFEST_BYTES:
                raise SourceUnavailable(f"a manifest of more than {MOST_MANIFEST_BYTES} bytes")
        return data

    def read(self, name: str, *, start: int) -> Iterator[bytes]:
        """Yield a file's bytes, going on where a broken connection left off."""
        return self._get(f"{self._address}/files/{urllib.parse.quote(name, safe='')}", start=start)

    def _get(self, address: str, *, start: int) -> Iterator[bytes]:
        for attempt in range(_ATTEMPTS):
            try:
                for piece in self._pieces(address, start):
                    start += len(piece)
                    yield piece
            except urllib.error.HTTPError as error:
                error.close()
                if error.code not in _WORTH_RETRYING or attempt == _ATTEMPTS - 1:
                    raise SourceUnavailable(f"{address} answered {error.code}") from error
            except (OSError, http.client.HTTPException) as error:
                if attempt == _ATTEMPTS - 1:
                    raise SourceUnavailable(f"{address} did not answer: {error}") from error
            else:
                return
            time.sleep(_DELAY_SECONDS * 2**attempt)

    def _pieces(self, address: str, start: int) -> Iterator[bytes]:
        request = urllib.request.Request(address)  # noqa: S310 - http and https only, see __init__
        request.add_header("User-Agent", "tribute-client")
        if start:
            request.add_header("Range", f"bytes={start}-")
        with urllib.request.urlopen(request, timeout=self._timeout) as response:  # noqa: S310 - as above
            skip = 0 if response.status == _PARTIAL else start
            while piece := response.read(_PIECE):
                dropped = min(skip, len(piece))
                skip -= dropped
                if dropped < len(piece):
                    yield piece[dropped:]
            if response.length:
                raise http.client.IncompleteRead(b"", response.length)
