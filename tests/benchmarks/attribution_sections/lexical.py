"""Words and runs of words in registered texts: BM25, and where an output repeats a work.

Owns what the registry's index holds, kept in memory here: the same reduction to n-grams, the same
scoring formula that ``attribution.methods.similarity`` names.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import log

import numpy as np
from numpy.typing import NDArray

from attribution.methods import verbatim
from attribution.methods.evidence import Candidate, Evidence
from tribute.features import NGRAM_SIZE, reduce, words_of

Floats = NDArray[np.float64]

_K1, _B = 1.2, 0.75


class Index:
    """Registered texts, in the order they were given. ngram: words in a run."""

    def __init__(self, texts: Mapping[str, str], *, ngram: int = NGRAM_SIZE) -> None:
        self.works = list(texts)
        self.ngram = ngram
        self._texts = texts
        self._with: dict[int, list[str]] = {}
        for work, text in texts.items():
            for each in set(reduce(text, ngram_size=ngram).hashes):
                self._with.setdefault(each, []).append(work)

    def evidence(self, output: str) -> Evidence:
        """Return where the output repeats which works."""
        features = reduce(output, ngram_size=self.ngram)
        positions: dict[str, list[int]] = {}
        for position, each in enumerate(features.hashes):
            for work in self._with.get(each, ()):
                positions.setdefault(work, []).append(position)
        candidates = tuple(Candidate(work, tuple(positions[work])) for work in sorted(positions))
        return Evidence(features.words, self.ngram, candidates)

    def coverage(self, output: str, *, min_words: int | None = None) -> Floats:
        """Return (n_works,) the part of the output's words in runs that each work holds."""
        evidence = self.evidence(output)
        least = min_words or self.ngram
        covered = {
            each.work: sum(1 for _ in verbatim.covered(each, ngram=self.ngram, min_words=least))
            for each in evidence.candidates
        }
        words = max(1, evidence.words)
        return np.array([covered.get(work, 0) / words for work in self.works])

    def bm25(self, output: str) -> Floats:
        """Return (n_works,) scores, over what a work without end of every word would score."""
        numbers, inverse, table = self._terms
        asked = Counter(word for word in words_of(output) if word in numbers)
        unknown = sum(1 for word in words_of(output) if word not in numbers)
        at = [numbers[word] for word in asked]
        weights = np.array(list(asked.values()), np.float64) * inverse[at]
        most = float(weights.sum()) + unknown * self._rarest
        return np.asarray(table[:, at] @ weights / (most or 1.0))

    @cached_property
    def _rarest(self) -> float:
        return log(1 + (len(self.works) + 0.5) / 0.5)

    @cached_property
    def _terms(self) -> tuple[dict[str, int], Floats, Floats]:
        """Return word numbers, inverse frequencies, and (n_works, n_words) saturated counts."""
        counts = [Counter(words_of(text)) for text in self._texts.values()]
        vocabulary = sorted(set().union(*counts))
        numbers = {word: at for at, word in enumerate(vocabulary)}
        table = np.zeros((len(counts), len(vocabulary)))
        for row, each in enumerate(counts):
            table[row, [numbers[word] for word in each]] = list(each.values())
        holding = (table > 0).sum(axis=0)
        inverse = np.log(1 + (len(counts) - holding + 0.5) / (holding + 0.5))
        lengths = table.sum(axis=1, keepdims=True)
        damped = _K1 * (1 - _B + _B * lengths / lengths.mean())
        return numbers, inverse, table / (table + damped)


def best_first(scores: Floats, works: Sequence[str]) -> list[str]:
    """Return works by falling score; equal ones by name."""
    return [works[at] for at in sorted(range(len(works)), key=lambda at: (-scores[at], works[at]))]
