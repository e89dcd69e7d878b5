"""Payouts through a bank, by hand: a payment file goes out, a person brings the bank's answer.

The counterpart of `ledger.sending` for payees with a bank account of their own on record. Who
drew the batch up or submitted it may not say what the bank did: a second person does.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from ledger import journal, observing, payout_steps
from ledger.errors import (
    InvalidBankAccount,
    LinesChanged,
    MakerIsChecker,
    NoPaymentFile,
    ReasonMissing,
    WrongState,
)
from ledger.models import Payee, PaymentFile, Payout, PayoutBatch
from ledger.payment_file import Party, Transfer, is_iban, reference, write
from ledger.payout_lines import lines_changed
from ledger.vocabulary import BANK, BatchStatus, Deed, PayoutStatus
from registry.models import Creator, User

__all__ = [
    "hand_over",
    "issue",
    "mark_failed",
    "mark_paid",
    "offered",
    "payment_file",
    "register",
]


def offered() -> bool:
    """Whether creators may be paid by bank: the settings name an account to pay from."""
    return bool(settings.PAYER_NAME) and is_iban(settings.PAYER_IBAN)


def register(creator: Creator, *, holder: str, iban: str, at: datetime) -> Payee:
    """Keep where a bank shall pay the creator, instead of what was kept before.

    Whoever says this decides where the money goes: callers ask for a fresh sign-in and tell the
    creator's people, and another account than before is paid only after
    ``PAYEE_CHANGE_HOLD_HOURS``. Raises InvalidBankAccount.
    """
    number = "".join(iban.split()).upper()
    if not is_iban(number) or not holder.strip():
        raise InvalidBankAccount("the holder's name is missing, or the IBAN has a wrong digit")
    known: dict[str, object] = {
        "gateway": BANK,
        "account": number,
        "holder": holder.strip(),
        "country": number[:2],
        "can_receive": True,
        "requirements": [],
        "refreshed_at": at,
    }
    before = Payee.objects.filter(creator=creator).first()
    if before and (before.gateway, before.account) != (BANK, number):
        known["changed_at"] = at
    try:
        with transaction.atomic():
            payee, _ = Payee.objects.update_or_create(
                creator=creator, defaults=known, create_defaults={**known, "created_at": at}
            )
    except IntegrityError as error:
        raise InvalidBankAccount("another creator is paid to this account") from error
    return payee


def issue(batch: PayoutBatch, admin: User, *, at: datetime) -> int:
    """Take the batch's payouts by bank to ``sending`` and write the file that the bank is given.

    Returns how many it holds. A payout stands in one file and never in another: what is issued
    later makes a file of its own. A payee who gave another account since is held. Said again,
    nothing changes. Raises NotPayoutAdmin, WrongState before approval, LinesChanged, and
    NoPaymentFile while the settings name no account to pay from.
    """
    journal.require_admin(admin)
    with transaction.atomic(durable=True):
        batch = payout_steps.locked_batch(batch.pk)
        if batch.status not in {BatchStatus.APPROVED, BatchStatus.SENDING}:
            raise WrongState(f"{batch.pk} is {batch.status}, not approved")
        if lines_changed(batch):
            raise LinesChanged(f"the lines of {batch.pk} are not those submitted")
        rows = Payout.objects.filter(batch=batch, gateway=BANK, status=PayoutStatus.RESERVED)
        due = list(rows.order_by("pk"))
        payees = {payee.creator_id: payee for payee in Payee.objects.filter(gateway=BANK)}
        sent = [
            payout
            for payout in due
            if (payee := payees.get(payout.creator_id)) and payee.account == payout.account
        ]
        held = [payout for payout in due if payout not in sent]
        trouble = "payee_account_changed"
        payout_steps.move(
            held, PayoutStatus.HELD, at=at, by=admin, reason=trouble, changes={"trouble": trouble}
        )
        number: int | str = ""
        if sent:
            file = _write(batch, admin, sent, payees, at=at)
            _hand_out(sent, file, admin, at=at)
            PayoutBatch.objects.filter(pk=batch.pk).update(status=BatchStatus.SENDING.value)
            number = file.number
        if due:
            journal.record(
                admin,
                Deed.FILE_ISSUED,
                batch=batch,
                at=at,
                number=number,
                lines=len(sent),
                held=len(held),
            )
    return len(sent)


def hand_over(
    batch: PayoutBatch, admin: User, *, at: datetime, number: int | None = None
) -> PaymentFile:
    """`payment_file`, and put on record who took it: it says where everybody's account is."""
    file = payment_file(batch, admin, number=number)
    digest = hashlib.sha256(file.content).hexdigest()
    journal.record(admin, Deed.FILE_TAKEN, batch=batch, at=at, number=file.number, digest=digest)
    return file


def payment_file(batch: PayoutBatch, admin: User, *, number: int | None = None) -> PaymentFile:
    """One of the batch's files, as it was issued; without a number the newest.

    Raises NoPaymentFile, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    files = PaymentFile.objects.filter(batch=batch)
    found = files.filter(number=number) if number is not None else files.order_by("-number")
    file = found.first()
    if file is None:
        raise NoPaymentFile(f"no payout of {batch.pk} was issued for a bank")
    return file


def mark_paid(payout: Payout, admin: User, *, at: datetime) -> Payout:
    """The bank paid, says an admin who did not draw the batch up.

    Raises WrongState, MakerIsChecker, NotPayoutAdmin.
    """
    with transaction.atomic(durable=True):
        payout = _locked(payout, admin)
        _require(payout, PayoutStatus.SENDING)
        sent = {"transfer_id": reference(payout.pk), "trouble": ""}
        told = "the bank's answer, by hand"
        payout_steps.move(
            [payout], PayoutStatus.TRANSFERRED, at=at, by=admin, reason=told, changes=sent
        )
        payout_steps.move([payout], PayoutStatus.PAID, at=at, by=admin, reason=told)
        journal.record(admin, Deed.MARKED_PAID, payout=payout, at=at, micros=payout.amount_micros)
        observing.close_if_done(payout.batch_id, at=at)
    return payout


def mark_failed(payout: Payout, admin: User, *, reason: str, at: datetime) -> Payout:
    """The bank refused it, or sent it back: the money is the creator's available balance again.

    reason: the bank's, for the creator to read. Raises ReasonMissing and what `mark_paid` raises.
    """
    if not reason.strip():
        raise ReasonMissing("say what the bank said")
    told = reason.strip()[:120]
    with transaction.atomic(durable=True):
        payout = _locked(payout, admin)
        _require(payout, PayoutStatus.SENDING, PayoutStatus.PAID)
        if payout.status == PayoutStatus.SENDING:
            changes = {"trouble": told}
            payout_steps.move(
                [payout], PayoutStatus.FAILED, at=at, by=admin, reason=told, changes=changes
            )
            observing.close_if_done(payout.batch_id, at=at)
        else:
            payout.trouble = told
            payout.save(update_fields=["trouble"])
            payout_steps.return_money(payout, payout.amount_micros, at=at, by=admin)
        journal.record(
            admin,
            Deed.MARKED_FAILED,
            payout=payout,
            reason=told,
            at=at,
            micros=payout.amount_micros,
        )
    return payout


def _write(
    batch: PayoutBatch,
    admin: User,
    sent: list[Payout],
    payees: Mapping[str, Payee],
    *,
    at: datetime,
) -> PaymentFile:
    """Write the next of the batch's files. Its name is its own, so that a bank takes it once."""
    payer = Party(settings.PAYER_NAME, settings.PAYER_IBAN, settings.PAYER_BIC)
    if not offered():
        raise NoPaymentFile("the settings name no account to pay from")
    number = PaymentFile.objects.filter(batch=batch).count() + 1
    message_id = reference(f"{batch.pk}-{number}")
    transfers = [
        Transfer(
            reference=payout.pk,
            amount=payout.amount,
            to=Party(payees[payout.creator_id].holder, payout.account),
            purpose=f"Tribute {reference(payout.pk)}",
        )
        for payout in sent
    ]
    return PaymentFile.objects.create(
        batch=batch,
        number=number,
        message_id=message_id,
        content=write(message_id=message_id, payer=payer, transfers=transfers, at=at),
        payouts_count=len(sent),
        issued_by=admin,
        issued_at=at,
    )


def _hand_out(sent: list[Payout], file: PaymentFile, admin: User, *, at: datetime) -> None:
    payout_steps.move(
        sent,
        PayoutStatus.SENDING,
        at=at,
        by=admin,
        reason=f"in payment file {file.message_id}",
        changes={"asked_at": at, "first_asked_at": at, "payment_file_id": file.pk},
    )


def _locked(payout: Payout, admin: User) -> Payout:
    journal.require_admin(admin)
    payout = payout_steps.locked(payout.pk)
    if admin.pk in {payout.batch.prepared_by_id, payout.batch.submitted_by_id}:
        raise MakerIsChecker(f"{admin.pk} prepared or submitted {payout.batch_id}")
    return payout


def _require(payout: Payout, *expected: PayoutStatus) -> None:
    if payout.gateway != BANK or payout.status not in expected:
        raise WrongState(f"{payout.pk} by {payout.gateway} is {payout.status}")
