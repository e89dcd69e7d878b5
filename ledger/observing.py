"""What the provider says of a payout, applied: from an answer, a look-up or a webhook alike.

Each fact may come twice, late and in any order; applying it again changes nothing, and what is
older than what we know is passed over.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from ledger import payout_steps
from ledger.errors import UnknownObject
from ledger.gateway import BankPayout, TransferResult
from ledger.models import Payout, PayoutBatch
from ledger.money import from_minor
from ledger.payout_steps import NOT_SENT, SENT
from ledger.vocabulary import BatchStatus, PayoutStatus

__all__ = ["apply_bank_payout", "apply_transfer", "close_if_done", "is_undone"]

_BANK = {
    "pending": PayoutStatus.IN_TRANSIT,
    "in_transit": PayoutStatus.IN_TRANSIT,
    "paid": PayoutStatus.PAID,
    "failed": PayoutStatus.BANK_FAILED,
    "canceled": PayoutStatus.TRANSFERRED,
}


def apply_transfer(payout: Payout, found: TransferResult, *, at: datetime) -> None:
    """Apply to a locked payout that its transfer exists, and how much of it was taken back.

    A transfer of another amount, currency or account holds the payout for a person to look at,
    unless it was taken back whole.
    Raises WrongState when the payout was already given up: then money left twice over, which
    reconciliation reports.
    """
    sent = from_minor(found.amount_minor, found.currency)
    if is_undone(payout, found):
        return
    if _differs(payout, found):
        if payout.status != PayoutStatus.HELD:
            payout_steps.move(
                [payout],
                PayoutStatus.HELD,
                at=at,
                reason=f"the provider has {sent} to {found.payee_account}",
                changes={"trouble": "transfer_differs", "transfer_id": found.id},
            )
        return
    if payout.status not in {*SENT, PayoutStatus.REVERSED}:
        changes = {"transfer_id": found.id, "trouble": ""}
        payout_steps.move([payout], PayoutStatus.TRANSFERRED, at=at, changes=changes)
        close_if_done(payout.batch_id, at=at)
    taken_back = from_minor(found.reversed_minor, found.currency)
    payout_steps.return_money(payout, taken_back.micros, at=at)


def is_undone(payout: Payout, found: TransferResult) -> bool:
    """Whether this is another transfer than was asked for, and nothing of it is left."""
    return _differs(payout, found) and found.reversed_minor == found.amount_minor


def _differs(payout: Payout, found: TransferResult) -> bool:
    sent = from_minor(found.amount_minor, found.currency)
    return (sent, found.payee_account) != (payout.amount, payout.account)


def apply_bank_payout(found: BankPayout, *, at: datetime) -> int:
    """Apply what became of a payee's payout to the bank; returns how many payouts it carries.

    Raises UnknownObject when it carries transfers of which none is (yet) in our books.
    """
    if not found.transfer_ids:
        return 0
    with transaction.atomic():
        rows = Payout.objects.select_for_update(no_key=True).order_by("pk")
        carried = list(rows.filter(account=found.account_id, transfer_id__in=found.transfer_ids))
        if not carried:
            raise UnknownObject(f"{found.id} carries no transfer that we know")
        for payout in carried:
            _apply_bank_status(payout, found, at=at)
    return len(carried)


def close_if_done(batch_id: str, *, at: datetime) -> None:
    """Close the batch once nothing in it waits to be sent or for an answer."""
    waiting = Payout.objects.filter(
        batch=OuterRef("pk"), status__in=[*NOT_SENT, PayoutStatus.PLANNED]
    )
    under_way = [BatchStatus.APPROVED, BatchStatus.SENDING]
    batches = PayoutBatch.objects.filter(pk=batch_id, status__in=under_way)
    batches.filter(~Exists(waiting)).update(status=BatchStatus.CLOSED.value, closed_at=at)


def _apply_bank_status(payout: Payout, found: BankPayout, *, at: datetime) -> None:
    newer_known = (
        payout.bank_payout_id not in {"", found.id}
        and payout.bank_arrives_at is not None
        and payout.bank_arrives_at > found.arrives_at
    )
    to = _BANK[found.status]
    if newer_known or not payout_steps.may(payout, to):
        return
    payout_steps.move(
        [payout],
        to,
        at=at,
        reason=f"bank payout {found.id} is {found.status}",
        changes={
            "trouble": found.failure_code or "",
            "bank_payout_id": found.id,
            "bank_arrives_at": found.arrives_at,
        },
    )
