"""Weigh works by Shapley values: over how relevant they are, or over what training without them did.

Owns two games. ``weigh``: a set of works is worth the mean of its K largest relevances to a passage
(KNN-Shapley; Jia et al., "Efficient task-specific data valuation for nearest neighbor algorithms",
2019), whose value has a closed form. ``audit``: a set of creators is worth what training on its
works adds to the log-likelihood of an output (Wang et al., "An economic solution to copyright
challenges of generative AI", 2024); whoever can train again supplies the numbers.

Relevance shows resemblance, so ``weigh`` is no estimate of cause; ``audit`` measures one, for the
model that was trained again.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, isfinite, sqrt

from attribution.errors import InvalidEvidence
from attribution.methods.apportion import apportion
from attribution.methods.evidence import Weights

NAME = "shapley"
VERSION = "1"

DEFAULT_NEIGHBOURS = 1
"""With K = 3, copies of the best work raised what was paid in total from 0.6 to 0.9."""

MILLION = 1_000_000
MAX_GROUPS = 20

Subset = frozenset[str]


def weigh(
    passages: Sequence[Mapping[str, int]], *, neighbours: int = DEFAULT_NEIGHBOURS
) -> Weights:
    """Divide an output over works by their relevance to each of its passages, averaged.

    passages: for each passage of the output, relevances in millionths by work, one work for each
    cluster of near-identical ones; a work that is missing has none.
    Raises InvalidEvidence for a relevance outside 0 to 1,000,000, ValueError when neighbours < 1.
    """
    if any(not 0 <= each <= MILLION for passage in passages for each in passage.values()):
        raise InvalidEvidence("a relevance is 0 to 1,000,000 millionths")
    shares: dict[str, Fraction] = {}
    for passage in passages:
        for work, value in values(passage, neighbours=neighbours).items():
            shares[work] = shares.get(work, Fraction(0)) + value / (MILLION * len(passages))
    return apportion(shares, unattributed=1 - sum(shares.values(), Fraction(0)))


def values(
    relevances: Mapping[str, int], *, neighbours: int = DEFAULT_NEIGHBOURS
) -> dict[str, Fraction]:
    """Return the exact Shapley values of v(S) = the sum of S's K largest relevances / K.

    With r_1 >= ... >= r_n: value_n = r_n min(K, n) / (n K), and
    value_i = value_(i+1) + (r_i - r_(i+1)) min(K, i) / (i K). K = neighbours, at least 1.
    """
    if neighbours < 1:
        raise ValueError("at least one neighbour counts")
    ordered = sorted(relevances, key=lambda work: (-relevances[work], work))
    found: dict[str, Fraction] = {}
    value, below = Fraction(0), 0
    for place in range(len(ordered), 0, -1):
        work = ordered[place - 1]
        step = relevances[work] - below
        value += Fraction(step * min(neighbours, place), place * neighbours)
        found[work], below = value, relevances[work]
    return found


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found: royalty shares as ``weights``, and how sure they are.

    values: each group's mean marginal log-likelihood, in nats, which may be below zero; such a
    group has no weight. standard_errors: of the values, over pairs of orders.
    """

    weights: Weights
    values: Mapping[str, float]
    standard_errors: Mapping[str, float]


def draw_orders(groups: Sequence[str], *, pairs: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Draw ``pairs`` random orders of the groups, each followed by its reverse.

    An order and its reverse err in opposite directions, so that pairs need fewer orders (Mitchell
    et al., "Sampling permutations for Shapley value estimation", 2022).
    Raises ValueError for no group, more than MAX_GROUPS, or one named twice.
    """
    if not 1 <= len(groups) <= MAX_GROUPS or len(set(groups)) != len(groups):
        raise ValueError(f"an audit is of 1 to {MAX_GROUPS} groups, each named once")
    # Drawn again from the published seed by anyone who checks; nothing is kept secret by it.
    chance = random.Random(seed)  # noqa: S311
    orders = []
    for _ in range(pairs):
        order = tuple(chance.sample(sorted(groups), len(groups)))
        orders += [order, order[::-1]]
    return tuple(orders)


def subsets_of(orders: Iterable[Sequence[str]]) -> set[Subset]:
    """Return the sets of groups whose log-likelihood an audit of these orders needs."""
    return {frozenset(order[:size]) for order in orders for size in range(len(order) + 1)}


def audit(orders: Sequence[Sequence[str]], log_likelihoods: Mapping[Subset, float]) -> Audit:
    """Return Shapley royalty shares from what training on each subset makes of an output.

    orders: as drawn by ``draw_orders``. log_likelihoods: in nats, for every set in ``subsets_of``,
    the empty one included. Negative values are set to zero before shares are taken, as what a
    group costs an output is no other group's to be paid for.
    Raises InvalidEvidence when one is missing or not finite, ValueError without orders.
    """
    if not orders:
        raise ValueError("an audit needs at least one order")
    missing = [s for s in subsets_of(orders) if not isfinite(log_likelihoods.get(s, float("nan")))]
    if missing:
        raise InvalidEvidence(f"{len(missing)} subsets have no finite log-likelihood")
    gains: dict[str, list[float]] = {group: [] for group in orders[0]}
    for order in orders:
        for size, group in enumerate(order):
            before, after = frozenset(order[:size]), frozenset(order[: size + 1])
            gains[group].append(log_likelihoods[after] - log_likelihoods[before])
    means = {group: fsum(each) / len(each) for group, each in gains.items()}
    shares = {group: max(0.0, mean) for group, mean in means.items()}
    return Audit(
        apportion(shares, unattributed=0),
        means,
        {group: _standard_error(each) for group, each in gains.items()},
    )


def _standard_error(gains: Sequence[float]) -> float:
    """Return the standard error of the mean; an order and its reverse count as one draw."""
    pairs = [fsum(gains[at : at + 2]) / len(gains[at : at + 2]) for at in range(0, len(gains), 2)]
    if len(pairs) == 1:
        return 0.0
    mean = fsum(pairs) / len(pairs)
    return sqrt(fsum((each - mean) ** 2 for each in pairs) / (len(pairs) - 1) / len(pairs))
