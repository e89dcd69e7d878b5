"""Checkpoints: a log's name, size and root, signed (C2SP tlog-checkpoint)."""

import base64
import binascii
import re
from dataclasses import dataclass

from tribute.log import notes
from tribute.log.errors import ForkedLog, InvalidCheckpoint
from tribute.log.notes import VerifierKey
from tribute.merkle import EMPTY_ROOT

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_ROOT_BYTES = 32
_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says it is. root: the (32,) byte root over its first ``size`` leaves."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def verify(note: bytes, key: VerifierKey) -> Checkpoint:
    """Return a checkpoint that ``key`` signed for the log of its own name.

    Raises InvalidNote, UntrustedNote, InvalidCheckpoint.
    """
    checkpoint = parse(notes.verify(note, key))
    if checkpoint.origin != key.name:
        raise InvalidCheckpoint(f"a checkpoint of {checkpoint.origin!r}, not of {key.name!r}")
    return checkpoint


def parse(text: str) -> Checkpoint:
    """Read a checkpoint's text; lines after the third are others' extensions and passed over.

    Raises InvalidCheckpoint. Believe it only after the signature was verified.
    """
    lines = text.split("\n")
    if len(lines) <= _LINES or lines[-1] or not all(lines[:-1]):
        raise InvalidCheckpoint("a checkpoint has a line each for its log, its size and its root")
    origin, size, encoded = lines[:_LINES]
    if not _SIZE.fullmatch(size):
        raise InvalidCheckpoint(f"not a tree's size: {size[:30]!r}")
    try:
        root = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidCheckpoint("a root is base64") from error
    if len(root) != _ROOT_BYTES or base64.b64encode(root).decode() != encoded:
        raise InvalidCheckpoint("a root is 32 bytes in base64")
    if size == "0" and root != EMPTY_ROOT:
        raise InvalidCheckpoint("the root of an empty tree is the SHA-256 of nothing")
    return Checkpoint(origin, int(size), root)


def require_growth(old: Checkpoint, new: Checkpoint) -> None:
    """Refuse what shows a fork without any proof. Raises ForkedLog."""
    if old.origin != new.origin:
        raise ForkedLog(f"the log was {old.origin!r} and now calls itself {new.origin!r}")
    if new.size < old.size:
        raise ForkedLog(f"the log had {old.size} leaves and now claims {new.size}")
    if new.size == old.size and new.root != old.root:
        raise ForkedLog(f"two different trees of {old.size} leaves were signed")
