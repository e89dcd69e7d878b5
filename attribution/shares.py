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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from attribution.methods.evidence import Weights
from ledger.money import WHOLE_PPM, Money, approach, divide

PARTS = 10**12
TINY_MICROS_A_PAYEE = 1_000

Payee: TypeAlias = tuple[str, str]
"""A work's and a creator's typed ids."""

REMAINDER: Payee = ("", "")


class Owner(NamedTuple):
    """A creator's ``ppm`` of a work; with a ``withheld`` reason he earns nothing by it here.

    With an ``escrow`` reason he earns it, but it is kept apart until somebody has decided.
    """

    creator: str
    ppm: int
    withheld: str = ""
    escrow: str = ""


class Part(NamedTuple):
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
        (work, words, owner, weight * owner.ppm)
        for work, weight, words in weights.works
        for owner in _in_order(owners[work])
    ]
    due = {(work, owner.creator): part for work, _, owner, part in rows if not owner.withheld}
    due[REMAINDER] = whole - sum(due.values())
    net = Money(fee.micros - platform, fee.currency)
    owed: dict[Payee, int] = {}
    if is_tiny(net, payees=len(due)):
        owed = {payee: parts for payee in due if (parts := carry.get(payee))}
        amounts, carried = _approach(net.micros, due, owed)
    else:
        payees = _remainder_last(due)
        divided = divide(net.micros, [due[payee] for payee in payees])
        amounts, carried = dict(zip(payees, divided, strict=True)), {}
    shared = tuple(
        Part(work, owner.creator, part, words, 0, owner.withheld)
        if owner.withheld
        else Part(work, owner.creator, part, words, amounts[work, owner.creator], "", owner.escrow)
        for work, words, owner, part in rows
    )
    return Shares(platform, shared, amounts[REMAINDER], whole, carried, owed)


def _in_order(owners: Sequence[Owner]) -> Sequence[Owner]:
    return owners if len(owners) == 1 else sorted(owners)


def _approach(
    micros: int, due: Mapping[Payee, int], owed: Mapping[Payee, int]
) -> tuple[dict[Payee, int], dict[Payee, int]]:
    """Return each payee's micros and change of carry; equal claims favour the smaller id."""
    # Who has no claim has no target: what is carried for him waits until he has one.
    claiming = [payee for payee in _remainder_last(due) if due[payee]]
    exact = [micros * part for part in divide(PARTS, [due[payee] for payee in claiming])]
    targets = [part + owed.get(payee, 0) for payee, part in zip(claiming, exact, strict=True)]
    given = approach(targets, micros, scale=PARTS)
    amounts = dict.fromkeys(due, 0)
    amounts.update(zip(claiming, given, strict=True))
    changes = {
        payee: change
        for payee, part, amount in zip(claiming, exact, given, strict=True)
        if (change := part - amount * PARTS)
    }
    return amounts, changes


def _remainder_last(payees: Iterable[Payee]) -> list[Payee]:
    """Put payees in order; the remainder has no names, which sort before all others."""
    remainder, *named = sorted(payees)
    return [*named, remainder]
