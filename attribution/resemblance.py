"""Which works outputs resemble by their words, a batch at a time.

Owns the way from scores of passages to works that stand out, near-copies counted as one. What a
resemblance is worth is the methods'.
"""

from bisect import bisect_left
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from attribution import lexical, rosters
from attribution.methods import similarity, verbatim
from attribution.methods.evidence import Evidence
from attribution.methods.similarity import Passage, Resemblance
from registry.models import Manifest
from tribute.features import BLOCK_WORDS, Features

MILLION = 1_000_000

LEAST_WORDS = 20
"""Fewer words are like some text by chance: of strangers' outputs, those of 8 words were paid 16 %,
of 20 words 2 %."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Cut:
    """A passage of an output. first: the number of its first word in the output, from 0."""

    first: int
    features: Features


Heights = dict[str, float]
"""By work, one for each cluster: how far its best passage stands out, above 0 to 1."""


def can_tell(manifest: Manifest) -> bool:
    """Tell whether a work can stand out: among fewer texts than BACKGROUND none can."""
    return len(lexical.of_manifest(manifest).works) >= similarity.BACKGROUND


def heights(outputs: Mapping[Key, Features], manifest: Manifest) -> dict[Key, Heights]:
    """Return which works stand out for each output, by the same keys; too short ones are left out."""
    index = lexical.of_manifest(manifest)
    long = {key: output for key, output in outputs.items() if output.words >= LEAST_WORDS}
    scores = {key: index.best(output) for key, output in long.items()}
    leader_of = rosters.of_manifest(manifest).leader_of(set().union(*scores.values()))
    return {key: _above(each, leader_of) for key, each in scores.items()}


def of_passages(
    passages: Sequence[Cut], repeated: Evidence, above: Sequence[Heights], near: Heights
) -> tuple[Passage, ...]:
    """Return, for each passage, the works that stand out, or that it repeats.

    above: for each passage, what ``heights`` found by its words; empty where nothing could be told
    to stand out, and then nothing is alike. near: which works stand out by the output's vector.
    """
    if not above:
        return ()
    runs = {
        each.work: list(verbatim.covered(each, ngram=repeated.ngram, min_words=repeated.ngram))
        for each in repeated.candidates
    }
    return tuple(
        _of_passage(passage, runs, heights, near)
        for passage, heights in zip(passages, above, strict=True)
    )


def by_vector(near: Heights) -> tuple[Passage, ...]:
    """Return an output of which only the vector is known, as one passage."""
    return (Passage(0, 1, tuple(Resemblance(work, near[work], 0.0, 0.0) for work in sorted(near))),)


def cut(output: Features) -> list[Cut]:
    """Cut an output into passages of two blocks, the last of two or three or all that there is.

    Their n-grams are left behind. An output without blocks is one passage, of which only what it
    repeats is known.
    """
    starts = list(range(0, max(1, len(output.blocks) - 1), 2))
    found = []
    for start, end in pairwise([*starts, len(output.blocks)]):
        first = start * BLOCK_WORDS
        words = min(end * BLOCK_WORDS, output.words) - first if output.blocks else output.words
        none = (0,) * max(0, words - output.ngram_size + 1)
        blocks = output.blocks[start:end]
        found.append(Cut(first, Features(words, none, output.ngram_size, output.version, blocks)))
    return found


def in_millionths(above: Heights) -> dict[str, int]:
    """Return heights as the whole numbers that Shapley values are computed from."""
    return {work: round(height * MILLION) for work, height in above.items()}


def _of_passage(
    cut: Cut, runs: Mapping[str, Sequence[int]], heights: Heights, near: Heights
) -> Passage:
    words = cut.features.words
    if words < LEAST_WORDS:
        return Passage(cut.first, words, ())
    coverage = {
        work: (bisect_left(positions, cut.first + words) - before) / words
        for work, positions in runs.items()
        if (before := bisect_left(positions, cut.first)) < len(positions)
        and positions[before] < cut.first + words
    }
    return Passage(
        cut.first,
        words,
        tuple(
            Resemblance(work, near.get(work, 0.0), heights.get(work, 0.0), coverage.get(work, 0.0))
            for work in sorted(heights.keys() | coverage.keys() | near.keys())
        ),
    )


def _above(scores: Mapping[str, float], leader_of: Mapping[str, str]) -> Heights:
    best: Heights = {}
    for work, score in scores.items():
        if work in leader_of:
            best[leader_of[work]] = max(score, best.get(leader_of[work], 0.0))
    stand_out = zip(best, similarity.stand_out(list(best.values())), strict=True)
    return {work: height for work, height in stand_out if height}
