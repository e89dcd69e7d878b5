"""Train a small generative model on texts, and let it write. Knows no works, no people, no money.

An interpolated n-gram model of words (Jelinek and Mercer 1980; Jurafsky and Martin, "Speech and
Language Processing", 3rd edition, chapter 3) with fixed, published weights. It is small enough to
be trained again within a second, so that what one work adds to a model can be measured by leaving
the work out; and like its large relatives it copies runs of its training texts and goes beyond
them.
"""

import hashlib
import math
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

# For each order, the weights of the predictions from 0, 1, 2, … tokens of context; each row sums
# to 1. A context that training never met gives its weight to the others, in proportion. Trained on
# six books (568 kB), 10 %, 50 % and 63 % of the words written in order 3, 4 and 5 lie in runs of
# six or more words that a book contains.
WEIGHTS: dict[int, tuple[float, ...]] = {
    3: (0.02, 0.18, 0.80),
    4: (0.02, 0.08, 0.30, 0.60),
    5: (0.02, 0.06, 0.22, 0.35, 0.35),
}

LINE_END = "\n"
UNKNOWN = -1
_TOKEN = re.compile(r"\n|[^\W_]+(?:['’-][^\W_]+)*|[^\w\s]")
_OPENING = frozenset("([{“‘")


def train(texts: Sequence[str], *, order: int = 5) -> "LanguageModel":
    """Count every run of 1 to ``order`` tokens that lies inside one of ``texts``.

    order: 3, 4 or 5. The texts may come in any sequence: the same texts give the same model.
    Raises ValueError for another order, or when the texts hold no token.
    """
    if order not in WEIGHTS:
        raise ValueError(f"order must be one of {sorted(WEIGHTS)}, not {order}")
    tokenised = [tokens for text in texts if (tokens := tokens_of(text))]
    if not tokenised:
        raise ValueError("there is nothing to learn from")
    vocabulary = tuple(sorted({LINE_END}.union(*tokenised)))
    number = {word: index for index, word in enumerate(vocabulary)}
    # A line end opens each text, as the context of its first word, and closes it.
    framed = [[LINE_END, *tokens, LINE_END] for tokens in tokenised]
    sequence = np.array([number[token] for tokens in framed for token in tokens], np.int64)
    before = np.concatenate([np.arange(len(tokens)) for tokens in framed])
    return LanguageModel(order, vocabulary, _count_runs(sequence, before, len(vocabulary), order))


@dataclass(frozen=True, slots=True, eq=False)
class LanguageModel:
    """What was counted; two models are compared by their digests.

    levels: one for each length of context, from 0 to ``order - 1`` tokens.
    """

    order: int
    vocabulary: tuple[str, ...]
    levels: tuple["Level", ...]

    def digest(self) -> str:
        """Give the SHA-256, in hexadecimal, of the order, the vocabulary and all sorted counts."""
        content = hashlib.sha256(f"{self.order}\0".encode())
        content.update("\0".join(self.vocabulary).encode())
        for level in self.levels:
            content.update(level.keys.astype("<i8").tobytes())
            content.update(level.counts.astype("<i8").tobytes())
        return content.hexdigest()

    def log_probability(self, text: str) -> float:
        """Give the natural logarithm of the probability of a text's tokens, read from its start.

        A word that training never met counts as "some unknown word". An empty text gives 0.
        """
        sequence = self._numbers([LINE_END, *tokens_of(text)])
        weighted, weight_used = np.zeros(len(sequence)), np.zeros(len(sequence))
        contexts = np.zeros(len(sequence), np.int64)
        for level, weight in zip(self.levels, WEIGHTS[self.order], strict=True):
            shares, known = level.predict(contexts, sequence)
            weighted += weight * shares
            weight_used += weight * known
            contexts = _one_later(level.find(contexts, sequence))
        return math.fsum(np.log(weighted[1:] / weight_used[1:]))

    def distribution(self, context: str) -> Floats:
        """Give the probability of each token of the vocabulary to come next: (n + 1,), sums to 1.

        The last number belongs to all the words that training never met.
        """
        candidates = np.append(np.arange(len(self.vocabulary)), UNKNOWN)
        weighted, weight_used = np.zeros(len(candidates)), 0.0
        for level, weight, met in self._met(self._contexts_after(context)):
            weighted += weight * level.predict(np.full(len(candidates), met), candidates)[0]
            weight_used += weight
        return weighted / weight_used

    def generate(self, *, words: int, seed: int, prompt: str | None = None) -> str:
        """Write ``words`` words that follow ``prompt`` (a new line when there is none).

        The same model, seed and prompt give the same text; the prompt is not repeated in it.
        """
        # Reproducible by design: nothing is kept secret by these numbers.
        chance = random.Random(seed)  # noqa: S311
        contexts = self._contexts_after(prompt or "")
        written: list[str] = []
        while words > 0:
            met = self._met(contexts)
            level, _, context = chance.choices(met, [weight for _, weight, _ in met])[0]
            token = level.draw(context, chance)
            if token == UNKNOWN:
                continue
            contexts = self._contexts_with(contexts, token)
            written.append(self.vocabulary[token])
            words -= written[-1][0].isalnum()
        return _joined(written)

    def _numbers(self, tokens: Sequence[str]) -> Integers:
        number = {word: index for index, word in enumerate(self.vocabulary)}
        return np.array([number.get(token, UNKNOWN) for token in tokens], np.int64)

    def _contexts_after(self, text: str) -> list[int]:
        """Give, for each level, the context that a new line and then ``text`` leave behind."""
        contexts = [0, *[UNKNOWN] * (self.order - 1)]
        for token in self._numbers([LINE_END, *tokens_of(text)]):
            contexts = self._contexts_with(contexts, int(token))
        return contexts

    def _contexts_with(self, contexts: list[int], token: int) -> list[int]:
        """Give the contexts after one more token: each level's run is the next level's context."""
        longer = (
            level.find(np.array([context]), np.array([token]))
            for level, context in zip(self.levels, contexts[:-1], strict=False)
        )
        return [0, *(int(run[0]) for run in longer)]

    def _met(self, contexts: list[int]) -> list[tuple["Level", float, int]]:
        """Give level, weight and context wherever training saw the context followed by something."""
        rows = zip(self.levels, WEIGHTS[self.order], contexts, strict=True)
        return [row for row in rows if row[0].knows(row[2])]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """What follows contexts of one length.

    keys: (n,) sorted ``context * width + token``, where a context is the position, in the level
    below, of the run of tokens that it consists of; counts: (n,) how often each occurred;
    ends: (n + 1,) running sum of counts; width: tokens in the vocabulary; contextless: whether
    this is the lowest level, the only one that leaves room (one each) for rare and unknown words.
    """

    keys: Integers
    counts: Integers
    ends: Integers
    width: int
    contextless: bool

    @classmethod
    def counting(cls, keys: Integers, *, width: int, contextless: bool) -> Self:
        """Count how often each key occurs."""
        unique, counts = np.unique(keys, return_counts=True)
        ends = np.concatenate([[0], np.cumsum(counts)])
        return cls(unique, counts.astype(np.int64), ends, width, contextless)

    def find(self, contexts: Integers, tokens: Integers) -> Integers:
        """Give the position of each context and token among the keys, or UNKNOWN."""
        wanted = contexts * self.width + tokens
        position = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        met = (contexts >= 0) & (tokens >= 0) & (self.keys[position] == wanted)
        return np.where(met, position, UNKNOWN)

    def predict(self, contexts: Integers, tokens: Integers) -> tuple[Floats, Floats]:
        """Give each token's probability, and 1 where its context was met, 0 where it was not."""
        position = self.find(contexts, tokens)
        counts = np.where(position >= 0, self.counts[position], 0)
        first, last = self._followers(contexts)
        totals = self.ends[last] - self.ends[first]
        if self.contextless:
            counts, totals = counts + 1, totals + self.width + 1
        known = (contexts >= 0) & (totals > 0)
        return np.where(known, counts / np.maximum(totals, 1), 0.0), known.astype(np.float64)

    def knows(self, context: int) -> bool:
        """Tell whether training saw the context followed by something."""
        return context >= 0 and bool(self.predict(np.array([context]), np.zeros(1, int))[1][0])

    def draw(self, context: int, chance: random.Random) -> int:
        """Pick a follower of a met context by its probability; UNKNOWN for an unknown word."""
        first, last = self._followers(np.array([context]))
        total = int(self.ends[last[0]] - self.ends[first[0]])
        ticket = chance.randrange(total + (self.width + 1 if self.contextless else 0))
        if ticket >= total:
            smoothed = ticket - total
            return smoothed if smoothed < self.width else UNKNOWN
        winner = np.searchsorted(self.ends, self.ends[first[0]] + ticket, side="right") - 1
        return int(self.keys[winner] % self.width)

    def _followers(self, contexts: Integers) -> tuple[Integers, Integers]:
        """Give the range of keys that belongs to each context."""
        first = np.searchsorted(self.keys, contexts * self.width)
        last = np.searchsorted(self.keys, (contexts + 1) * self.width)
        return first, last


def tokens_of(text: str) -> list[str]:
    """Cut a text into words, punctuation marks and line ends; blank lines are passed over."""
    found = _TOKEN.findall(text.strip())
    return [token for last, token in pairwise(["", *found]) if not token == LINE_END == last]


def words_of(text: str) -> list[str]:
    """Give a text's words in lower case, without punctuation: what copying is judged by."""
    return [token.lower() for token in _TOKEN.findall(text) if token[0].isalnum()]


def share_copied(text: str, sources: Sequence[str], *, run: int = 6) -> float:
    """Give the share, 0 to 1, of a text's words that lie in runs of ``run`` words of a source."""
    words = words_of(text)
    known = {gram for source in sources for gram in _runs(words_of(source), run)}
    copied = {
        position
        for start, gram in enumerate(_runs(words, run))
        if gram in known
        for position in range(start, start + run)
    }
    return len(copied) / len(words) if words else 0.0


def _runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[offset:] for offset in range(length)), strict=False)


def _count_runs(sequence: Integers, before: Integers, width: int, order: int) -> tuple[Level, ...]:
    """Count the runs of 1 to ``order`` tokens; before: (n,) tokens ahead of each in its text."""
    levels: list[Level] = []
    contexts = np.zeros(len(sequence), np.int64)
    for length in range(order):
        inside = before >= length
        keys = (contexts * width + sequence)[inside]
        levels.append(Level.counting(keys, width=width, contextless=length == 0))
        runs = levels[-1].find(contexts, sequence)
        contexts = _one_later(np.where(inside, runs, UNKNOWN))
    return tuple(levels)


def _one_later(runs: Integers) -> Integers:
    """Turn the runs that end at each token into the contexts of the tokens after them."""
    return np.concatenate([[UNKNOWN], runs[:-1]])


def _joined(tokens: Sequence[str]) -> str:
    """Set tokens as text: marks cling to the word before them, opening brackets to the next."""
    text = ""
    for token in tokens:
        clings = not token[0].isalnum() and token not in _OPENING
        glued = not text or text[-1] == LINE_END or text[-1] in _OPENING
        text += token if clings or glued else f" {token}"
    return text.strip()
