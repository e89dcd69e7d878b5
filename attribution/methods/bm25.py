"""Score passages of registered texts by the words they share with an output.

Owns the index of passages and the score of Robertson and Zaragoza ("The probabilistic relevance
framework: BM25 and beyond", 2009), k1 = 1.2 and b = 0.75, over what a passage would score that held
every word of the output without end. A passage is two neighbouring blocks of ``tribute.features``,
about 100 words; passages of a text overlap by half. Rare words propose passages, then all words
score them exactly, so that frequent words cost no search.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from tribute.features import Features

VERSION = "2"

K1, B = 1.2, 0.75
PROPOSED = 128
"""Passages scored exactly."""

TEXTS = 16
"""Texts whose best passage is scored in any case: more than ``similarity.BACKGROUND``, as some may
be near-copies of each other."""

SCANNED = 200_000
"""Postings of the output's rarest words that are read to propose passages, its rarest always."""

GROUP = 64
"""Passages of which the best is looked at first."""

_COUNT_BITS, _PASSAGE_BITS = np.uint64(8), np.uint64(32)
_COUNT, _PASSAGE = np.uint64(2**8 - 1), np.uint64(2**32 - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Passages of n_works texts, in the order of the texts.

    terms: (n_terms,) uint32, rising. starts: (n_terms + 1,) int64 into the postings.
    passages: (n_postings,) uint32, rising for each term.
    offsets: (n_passages + 1,) int64 into what passages hold: held, (n_postings,) uint32 numbers of
    terms, rising for each passage, and counts, (n_postings,) uint8.
    lengths: (n_passages,) uint16 words. owners: (n_passages,) uint32 numbers of texts.
    """

    terms: NDArray[np.uint32]
    starts: NDArray[np.int64]
    passages: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    held: NDArray[np.uint32]
    counts: NDArray[np.uint8]
    lengths: NDArray[np.uint16]
    owners: NDArray[np.uint32]

    def best(self, output: Features) -> dict[int, float]:
        """Return texts by number and their best passage's score, 0 to 1, of those proposed."""
        asked = Counter[int]()
        for block in output.blocks:
            asked.update(dict(block))
        if not asked or not len(self.lengths):
            return {}
        places, weights, unknown = self._known(asked)
        proposed = self._propose(places, weights)
        if not len(proposed):
            return {}
        scores = self._score(proposed, places, weights)
        most = float(weights.sum()) + unknown * log(1 + (len(self.lengths) + 0.5) / 0.5)
        found: dict[int, float] = {}
        for owner, score in zip(self.owners[proposed].tolist(), scores.tolist(), strict=True):
            found[owner] = max(found.get(owner, 0.0), min(1.0, score / most))
        return found

    def _known(
        self, asked: Mapping[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
        """Return places of the output's terms, rarest first, their weights, and unknown words."""
        terms = np.array(sorted(asked), np.uint32)
        counts = np.array([asked[int(term)] for term in terms], np.float64)
        places = np.searchsorted(self.terms, terms)
        known = places < len(self.terms)
        known[known] = self.terms[places[known]] == terms[known]
        unknown = int(counts[~known].sum())
        places, counts = places[known], counts[known]
        holding = (self.starts[places + 1] - self.starts[places]).astype(np.float64)
        weights = counts * np.log(1 + (len(self.lengths) - holding + 0.5) / (holding + 0.5))
        order = np.lexsort((places, holding))
        return places[order], weights[order], unknown

    def _propose(
        self, places: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> NDArray[np.uint32]:
        """Return the passages, rising, in which the rarest words weigh most."""
        chunks: list[NDArray[np.uint32]] = []
        parts: list[NDArray[np.float64]] = []
        scanned = 0
        for place, weight in zip(places.tolist(), weights.tolist(), strict=True):
            passages = self.passages[self.starts[place] : self.starts[place + 1]]
            scanned += len(passages)
            if chunks and scanned > SCANNED:
                break
            chunks.append(passages)
            parts.append(np.full(len(passages), weight))
        if not chunks:
            return np.zeros(0, np.uint32)
        # One cell a passage: adding up there is many times faster than sorting what was scanned.
        sums: NDArray[np.float64] = np.bincount(
            np.concatenate(chunks), weights=np.concatenate(parts)
        ).astype(np.float64)
        of_each = _largest(sums, PROPOSED)
        # The best of further texts too: were long texts alone proposed, nothing would tell how much
        # any text is like the output. Passages as good as the proposed nearly always name them.
        of_texts = self._best_of_texts(sums, np.flatnonzero(sums >= sums[of_each].min()))
        if len(of_texts) < TEXTS:
            of_texts = self._best_of_texts(sums, np.flatnonzero(sums))
        return np.union1d(of_each, of_texts).astype(np.uint32)

    def _best_of_texts(
        self, sums: NDArray[np.float64], among: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the best passage of each of the best texts; among: passages, rising."""
        of_passage = sums[among]
        firsts = np.flatnonzero(np.diff(self.owners[among], prepend=np.uint32(2**32 - 1)))
        best = _largest(np.maximum.reduceat(of_passage, firsts), TEXTS)
        ends = np.append(firsts, len(among))
        places = [
            ends[text] + int(of_passage[ends[text] : ends[text + 1]].argmax()) for text in best
        ]
        return among[places]

    def _score(
        self,
        proposed: NDArray[np.uint32],
        places: NDArray[np.int64],
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return (n_proposed,) exact sums of weighted, saturated counts."""
        sizes = self.offsets[proposed + 1] - self.offsets[proposed]
        ends = np.cumsum(sizes)
        at = np.arange(int(sizes.sum())) + np.repeat(self.offsets[proposed] - ends + sizes, sizes)
        row = np.repeat(np.arange(len(proposed)), sizes)
        order = np.argsort(places)
        found = np.minimum(np.searchsorted(places[order], self.held[at]), len(places) - 1)
        hit = places[order][found] == self.held[at]
        row, count = row[hit], self.counts[at][hit].astype(np.float64)
        mean = float(self.lengths.mean())
        damped = K1 * (1 - B + B * self.lengths[proposed].astype(np.float64) / mean)
        parts = weights[order][found[hit]] * count / (count + damped[row])
        return np.bincount(row, weights=parts, minlength=len(proposed)).astype(np.float64)


def _largest(values: NDArray[np.float64], most: int) -> NDArray[np.int64]:
    """Return the places of the largest positive values, rising.

    The earlier place wins a tie, so that the same output always gets the same answer.
    """
    seen = np.flatnonzero(values >= _at_least(values, most))
    if len(seen) <= most:
        return seen
    found = values[seen]
    least = np.partition(found, len(found) - most)[len(found) - most]
    above = seen[found > least]
    equal = seen[found == least][: most - len(above)]
    return np.sort(np.concatenate([above, equal]))


def _at_least(values: NDArray[np.float64], most: int) -> float:
    """Return a number above zero that the ``most`` largest reach, found without sorting them all.

    Each of as many groups has a value that reaches the smallest of the groups' largest.
    """
    groups = len(values) // GROUP
    if groups > most:
        largest = values[: groups * GROUP].reshape(GROUP, groups).max(axis=0)
        found = float(np.partition(largest, groups - most)[groups - most])
        if found > 0:
            return found
    return float(np.nextafter(0, 1))


def _order(passages: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return what a stable argsort does: passages and places, below 2^32, are sorted as one number."""
    places = passages.astype(np.uint64) << _PASSAGE_BITS | np.arange(len(passages), dtype=np.uint64)
    places.sort()
    return (places & _PASSAGE).astype(np.int64)


def build(texts: Iterable[bytes]) -> Index:
    """Index texts by the block section of their features (``tribute.features.sections``)."""
    sizes: list[int] = []
    packed: list[bytes] = []
    of_text: list[int] = []
    number = -1
    for number, blocks in enumerate(texts):
        at = 0
        while at < len(blocks):
            end = at + 1 + 4 * blocks[at]
            packed.append(blocks[at + 1 : end])
            sizes.append(blocks[at])
            of_text.append(number)
            at = end
    entries = np.frombuffer(b"".join(packed), ">u4").astype(np.uint32)
    return _index(entries, np.array(sizes, np.int64), np.array(of_text, np.int64), number + 1)


def _index(
    entries: NDArray[np.uint32], sizes: NDArray[np.int64], of_text: NDArray[np.int64], n_texts: int
) -> Index:
    """entries: (n,) hash << 8 | count; sizes, of_text: (n_blocks,) entries and number of the text."""
    blocks = np.bincount(of_text, minlength=n_texts)
    windows = np.maximum(blocks - 1, np.minimum(blocks, 1))
    place = np.arange(len(of_text)) - (np.cumsum(blocks) - blocks)[of_text]
    first = (np.cumsum(windows) - windows)[of_text] + place
    # A block lies in the passage that it begins and in the one that it ends.
    begins = place < windows[of_text]
    ends = place > 0
    block_of = np.repeat(np.arange(len(sizes)), sizes)
    chosen = [np.flatnonzero(begins[block_of]), np.flatnonzero(ends[block_of])]
    window = np.concatenate([first[block_of[chosen[0]]], first[block_of[chosen[1]]] - 1])
    del block_of
    # Hash, passage and count of an entry in one number: sorted in place, without an order beside.
    keys = entries[np.concatenate(chosen)].astype(np.uint64)
    del chosen
    keys = (
        keys >> _COUNT_BITS << _COUNT_BITS + _PASSAGE_BITS
        | window.astype(np.uint64) << _COUNT_BITS
        | keys & _COUNT
    )
    del window
    keys.sort()
    counts = (keys & _COUNT).astype(np.int64)
    keys >>= _COUNT_BITS
    fresh = np.flatnonzero(np.diff(keys, prepend=np.uint64(2**64 - 1)) != 0)
    summed = np.add.reduceat(counts, fresh) if len(fresh) else counts
    keys = keys[fresh]
    passages = (keys & _PASSAGE).astype(np.uint32)
    terms, starts = np.unique((keys >> _PASSAGE_BITS).astype(np.uint32), return_index=True)
    total = int(windows.sum())
    capped = np.minimum(summed, 255).astype(np.uint8)
    by_passage = _order(passages)
    numbers = np.repeat(np.arange(len(terms), dtype=np.uint32), np.diff(starts, append=len(keys)))
    sizes = np.bincount(passages, minlength=total)
    return Index(
        terms=terms,
        starts=np.append(starts, len(keys)).astype(np.int64),
        passages=passages,
        offsets=np.append(0, np.cumsum(sizes)).astype(np.int64),
        held=numbers[by_passage],
        counts=capped[by_passage],
        lengths=np.bincount(passages, weights=summed, minlength=total).astype(np.uint16),
        owners=np.repeat(np.arange(n_texts, dtype=np.uint32), windows),
    )
