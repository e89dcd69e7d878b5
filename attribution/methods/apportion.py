"""Turn shares that are real numbers into weights that are whole ones.

Owns the rounding that methods with continuous scores have in common: largest remainder over a
fixed number of parts, so that weights add up exactly and equal shares differ by one part at most.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isfinite

from attribution.methods.evidence import Weights, WorkWeight, weights

PARTS = 10**9
"""Finer than any fee is divided, and small enough for sums of millionths in 64 bits."""


def apportion(shares: Mapping[str, Fraction | float], *, unattributed: Fraction | float) -> Weights:
    """Weigh works by their shares; only proportions matter, with ``unattributed`` as one more.

    shares: finite and at least 0. Equal remainders favour the smaller id, and any work before
    what is unattributed. Raises ValueError for a share that is negative or not finite.
    """
    works = sorted(shares)
    claims = [shares[work] for work in works] + [unattributed]
    if not all(isfinite(claim) and claim >= 0 for claim in claims):
        raise ValueError("a share is a finite number, at least 0")
    exact = [Fraction(claim) for claim in claims]
    if not sum(exact):
        return Weights((), 1)
    *parts, rest = divide(PARTS, exact)
    return weights(
        {work: WorkWeight(work, part) for work, part in zip(works, parts, strict=True)},
        unattributed=rest,
    )


def divide(whole: int, claims: Sequence[Fraction | int]) -> list[int]:
    """Divide ``whole`` in proportion to ``claims``, losing nothing (largest remainder).

    claims: at least 0, not all zero. Equal remainders favour the earlier claim.
    """
    total = sum(claims)
    exact = [whole * claim / Fraction(total) for claim in claims]
    parts = [int(part) for part in exact]
    by_remainder = sorted(range(len(claims)), key=lambda at: parts[at] - exact[at])
    for at in by_remainder[: whole - sum(parts)]:
        parts[at] += 1
    return parts
