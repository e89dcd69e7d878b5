"""Turn weights into exact shares of a fee, to the last micro. Pure: no database, no clock.

Owns the order of the division: the platform's part first, rounded down; then, in one step, every
owner's part of every work and the remainder, which holds what is unattributed or withheld.

A fee that is large against its payees is divided by largest remainder, so each amount is less than
one micro from exact. For a tiny fee that rule would pay the same payee every time (3 micros shared
75 to 25 pay 67 to 33 in the long run), so what rounding took from whom is carried to the next fee.
The payees differ from query to query, which makes this the carpool problem (Fagin and Williams,
"A fair carpool scheduling algorithm", 1983), and as there the next micro always goes to whoever is
furthest behind. Carries are whole parts of a micro (10^-12, ppm of ppm) and add up to zero.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from attribution.methods.evidence import Weights
from ledger.money import WHOLE_PPM, Money, split

PARTS = 10**12
TINY_MICROS_A_PAYEE = 1_000

Payee: TypeAlias = tuple[str, str]
"""A work's and a creator's typed ids."""

REMAINDER: Payee = ("", "")


@dataclass(frozen=True, slots=True)
class Owner:
    """A creator's ``ppm`` of a work; with a ``withheld`` reason he earns nothing by it here.

    With an ``escrow`` reason he earns it, but it is kept apart until somebody has decided.
    """

    creator: str
    ppm: int
    withheld: str = ""
    escrow: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What one owner of one work gets of a fee; ``micros`` is 0 when it is withheld.

    ``weight`` is the owner's own, in millionths of the method's weights.
    """

    work: str
    creator: str
    weight: int
    words: int
    micros: int
    withheld: str
    escrow: str = ""


@dataclass(frozen=True, slots=True)
class Shares:
    """A fee divided: ``platform``, ``parts`` and ``remainder`` (micros) add up to it.

    ``weight`` is the sum of all weights in millionths, ``carried`` what each payee's carry changes
    by, in parts of a micro (PARTS make one); the changes add up to zero. ``carry`` is what was
    carried before, where it mattered.
    """

    platform: int
    parts: tuple[Part, ...]
    remainder: int
    weight: int
    carried: Mapping[Payee, int]
    carry: Mapping[Payee, int]


def is_tiny(fee: Money, *, payees: int) -> bool:
    """Tell whether a micro is no noise: the fee is under 1,000 micros for each payee."""
    return fee.micros < TINY_MICROS_A_PAYEE * payees


def share(
    fee: Money,
    weights: Weights,
    owners: Mapping[str, Sequence[Owner]],
    *,
    platform_ppm: int,
    carry: Mapping[Payee, int],
) -> Shares:
    """Divide ``fee``, at least 0, over the weights.

    owners: of every work that has weight; a work's ppm add up to at most 1,000,000, and what is
    missing goes to the remainder. carry: what earlier fees still owe, by payee, in parts of a
    micro; it only matters, and only changes, when the fee is tiny.
    """
    platform = fee.micros * platform_ppm // WHOLE_PPM
    whole = weights.total * WHOLE_PPM
    rows = [
        (each, owner, each.weight * owner.ppm)
        for each in weights.works
        for owner in sorted(owners[each.work], key=lambda owner: owner.creator)
    ]
    due = {(each.work, owner.creator): part for each, owner, part in rows if not owner.withheld}
    due[REMAINDER] = whole - sum(due.values())
    net = Money(fee.micros - platform, fee.currency)
    amounts, carried = _divide(net, due, carry)
    parts = tuple(
        Part(
            each.work,
            owner.creator,
            weight=part,
            words=each.words,
            micros=0 if owner.withheld else amounts[each.work, owner.creator],
            withheld=owner.withheld,
            escrow="" if owner.withheld else owner.escrow,
        )
        for each, owner, part in rows
    )
    mattered = {payee: carry[payee] for payee in due if carry.get(payee)}
    before = mattered if is_tiny(net, payees=len(due)) else {}
    return Shares(platform, parts, amounts[REMAINDER], whole, carried, before)


def _divide(
    net: Money, due: Mapping[Payee, int], carry: Mapping[Payee, int]
) -> tuple[dict[Payee, int], dict[Payee, int]]:
    """Return each payee's micros and change of carry; equal claims favour the smaller id."""
    payees = sorted(due, key=lambda payee: (payee == REMAINDER, payee))
    if not is_tiny(net, payees=len(payees)):
        exact = split(net, [due[payee] for payee in payees])
        return {payee: each.micros for payee, each in zip(payees, exact, strict=True)}, {}
    parts = split(Money(PARTS, net.currency), [due[payee] for payee in payees])
    exact_parts = {p: net.micros * each.micros for p, each in zip(payees, parts, strict=True)}
    targets = {p: exact + carry.get(p, 0) for p, exact in exact_parts.items() if due[p]}
    amounts = dict.fromkeys(payees, 0) | _settle(targets, net.micros)
    changes = {p: exact_parts[p] - amounts[p] * PARTS for p in targets}
    return amounts, {p: change for p, change in changes.items() if change}


def _settle(targets: Mapping[Payee, int], total: int) -> dict[Payee, int]:
    """Choose whole micros >= 0 that add up to ``total``, close to ``targets`` (parts of a micro).

    Everyone gets the whole micros of his target; a micro left over goes to whoever is furthest
    below his target, a micro too many comes from whoever is furthest above his.
    """
    amounts = {payee: max(0, target // PARTS) for payee, target in targets.items()}
    left = total - sum(amounts.values())
    step = 1 if left > 0 else -1
    order = {payee: number for number, payee in enumerate(targets)}
    queue = [
        (step * (amounts[payee] * PARTS - target), order[payee], payee)
        for payee, target in targets.items()
        if step > 0 or amounts[payee]
    ]
    heapq.heapify(queue)
    for _ in range(abs(left)):
        distance, number, payee = heapq.heappop(queue)
        amounts[payee] += step
        if step > 0 or amounts[payee]:
            heapq.heappush(queue, (distance + PARTS, number, payee))
    return amounts
