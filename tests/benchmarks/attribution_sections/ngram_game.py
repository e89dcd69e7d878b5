"""What training on any subset of works makes of an output, exactly, without training again.

Owns a fast form of ``server.demo.language_model``: its counts are sums over works, so the counts of
every work at the few places that an output asks for give the probability under any subset. The
section checks it against models that were in fact trained again.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from server.demo.language_model import LINE_END, WEIGHTS, tokens_of

Floats = NDArray[np.float64]
Subsets = NDArray[np.bool_]

_Places = defaultdict[tuple[str, ...], defaultdict[int, int]]


@dataclass(frozen=True, slots=True)
class Counts:
    """What each work counted, where one output asks.

    runs and contexts: (order, n_tokens, n_works), how often the context and token, and the
    context with anything after it, occurred.
    """

    runs: Floats
    contexts: Floats


class Game:
    """An n-gram model's training, as a game between works. order: as the model's."""

    def __init__(self, texts: Sequence[str], *, order: int) -> None:
        self.order = order
        self._texts = texts
        self._runs: _Places = defaultdict(lambda: defaultdict(int))
        self._contexts: _Places = defaultdict(lambda: defaultdict(int))
        for work, text in enumerate(texts):
            self._count(work, text)
        everything = np.ones((1, len(texts)), np.bool_)
        self._all_tokens = int(self.widths(everything)[0])

    def at(self, output: str) -> Counts:
        """Look up, once, all that the output asks of every work."""
        sequence = [LINE_END, *tokens_of(output)]
        runs = np.zeros((self.order, len(sequence) - 1, len(self._texts)))
        contexts = np.zeros_like(runs)
        for length in range(self.order):
            for place in range(max(1, length), len(sequence)):
                context = tuple(sequence[place - length : place])
                found: Mapping[int, int] = self._runs.get((*context, sequence[place]), {})
                runs[length, place - 1, list(found)] = list(found.values())
                found = self._contexts.get(context, {})
                contexts[length, place - 1, list(found)] = list(found.values())
        return Counts(runs, contexts)

    def widths(self, subsets: Subsets) -> NDArray[np.int64]:
        """Return (n_subsets,) how many different tokens each subset of works has."""
        words = [{LINE_END}.union(tokens_of(text)) for text in self._texts]
        number = {word: at for at, word in enumerate(sorted(set().union(*words)))}
        has = np.zeros((len(words), len(number)), np.float32)
        for work, each in enumerate(words):
            has[work, [number[word] for word in each]] = 1
        batches = np.array_split(subsets, max(1, len(subsets) // 512))
        return np.concatenate([((b.astype(np.float32) @ has) > 0).sum(axis=1) for b in batches])

    def log_probabilities(
        self, asked: Counts, subsets: Subsets, widths: NDArray[np.int64]
    ) -> Floats:
        """Return (n_subsets,) natural logarithms.

        subsets: (n_subsets, n_works) which works are trained on; the empty one gives the value of
        guessing every token of all works alike, as a model that has learned nothing would.
        """
        chosen = subsets.astype(np.float64)
        weighted = np.zeros((len(chosen), asked.runs.shape[1]))
        used = np.zeros_like(weighted)
        for length, weight in enumerate(WEIGHTS[self.order]):
            counts = chosen @ asked.runs[length].T
            totals = chosen @ asked.contexts[length].T
            if length == 0:
                counts, totals = counts + 1, totals + widths[:, None] + 1
            known = totals > 0
            weighted += weight * np.where(known, counts / np.maximum(totals, 1), 0.0)
            used += weight * known
        sums = np.log(weighted / used).sum(axis=1)
        guessed = -asked.runs.shape[1] * np.log(self._all_tokens + 1)
        return np.asarray(np.where(subsets.any(axis=1), sums, guessed))

    def _count(self, work: int, text: str) -> None:
        framed = [LINE_END, *tokens_of(text), LINE_END]
        for length in range(self.order):
            for place in range(length, len(framed)):
                self._runs[tuple(framed[place - length : place + 1])][work] += 1
                self._contexts[tuple(framed[place - length : place])][work] += 1
