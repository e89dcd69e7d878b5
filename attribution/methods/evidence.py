"""What a method is given and what it returns.

Owns the words that all methods share. It decides nothing.
"""

from dataclasses import dataclass
from math import gcd
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Candidate:
    """One cluster of near-identical works, and where an output repeats it.

    ``work`` is the typed id of the work that stands for the cluster, the earliest registered.
    ``positions`` are the output's n-grams found in the cluster, by the number of their first
    word, from 0, strictly increasing.
    """

    work: str
    positions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """An output of ``words`` words, and the works whose n-grams of ``ngram`` words occur in it."""

    words: int
    ngram: int
    candidates: tuple[Candidate, ...]


class WorkWeight(NamedTuple):
    """One work's weight, and how many words of the output it was found in (0 when not by words)."""

    work: str
    weight: int
    words: int = 0


@dataclass(frozen=True, slots=True)
class Weights:
    """What a method found: whole numbers that only mean something relative to ``total``.

    ``works`` are sorted by id, each weight is above zero, and ``total`` is above zero.
    """

    works: tuple[WorkWeight, ...]
    unattributed: int

    @property
    def total(self) -> int:
        """The weight of the whole output."""
        return sum([weight for _, weight, _ in self.works]) + self.unattributed


def weights(works: dict[str, WorkWeight], *, unattributed: int) -> Weights:
    """Put weights in their normal form: sorted, without zeros, in lowest terms.

    When nothing carries weight at all, the remainder is the whole: one part of one.
    """
    kept = [works[work] for work in sorted(works) if works[work].weight]
    divisor = gcd(unattributed, *[weight for _, weight, _ in kept])
    if not divisor:
        return Weights((), 1)
    if divisor > 1:
        kept = [WorkWeight(work, weight // divisor, words) for work, weight, words in kept]
    return Weights(tuple(kept), unattributed // divisor)
