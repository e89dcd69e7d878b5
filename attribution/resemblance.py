"""Which works outputs resemble by their words, a batch at a time.

Owns the way from scores of passages to works that stand out, near-copies counted as one. What a
resemblance is worth is the methods'.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

from attribution import lexical, rosters
from attribution.methods import similarity, verbatim
from attribution.methods.evidence import Evidence
from attribution.methods.similarity import Resemblance
from registry.models import Manifest
from tribute.features import BLOCK_WORDS, Features

MILLION = 1_000_000

Key = TypeVar("Key", bound=Hashable)
Heights = dict[str, float]
"""By work, one for each cluster: how far its best passage stands out, above 0 to 1."""


def heights(outputs: Mapping[Key, Features], manifest: Manifest) -> dict[Key, Heights]:
    """Return which works stand out for each output, by the same keys.

    Among fewer texts than ``similarity.BACKGROUND`` nothing can be told to stand out, so that none
    of the keys is answered.
    """
    index = lexical.of_manifest(manifest)
    if len(index.works) < similarity.BACKGROUND:
        return {}
    scores = {key: index.best(output) for key, output in outputs.items()}
    leader_of = rosters.of_manifest(manifest).leader_of(set().union(*scores.values()))
    return {key: _above(each, leader_of) for key, each in scores.items()}


def of_output(
    output: Features, repeated: Evidence, above: Heights | None
) -> tuple[Resemblance, ...]:
    """Return the works that stand out by their words, or that the output repeats.

    Where nothing could be told to stand out (``above`` is None), nothing is alike.
    """
    if above is None:
        return ()
    words = max(1, output.words)
    coverage = {
        each.work: sum(
            position < output.words
            for position in verbatim.covered(each, ngram=repeated.ngram, min_words=repeated.ngram)
        )
        / words
        for each in repeated.candidates
    }
    return tuple(
        Resemblance(work, 0.0, above.get(work, 0.0), coverage.get(work, 0.0))
        for work in sorted(above.keys() | coverage.keys())
    )


def cut(output: Features) -> list[Features]:
    """Cut an output into passages of two blocks; their n-grams are left behind."""
    found = []
    for at in range(0, len(output.blocks), 2):
        words = min(2 * BLOCK_WORDS, output.words - at * BLOCK_WORDS)
        none = (0,) * max(0, words - output.ngram_size + 1)
        blocks = output.blocks[at : at + 2]
        found.append(Features(words, none, output.ngram_size, output.version, blocks))
    return found


def in_millionths(above: Heights) -> dict[str, int]:
    """Return heights as the whole numbers that Shapley values are computed from."""
    return {work: round(height * MILLION) for work, height in above.items()}


def _above(scores: Mapping[str, float], leader_of: Mapping[str, str]) -> Heights:
    best: Heights = {}
    for work, score in scores.items():
        if work in leader_of:
            best[leader_of[work]] = max(score, best.get(leader_of[work], 0.0))
    stand_out = zip(best, similarity.stand_out(list(best.values())), strict=True)
    return {work: height for work, height in stand_out if height}
