"""Many records at once, put together from the parts of rows in the order of keys, by numpy.

A record's layout is that of ``sayings``, taken here as numbers of 8 bytes. Owns telling which keys say the
same but for names: the verdict is run once for each case, not for each key.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from tribute.snapshot.piles import limits_of
from tribute.snapshot.sayings import (
    DECISIONS,
    DISPUTED,
    HEAD_BYTES,
    PROVEN,
    PURPOSES,
    SAYING,
    SUBJECT,
    UNIT,
    WITH_TERMS,
)
from tribute.snapshot.tables import Numbers

MOST_ROWS = (1 << 16) - 1
MOST_NUMBERS = (1 << 29) - 1
_BYTES = 8
_SUBJECT, _SAYING, _STEP = SUBJECT.size // _BYTES, SAYING.size // _BYTES, UNIT // _BYTES
_ROWS_SHIFT, _ODD_SHIFT, _LIKENESS_SHIFT = 32, 48, 56
_TYPE_MASK = np.uint64(0xFF)
_CLAIMANT, _SINCE, _FLAGS = 2, 6, 7
"""Which numbers of a saying hold its claimant's first half, its begin, and its words and flags."""
_NAMES = range(_SINCE)
_FLAGS_SHIFT = 48

# One statement without its names: subject, tier, narrowness, claimant, purpose, decision, since
# (0: already), sequence, proven, disputed, and whether it is only about a likeness.
Case = tuple[int, int, int, int, str, str, int, int, bool, bool, bool]


@dataclass(frozen=True, slots=True)
class Records:
    """The records of keys in their order: ``numbers[limits[i]:ends[i]]`` is what that of key i says.

    subjects: (rows,) where each subject lies. sayings: where each statement lies; owners: whose it is.
    """

    numbers: Numbers
    limits: Numbers
    ends: Numbers
    subjects: Numbers
    sayings: Numbers
    owners: Numbers

    @classmethod
    def of(cls, parts: Numbers, units: Numbers, owners: Numbers, odd: Numbers) -> Self:
        """Put records together.

        parts: those of rows, one after another; units: (rows,) how many numbers each has. owners:
        (rows,) whose part it is, in order. odd: (keys,) those whose record says so, and has no part.
        """
        said = np.bincount(owners, units, len(odd)).astype("<i8")
        sizes = 1 + said
        limits = limits_of(-(-sizes // _STEP) * _STEP)
        place = np.arange(limits[-1]) - np.repeat(limits[:-1], np.diff(limits))
        numbers = np.zeros(limits[-1], "<u8")
        numbers[(place > 0) & (place < np.repeat(sizes, np.diff(limits)))] = parts
        rows = np.bincount(owners, minlength=len(odd)).astype("<u8")
        heads = (sizes * _BYTES).astype("<u8") | rows << np.uint64(_ROWS_SHIFT)
        numbers[limits[:-1]] = heads | odd.astype("<u8") << np.uint64(_ODD_SHIFT)
        shift = limits[:-1] + 1 - limits_of(said)[:-1]
        subjects = limits_of(units)[:-1] + shift[owners]
        counts = (units - _SUBJECT) // _SAYING
        sayings = np.repeat(subjects + _SUBJECT, counts)
        before = np.repeat(limits_of(counts)[:-1], counts)
        sayings += _SAYING * (np.arange(len(sayings)) - before)
        return cls(
            numbers, limits, limits[:-1] + sizes, subjects, sayings, np.repeat(owners, counts)
        )

    def of_keys(self, wanted: Numbers) -> tuple[bytes, Numbers]:
        """Return the records of some keys, and how many bytes each has. wanted: (keys,) bool."""
        sizes = np.diff(self.limits)
        data = self.numbers[np.repeat(wanted, sizes)]
        return data.tobytes(), sizes[wanted] * _BYTES

    def cases(self, *, now: int, likeness: Numbers) -> list[bytes]:
        """Return what each key says but for names; equal bytes for the same.

        now: microseconds since 1970; what began before counts as already in effect. likeness: (keys,)
        whether a key is only about a likeness.
        """
        said = self.numbers.copy()
        said[self.limits[:-1]] |= likeness.astype("<u8") << np.uint64(_LIKENESS_SHIFT)
        said[self.subjects] &= ~_TYPE_MASK
        for name in range(1, _SUBJECT):
            said[self.subjects + name] = 0
        for name in _NAMES:
            said[self.sayings + name] = 0
        begins = said[self.sayings + _SINCE].view("<i8")
        said[self.sayings + _SINCE] = np.where(begins > now, begins, 0).astype("<u8")
        said[self.sayings + _FLAGS] &= np.uint64(~(WITH_TERMS << _FLAGS_SHIFT) & (1 << 64) - 1)
        self._rank_claimants(said)
        data = said.tobytes()
        limits = zip((self.limits * _BYTES).tolist(), (self.ends * _BYTES).tolist(), strict=False)
        return [data[start:stop] for start, stop in limits]

    def _rank_claimants(self, said: Numbers) -> None:
        """Number the claimants of each key that has several; the first one is 0."""
        claimants = (
            self.numbers[self.sayings + _CLAIMANT],
            self.numbers[self.sayings + _CLAIMANT + 1],
        )
        firsts = np.searchsorted(self.owners, self.owners)
        different = np.zeros(len(firsts), bool)
        for half in claimants:
            different |= half != half[firsts]
        for key in np.unique(self.owners[different]).tolist():
            ranks: dict[tuple[int, int], int] = {}
            start, stop = np.searchsorted(self.owners, [key, key + 1])
            names = zip(*(half[start:stop].tolist() for half in claimants), strict=True)
            for place, name in zip(self.sayings[start:stop].tolist(), names, strict=True):
                said[place + _CLAIMANT] = ranks.setdefault(name, len(ranks))


def case_of(data: bytes) -> Iterator[Case]:
    """Yield the statements of a case."""
    likeness = bool(data[HEAD_BYTES - 1])
    at, number = HEAD_BYTES, 0
    while at < len(data):
        _, tier, count, narrowness, _ = SUBJECT.unpack_from(data, at)
        at += SUBJECT.size
        stop = at + count * SAYING.size
        for fields in SAYING.iter_unpack(data[at:stop]):
            yield (number, tier, narrowness, *_words(fields), likeness)
        at, number = stop, number + 1


def _words(fields: Sequence[Any]) -> tuple[int, str, str, int, int, bool, bool]:
    _, claimant, _, since, sequence, purpose, decision, flags = fields
    rank = int.from_bytes(claimant[:_BYTES], "little")
    words = PURPOSES[purpose], DECISIONS[decision]
    return rank, *words, since, sequence, bool(flags & PROVEN), bool(flags & DISPUTED)
