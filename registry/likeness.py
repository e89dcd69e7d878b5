"""Compare content codes by the bits in which they differ: every pair, exactly, by numpy. Pure.

No index over the codes is any help. Two codes count as alike up to 76 of 256 differing bits, while
strangers differ in 128 ± 8: cut into 16 segments (multi-index hashing), a pair within the bound
has a segment that differs in at most 4 of 16 bits, which is true of 47 % of all strangers as well.
So all are compared, at some 5 ns a pair (docs/benchmarks.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

WORD_BITS = 64
BLOCK = 16_384
"""Codes compared at a time: what a block needs lies in the processor's nearer caches."""
ADDED_IN_BYTES = 3
"""So many words' differing bits always fit a byte, 192 at most."""

Words = np.ndarray[tuple[int, int], np.dtype[np.uint64]]


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of one length. words: (n_words, n), a code's bits left-aligned in a column; bits: used."""

    words: Words
    bits: int

    def __len__(self) -> int:
        return int(self.words.shape[1])

    def cut(self, bits: int) -> Words:
        """Return the words that hold the first ``bits`` of each code, the rest of the last zero."""
        words = self.words[: -(-bits // WORD_BITS)]
        if bits % WORD_BITS == 0:
            return words
        words = words.copy()
        words[-1] &= np.uint64(~((1 << (WORD_BITS - bits % WORD_BITS)) - 1) % 2**WORD_BITS)
        return words


def packed(texts: list[str]) -> Codes:
    """Pack equally long texts of 0 and 1, at least one."""
    bits = len(texts[0])
    width = -(-bits // WORD_BITS) * WORD_BITS
    digits = np.frombuffer("".join(t.ljust(width, "0") for t in texts).encode(), np.uint8)
    rows = np.packbits(digits.reshape(len(texts), -1) - ord("0"), axis=1).view(">u8")
    return Codes(np.ascontiguousarray(rows.T.astype(np.uint64)), bits)


def near(asked: Codes, stored: Codes, *, farthest: float) -> Iterator[tuple[int, int, float]]:
    """Yield the places in ``asked`` and ``stored`` of codes that are alike, and their distances.

    farthest: the greatest distance that counts, a share (0 to 1) of the bits that both have.
    """
    bits = min(asked.bits, stored.bits)
    most = int(farthest * bits)
    few, many = asked.cut(bits), stored.cut(bits)
    turned = few.shape[1] > many.shape[1]
    if turned:
        few, many = many, few
    for one, other, differing in _pairs(few, many, most):
        yield (other, one, differing / bits) if turned else (one, other, differing / bits)


def _pairs(few: Words, many: Words, most: int) -> Iterator[tuple[int, int, int]]:
    count = many.shape[1]
    for start in range(0, count, BLOCK):
        block = np.ascontiguousarray(many[:, start : start + BLOCK])
        scratch = _Scratch(block.shape[1])
        for number in range(few.shape[1]):
            for place, differing in scratch.within(block, few[:, number], most):
                yield number, start + place, differing


class _Scratch:
    """Room for one block's sums, used again for each code: allocating would cost a third more."""

    def __init__(self, size: int) -> None:
        self.differing = np.empty(size, np.uint64)
        self.counted = np.empty(size, np.uint8)
        self.total = np.empty(size, np.uint8)

    def within(self, block: Words, code: Any, most: int) -> Iterator[tuple[int, int]]:
        """Yield the places in a block that differ from ``code`` in at most ``most`` bits."""
        self.total.fill(0)
        for row, word in zip(block[:ADDED_IN_BYTES], code[:ADDED_IN_BYTES], strict=True):
            np.bitwise_xor(row, word, out=self.differing)
            np.bitwise_count(self.differing, out=self.counted)
            np.add(self.total, self.counted, out=self.total)
        # Of strangers' 256 bits, 3 in 1,000 differ this little in the first 192.
        places = np.flatnonzero(self.total <= most)
        totals = self.total[places].astype(np.int64)
        for row, word in zip(block[ADDED_IN_BYTES:], code[ADDED_IN_BYTES:], strict=True):
            totals += np.bitwise_count(row[places] ^ word)
        for place, differing in zip(places.tolist(), totals.tolist(), strict=True):
            if differing <= most:
                yield place, differing
