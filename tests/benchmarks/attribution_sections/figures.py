"""Statistics of the benchmark: distances, rank correlation, intervals.

Owns their definitions; every interval is a 95 % bootstrap over outputs with a fixed seed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.methods.evidence import Weights

Floats = NDArray[np.float64]

_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over outputs and its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def to_json(self) -> dict[str, float]:
        """Return it for the record."""
        return {"mean": self.mean, "low": self.low, "high": self.high}


def estimate(values: Sequence[float] | Floats) -> Estimate:
    """Return the mean of values, one for each output, with its interval."""
    given = np.asarray(values, np.float64)
    drawn = np.random.default_rng(0).integers(0, len(given), (_RESAMPLES, len(given)))
    low, high = np.quantile(given[drawn].mean(axis=1), [0.025, 0.975])
    return Estimate(float(given.mean()), float(low), float(high))


def shares(weights: Weights) -> dict[str, float]:
    """Return each work's share; what is missing to 1 is unattributed."""
    return {each.work: each.weight / weights.total for each in weights.works}


def share_error(found: Mapping[str, float], true: Mapping[str, float]) -> float:
    """Return the total variation distance, 0 to 1, what is unattributed included."""
    works = found.keys() | true.keys()
    apart = sum(abs(found.get(work, 0.0) - true.get(work, 0.0)) for work in works)
    return (apart + abs(sum(found.values()) - sum(true.values()))) / 2


def rank_correlation(one: Floats, other: Floats) -> float:
    """Return Spearman's correlation; 0 when either side does not vary."""
    ranked = [_ranks(each) for each in (one, other)]
    centred = [each - each.mean() for each in ranked]
    scale = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float(centred[0] @ centred[1]) / scale if scale else 0.0


def chance_of_order(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Return the area under the ROC curve: how often a ``higher`` exceeds a ``lower``."""
    above = np.subtract.outer(np.asarray(higher), np.asarray(lower))
    return float(((above > 0) + (above == 0) / 2).mean())


def _ranks(values: Floats) -> Floats:
    """Return ranks from 0, the mean rank for equal values."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts + 1) / 2)[place])
