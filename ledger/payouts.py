"""Payouts, as two admins make them: one draws up and submits, another approves exactly that.

Sending is `ledger.sending`'s, applying what the provider says `ledger.observing`'s.
"""

from datetime import datetime

from django.db import IntegrityError, connection, transaction

from ledger import (
    currencies,
    journal,
    observing,
    payees,
    payout_minimum,
    payout_steps,
    soundness,
)
from ledger.accounts import AccountKind
from ledger.errors import (
    LinesChanged,
    MakerIsChecker,
    NothingDue,
    OpenBatchExists,
    WrongState,
)
from ledger.models import Payout, PayoutBatch
from ledger.money import Money, floor_to_minor, from_minor
from ledger.payout_lines import lines_changed, lines_digest
from ledger.sending import look_up, resolve_unknown, send_due
from ledger.sql import statement
from ledger.stuck import resume, settle_difference, stuck
from ledger.vocabulary import BatchStatus, Deed, PayoutStatus
from registry.models import User
from tribute import ids

__all__ = [
    "approve",
    "cancel",
    "look_up",
    "prepare",
    "resolve_unknown",
    "resume",
    "send_due",
    "settle_difference",
    "stuck",
    "submit",
]


def prepare(admin: User, *, currency: str, at: datetime) -> PayoutBatch:
    """Draw up a draft: one payout for each creator who can be paid and has the minimum.

    Amounts are whole minor units; what is less stays on the creator's account. Who has just given
    another account than before waits for the next batch. Raises
    BooksInDoubt while the audit or the last reconciliation has findings, TransfersDoubled while
    the provider has several transfers for one payout, OpenBatchExists, NothingDue, NotPayoutAdmin, UnknownCurrency.
    """
    journal.require_admin(admin)
    soundness.require(currency)
    try:
        with transaction.atomic():
            batch = PayoutBatch.objects.create(currency=currency, prepared_by=admin, prepared_at=at)
            payouts = _plan(batch, at=at)
            if not payouts:
                raise NothingDue(f"nobody is due a payout in {currency}")
            Payout.objects.bulk_create(payouts)
            _record(batch, admin, Deed.PREPARED, payouts, at=at)
    except IntegrityError as error:
        raise OpenBatchExists(f"a batch in {currency} is being drawn up already") from error
    return batch


def submit(batch: PayoutBatch, admin: User, *, at: datetime) -> PayoutBatch:
    """Freeze the draft's lines and keep their digest for the approval. Raises WrongState."""
    journal.require_admin(admin)
    with transaction.atomic():
        batch = _locked(batch, BatchStatus.DRAFT)
        batch.status = BatchStatus.SUBMITTED.value
        batch.submitted_by, batch.submitted_at = admin, at
        batch.lines_digest = lines_digest(batch)
        batch.save()
        _record(batch, admin, Deed.SUBMITTED, list(batch.payouts.all()), at=at)
    return batch


def approve(batch: PayoutBatch, admin: User, *, at: datetime, factor: str = "") -> PayoutBatch:
    """Set the money aside and let the batch be sent, exactly as submitted.

    factor: how the admin has just proved to be there, for the record; the caller asks for it.
    Raises MakerIsChecker for whoever prepared or submitted it, LinesChanged, WrongState,
    NotPayoutAdmin, BooksInDoubt and TransfersDoubled as `prepare` does, ComparisonStale, and NotCovered when a creator's available
    balance has shrunk since.
    """
    journal.require_admin(admin)
    with transaction.atomic():
        batch = _locked(batch, BatchStatus.SUBMITTED)
        if admin.pk in {batch.prepared_by_id, batch.submitted_by_id}:
            raise MakerIsChecker(f"{admin.pk} prepared or submitted {batch.pk}")
        if lines_changed(batch):
            raise LinesChanged(f"the lines of {batch.pk} are not those submitted")
        soundness.require(batch.currency)
        soundness.require_fresh(at=at)
        batch.status = BatchStatus.APPROVED.value
        batch.approved_by, batch.approved_at = admin, at
        batch.save()
        approved = _move_all(batch, PayoutStatus.PLANNED, PayoutStatus.RESERVED, admin, at=at)
        _record(batch, admin, Deed.APPROVED, approved, at=at, factor=factor)
    return batch


def cancel(batch: PayoutBatch, admin: User, *, at: datetime, reason: str = "") -> PayoutBatch:
    """Call off every payout that has not been sent, and give its money back.

    reason: kept on record. What is being sent or unknown goes on to its end. Raises WrongState
    when the batch is over.
    """
    journal.require_admin(admin)
    with transaction.atomic():
        open_ones = [status for status in BatchStatus if status not in _OVER]
        batch = _locked(batch, *open_ones)
        canceled = []
        for status in (PayoutStatus.PLANNED, PayoutStatus.RESERVED, PayoutStatus.HELD):
            canceled += _move_all(batch, status, PayoutStatus.CANCELED, admin, at=at)
        _record(batch, admin, Deed.CANCELED, canceled, at=at, reason=reason)
        if not batch.payouts.exclude(status=PayoutStatus.CANCELED).exists():
            batch.status, batch.canceled_by, batch.closed_at = BatchStatus.CANCELED.value, admin, at
            batch.save()
        observing.close_if_done(batch.pk, at=at)
        batch.refresh_from_db()
    return batch


_OVER = {BatchStatus.CLOSED, BatchStatus.CANCELED}


def _plan(batch: PayoutBatch, *, at: datetime) -> list[Payout]:
    with connection.cursor() as cursor:
        parameters: dict[str, int | datetime] = {
            "kind": int(AccountKind.CREATOR_AVAILABLE),
            "currency": currencies.find(batch.currency).numeric,
            "minimum": payout_minimum.of(batch.currency).micros,
            "changed_before": at - payees.change_hold(),
        }
        cursor.execute(statement("find_due_creators"), parameters)
        due = cursor.fetchall()
    planned = []
    for creator, gateway, account, micros in due:
        minor, _stays = floor_to_minor(Money(micros, batch.currency))
        if minor:
            planned.append(
                Payout(
                    batch=batch,
                    creator_id=ids.encode("cre", creator),
                    gateway=gateway,
                    account=account,
                    amount_micros=from_minor(minor, batch.currency).micros,
                    currency=batch.currency,
                    created_at=at,
                )
            )
    return planned


def _locked(batch: PayoutBatch, *expected: BatchStatus) -> PayoutBatch:
    row = payout_steps.locked_batch(batch.pk)
    if row.status not in expected:
        raise WrongState(f"{row.pk} is {row.status}, not {' or '.join(expected)}")
    return row


def _move_all(
    batch: PayoutBatch, of: PayoutStatus, to: PayoutStatus, admin: User, *, at: datetime
) -> list[Payout]:
    """Move the batch's payouts in one state; one that has a transfer is not ours to release."""
    rows = Payout.objects.select_for_update(no_key=True).order_by("pk")
    payouts = list(rows.filter(batch=batch, status=of, transfer_id=""))
    payout_steps.move(payouts, to, at=at, by=admin)
    return payouts


def _record(  # noqa: PLR0913 - a deed is said in full
    batch: PayoutBatch,
    admin: User,
    deed: Deed,
    lines: list[Payout],
    *,
    at: datetime,
    reason: str = "",
    factor: str = "",
) -> None:
    """Put a deed on record with the lines it was for."""
    journal.record(
        admin,
        deed,
        batch=batch,
        reason=reason,
        at=at,
        lines=len(lines),
        micros=sum(line.amount_micros for line in lines),
        digest=bytes(batch.lines_digest).hex() if batch.lines_digest else "",
        factor=factor,
    )
