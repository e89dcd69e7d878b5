"""Audit shares by what training without some creators would have made of an output.

Owns the plan of an audit, its report, and the comparison with what a query paid. Whoever can train
again supplies the log-likelihoods; the value is ``methods.shapley``'s. Nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

from attribution.errors import InvalidAudit, NotSettled
from attribution.methods import shapley
from attribution.models import Query
from ledger.money import WHOLE_PPM

MOST_PAIRS = 100
MOST_NATS = 1e12
"""No output is that unlikely; sums of such numbers, and their squares, are still finite."""

Groups = Mapping[str, Sequence[str]]
"""Creators' typed ids by the name of their group."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which trainings an audit needs: the model of each subset of groups, none and all included."""

    orders: tuple[tuple[str, ...], ...]
    subsets: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What a group is due of the whole that all groups make, in ppm, and how sure that is.

    value and standard_error: in nats. paid_ppm: what the query gave it of what it gave all groups,
    None without a query or when it gave them nothing.
    """

    group: str
    share_ppm: int
    value: float
    standard_error: float
    paid_ppm: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """Shapley royalty shares; ``divergence_ppm`` is their total variation from what was paid."""

    shares: tuple[Share, ...]
    divergence_ppm: int | None


def plan(groups: Groups, *, pairs: int, seed: int) -> Plan:
    """Say which subsets to train on, the smallest first. Raises InvalidAudit."""
    _check(groups, pairs)
    orders = shapley.draw_orders(sorted(groups), pairs=pairs, seed=seed)
    subsets = sorted(tuple(sorted(each)) for each in shapley.subsets_of(orders))
    return Plan(orders, tuple(sorted(subsets, key=len)))


def report(
    groups: Groups,
    log_likelihoods: Mapping[frozenset[str], float],
    *,
    pairs: int,
    seed: int,
    query: Query | None = None,
) -> Report:
    """Return what an output's log-likelihoods, in nats, say that each group is due.

    Raises InvalidAudit when a subset of the plan is missing, not finite or beyond MOST_NATS, and
    NotSettled for a query that has not been paid.
    """
    planned = plan(groups, pairs=pairs, seed=seed)
    missing = [
        subset
        for subset in planned.subsets
        if not abs(log_likelihoods.get(frozenset(subset), nan)) <= MOST_NATS
    ]
    if missing:
        raise InvalidAudit(
            f"{len(missing)} subsets have no log-likelihood within {MOST_NATS:g} nats: {missing[0]} …"
        )
    found = shapley.audit(planned.orders, log_likelihoods)
    due = {
        each.work: each.weight * WHOLE_PPM // found.weights.total for each in found.weights.works
    }
    paid = {} if query is None else _paid(query, groups)
    return Report(
        tuple(
            Share(
                name,
                due.get(name, 0),
                found.values[name],
                found.standard_errors[name],
                paid.get(name),
            )
            for name in sorted(groups)
        ),
        sum(abs(paid[name] - due.get(name, 0)) for name in paid) // 2 if paid else None,
    )


def _check(groups: Groups, pairs: int) -> None:
    if not 1 <= len(groups) <= shapley.MAX_GROUPS:
        raise InvalidAudit(f"{len(groups)} groups; an audit is of 1 to {shapley.MAX_GROUPS}")
    if not 1 <= pairs <= MOST_PAIRS:
        raise InvalidAudit(f"{pairs} pairs of orders; an audit draws 1 to {MOST_PAIRS}")
    creators = [creator for members in groups.values() for creator in members]
    if len(set(creators)) != len(creators):
        raise InvalidAudit("a creator is in one group only")


def _paid(query: Query, groups: Groups) -> dict[str, int]:
    """Return each group's part of the weight that the query gave to all groups, in ppm."""
    if query.state != Query.State.SETTLED:
        raise NotSettled(f"{query.pk} is {query.state}; it is compared once it is settled")
    group_of = {creator: name for name, members in groups.items() for creator in members}
    weights = dict.fromkeys(groups, 0)
    rows = query.contributions.filter(work__isnull=False)
    for creator, weight in rows.values_list("creator_id", "weight"):
        if creator in group_of:
            weights[group_of[creator]] += weight
    total = sum(weights.values())
    return {name: weight * WHOLE_PPM // total for name, weight in weights.items()} if total else {}
