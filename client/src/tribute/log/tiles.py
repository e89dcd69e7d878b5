"""Tiles: a tree's hashes and entries in files of 256 (C2SP tlog-tiles). Pure.

Owns the addresses of tiles, what they hold, and the hash of any range of leaves read from them.
Where tiles lie, and who may be believed, is for others to say.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from tribute.log.errors import TamperedTile
from tribute.merkle import (
    EMPTY_ROOT,
    Frontier,
    node_hash,
    prove_consistency,
    prove_inclusion,
)

WIDTH = 256
HASH_BYTES = 32
ENTRIES = "entries"
LONGEST_ENTRY = (1 << 16) - 1
PATH = re.compile(
    r"tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/){0,5}[0-9]{3}"
    r"(?:\.p/(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?",
    re.ASCII,
)
"""The address of any tile below a log's prefix."""

_HEIGHT = 8
_LENGTH_BYTES = 2


@dataclass(frozen=True, slots=True)
class Tile:
    """A file of the log. level: 0 upwards, or ENTRIES. width: 1 to 256, less while it grows."""

    level: int | str
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its address below the log's prefix: ``tile/0/x001/x234/067.p/17``."""
        rest, last = divmod(self.number, 1000)
        parts = [f"{last:03d}"]
        while rest:
            rest, part = divmod(rest, 1000)
            parts.insert(0, f"x{part:03d}")
        grows = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{self.level}/{'/'.join(parts)}{grows}"


ReadTile = Callable[[Tile], bytes]


def tile_of(level: int | str, number: int, *, size: int) -> Tile:
    """Return a tile as wide as it is in a tree of ``size`` leaves."""
    filled = size if isinstance(level, str) else size >> _HEIGHT * level
    return Tile(level, number, min(WIDTH, filled - number * WIDTH))


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile of hashes that a tree of ``size`` leaves has, level by level."""
    level = 0
    while filled := size >> _HEIGHT * level:
        for number in range(-(-filled // WIDTH)):
            yield tile_of(level, number, size=size)
        level += 1


class TileTree:
    """A tree of ``size`` leaves, read from its tiles. read: returns a tile's bytes.

    A tile of the wrong length raises TamperedTile; whether its hashes are right shows when they
    are compared with a signed root.
    """

    def __init__(self, read: ReadTile, size: int) -> None:
        self.size = size
        self._read = read
        self._tiles: dict[Tile, list[bytes]] = {}

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return self.subtree(0, self.size)

    def frontier(self, size: int | None = None) -> Frontier:
        """Return the right edge of the first ``size`` leaves, to which more can be added."""
        return Frontier.of(self.size if size is None else size, self.subtree)

    def leaf_hash(self, index: int) -> bytes:
        """Return the hash of one leaf."""
        return self.subtree(index, index + 1)

    def inclusion(self, index: int) -> list[bytes]:
        """Return the path from a leaf to the root. Raises IndexError."""
        return prove_inclusion(index, self.size, self.subtree)

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """Return the path from the tree of ``old`` leaves to that of ``new``, by default all.

        Raises IndexError.
        """
        return prove_consistency(old, self.size if new is None else new, self.subtree)

    def subtree(self, start: int, end: int) -> bytes:
        """Return the root over the leaves from ``start`` up to ``end``."""
        leaves = end - start
        if leaves == 0:
            return EMPTY_ROOT
        if leaves & (leaves - 1) == 0 and start % leaves == 0:
            return self._node(leaves.bit_length() - 1, start // leaves)
        middle = start + (1 << (leaves - 1).bit_length() - 1)
        return node_hash(self.subtree(start, middle), self.subtree(middle, end))

    def _node(self, height: int, index: int) -> bytes:
        """Return the root of the complete subtree of 2**height leaves that is ``index``-th."""
        level, within = divmod(height, _HEIGHT)
        number, offset = divmod(index << within, WIDTH)
        tile = tile_of(level, number, size=self.size)
        if tile not in self._tiles:
            self._tiles[tile] = hashes(tile, self._read(tile))
        return folded(self._tiles[tile][offset : offset + (1 << within)])


def grown(read: ReadTile, size: int, leaf_hashes: Iterable[bytes]) -> Iterator[tuple[Tile, bytes]]:
    """Yield each tile of hashes that changes when leaves join a tree of ``size``, and its bytes.

    read: returns the tiles of the tree so far; of each level at most the last is asked for.
    """
    level, fresh = 0, list(leaf_hashes)
    while fresh:
        number, kept = divmod(size >> _HEIGHT * level, WIDTH)
        before: list[bytes] = []
        if kept:
            tile = Tile(level, number, kept)
            before = hashes(tile, read(tile))
        row, fresh = before + fresh, []
        for start in range(0, len(row), WIDTH):
            part = row[start : start + WIDTH]
            yield Tile(level, number + start // WIDTH, len(part)), b"".join(part)
            if len(part) == WIDTH:
                fresh.append(folded(part))
        level += 1


def hashes(tile: Tile, data: bytes) -> list[bytes]:
    """Return the hashes in a tile. Raises TamperedTile unless it is as long as it must be."""
    if len(data) != tile.width * HASH_BYTES:
        raise TamperedTile(f"{tile.path} has {len(data)} bytes, not {tile.width * HASH_BYTES}")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def pack(entries: Sequence[bytes]) -> bytes:
    """Return a bundle: each entry after its length in two bytes. Raises OverflowError."""
    return b"".join(len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries)


def unpack(tile: Tile, data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Raises TamperedTile unless they are whole and as many."""
    entries, at = [], 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        entries.append(data[start:at])
    if at != len(data) or len(entries) != tile.width:
        raise TamperedTile(f"{tile.path} does not hold {tile.width} whole entries")
    return entries


def folded(row: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of hashes; that of a full tile stands one level up."""
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]
