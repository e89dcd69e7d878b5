"""Read a log from end to end, believing nothing: entries, tiles, root, chains, and its own past.

What is found is compared with the signed checkpoint and with the one remembered from the last time.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tribute.log import checkpoints
from tribute.log.checkpoints import Checkpoint
from tribute.log.errors import BrokenChain, ForkedLog, TamperedTile
from tribute.log.notes import VerifierKey
from tribute.log.sources import LogSource, read_checkpoint, read_tile
from tribute.log.tiles import ENTRIES, WIDTH, Tile, TileTree, folded, hashes, tile_of, unpack
from tribute.merkle import Frontier, leaf_hash

STATEMENT = "consent.set"

Report = Callable[[int, int], None]
"""Is told how many entries have been read, and how many there are."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A leaf in its place; ``content`` is what its canonical JSON says."""

    index: int
    leaf: bytes
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit proved. read: how many entries; note: the checkpoint as signed, to remember."""

    checkpoint: Checkpoint
    note: bytes
    read: int
    chained: int


def newest(source: LogSource, key: VerifierKey) -> tuple[Checkpoint, bytes]:
    """Return the newest checkpoint and the note it stands in. Raises LogError."""
    note = read_checkpoint(source)
    return checkpoints.verify(note, key), note


def audit(
    source: LogSource,
    key: VerifierKey,
    *,
    remembered: bytes | None = None,
    only_new: bool = False,
    report: Report = lambda _done, _all: None,
) -> Audited:
    """Replay the log and prove that it is what was signed, and what was remembered.

    remembered: the note of an earlier audit; the log must have grown from it.
    only_new: read the entries added since then alone, and let the tiles prove the rest.
    Raises LogError: TamperedTile, ForkedLog, BrokenChain, UntrustedNote, LogUnavailable.
    """
    checkpoint, note = newest(source, key)
    past = None if remembered is None else checkpoints.verify(remembered, key)
    if past is not None:
        checkpoints.require_growth(past, checkpoint)
    frontier = Frontier()
    if past is not None and only_new:
        frontier = _resumed(source, past, checkpoint.size)
    start = frontier.size
    chains, above = _Chains(whole=start == 0), _TilesAbove(source)
    for entry in entries(source, checkpoint, start=start):
        if past is not None and entry.index == past.size:
            _require_same(frontier, past)
        frontier.append(leaf_hash(entry.leaf))
        chains.follow(entry)
        if start == 0:
            above.add(leaf_hash(entry.leaf))
        report(entry.index + 1, checkpoint.size)
    if past is not None and past.size == checkpoint.size:
        _require_same(frontier, past)
    if frontier.root() != checkpoint.root:
        raise TamperedTile("the entries do not give the root that was signed")
    above.end()
    chains.require_whole()
    return Audited(checkpoint, note, checkpoint.size - start, chains.links)


def entries(source: LogSource, checkpoint: Checkpoint, *, start: int = 0) -> Iterator[Entry]:
    """Yield the entries from ``start`` on, each as its tile of hashes has it.

    Whether that tile is the one that was signed is for the caller to prove by the root.
    Raises TamperedTile, LogUnavailable.
    """
    for number in range(start // WIDTH, -(-checkpoint.size // WIDTH)):
        bundle = tile_of(ENTRIES, number, size=checkpoint.size)
        tile = Tile(0, number, bundle.width)
        expected = hashes(tile, read_tile(source, tile))
        for within, leaf in enumerate(unpack(bundle, read_tile(source, bundle))):
            index = number * WIDTH + within
            if leaf_hash(leaf) != expected[within]:
                raise TamperedTile(f"entry {index} is not the one that {tile.path} has")
            if index >= start:
                yield Entry(index, leaf, _content(index, leaf))


def follow(
    source: LogSource, key: VerifierKey, subject: str, *, report: Report = lambda _done, _all: None
) -> Iterator[Entry]:
    """Return the statements about one subject, in order, once the whole log is proven.

    Raises LogError, also when one of the statements does not name the one before it.
    """
    checkpoint, _ = newest(source, key)
    frontier, chains, found = Frontier(), _Chains(whole=True), []
    for entry in entries(source, checkpoint):
        frontier.append(leaf_hash(entry.leaf))
        if entry.content.get("subject") == subject:
            chains.follow(entry)
            found.append(entry)
        report(entry.index + 1, checkpoint.size)
    if frontier.root() != checkpoint.root:
        raise TamperedTile("the entries do not give the root that was signed")
    chains.require_whole()
    return iter(found)


def prove_growth(
    source: LogSource, key: VerifierKey, remembered: bytes
) -> tuple[Checkpoint, Checkpoint]:
    """Return the remembered and the newest checkpoint, once the tiles prove that one grew.

    Raises LogError.
    """
    past = checkpoints.verify(remembered, key)
    checkpoint, _ = newest(source, key)
    checkpoints.require_growth(past, checkpoint)
    tree = _tree(source, checkpoint.size)
    if tree.root() != checkpoint.root:
        raise TamperedTile("the tiles do not give the root that was signed")
    if tree.subtree(0, past.size) != past.root:
        raise ForkedLog(f"the first {past.size} leaves are not those that were signed before")
    return past, checkpoint


@dataclass(slots=True)
class _Chains:
    """Each subject's last statement, to which the next must refer. whole: read from leaf 0 on.

    A break counts once the entries are proven to be the log's.
    """

    whole: bool
    links: int = 0
    broken: str = ""
    last: dict[str, tuple[int, str]] = field(default_factory=dict)

    def follow(self, entry: Entry) -> None:
        said = entry.content
        if said.get("t") != STATEMENT:
            return
        subject, number, prev = said.get("subject"), said.get("seq"), said.get("prev")
        if not isinstance(subject, str) or not isinstance(number, int):
            self._break(f"entry {entry.index} names no subject or no number")
            return
        before = self.last.get(subject)
        if before is None and self.whole:
            before = (0, "")
        if before is not None and (number, prev or "") != (before[0] + 1, before[1]):
            self._break(
                f"entry {entry.index} is statement {number} about {subject} and does not follow"
                f" statement {before[0]}"
            )
        self.links += 1
        self.last[subject] = (number, leaf_hash(entry.leaf).hex())

    def require_whole(self) -> None:
        if self.broken:
            raise BrokenChain(self.broken)

    def _break(self, what: str) -> None:
        self.broken = self.broken or what


def _content(index: int, leaf: bytes) -> dict[str, Any]:
    try:
        content = json.loads(leaf)
    except (ValueError, RecursionError) as error:
        raise TamperedTile(f"entry {index} is not JSON") from error
    if not isinstance(content, dict):
        raise TamperedTile(f"entry {index} is not a JSON object")
    return content


def _tree(source: LogSource, size: int) -> TileTree:
    return TileTree(lambda tile: read_tile(source, tile), size)


def _resumed(source: LogSource, past: Checkpoint, size: int) -> Frontier:
    frontier = _tree(source, size).frontier(past.size)
    _require_same(frontier, past)
    return frontier


def _require_same(frontier: Frontier, past: Checkpoint) -> None:
    if frontier.root() != past.root:
        raise ForkedLog(f"the first {past.size} leaves are not those that were signed before")


class _TilesAbove:
    """Builds the tiles above the leaves anew, and compares each with the one that is served."""

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._rows: list[list[bytes]] = [[]]
        self._numbers = [0]

    def add(self, node: bytes) -> None:
        """Take the next leaf's hash."""
        level = 0
        while True:
            row = self._rows[level]
            row.append(node)
            if len(row) < WIDTH:
                return
            self._compare(level)
            node = folded(row)
            row.clear()
            self._numbers[level] += 1
            level += 1
            if level == len(self._rows):
                self._rows.append([])
                self._numbers.append(0)

    def end(self) -> None:
        """Compare the tiles that are not full yet."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level)

    def _compare(self, level: int) -> None:
        if level == 0:
            return  # compared leaf by leaf as the entries were read
        row = self._rows[level]
        tile = Tile(level, self._numbers[level], len(row))
        if hashes(tile, read_tile(self._source, tile)) != row:
            raise TamperedTile(f"{tile.path} is not what the tiles below it give")
