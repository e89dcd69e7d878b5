"""One file that proves, offline, that a log holds a leaf (C2SP tlog-proof).

Our proofs carry the leaf itself as their extra data: with the log's verifier key, the file is
enough. The extra data is believed because the proof leads from its hash to the signed root.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tribute.log import checkpoints
from tribute.log.checkpoints import Checkpoint
from tribute.log.errors import InvalidProof
from tribute.log.notes import VerifierKey
from tribute.merkle import leaf_hash, verify_hash_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
MEDIA_TYPE = "text/plain; charset=utf-8"
LARGEST_PROOF = 1 << 20

_HASH_BYTES = 32
_LONGEST_PATH = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class LogProof:
    """A proof as it is written. path: (32,) byte hashes. note: the checkpoint, verbatim.

    extra: the leaf, when it travels along.
    """

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {base64.b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [base64.b64encode(each).decode() for each in self.path]
        return "\n".join([*lines, "", ""]).encode() + self.note


@dataclass(frozen=True, slots=True)
class Proven:
    """What a proof shows: this leaf stands at ``index`` of the log as ``checkpoint`` has it."""

    leaf_hash: bytes
    leaf: bytes | None
    index: int
    checkpoint: Checkpoint


def parse(data: bytes) -> LogProof:
    """Read a proof. Raises InvalidProof. Nothing in it may be believed before ``verify``."""
    if len(data) > LARGEST_PROOF:
        raise InvalidProof(f"a proof has at most {LARGEST_PROOF} bytes")
    head, gap, note = data.partition(b"\n\n")
    try:
        lines = iter(head.decode("ascii").split("\n"))
    except UnicodeDecodeError as error:
        raise InvalidProof("a proof begins with lines of ASCII") from error
    if next(lines) != HEADER or not gap:
        raise InvalidProof(f"a proof begins with {HEADER!r} and ends in a checkpoint")
    line = next(lines, "")
    extra = None
    if line.startswith("extra "):
        extra, line = _base64(line.removeprefix("extra ")), next(lines, "")
    index = _INDEX.fullmatch(line)
    if index is None:
        raise InvalidProof("a proof names the index of its leaf")
    return LogProof(int(index[1]), tuple(_path(lines)), note, extra)


def verify(proof: LogProof, key: VerifierKey, *, hash_of_leaf: bytes | None = None) -> Proven:
    """Return what a proof shows, once everything in it agrees.

    hash_of_leaf: (32,) bytes of the leaf one asks about; None takes the leaf the proof carries.
    Raises InvalidNote, UntrustedNote, InvalidCheckpoint, InvalidProof.
    """
    carried = None if proof.extra is None else leaf_hash(proof.extra)
    wanted = carried if hash_of_leaf is None else hash_of_leaf
    if wanted is None:
        raise InvalidProof("the proof does not carry its leaf: say which leaf it is about")
    checkpoint = checkpoints.verify(proof.note, key)
    if not verify_hash_inclusion(
        wanted,
        index=proof.index,
        size=checkpoint.size,
        path=proof.path,
        root=checkpoint.root,
    ):
        raise InvalidProof(
            f"the path does not lead from the leaf to the root of {checkpoint.size} leaves"
        )
    return Proven(wanted, proof.extra if carried == wanted else None, proof.index, checkpoint)


def _path(lines: Iterator[str]) -> Iterator[bytes]:
    for number, line in enumerate(lines):
        sibling = _base64(line)
        if len(sibling) != _HASH_BYTES or number >= _LONGEST_PATH:
            raise InvalidProof("a path is at most 63 hashes of 32 bytes")
        yield sibling


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidProof("leaf and path are base64") from error
