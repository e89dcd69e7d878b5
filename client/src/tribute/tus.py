"""Send a file's bytes to a registry so that a break costs no more than what was on its way.

The client's side of the core of tus 1.0.0 (https://tus.io/protocols/resumable-upload): HEAD says
where to go on, PATCH adds bytes there. What the file is for, and remembering its upload, is for
others.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from tribute.connection import (
    Connection,
    RegistryError,
    Reply,
    WorthRetrying,
    delay_before,
    malformed,
    quoted,
)

VERSION = "1.0.0"
PIECE_BYTES = 4 * 1024 * 1024
MOST_STALLS = 6
"""So many pieces in a row may fail without a byte arriving; then the registry is given up on."""

_OFFSET_DIFFERS = 409
_DIGITS_OF_64_BITS = 19

Sent = Callable[[int], None]


class FileChanged(ValueError):
    """A file keeps its bytes while it is sent."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was announced: its id (``upl_…``), and how many bytes it takes."""

    connection: Connection
    id: str
    size: int

    def offset(self) -> int:
        """Return the byte to go on at. Raises RegistryError."""
        reply = self.connection.persist("HEAD", self._path, None, {"Tus-Resumable": VERSION})
        length = reply.headers.get("Upload-Length")
        if length is not None and length != str(self.size):
            raise malformed(f"{self.id} takes {length} bytes, not {self.size}")
        return self._stands_at(reply)

    def send(self, file: BinaryIO, sent: Sent) -> None:
        """Send what is missing; ``sent`` is told the bytes that are there, after each piece.

        Asks where to go on whenever a piece fails. Raises RegistryError, FileChanged.
        """
        offset, stalls = self.offset(), 0
        sent(offset)
        while offset < self.size:
            try:
                reached = self._stands_at(self._send_piece(file, offset))
            except WorthRetrying as error:
                delay = delay_before(stalls, error)
                if delay is None or stalls == MOST_STALLS:
                    raise error.reason from error
                time.sleep(delay)
                reached = self.offset()
            stalls = 0 if reached > offset else stalls + 1
            if stalls > MOST_STALLS:
                raise malformed(f"{self.id} takes no byte after byte {offset}")
            offset = reached
            sent(offset)

    def _send_piece(self, file: BinaryIO, offset: int) -> Reply:
        file.seek(offset)
        piece = file.read(min(PIECE_BYTES, self.size - offset))
        if len(piece) < min(PIECE_BYTES, self.size - offset):
            raise FileChanged("the file became shorter while it was sent")
        headers = {
            "Tus-Resumable": VERSION,
            "Upload-Offset": str(offset),
            "Content-Type": "application/offset+octet-stream",
        }
        try:
            return self.connection.once("PATCH", self._path, piece, headers)
        except RegistryError as error:
            # An answer was lost, or another process sends the same file: ask where it stands.
            if error.status == _OFFSET_DIFFERS:
                raise WorthRetrying(error) from error
            raise

    def _stands_at(self, reply: Reply) -> int:
        said = reply.headers.get("Upload-Offset") or ""
        if not (said.isascii() and said.isdecimal() and len(said) < _DIGITS_OF_64_BITS):
            raise malformed("an upload's answer says its offset")
        if int(said) > self.size:
            raise malformed(f"{self.id} stands at byte {said} of {self.size}")
        return int(said)

    @property
    def _path(self) -> str:
        return f"/v1/uploads/{quoted(self.id)}"
