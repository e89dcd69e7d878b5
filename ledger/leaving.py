"""A creator leaves: what keeps it here, what it has left, and where that goes.

Money that is left goes to ``platform:unclaimed`` with the creator as its subject, in an ordinary
entry, and waits there until it is claimed (`ledger.unclaimed`). Of where the creator was paid to
(`ledger.payees.forget`) nothing stays but what payouts and payment files say: the books' evidence.
"""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from ledger import set_asides
from ledger.accounts import AccountKind, account_ids
from ledger.models import Balance, Payout
from ledger.money import Money
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.set_asides import Aside
from ledger.vocabulary import PayoutStatus
from registry.models import Creator

__all__ = ["Tie", "leave_behind", "left", "sweep", "ties"]

_OWN = (AccountKind.CREATOR_PENDING, AccountKind.CREATOR_AVAILABLE)
_TIES = {
    AccountKind.CREATOR_DISPUTED: "disputed",
    AccountKind.CREATOR_RESERVED: "reserved",
    AccountKind.CREATOR_IN_PAYOUT: "payout",
    AccountKind.CREATOR_DEBT: "debt",
}
_OVER = (
    PayoutStatus.PAID,
    PayoutStatus.FAILED,
    PayoutStatus.REVERSED,
    PayoutStatus.CANCELED,
)


class Tie(NamedTuple):
    """What keeps a creator here: ``disputed``, ``reserved``, ``payout`` or ``debt``, and how much."""

    kind: str
    subject: str
    money: Money


def ties(creator: Creator) -> list[Tie]:
    """Return what has to end before the creator can leave; a debt's amount is above zero."""
    under_way = Payout.objects.filter(creator=creator).exclude(status__in=_OVER).order_by("pk")
    found = [Tie("payout", payout.pk, payout.amount) for payout in under_way]
    for balance in _balances(creator, tuple(_TIES)):
        kind = _TIES[AccountKind(balance.account.kind)]
        if kind != "payout" or not found:
            money = Money(abs(balance.balance_micros), balance.currency)
            found.append(Tie(kind, creator.pk, money))
    return found


def left(creator: Creator) -> list[Money]:
    """Return what the creator has earned and was not paid, one amount a currency."""
    sums: dict[str, int] = {}
    for balance in _balances(creator, _OWN):
        money = balance.money
        sums[money.currency] = sums.get(money.currency, 0) + money.micros
    return [Money(micros, currency) for currency, micros in sorted(sums.items())]


@transaction.atomic
def leave_behind(creator: Creator, *, at: datetime) -> list[Money]:
    """Move what the creator has left to the unclaimed account; returns it, one amount a currency.

    Said again, it moves what came since. Each balance is named by how many legs made it, so that two
    who say so at once move it once.
    """
    moved = []
    for balance in _balances(creator, _OWN):
        money, account = balance.money, balance.account
        to = (AccountKind.UNCLAIMED, None, money.currency)
        unclaimed = account_ids([to])[to]
        draft = Draft(
            key=key_for(f"left-behind:{account.pk}:{balance.legs_count}"),
            kind=EntryKind.CLAIM,
            currency=money.currency,
            legs=((account.pk, -money.micros), (unclaimed, money.micros)),
            effective_at=at,
        )
        posted = post([draft], at=at)
        assert not posted.refused, "what was read is there"
        aside = Aside(unclaimed, creator.pk, money.micros, posted.entry_ids[draft.key])
        set_asides.record([aside], at=at)
        moved.append(money)
    return moved


def sweep(*, at: datetime) -> int:
    """Do so for whatever reached creators after they were erased; return how many amounts."""
    late = Balance.objects.filter(
        account__kind__in=_OWN, account__creator__erased_at__isnull=False, balance_micros__gt=0
    )
    names = set(late.values_list("account__creator", flat=True))
    gone = Creator.objects.filter(pk__in=names).order_by("pk")
    return sum(len(leave_behind(creator, at=at)) for creator in gone)


def _balances(creator: Creator, kinds: tuple[AccountKind, ...]) -> list[Balance]:
    rows = Balance.objects.filter(account__creator=creator, account__kind__in=kinds)
    rows = rows.exclude(balance_micros=0).select_related("account")
    return list(rows.order_by("account__kind", "currency", "pk"))
