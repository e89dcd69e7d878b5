"""Find pairs of nearly equal codes among millions: no database in here.

Up to EXACTLY codes all pairs are compared. Beyond that, codes meet when they agree in one of
BANDS samples of their bits (bit sampling for the Hamming distance: Indyk and Motwani, 1998), so
that the work grows with codes, not with pairs; tests/benchmarks/manifests.py prints how many pairs
that misses.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Codes = np.ndarray[tuple[int, int], np.dtype[np.uint64]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Counts = np.ndarray[Any, np.dtype[np.uint16]]
Columns = Sequence[Words]
"""A word of every code, and then the next: (words) times (n,)."""
Indexes = np.ndarray[tuple[int], np.dtype[np.int64]]

EXACTLY = 8_000
BANDS = 64
NEIGHBOURS = 24
"""With how many of those before it in a sample's order a code is compared."""
SEED = 20_240_601
BITS_A_WORD = 64


def nearest_before(codes: Codes, *, most: float) -> tuple[Indexes, Indexes]:
    """Find for each code an earlier one that differs from it in few bits, the nearest met.

    codes: (n, words) uint64. most: the share of bits that may differ. Returns (n,) indexes of the
    earlier code, -1 where none was met, and (n,) differing bits.
    """
    count, words = codes.shape
    limit = math.floor(most * words * BITS_A_WORD)
    best = np.full(count, -1, np.int64)
    distance = np.full(count, limit + 1, np.int64)
    columns = [np.ascontiguousarray(codes[:, word]) for word in range(words)]
    pairs = _all(columns, limit) if count <= EXACTLY else _meeting(columns, limit)
    for later, earlier, differing in pairs:
        _keep(best, distance, later, earlier, differing)
    return best, distance


def _keep(
    best: Indexes, distance: Indexes, later: Indexes, earlier: Indexes, differing: Indexes
) -> None:
    """Note the nearest for each later code; of equally near ones the earliest."""
    order = np.lexsort((earlier, differing, later))
    later, earlier, differing = later[order], earlier[order], differing[order]
    first = np.ones(len(later), bool)
    first[1:] = later[1:] != later[:-1]
    later, earlier, differing = later[first], earlier[first], differing[first]
    nearer = (differing < distance[later]) | (
        (differing == distance[later]) & (earlier < best[later])
    )
    best[later[nearer]] = earlier[nearer]
    distance[later[nearer]] = differing[nearer]


def _all(columns: Columns, limit: int) -> Iterator[tuple[Indexes, Indexes, Indexes]]:
    """Yield every near pair and its differing bits, those of some later codes together."""
    count = len(columns[0])
    step = max(1, 2_000_000 // max(count, 1))
    for start in range(1, count, step):
        end = min(start + step, count)
        differing = _differing(
            [column[start:end, None] for column in columns],
            [column[None, :end] for column in columns],
        )
        before = np.arange(end)[None, :] < np.arange(start, end)[:, None]
        later, earlier = np.nonzero((differing <= limit) & before)
        yield later + start, earlier, differing[later, earlier].astype(np.int64)


def _meeting(columns: Columns, limit: int) -> Iterator[tuple[Indexes, Indexes, Indexes]]:
    """Yield the near pairs that agree in a sample of bits, a band at a time.

    The more codes, the more bits a sample has, so that strangers seldom meet.
    """
    count = len(columns[0])
    chance = np.random.default_rng(SEED)
    width = max(8, math.ceil(math.log2(count)) - 4)
    bits = len(columns) * BITS_A_WORD
    for _ in range(BANDS):
        sampled = _sample(columns, chance.choice(bits, size=width, replace=False))
        order = np.argsort(sampled, kind="stable")
        ordered = sampled[order]
        # In their order, so that neighbours are compared without looking each of them up.
        arranged = [column[order] for column in columns]
        for apart in range(1, NEIGHBOURS + 1):
            same = ordered[apart:] == ordered[:-apart]
            if not same.any():
                break
            differing = _differing(
                [column[apart:] for column in arranged], [column[:-apart] for column in arranged]
            )
            met = np.nonzero(same & (differing <= limit))[0]
            # The sort is stable, so the earlier code stands before the later one.
            yield order[met + apart], order[met], differing[met].astype(np.int64)


def _differing(
    one: Sequence[Words], other: Sequence[Words]
) -> np.ndarray[Any, np.dtype[np.uint16]]:
    """Return how many bits differ, a word of the codes at a time."""
    total: Counts = np.bitwise_count(one[0] ^ other[0]).astype(np.uint16)
    for mine, theirs in zip(one[1:], other[1:], strict=True):
        total += np.bitwise_count(mine ^ theirs)
    return total


def _sample(columns: Columns, positions: Indexes) -> Indexes:
    """Return the bits at ``positions`` of each code as one number."""
    number = np.zeros(len(columns[0]), np.int64)
    for position in positions:
        word, bit = divmod(int(position), BITS_A_WORD)
        taken = (columns[word] >> np.uint64(bit)) & np.uint64(1)
        number = (number << 1) | taken.astype(np.int64)
    return number
