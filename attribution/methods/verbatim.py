"""Weigh works by the words of an output that are found in them, word for word.

Owns the coverage game and its exact Shapley value. A set of works is worth the words of the
output that at least one of them covers, so each word's worth is shared equally by the works that
cover it (the closed form of the Shapley value of a coverage game; the tests compare it with the
definition). Words that no work covers stay unattributed. It measures repetition, not influence.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from math import lcm

from attribution.methods.evidence import Candidate, Evidence, Weights, WorkWeight, weights

NAME = "verbatim"
VERSION = "1"

DEFAULT_MIN_WORDS = 8
"""Shorter runs are mostly idiom: runs of four words paid 9.5 % of the fee for foreign texts."""

MAX_SHARERS = 16
"""A run of words found in more works than this is a common phrase and shows no origin."""


def weigh(
    evidence: Evidence, *, min_words: int = DEFAULT_MIN_WORDS, max_sharers: int = MAX_SHARERS
) -> Weights:
    """Return each candidate's exact share of the output's words.

    min_words: a run of consecutive words counts from this length on; not below the evidence's
    n-gram, since shorter runs leave no trace. max_sharers: a word covered by more candidates than
    this counts as unattributed. Every word weighs the same; a word with k sharers gives each 1/k,
    written over the common denominator of all k that occur, so nothing is rounded.
    """
    covered_by = _covered_by(evidence, min_words)
    words_of = Counter(work for works in covered_by.values() for work in works)
    shared = [works for works in covered_by.values() if len(works) <= max_sharers]
    denominator = lcm(*{len(works) for works in shared})
    parts: Counter[str] = Counter()
    for works in shared:
        for work in works:
            parts[work] += denominator // len(works)
    return weights(
        {work: WorkWeight(work, part, words_of[work]) for work, part in parts.items()},
        unattributed=denominator * (evidence.words - len(shared)),
    )


def unattributed(
    evidence: Evidence, *, min_words: int = DEFAULT_MIN_WORDS, max_sharers: int = MAX_SHARERS
) -> list[bool]:
    """Tell of each word of the output whether ``weigh`` gives it to nobody."""
    covered_by = _covered_by(evidence, min_words)
    return [
        not 0 < len(covered_by.get(position, ())) <= max_sharers
        for position in range(evidence.words)
    ]


def covered(candidate: Candidate, *, ngram: int, min_words: int) -> Iterator[int]:
    """Yield the numbers of the words, each once, that lie in long enough runs of the candidate.

    A run of k consecutive matching n-grams of n words covers k + n - 1 words.
    """
    reached = 0
    for first, last in _runs(candidate.positions):
        if last + ngram - first >= min_words:
            yield from range(max(first, reached), last + ngram)
            reached = last + ngram


def _covered_by(evidence: Evidence, min_words: int) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for candidate in evidence.candidates:
        for position in covered(candidate, ngram=evidence.ngram, min_words=min_words):
            if position < evidence.words:
                found.setdefault(position, []).append(candidate.work)
    return found


def _runs(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each unbroken run in a strictly increasing sequence."""
    first = last = None
    for position in positions:
        if first is None or last is None:
            first = position
        elif position != last + 1:
            yield first, last
            first = position
        last = position
    if first is not None and last is not None:
        yield first, last
