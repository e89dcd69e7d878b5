"""Weigh works by how much an output resembles them, with nobody as one of the answers.

Owns a conditional logit with an outside option (McFadden, "Conditional logit analysis of
qualitative choice behavior", 1974; Train, "Discrete Choice Methods with Simulation", 2nd edition,
chapter 3) and how it is calibrated. With a work's features x = (cosine, bm25, log(coverage + 0.01))

    share(work) = exp(b.x) / (exp(t) + sum over all works of exp(b.x))
    unattributed = exp(t)  / (same)

b is fitted to outputs of known origin; t is then raised until outputs that come from none of the
works are paid no more than a published budget, because a threshold fitted by likelihood overpays
strangers. It measures resemblance. That a work is resembled does not show that it was the cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, fsum, isfinite, log

import numpy as np
from numpy.typing import NDArray

from attribution.errors import InvalidEvidence
from attribution.methods.apportion import apportion
from attribution.methods.evidence import Weights

NAME = "similarity"
VERSION = "1"

MILLION = 1_000_000
COVERAGE_FLOOR = 0.01
"""Added to coverage before its logarithm, so that none at all is finite: log(0.01) = -4.6."""

BACKGROUND = 10
"""An output draws on fewer works than this, or on a language rather than on works."""

LEAST_SHARE = 0.001
"""A work under a thousandth of an output is noise among many works, and belongs to nobody."""

DEFAULT_BUDGET_PPM = 50_000
RIDGE = 1e-3
"""Keeps coefficients finite where examples can be told apart perfectly."""

_FEATURES = 3
_MAX_STEPS = 200
_MAX_OUTSIDE = 100 * MILLION

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Resemblance:
    """How much an output resembles one cluster of near-identical works.

    work: typed id of the work that stands for the cluster. cosine: the largest of the cosines
    between the output's embedding and those of the work's passages, -1 to 1; 0 without embeddings.
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


CALIBRATION = Calibration(
    "text/bm25+coverage/1",
    cosine=0,
    bm25=19_672_607,
    coverage=1_550_980,
    outside=-400_313,
)
"""For texts without embeddings, strangers' budget 5 %; how it was found and how far it carries is
in docs/attribution-quality.md."""


@dataclass(frozen=True, slots=True)
class Example:
    """An output whose origin is known, for calibration.

    origins: each work's true share of what is to be divided, adding up to at most 1; nobody's is
    the rest, so a stranger has none. rest: how much of the whole is to be divided, above 0 to 1,
    when an earlier method has already given the other part away.
    """

    candidates: tuple[Resemblance, ...]
    origins: Mapping[str, float]
    rest: float = 1.0


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


def weigh(candidates: Sequence[Resemblance], calibration: Calibration = CALIBRATION) -> Weights:
    """Divide an output over the works it resembles; one candidate for each cluster."""
    shares = shares_of(candidates, calibration)
    return apportion(shares, unattributed=max(0.0, 1.0 - fsum(shares.values())))


def shares_of(candidates: Sequence[Resemblance], calibration: Calibration) -> dict[str, float]:
    """Return each work's share, at least LEAST_SHARE; what is missing to 1 is nobody's."""
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


def calibrate(
    known: Sequence[Example],
    strangers: Sequence[Example],
    *,
    space: str,
    budget_ppm: int = DEFAULT_BUDGET_PPM,
) -> Calibration:
    """Fit the coefficients by cross-entropy, then raise t until the budget for strangers is kept.

    The same examples in the same order give the same answer. Raises ValueError when there are no
    known examples, or when no t can keep the budget.
    """
    return within_budget(fit(known, strangers, space=space), strangers, budget_ppm=budget_ppm)


def fit(known: Sequence[Example], strangers: Sequence[Example], *, space: str) -> Calibration:
    """Return the likeliest coefficients. Raises ValueError when there are no known examples."""
    if not known:
        raise ValueError("calibration needs outputs of known origin")
    return Calibration(space, *(round(each * MILLION) for each in _fit([*known, *strangers])))


def within_budget(
    calibration: Calibration, strangers: Sequence[Example], *, budget_ppm: int
) -> Calibration:
    """Raise t, no further than is needed, until strangers are paid ``budget_ppm`` on average.

    What earlier methods paid them counts. Raises ValueError when that is over the budget already.
    """
    if not strangers or paid_ppm(strangers, calibration) <= budget_ppm:
        return calibration
    low, high = calibration.outside, _MAX_OUTSIDE
    if paid_ppm(strangers, replace(calibration, outside=high)) > budget_ppm:
        raise ValueError("what earlier methods pay strangers is over the budget already")
    while high - low > 1:
        middle = (low + high) // 2
        keeps = paid_ppm(strangers, replace(calibration, outside=middle)) <= budget_ppm
        low, high = (low, middle) if keeps else (middle, high)
    return replace(calibration, outside=high)


def paid_ppm(strangers: Sequence[Example], calibration: Calibration) -> float:
    """Return what outputs that come from none of the works are paid on average, in millionths."""
    paid = [
        1 - each.rest * (1 - fsum(shares_of(each.candidates, calibration).values()))
        for each in strangers
    ]
    return MILLION * fsum(paid) / len(paid)


def _fit(examples: Sequence[Example]) -> list[float]:
    """Minimise cross-entropy and RIDGE by Newton's method; the problem is convex.

    Returns the coefficients of _FEATURES features, then t.
    """
    rows = [_row(example) for example in examples]
    solution = np.zeros(_FEATURES + 1)
    loss = _loss(rows, solution)
    for _ in range(_MAX_STEPS):
        gradient, curvature = _slopes(rows, solution)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while (better := _loss(rows, solution - size * step)) > loss and size > 1e-8:  # noqa: PLR2004 - a step too small to matter
            size /= 2
        if loss - better < 1e-10:  # noqa: PLR2004 - converged far beyond the millionths kept
            break
        solution, loss = solution - size * step, better
    if not np.isfinite(solution).all():
        raise ValueError("the examples do not determine the coefficients")
    return [float(each) for each in solution]


def _row(example: Example) -> tuple[Floats, Floats, float]:
    """Return designs (n + 1, 4), targets (n + 1,) that sum to 1, and the example's weight.

    The last row is nobody: only t counts for it.
    """
    known = {each.work for each in example.candidates}
    targets = [example.origins.get(each.work, 0.0) for each in example.candidates]
    if not all(isfinite(each) and each >= 0 for each in targets) or fsum(targets) > 1 + 1e-9:
        raise ValueError("true shares are at least 0 and add up to at most 1")
    missed = fsum(share for work, share in example.origins.items() if work not in known)
    design = np.zeros((len(targets) + 1, _FEATURES + 1))
    for at, each in enumerate(example.candidates):
        design[at, :_FEATURES] = (each.cosine, each.bm25, log(each.coverage + COVERAGE_FLOOR))
    design[-1, _FEATURES] = 1.0
    # A source that is no candidate cannot be chosen; its part teaches nothing either way.
    nobody = max(0.0, 1.0 - fsum(targets) - missed)
    return design, np.array([*targets, nobody]), example.rest


def _loss(rows: Sequence[tuple[Floats, Floats, float]], solution: Floats) -> float:
    losses = []
    for design, targets, weight in rows:
        scores = design @ solution
        highest = scores.max()
        log_total = highest + log(np.exp(scores - highest).sum())
        losses.append(weight * float(targets @ (log_total - scores)))
    return fsum(losses) / len(rows) + RIDGE / 2 * float(solution @ solution)


def _slopes(
    rows: Sequence[tuple[Floats, Floats, float]], solution: Floats
) -> tuple[Floats, Floats]:
    """Return the gradient (4,) and the curvature (4, 4) of the loss."""
    gradient = RIDGE * solution
    curvature = RIDGE * np.eye(len(solution))
    for design, targets, weight in rows:
        scores = design @ solution
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        mass = weight * targets.sum() / len(rows)
        gradient += weight / len(rows) * (targets.sum() * shares - targets) @ design
        mean = shares @ design
        curvature += mass * ((design * shares[:, None]).T @ design - np.outer(mean, mean))
    return gradient, curvature
