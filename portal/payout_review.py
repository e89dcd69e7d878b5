"""Read what an admin needs to judge a batch of payouts: who, how much, and what looks odd."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery, Sum

from ledger import payouts
from ledger.accounts import AccountKind
from ledger.models import Balance, Payout, PayoutBatch, Reconciliation
from ledger.money import Money
from ledger.vocabulary import PayoutStatus
from registry.models import User

ODD_FACTOR = 5
DRY_RUN_LINES = 200
_NEVER_SENT = [PayoutStatus.CANCELED.value, PayoutStatus.FAILED.value]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a batch drawn up now would hold; nothing of it was kept."""

    total: Money
    count: int
    payouts: list[Payout]


@dataclass(frozen=True, slots=True)
class Attention:
    """What to look at before paying in one currency."""

    without_account: int
    last_reconciled: datetime | None
    agrees: bool


def dry_run(admin: User, currency: str, *, at: datetime) -> DryRun:
    """Draw a batch up, read it, and take it back. Raises what ``ledger.payouts.prepare`` raises."""
    with transaction.atomic():
        batch = payouts.prepare(admin, currency=currency, at=at)
        lines = with_previous(batch)
        total = batch.payouts.aggregate(micros=Sum("amount_micros"))["micros"] or 0
        found = DryRun(
            Money(total, currency),
            batch.payouts.count(),
            list(lines.order_by("-amount_micros", "pk")[:DRY_RUN_LINES]),
        )
        transaction.set_rollback(True)
    return found


def with_previous(batch: PayoutBatch) -> QuerySet[Payout]:
    """Return the batch's payouts, each with what its creator was paid the time before."""
    before = (
        Payout.objects.filter(
            creator=OuterRef("creator"),
            currency=OuterRef("currency"),
            created_at__lt=OuterRef("created_at"),
        )
        .exclude(status__in=_NEVER_SENT)
        .order_by("-created_at")
    )
    return batch.payouts.select_related("creator").annotate(
        previous_micros=Subquery(before.values("amount_micros")[:1])
    )


def odd(payout: Payout) -> bool:
    """Say whether a payout is many times the one before."""
    previous: int | None = getattr(payout, "previous_micros", None)
    return bool(previous) and payout.amount_micros >= ODD_FACTOR * (previous or 0)


def attention(currency: str) -> Attention:
    """Count who is due but cannot be paid, and say when the books were last reconciled."""
    due = Balance.objects.filter(
        account__kind=AccountKind.CREATOR_AVAILABLE,
        currency=currency,
        balance_micros__gte=settings.PAYOUT_MINIMUM_MICROS,
    )
    last = Reconciliation.objects.filter(currency=currency).order_by("-compared_at").first()
    return Attention(
        without_account=due.exclude(account__creator__payee__can_receive=True).count(),
        last_reconciled=last.compared_at if last else None,
        agrees=bool(last and last.agrees),
    )
