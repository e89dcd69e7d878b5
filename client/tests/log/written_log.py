"""A log written into a folder by the plainest means: for tests of those who read one."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute.log import notes
from tribute.log.checkpoints import Checkpoint
from tribute.log.notes import VerifierKey
from tribute.log.proofs import LogProof
from tribute.log.sources import FolderLog, read_tile
from tribute.log.tiles import ENTRIES, WIDTH, Tile, TileTree, grown, pack
from tribute.merkle import leaf_hash, merkle_root


class WrittenLog:
    """Signs whatever it is told, forks included."""

    def __init__(
        self, folder: Path, *, origin: str = "registry.example/log", seed: int = 7
    ) -> None:
        self.folder = folder
        self._secret = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = VerifierKey(origin, self._secret.public_key().public_bytes_raw())
        self.leaves: list[bytes] = []

    @property
    def source(self) -> FolderLog:
        return FolderLog(self.folder)

    def add(self, leaves: Iterable[bytes]) -> bytes:
        """Add leaves; return the new checkpoint."""
        fresh = list(leaves)
        size = len(self.leaves)
        self.leaves += fresh
        hashes = [leaf_hash(leaf) for leaf in fresh]
        for tile, data in grown(lambda tile: read_tile(self.source, tile), size, hashes):
            self.write(tile.path, data)
        for number in range(size // WIDTH, -(-len(self.leaves) // WIDTH)):
            part = self.leaves[number * WIDTH : (number + 1) * WIDTH]
            self.write(Tile(ENTRIES, number, len(part)).path, pack(part))
        return self.sign(len(self.leaves), merkle_root(self.leaves))

    def sign(self, size: int, root: bytes) -> bytes:
        """Publish a checkpoint, true or not."""
        note = self.signed(size, root)
        self.write("checkpoint", note)
        return note

    def signed(self, size: int, root: bytes) -> bytes:
        return notes.sign(Checkpoint(self.key.name, size, root).text(), self.key, self._secret.sign)

    def proof(self, index: int) -> LogProof:
        size = len(self.leaves)
        tree = TileTree(lambda tile: read_tile(self.source, tile), size)
        note = (self.folder / "checkpoint").read_bytes()
        return LogProof(index, tuple(tree.inclusion(index)), note, self.leaves[index])

    def write(self, path: str, data: bytes) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(data)


def statements(subjects: Sequence[str], *, after: Sequence[bytes] = ()) -> list[bytes]:
    """Statements about subjects in turn, each naming the one before it on its subject."""
    own: dict[str, list[bytes]] = {}
    for leaf in after:
        own.setdefault(json.loads(leaf)["subject"], []).append(leaf)
    said = []
    for subject in subjects:
        before = own.setdefault(subject, [])
        content = {"subject": subject, "t": "consent.set", "seq": len(before) + 1, "v": 1}
        if before:
            content["prev"] = leaf_hash(before[-1]).hex()
        before.append(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
        said.append(before[-1])
    return said
