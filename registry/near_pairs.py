"""Find pairs of nearly equal codes among millions: no database in here.

Up to EXACTLY codes all pairs are compared. Beyond that, codes meet when they agree in one of
BANDS samples of their bits (bit sampling for the Hamming distance: Indyk and Motwani, 1998), so
that the work grows with codes, not with pairs; tests/benchmarks/manifests.py prints how many pairs
that misses.
"""

import math
from collections.abc import Iterator

import numpy as np

Codes = np.ndarray[tuple[int, int], np.dtype[np.uint64]]
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
    pairs = _all(count) if count <= EXACTLY else _meeting(codes)
    for later, earlier in pairs:
        differing = np.bitwise_count(codes[later] ^ codes[earlier]).sum(axis=1, dtype=np.int64)
        near = differing <= limit
        _keep(best, distance, later[near], earlier[near], differing[near])
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


def _all(count: int) -> Iterator[tuple[Indexes, Indexes]]:
    """Yield every pair, those of some later codes together."""
    step = max(1, 2_000_000 // max(count, 1))
    for start in range(1, count, step):
        end = min(start + step, count)
        later = np.repeat(np.arange(start, end), np.arange(start, end))
        earlier = np.concatenate([np.arange(n) for n in range(start, end)])
        yield later, earlier


def _meeting(codes: Codes) -> Iterator[tuple[Indexes, Indexes]]:
    """Yield the pairs that agree in a sample of bits, a band at a time.

    The more codes, the more bits a sample has, so that strangers seldom meet.
    """
    count, words = codes.shape
    chance = np.random.default_rng(SEED)
    width = max(8, math.ceil(math.log2(count)) - 4)
    bits = words * BITS_A_WORD
    for _ in range(BANDS):
        sampled = _sample(codes, chance.choice(bits, size=width, replace=False))
        order = np.argsort(sampled, kind="stable")
        ordered = sampled[order]
        for apart in range(1, NEIGHBOURS + 1):
            same = np.nonzero(ordered[apart:] == ordered[:-apart])[0]
            if not len(same):
                break
            # The sort is stable, so the earlier code stands before the later one.
            yield order[same + apart], order[same]


def _sample(codes: Codes, positions: Indexes) -> Indexes:
    """Return the bits at ``positions`` of each code as one number."""
    number = np.zeros(len(codes), np.int64)
    for position in positions:
        word, bit = divmod(int(position), BITS_A_WORD)
        taken = (codes[:, word] >> np.uint64(bit)) & np.uint64(1)
        number = (number << 1) | taken.astype(np.int64)
    return number
