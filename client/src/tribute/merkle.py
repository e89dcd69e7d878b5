"""Build and verify Merkle trees as RFC 6962, section 2.1, defines them.

Pure functions over the leaves' bytes, or over a way to ask for the hash of any range of leaves. What
the leaves mean, and who signs the root, is for receipts and logs to say.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()

Subtree = Callable[[int, int], bytes]
"""Returns the (32,) byte root over the leaves from a first up to, not including, an end."""


def leaf_hash(leaf: bytes) -> bytes:
    """Return the (32,) byte hash of a leaf."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the (32,) byte hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """Return the (32,) byte root over the leaves in their order; of none, SHA-256 of nothing."""
    level = [leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _level_above(level)
    return level[0] if level else EMPTY_ROOT


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the sibling hashes that lead from leaf ``index`` up to the root.

    Raises IndexError when there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no leaf {index} among {len(leaves)}")
    path = []
    level = [leaf_hash(leaf) for leaf in leaves]
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level, index = _level_above(level), index // 2
    return path


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether ``path`` proves that ``leaf`` stands at ``index`` of ``size`` below ``root``."""
    return verify_hash_inclusion(leaf_hash(leaf), index=index, size=size, path=path, root=root)


def verify_hash_inclusion(
    leaf_hash: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Do the same for whoever holds only the leaf's hash. RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    position, last = index, size - 1
    computed = leaf_hash
    for sibling in path:
        if last == 0:
            return False
        if position % 2 or position == last:
            computed = node_hash(sibling, computed)
            while not position % 2 and position:
                position, last = position // 2, last // 2
        else:
            computed = node_hash(computed, sibling)
        position, last = position // 2, last // 2
    return last == 0 and computed == root and len(root) == len(EMPTY_ROOT)


def prove_inclusion(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the sibling hashes that lead from leaf ``index`` of ``size`` up to the root.

    Raises IndexError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise IndexError(f"no leaf {index} among {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def prove_consistency(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the hashes that lead from the tree of ``old`` leaves to that of ``new``.

    RFC 6962, section 2.1.2. Empty when the trees are the same, or the old one is.
    Raises IndexError unless 0 <= old <= new.
    """
    if not 0 <= old <= new:
        raise IndexError(f"a tree of {new} leaves does not follow one of {old}")
    if old == 0:
        return []
    path, start, end, known = [], 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, known = middle, False
    if not known:
        path.append(subtree(start, end))
    return path[::-1]


def verify_consistency(
    *, old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> bool:
    """Tell whether ``path`` proves that the tree of ``new`` leaves begins with that of ``old``.

    RFC 9162, section 2.1.4.2.
    """
    if not 0 <= old <= new:
        return False
    if old == 0 and old_root != EMPTY_ROOT:
        return False
    if old in (0, new):
        return not path and (old != new or old_root == new_root)
    steps = list(path) if old & (old - 1) else [old_root, *path]
    position, last = old - 1, new - 1
    while position % 2:
        position, last = position // 2, last // 2
    if not steps:
        return False
    before = after = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            return False
        if position % 2 or position == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not position % 2 and position:
                position, last = position // 2, last // 2
        else:
            after = node_hash(after, sibling)
        position, last = position // 2, last // 2
    return last == 0 and before == old_root and after == new_root


class Frontier:
    """The right edge of a growing tree: enough to add leaves and to know the root.

    peaks: the roots of the complete subtrees that ``size`` leaves fall into, the largest first.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        self.size = size
        self._peaks = list(peaks)

    @classmethod
    def of(cls, size: int, subtree: Subtree) -> "Frontier":
        """Return the edge of an existing tree."""
        return cls(size, [subtree(start, end) for start, end in _complete_parts(size)])

    def append(self, leaf_hash: bytes) -> None:
        """Add a leaf by its hash."""
        node, full = leaf_hash, self.size
        while full % 2:
            node, full = node_hash(self._peaks.pop(), node), full // 2
        self._peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the (32,) byte root over all leaves so far."""
        if not self._peaks:
            return EMPTY_ROOT
        *others, node = self._peaks
        for peak in reversed(others):
            node = node_hash(peak, node)
        return node


def _complete_parts(size: int) -> list[tuple[int, int]]:
    parts, start = [], 0
    while start < size:
        width = 1 << (size - start).bit_length() - 1
        parts.append((start, start + width))
        start += width
    return parts


def _split(leaves: int) -> int:
    """Return the largest power of two below ``leaves`` (at least 2)."""
    return 1 << (leaves - 1).bit_length() - 1


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    # An odd node out rises unchanged, which gives the RFC's left-complete trees.
    above = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return [*above, level[-1]] if len(level) % 2 else above
