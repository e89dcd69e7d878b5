"""Who bears it when a payer takes money back (pure).

First what the operator has not spent. The rest goes back the way it came: everybody who received
the operator's money since that payment returns a part in proportion to it, a creator from what
is still pending, else as a debt up to a cap. What is left, and the platform's own part, is the
platform's loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.money import Money, split


@dataclass(frozen=True, slots=True)
class Creator:
    """What one creator received of the operator's money, holds pending, and owes; micros >= 0."""

    received: int
    pending: int
    owes: int


@dataclass(frozen=True, slots=True)
class Clawback:
    """Micros by who bears them; none below zero, adding up to what was taken back."""

    prepaid: int
    platform: int
    pending: dict[str, int] = field(default_factory=dict)
    debt: dict[str, int] = field(default_factory=dict)


def plan(
    taken_back: Money, *, prepaid: int, kept: int, creators: Mapping[str, Creator], cap: int
) -> Clawback:
    """Divide ``taken_back`` > 0.

    prepaid: what the operator has left, micros. kept: what reached anybody but creators. cap:
    the most that one creator may owe, micros.
    """
    from_prepaid = min(taken_back.micros, max(prepaid, 0))
    names = sorted(name for name, creator in creators.items() if creator.received > 0)
    weights = [*(creators[name].received for name in names), max(kept, 0)]
    spent = taken_back.micros - from_prepaid
    shared = min(spent, sum(weights))
    if not shared:
        return Clawback(from_prepaid, spent)
    parts = [money.micros for money in split(Money(shared, taken_back.currency), weights)]
    pending, debt = dict[str, int](), dict[str, int]()
    for name, part in zip(names, parts, strict=False):
        creator = creators[name]
        pending[name] = min(part, creator.pending)
        debt[name] = min(part - pending[name], max(cap - creator.owes, 0))
    borne = from_prepaid + sum(pending.values()) + sum(debt.values())
    return Clawback(
        prepaid=from_prepaid,
        platform=taken_back.micros - borne,
        pending={name: micros for name, micros in pending.items() if micros},
        debt={name: micros for name, micros in debt.items() if micros},
    )
