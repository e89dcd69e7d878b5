"""Weigh word-for-word repetition first, and divide only what it leaves by resemblance.

Owns the passing on of a remainder. What is repeated is evidence of a stronger kind than what is
merely alike, so resemblance never takes from it: every work gets at least what repetition gives it.
"""

from collections.abc import Sequence
from dataclasses import replace

from attribution.methods import similarity, verbatim
from attribution.methods.apportion import PARTS
from attribution.methods.evidence import Evidence, Weights, WorkWeight, weights
from attribution.methods.similarity import Calibration, Passage
from ledger.money import divide

NAME = "cascade"
VERSION = "2"


def weigh(
    evidence: Evidence,
    passages: Sequence[Passage],
    calibration: Calibration,
    *,
    min_words: int = verbatim.DEFAULT_MIN_WORDS,
    max_sharers: int = verbatim.MAX_SHARERS,
) -> Weights:
    """Divide an output by ``verbatim``, and what is then unattributed by ``similarity``.

    Each passage divides its own words that were found nowhere, so that a work that was repeated in
    one passage gets nothing of another for it. passages: none overlaps another; words that lie in
    none are nobody's.
    """
    repeated = verbatim.weigh(evidence, min_words=min_words, max_sharers=max_sharers)
    free = verbatim.unattributed(evidence, min_words=min_words, max_sharers=max_sharers)
    left = [
        replace(passage, words=sum(free[passage.first : passage.first + passage.words]))
        for passage in passages
    ]
    nowhere = sum(free) - sum(passage.words for passage in left)
    return pass_on(repeated, similarity.weigh([*left, Passage(0, nowhere, ())], calibration))


def pass_on(first: Weights, second: Weights) -> Weights:
    """Divide what ``first`` leaves unattributed in proportion to ``second``.

    What ``first`` attributed stays exact; the rest is divided in whole parts, at least PARTS of
    the whole, by largest remainder. ``words`` are those of ``first``.
    """
    scale = -(-PARTS // first.total)
    rest = first.unattributed * scale
    claims = [each.weight for each in second.works]
    *parts, unattributed = divide(rest, [*claims, second.unattributed])
    found = {each.work: each.weight * scale for each in first.works}
    words = {each.work: each.words for each in first.works}
    for each, part in zip(second.works, parts, strict=True):
        found[each.work] = found.get(each.work, 0) + part
    return weights(
        {work: WorkWeight(work, weight, words.get(work, 0)) for work, weight in found.items()},
        unattributed=unattributed,
    )
