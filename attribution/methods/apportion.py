"""Turn shares that are exact or floating numbers into weights that are whole ones.

Owns the number of parts that methods with continuous scores weigh in. How a whole is divided so
that nothing is lost is ``ledger.money.divide``'s.
"""

from collections.abc import Mapping
from fractions import Fraction
from math import inf, lcm

from attribution.methods.evidence import Weights, WorkWeight, weights
from ledger.money import divide

PARTS = 10**9
"""Finer than any fee is divided, and small enough for sums of millionths in 64 bits."""

Share = Fraction | float
"""A whole number passes for either."""


def apportion(shares: Mapping[str, Share], *, unattributed: Share) -> Weights:
    """Weigh works by their shares; only proportions matter, with ``unattributed`` as one more.

    shares: finite and at least 0. Equal remainders favour the smaller id, and any work before
    what is unattributed. Raises ValueError for a share that is negative or not finite.
    """
    works = sorted(shares)
    claims = [shares[work] for work in works] + [unattributed]
    if not all(claim >= 0 and claim != inf for claim in claims):
        raise ValueError("a share is a finite number, at least 0")
    # Written over a common denominator: a float is a fraction, and nothing is rounded before it must.
    ratios = [claim.as_integer_ratio() for claim in claims]
    common = lcm(*{below for _, below in ratios})
    *exact, rest = [above * (common // below) for above, below in ratios]
    return apportion_whole(dict(zip(works, exact, strict=True)), unattributed=rest)


def apportion_whole(shares: Mapping[str, int], *, unattributed: int) -> Weights:
    """Weigh works by shares that are whole numbers, at least 0 and however large."""
    works = sorted(shares)
    exact = [*map(shares.__getitem__, works), unattributed]
    if not any(exact):
        return Weights((), 1)
    *parts, rest = divide(PARTS, exact)
    return weights(
        {work: WorkWeight(work, part) for work, part in zip(works, parts, strict=True)},
        unattributed=rest,
    )
