"""Read what an admin needs to judge and follow a batch of payouts, and what would stop it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from ledger import payees, payout_minimum, payouts
from ledger.accounts import AccountKind
from ledger.models import Balance, Payout, PayoutBatch, Reconciliation
from ledger.money import Money
from ledger.payout_lines import lines_changed
from ledger.vocabulary import BANK, BatchStatus, PayoutStatus
from portal import payout_changes
from portal.payout_changes import Line
from portal.states import PAYOUTS, State
from registry.models import User

DRY_RUN_LINES = 200
ROLLING_SHOWN = 50
UNDER_WAY = {BatchStatus.APPROVED.value, BatchStatus.SENDING.value}


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a batch drawn up now would hold; nothing of it was kept."""

    total: Money
    count: int
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Attention:
    """What to look at before paying in one currency."""

    without_account: int
    account_changed: int
    last_compared: Reconciliation | None


@dataclass(frozen=True, slots=True)
class Rolling:
    """What stays below the minimum and is paid another time."""

    minimum: Money
    count: int
    total: Money
    largest: list[Balance]


@dataclass(frozen=True, slots=True)
class Heap:
    """The payouts of a batch in one state."""

    state: State
    status: str
    count: int
    money: Money


def dry_run(admin: User, currency: str, *, at: datetime) -> DryRun:
    """Draw a batch up, read it, and take it back. Raises what ``ledger.payouts.prepare`` raises."""
    with transaction.atomic():
        batch = payouts.prepare(admin, currency=currency, at=at)
        total = batch.payouts.aggregate(micros=Sum("amount_micros"))["micros"] or 0
        rows = batch.payouts.select_related("creator").order_by("-amount_micros", "pk")
        found = DryRun(
            Money(total, currency),
            batch.payouts.count(),
            payout_changes.lines(rows[:DRY_RUN_LINES]),
        )
        transaction.set_rollback(True)
    return found


def attention(currency: str) -> Attention:
    """Count who is due but cannot be paid, and find the last comparison with the provider."""
    due = Balance.objects.filter(
        account__kind=AccountKind.CREATOR_AVAILABLE,
        currency=currency,
        balance_micros__gte=payout_minimum.of(currency).micros,
    )
    return Attention(
        without_account=due.exclude(account__creator__payee__can_receive=True).count(),
        account_changed=due.filter(
            account__creator__payee__changed_at__gt=timezone.now() - payees.change_hold()
        ).count(),
        last_compared=Reconciliation.objects.filter(currency=currency)
        .order_by("-compared_at")
        .first(),
    )


def rolling(currency: str) -> Rolling:
    """Return what is below the minimum in a currency."""
    rows = payout_minimum.rolling_over(currency)
    sums = rows.aggregate(micros=Sum("balance_micros"), count=Count("pk"))
    return Rolling(
        payout_minimum.of(currency),
        sums["count"],
        Money(sums["micros"] or 0, currency),
        list(rows[:ROLLING_SHOWN]),
    )


def heaps(batch: PayoutBatch) -> list[Heap]:
    """Return the batch's payouts by state, in the order in which states follow one another."""
    rows = batch.payouts.values_list("status").annotate(count=Count("pk"), m=Sum("amount_micros"))
    found = {status: (count, micros) for status, count, micros in rows}
    return [
        Heap(PAYOUTS[status], status.value, *_heap(found[status.value], batch.currency))
        for status in PayoutStatus
        if status.value in found
    ]


def _heap(row: tuple[int, int], currency: str) -> tuple[int, Money]:
    return row[0], Money(row[1], currency)


def going(of_batch: Iterable[Heap], currency: str) -> tuple[int, Money]:
    """Count and add up what is to be paid or was: all but what was called off or refused."""
    counted = [h for h in of_batch if h.status not in {PayoutStatus.CANCELED, PayoutStatus.FAILED}]
    micros = sum(heap.money.micros for heap in counted)
    return sum(heap.count for heap in counted), Money(micros, currency)


def obstacles(batch: PayoutBatch) -> list[str]:
    """Say in plain words what would make an approval void, or hold some of its lines."""
    found = []
    if batch.status == BatchStatus.SUBMITTED and lines_changed(batch):
        found.append(
            _(
                "The lines are no longer those that were submitted. Nothing can be approved: "
                "call this batch off and draw it up anew."
            )
        )
    if names := [payout.creator.display_name for payout in uncovered(batch)[:5]]:
        found.append(
            _(
                "The available balance no longer covers the amount for %(names)s. Take the line "
                "out, or draw the batch up anew."
            )
            % {"names": ", ".join(names)}
        )
    return found


def uncovered(batch: PayoutBatch) -> QuerySet[Payout]:
    """Return the planned payouts that their creators' available balances do not cover."""
    held = Balance.objects.filter(
        account__creator=OuterRef("creator"),
        account__kind=AccountKind.CREATOR_AVAILABLE,
        currency=OuterRef("currency"),
    )
    planned = batch.payouts.filter(status=PayoutStatus.PLANNED).select_related("creator")
    return planned.annotate(held=Subquery(held.values("balance_micros")[:1])).filter(
        held__lt=F("amount_micros")
    )


def by_bank(batch: PayoutBatch) -> dict[str, int]:
    """Count the batch's payouts by bank that wait for the file, and for the bank's answer."""
    rows = batch.payouts.filter(gateway=BANK).values_list("status").annotate(count=Count("pk"))
    found = dict(rows)
    return {
        "all": sum(found.values()),
        "to_issue": found.get(PayoutStatus.RESERVED.value, 0),
        "to_answer": found.get(PayoutStatus.SENDING.value, 0),
    }
