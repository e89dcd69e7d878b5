"""What the provider says of a payout, applied: from an answer, a look-up or a webhook alike.

Each fact may come twice, late and in any order; applying it again changes nothing, and what is
older than what we know is passed over.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from ledger import payout_steps
from ledger.errors import UnknownObject, WrongState
from ledger.gateway import BankPayout, TransferResult
from ledger.models import Payout, PayoutBatch, PayoutEvent
from ledger.money import from_minor
from ledger.payout_steps import NOT_SENT, SENT
from ledger.vocabulary import BatchStatus, PayoutStatus
from registry.models import User

__all__ = [
    "DIFFERS",
    "DOUBLED",
    "apply_bank_payout",
    "apply_transfer",
    "apply_transfers",
    "borne",
    "close_if_done",
    "is_asked_for",
    "note",
    "standing",
]

DIFFERS, DOUBLED = "transfer_differs", "transfers_doubled"
"""The troubles of a payout for which the provider has another transfer, or more than one."""

_BANK = {
    "pending": PayoutStatus.IN_TRANSIT,
    "in_transit": PayoutStatus.IN_TRANSIT,
    "paid": PayoutStatus.PAID,
    "failed": PayoutStatus.BANK_FAILED,
    "canceled": PayoutStatus.TRANSFERRED,
}


def apply_transfers(payout: Payout, found: Sequence[TransferResult], *, at: datetime) -> bool:
    """Apply to a locked payout all transfers that the provider has for it; False if none stands.

    More than one is never plain success: until the others are taken back, or somebody decides
    that the platform bears them, the payout is in doubt and no batch goes out. Raises WrongState
    as `apply_transfer` does.
    """
    left = standing(payout, found)
    if len(left) > 1 and payout.trouble != borne(left):
        _doubt(payout, left, at=at)
        return True
    if len(left) > 1:
        left = [each for each in left if each.id == payout.transfer_id]
    elif payout.trouble == DOUBLED and found:
        _settle_doubt(payout, at=at)
    for each in left:
        apply_transfer(payout, each, at=at)
    return bool(left)


def standing(payout: Payout, found: Sequence[TransferResult]) -> list[TransferResult]:
    """Those of a payout's transfers that were not undone: more than one is one too many (pure).

    What was taken back whole is passed over, except the payout's own and, when nothing else is
    there, the newest of those asked for: its money comes back to the creator.
    """
    own = payout.transfer_id if payout.status in {*SENT, PayoutStatus.REVERSED} else ""
    asked = [each for each in found if not (_is_back(each) and _differs(payout, each))]
    left = [each for each in asked if each.id == own or not _is_back(each)]
    return left or asked[:1]


def borne(transfers: Sequence[TransferResult]) -> str:
    """The trouble of a payout once somebody decided that the platform bears all but its own."""
    return f"transfers_borne:{len(transfers)}"


def is_asked_for(payout: Payout, found: TransferResult) -> bool:
    """Whether a transfer is of the payout's amount and currency, to its account, and stands."""
    return not _differs(payout, found) and not _is_back(found)


def apply_transfer(payout: Payout, found: TransferResult, *, at: datetime) -> None:
    """Apply to a locked payout that its transfer exists, and how much of it was taken back.

    A transfer of another amount, currency or account holds the payout for a person to look at,
    unless it was taken back whole.
    Raises WrongState when the payout was already given up: then money left twice over, which
    reconciliation reports.
    """
    sent = from_minor(found.amount_minor, found.currency)
    if _is_back(found) and _differs(payout, found):
        return
    if _differs(payout, found):
        reason = f"the provider has {sent} to {found.payee_account}"
        if payout.status != PayoutStatus.HELD:
            changes = {"trouble": DIFFERS, "transfer_id": found.id}
            payout_steps.move([payout], PayoutStatus.HELD, at=at, reason=reason, changes=changes)
        elif payout.trouble not in {DIFFERS, DOUBLED}:  # what it was held for is the lesser trouble
            payout.transfer_id = found.id
            note(payout, DIFFERS, reason=reason, at=at)
        return
    if payout.status not in {*SENT, PayoutStatus.REVERSED}:
        changes = {"transfer_id": found.id, "trouble": ""}
        payout_steps.move([payout], PayoutStatus.TRANSFERRED, at=at, changes=changes)
        close_if_done(payout.batch_id, at=at)
    taken_back = from_minor(found.reversed_minor, found.currency)
    payout_steps.return_money(payout, taken_back.micros, at=at)


def _is_back(found: TransferResult) -> bool:
    return found.reversed_minor == found.amount_minor


def _differs(payout: Payout, found: TransferResult) -> bool:
    sent = from_minor(found.amount_minor, found.currency)
    return (sent, found.payee_account) != (payout.amount, payout.account)


def _doubt(payout: Payout, found: Sequence[TransferResult], *, at: datetime) -> None:
    """Put on record that the provider has several; what was not sent is held."""
    if payout.trouble == DOUBLED:
        return
    reason = f"the provider has {len(found)} transfers: {', '.join(each.id for each in found)}"
    if payout_steps.may(payout, PayoutStatus.HELD):
        changes = {"trouble": DOUBLED, "transfer_id": found[-1].id}
        payout_steps.move([payout], PayoutStatus.HELD, at=at, reason=reason, changes=changes)
        return
    if payout.status not in {*SENT, PayoutStatus.REVERSED, PayoutStatus.HELD}:
        raise WrongState(f"{payout.pk} is {payout.status}, and {reason}")
    if payout.status == PayoutStatus.HELD:
        payout.transfer_id = found[-1].id
    note(payout, DOUBLED, reason=reason, at=at)


def _settle_doubt(payout: Payout, *, at: datetime) -> None:
    trouble = DIFFERS if payout.status == PayoutStatus.HELD else ""
    note(payout, trouble, reason="looked up: one transfer is left at most", at=at)


def note(
    payout: Payout, trouble: str, *, reason: str, at: datetime, by: User | None = None
) -> None:
    """Change a locked payout's trouble and nothing else, with a line in its history."""
    payout.trouble = trouble
    payout.save(update_fields=["trouble", "transfer_id"])
    PayoutEvent.objects.create(
        payout=payout,
        from_status=payout.status,
        to_status=payout.status,
        reason=reason[:200],
        by=by,
        at=at,
    )


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
    failure = found.failure_code or ""
    payout_steps.move(
        [payout],
        to,
        at=at,
        reason=" ".join(filter(None, [f"bank payout {found.id} is {found.status}", failure])),
        changes={
            "trouble": _of_several(payout) or failure,
            "bank_payout_id": found.id,
            "bank_arrives_at": found.arrives_at,
        },
    )


def _of_several(payout: Payout) -> str:
    """The payout's trouble if it has several transfers, which no bank payout ends."""
    return payout.trouble if payout.trouble.startswith("transfers_") else ""
