"""Explain a comparison that found a difference: which part of the figures, and which movements.

Reads only. A movement is matched by the provider's id, else by its amount, since providers name
the same payment differently in different lists.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import F, Q, QuerySet, Sum

from ledger.models import (
    Balance,
    PaymentReturn,
    Payout,
    ProviderTransaction,
    Reconciliation,
    TopUp,
)
from ledger.money import Money
from ledger.payout_steps import SENT
from ledger.vocabulary import AccountKind, PayoutStatus

__all__ = ["Movement", "Part", "explain", "unmatched"]

OVERLAP = timedelta(days=3)
"""How far two clocks, or a late list, may put one movement apart."""
MOST_SHOWN = 100
_TRANSFERS, _OWN, _FEES = "transfer", ("payout", "topup"), ("stripe_fee",)
_PAYMENTS = ("charge", "payment", "refund", "dispute", "adjustment")
_LEFT = [*(status.value for status in SENT), PayoutStatus.REVERSED.value]


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement on one side: the provider's id, what it is of ours, when, and how much."""

    id: str
    of: str
    at: datetime
    money: Money


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of movements. ``kind``: payments, transfers, fees, own or other.

    ``ours`` is what the books say of it, ``theirs`` what the provider lists; ``only_ours`` and
    ``only_theirs`` are movements of late that the other side does not have.
    """

    kind: str
    ours: Money
    theirs: Money
    only_ours: tuple[Movement, ...] = ()
    only_theirs: tuple[Movement, ...] = ()

    @property
    def difference(self) -> Money:
        """How much more the provider lists than the books say."""
        return self.theirs - self.ours


def explain(row: Reconciliation) -> list[Part]:
    """The parts that make up a comparison's figures, as they are known now.

    Their ``ours`` add up to what the books say lies at the provider, as of now.
    """
    since = _last_agreement(row)
    parts = [_payments(row, since), _transfers(row, since)]
    fees = _theirs(row).aggregate(micros=Sum("fee_micros"))["micros"] or 0
    plain = _sum(_theirs(row).filter(kind__in=_FEES))
    own = _sum(_theirs(row).filter(_starts(_OWN)))
    parts.append(_same(row, "fees", plain - fees))
    parts.append(_same(row, "own", own))
    known = sum(part.ours.micros for part in parts)
    books = -_clearing(row)
    rest = _theirs(row).exclude(_starts((_TRANSFERS, *_OWN, *_FEES, *_PAYMENTS)))
    shown = rest.filter(happened_at__gte=since).order_by("-happened_at")[:MOST_SHOWN]
    other = Part(
        "other",
        Money(books - known, row.currency),
        Money(_sum(rest), row.currency),
        only_theirs=tuple(_movement(each) for each in shown) if books - known != _sum(rest) else (),
    )
    return [*parts, other]


def unmatched(some: Sequence[Movement], others: Iterable[Movement]) -> tuple[Movement, ...]:
    """Those of ``some`` that ``others`` lack: no same id, and no other of the same amount (pure)."""
    left = list(others)
    ids = {(each.id, each.money) for each in left}
    by_amount = [each for each in left if (each.id, each.money) not in _keys(some)]
    found = []
    for each in some:
        if (each.id, each.money) in ids:
            continue
        twin = next((other for other in by_amount if other.money == each.money), None)
        if twin is None:
            found.append(each)
        else:
            by_amount.remove(twin)
    return tuple(found)


def _keys(movements: Iterable[Movement]) -> set[tuple[str, Money]]:
    return {(each.id, each.money) for each in movements}


def _payments(row: Reconciliation, since: datetime) -> Part:
    paid = TopUp.objects.filter(
        gateway=row.gateway, currency=row.currency, status=TopUp.Status.PAID
    )
    returns = PaymentReturn.objects.filter(
        topup__gateway=row.gateway, topup__currency=row.currency
    ).select_related("topup")
    came = paid.aggregate(micros=Sum("settled_micros"))["micros"] or 0
    went = returns.aggregate(micros=Sum("amount_micros"))["micros"] or 0
    theirs = _theirs(row).filter(_starts(_PAYMENTS))

    def ours_from(start: datetime) -> list[Movement]:
        ups = [
            Movement(
                each.payment_id, each.pk, each.paid_at, Money(each.settled_micros, each.currency)
            )
            for each in paid.filter(paid_at__gte=start)
            if each.paid_at and each.settled_micros
        ]
        backs = [
            Movement(
                each.topup.payment_id,
                each.topup_id,
                each.at,
                Money(-each.amount_micros, row.currency),
            )
            for each in returns.filter(at__gte=start)
        ]
        return ups + backs

    return _part(row, "payments", came - went, theirs, ours_from, since)


def _transfers(row: Reconciliation, since: datetime) -> Part:
    sent = Payout.objects.filter(gateway=row.gateway, currency=row.currency, status__in=_LEFT)
    left = sent.aggregate(micros=Sum(F("amount_micros") - F("reversed_micros")))["micros"] or 0
    theirs = _theirs(row).filter(kind__startswith=_TRANSFERS)

    def ours_from(start: datetime) -> list[Movement]:
        found = []
        for each in sent.filter(asked_at__gte=start):
            at = each.asked_at or each.created_at
            found.append(Movement(each.transfer_id, each.pk, at, -each.amount))
            if each.reversed_micros:
                back = Money(each.reversed_micros, each.currency)
                found.append(Movement(each.transfer_id, each.pk, at, back))
        return found

    return _part(row, "transfers", -left, theirs, ours_from, since)


def _part(  # noqa: PLR0913, PLR0917 - one part of the figures, each piece once
    row: Reconciliation,
    kind: str,
    ours: int,
    theirs: QuerySet[ProviderTransaction],
    ours_from: Callable[[datetime], list[Movement]],
    since: datetime,
) -> Part:
    whole = Part(kind, Money(ours, row.currency), Money(_sum(theirs), row.currency))
    if not whole.difference.micros:
        return whole

    def theirs_from(start: datetime) -> list[Movement]:
        return [_movement(each) for each in theirs.filter(happened_at__gte=start)]

    earlier = since - OVERLAP
    return Part(
        kind,
        whole.ours,
        whole.theirs,
        only_ours=unmatched(ours_from(since), theirs_from(earlier))[:MOST_SHOWN],
        only_theirs=unmatched(theirs_from(since), ours_from(earlier))[:MOST_SHOWN],
    )


def _same(row: Reconciliation, kind: str, micros: int) -> Part:
    """A part that the books take from the provider's own list."""
    money = Money(micros, row.currency)
    return Part(kind, money, money)


def _theirs(row: Reconciliation) -> QuerySet[ProviderTransaction]:
    return ProviderTransaction.objects.filter(gateway=row.gateway, currency=row.currency)


def _movement(row: ProviderTransaction) -> Movement:
    money = Money(row.amount_micros, row.currency)
    return Movement(row.source_id, row.kind, row.happened_at, money)


def _sum(rows: QuerySet[ProviderTransaction]) -> int:
    micros: int = rows.aggregate(micros=Sum("amount_micros"))["micros"] or 0
    return micros


def _starts(prefixes: Iterable[str]) -> Q:
    found = Q()
    for prefix in prefixes:
        found |= Q(kind__startswith=prefix)
    return found


def _last_agreement(row: Reconciliation) -> datetime:
    """When the figures last agreed, or before everything."""
    rows = Reconciliation.objects.filter(
        gateway=row.gateway, currency=row.currency, agrees=True, compared_at__lt=row.compared_at
    )
    last = rows.order_by("-compared_at").first()
    return last.compared_at if last else datetime(2001, 1, 1, tzinfo=UTC)


def _clearing(row: Reconciliation) -> int:
    found = Balance.objects.filter(
        account__kind=AccountKind.PROVIDER_CLEARING, currency=row.currency
    ).first()
    return found.balance_micros if found else 0
