"""Prove what the log holds, as of its published checkpoint: entries, inclusion, consistency.

Reads the published files, and the database only to find a leaf's place. Every proof is verified
before it is handed out.
"""

from dataclasses import dataclass

from registry import log_files, log_signing
from registry.errors import LogDamaged, LogNotBegun, NotYetLogged, SizeOutOfRange
from registry.models import LogEntry, LogOutbox
from tribute.log.checkpoints import Checkpoint
from tribute.log.errors import TamperedTile
from tribute.log.proofs import LogProof
from tribute.log.tiles import ENTRIES, WIDTH, TileTree, tile_of, unpack
from tribute.merkle import leaf_hash, verify_consistency, verify_hash_inclusion


@dataclass(frozen=True, slots=True)
class Published:
    """The newest checkpoint, and the note in which it was signed."""

    checkpoint: Checkpoint
    note: bytes


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of the log. leaf: its canonical JSON, as it was hashed."""

    index: int
    leaf: bytes

    @property
    def leaf_hash(self) -> bytes:
        """The (32,) byte hash below which the tree knows it."""
        return leaf_hash(self.leaf)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """An entry with its way to the root that was published."""

    entry: Logged
    path: list[bytes]
    published: Published

    @property
    def proof(self) -> LogProof:
        """The one file that proves it, the leaf inside."""
        return LogProof(self.entry.index, tuple(self.path), self.published.note, self.entry.leaf)


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the tree of ``new`` leaves begins with that of ``old``."""

    old: int
    old_root: bytes
    new: int
    new_root: bytes
    path: list[bytes]


def published() -> Published:
    """Return the published checkpoint. Raises LogNotBegun, LogDamaged."""
    note = log_files.checkpoint()
    if note is None:
        raise LogNotBegun("no checkpoint has been published yet")
    return Published(log_signing.opened(note), note)


def inclusion(hash_of_leaf: bytes) -> Inclusion:
    """Prove that a leaf stands in the log. Raises NotYetLogged, LogNotBegun, LogDamaged."""
    index = (
        LogEntry.objects.filter(leaf__leaf_hash=hash_of_leaf)
        .values_list("index", flat=True)
        .first()
    )
    if index is None and not LogOutbox.objects.filter(leaf_hash=hash_of_leaf).exists():
        raise NotYetLogged("the log knows no such leaf")
    if index is None:
        raise NotYetLogged("the leaf waits for its place in the log; ask again in some seconds")
    return inclusion_of(index)


def inclusion_of(index: int) -> Inclusion:
    """Prove what stands in a place. Raises NotYetLogged, LogNotBegun, LogDamaged."""
    newest = published()
    size, root = newest.checkpoint.size, newest.checkpoint.root
    if not 0 <= index < size:
        raise NotYetLogged(f"the signed log has {size} entries; ask again in some seconds")
    (entry,) = entries(index, 1, newest)
    path = _tree(size).inclusion(index)
    if not verify_hash_inclusion(entry.leaf_hash, index=index, size=size, path=path, root=root):
        raise LogDamaged(f"the tiles do not lead from entry {index} to the root that was signed")
    return Inclusion(entry, path, newest)


def consistency(old: int, new: int | None) -> Consistency:
    """Prove that the tree of ``new`` leaves (None: the published one) grew from that of ``old``.

    Raises SizeOutOfRange, LogNotBegun, LogDamaged.
    """
    checkpoint = published().checkpoint
    new = checkpoint.size if new is None else new
    if not 0 <= old <= new <= checkpoint.size:
        raise SizeOutOfRange(f"0 <= from <= to <= {checkpoint.size}, the size that is signed")
    whole = _tree(checkpoint.size)
    if whole.root() != checkpoint.root:
        raise LogDamaged("the tiles do not give the root that was signed")
    # Tiles as narrow as a past tree's are gone; the newest hold all that it had.
    old_root, new_root = whole.subtree(0, old), whole.subtree(0, new)
    found = Consistency(old, old_root, new, new_root, whole.consistency(old, new))
    assert verify_consistency(
        old=old, old_root=found.old_root, new=new, new_root=found.new_root, path=found.path
    ), "a proof that was read from one tree holds"
    return found


def entries(start: int, limit: int, newest: Published) -> list[Logged]:
    """Return up to ``limit`` entries from ``start`` on, as they are published.

    Raises LogDamaged.
    """
    size = newest.checkpoint.size
    end = min(size, start + limit)
    found: list[Logged] = []
    for number in range(start // WIDTH, -(-end // WIDTH)):
        bundle = tile_of(ENTRIES, number, size=size)
        try:
            leaves = unpack(bundle, log_files.tile(bundle))
        except TamperedTile as error:
            raise LogDamaged(str(error)) from error
        found += [Logged(at, leaf) for at, leaf in enumerate(leaves, number * WIDTH)]
    return [entry for entry in found if start <= entry.index < end]


def _tree(size: int) -> TileTree:
    return TileTree(log_files.tile, size)
