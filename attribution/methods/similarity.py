"""Weigh works by how much an output resembles them, with nobody as one of the answers.

Owns a conditional logit with an outside option (McFadden, "Conditional logit analysis of
qualitative choice behavior", 1974; Train, "Discrete Choice Methods with Simulation", 2nd edition,
chapter 3). With a work's features x = (cosine, bm25, log(coverage + 0.01)) of a passage

    share(work) = exp(b.x) / (exp(t) + sum over all works of exp(b.x))
    unattributed = exp(t)  / (same)

An output is divided passage by passage, each by its words, since what comes from two works is like
neither as a whole. How b and t are found is ``calibrating``'s. It measures resemblance. That a work
is resembled does not show that it was the cause.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, log

from attribution.errors import InvalidEvidence
from attribution.methods.apportion import apportion
from attribution.methods.evidence import Weights

NAME = "similarity"
VERSION = "2"

MILLION = 1_000_000
COVERAGE_FLOOR = 0.01
"""Added to coverage before its logarithm, so that none at all is finite: log(0.01) = -4.6."""

BACKGROUND = 10
"""An output draws on fewer works than this, or on a language rather than on works."""

LEAST_SHARE = 0.001
"""A work under a thousandth of an output is noise among many works, and belongs to nobody."""


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How much an output resembles one cluster of near-identical works.

    work: typed id of the work that stands for the cluster. cosine: how far the largest of the
    cosines between the output's vector and those of the work's passages stands out, up to 1; 0
    without vectors.
    bm25: how far the best of the work's passages stands out (``stand_out``) by the score of
    Robertson and Zaragoza (2009), k1 = 1.2 and b = 0.75, taken over what a passage would score
    that held every word of the output without end; 0 to 1. coverage: the part of the output's
    words that lie in word-for-word matches with the work, 0 to 1. Passages are of about 100 words.
    Raises InvalidEvidence for numbers outside these bounds.
    """

    work: str
    cosine: float
    bm25: float
    coverage: float

    def __post_init__(self) -> None:
        if not (-1 <= self.cosine <= 1 and 0 <= self.bm25 <= 1 and 0 <= self.coverage <= 1):
            raise InvalidEvidence(f"the resemblance to {self.work} is out of bounds")


@dataclass(frozen=True, slots=True)
class Passage:
    """Some words of an output, in a row, and the works they resemble, one for each cluster.

    first: the number of the passage's first word in the output, from 0.
    """

    first: int
    words: int
    candidates: tuple[Resemblance, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Coefficients in millionths: whole numbers, so that what is recorded is what was used.

    cosine, bm25 and coverage are b, outside is t. space: what they were fitted on, and the
    embeddings they are valid for; coefficients of one space mean nothing in another.
    """

    space: str
    cosine: int
    bm25: int
    coverage: int
    outside: int

    def parameters(self) -> dict[str, int | str]:
        """Return what is recorded with each query that was weighed by it."""
        return {
            "space": self.space,
            "cosine_ppm": self.cosine,
            "bm25_ppm": self.bm25,
            "coverage_ppm": self.coverage,
            "outside_ppm": self.outside,
            "least_share_ppm": round(LEAST_SHARE * MILLION),
        }


def stand_out(scores: Sequence[float]) -> list[float]:
    """Return how far each score, 0 to 1, rises above the BACKGROUND-th best, in what is left to 1.

    Any output resembles some works a little, by its language and its subject; what is like its
    source, and like no ninth other work, stands out. The scores are of one work a cluster, or
    copies would raise the background. Fewer scores than BACKGROUND have none.
    """
    ordered = sorted(scores, reverse=True)
    background = ordered[BACKGROUND - 1] if len(ordered) >= BACKGROUND else 0.0
    if background >= 1:
        return [0.0] * len(scores)
    return [max(0.0, (score - background) / (1 - background)) for score in scores]


def weigh(passages: Sequence[Passage], calibration: Calibration) -> Weights:
    """Divide an output over the works that its passages resemble, each passage by its words."""
    words = sum(passage.words for passage in passages)
    parts: dict[str, list[float]] = {}
    for passage in passages:
        if passage.words:
            for work, share in shares_of(passage.candidates, calibration).items():
                parts.setdefault(work, []).append(share * passage.words / words)
    shares = {work: fsum(each) for work, each in parts.items()}
    return apportion(shares, unattributed=max(0.0, 1.0 - fsum(shares.values())))


def shares_of(candidates: Sequence[Resemblance], calibration: Calibration) -> dict[str, float]:
    """Return each work's share of a passage, at least LEAST_SHARE; the rest to 1 is nobody's."""
    scores = {
        each.work: (
            calibration.cosine * each.cosine
            + calibration.bm25 * each.bm25
            + calibration.coverage * log(each.coverage + COVERAGE_FLOOR)
        )
        / MILLION
        for each in candidates
    }
    outside = calibration.outside / MILLION
    highest = max([outside, *scores.values()])
    powers = {work: exp(score - highest) for work, score in scores.items()}
    total = fsum([exp(outside - highest), *powers.values()])
    return {work: power / total for work, power in powers.items() if power / total >= LEAST_SHARE}
