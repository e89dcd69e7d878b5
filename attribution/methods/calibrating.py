"""Find the coefficients of ``similarity`` from outputs whose origin is known.

Owns the fit by likelihood, the choice of slope and threshold by what mistakes cost in money, and
the budget for strangers: outputs that come from none of the works are paid no more than it on
average, because a threshold fitted by likelihood overpays them. Where examples come from is the
benchmark's, and whoever calibrates for texts of his own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import fsum, isfinite, log

import numpy as np
from numpy.typing import NDArray

from attribution.methods.similarity import (
    COVERAGE_FLOOR,
    MILLION,
    Calibration,
    Resemblance,
    shares_of,
)

DEFAULT_BUDGET_PPM = 50_000
RIDGE = 1e-3
"""Keeps coefficients finite where examples can be told apart perfectly."""

STEEPER = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
"""How much steeper than the likeliest the slope may be."""

HIGHER = tuple(step / 2 for step in range(13))
"""How far above the lowest threshold one may lie, in units of the logit."""

_FEATURES = 3
_MAX_STEPS = 200
_MAX_OUTSIDE = 100 * MILLION

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """A passage of an output whose origin is known.

    origins: each work's true share of what is to be divided, adding up to at most 1; nobody's is
    the rest, so a stranger has none. rest: how much of the passage is to be divided, above 0 to 1,
    when an earlier method has already given the other part away. part: how much of its output the
    passage is; the passages of an output make 1.
    """

    candidates: tuple[Resemblance, ...]
    origins: Mapping[str, float]
    rest: float = 1.0
    part: float = 1.0


def calibrate(
    known: Sequence[Example],
    strangers: Sequence[Example],
    *,
    space: str,
    budget_ppm: int = DEFAULT_BUDGET_PPM,
) -> Calibration:
    """Fit the coefficients by cross-entropy, then sharpen them within the budget for strangers.

    The same examples in the same order give the same answer. Raises ValueError when there are no
    known examples, or when no threshold can keep the budget.
    """
    fitted = fit(known, strangers, space=space)
    return sharpen(fitted, known, strangers, budget_ppm=budget_ppm)


def fit(known: Sequence[Example], strangers: Sequence[Example], *, space: str) -> Calibration:
    """Return the likeliest coefficients. Raises ValueError when there are no known examples."""
    if not known:
        raise ValueError("calibration needs outputs of known origin")
    return Calibration(space, *(round(each * MILLION) for each in _fit([*known, *strangers])))


def sharpen(
    fitted: Calibration,
    known: Sequence[Example],
    strangers: Sequence[Example],
    *,
    budget_ppm: int = DEFAULT_BUDGET_PPM,
) -> Calibration:
    """Choose slope and threshold anew by what they cost in money, within the budget.

    Likelihood fears the one confident mistake and so stays vague about everything, which divides
    money badly. The coefficients keep their proportions; each slope of STEEPER is tried with each
    threshold of HIGHER over the lowest that keeps the budget and is likely. Of those whose share
    error is within a standard error of the least (Breiman et al., "Classification and regression
    trees", 1984, section 3.4.3) the gentlest slope is taken, which promises most for other texts,
    and with it the highest threshold. Raises ValueError when no threshold keeps the budget.
    """
    everyone = [*known, *strangers]
    tried: list[tuple[float, float, Calibration]] = []
    for steeper in STEEPER:
        steep = within_budget(_scaled(fitted, steeper), strangers, budget_ppm=budget_ppm)
        for higher in reversed(HIGHER):
            at = replace(steep, outside=steep.outside + round(higher * MILLION))
            tried.append((*share_error(everyone, at), at))
    least, deviation, _ = min(tried, key=lambda each: each[0])
    return next(at for error, _, at in tried if error <= least + deviation)


def share_error(examples: Sequence[Example], calibration: Calibration) -> tuple[float, float]:
    """Return the mean error of passages' shares, by total variation, and its standard error.

    Only what is to be divided counts: an example without ``rest`` has no error.
    """
    errors = np.array([each.part * each.rest * _apart(each, calibration) for each in examples])
    return float(errors.mean()), float(errors.std() / np.sqrt(len(errors)))


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
        each.part * (1 - each.rest * (1 - fsum(shares_of(each.candidates, calibration).values())))
        for each in strangers
    ]
    return MILLION * fsum(paid) / fsum(each.part for each in strangers)


def _scaled(calibration: Calibration, by: float) -> Calibration:
    return replace(
        calibration,
        cosine=round(calibration.cosine * by),
        bm25=round(calibration.bm25 * by),
        coverage=round(calibration.coverage * by),
        outside=round(calibration.outside * by),
    )


def _apart(example: Example, calibration: Calibration) -> float:
    found = shares_of(example.candidates, calibration)
    apart = [
        abs(found.get(work, 0.0) - example.origins.get(work, 0.0))
        for work in sorted(found.keys() | example.origins.keys())
    ]
    return (fsum(apart) + abs(fsum(found.values()) - fsum(example.origins.values()))) / 2


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
    return design, np.array([*targets, nobody]), example.rest * example.part


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
