"""What has waited too long, what resolves it, and the two knots that only a person can undo.

Everything else ends by itself: unknown outcomes by look-up, held payees by onboarding, missing
funds by topping the provider's balance up. Whoever undoes a knot did not draw the batch up, and
says why; both stay on record with the payout's history.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Q

from ledger import journal, line_decisions, observing, payout_steps
from ledger.errors import LinesChanged, MakerIsChecker, WrongState
from ledger.gateway import Gateway, TransferResult
from ledger.models import Payout, PayoutBatch, PayoutEvent, ProviderEvent, TopUp
from ledger.payout_lines import lines_changed
from ledger.sending import OWES
from ledger.vocabulary import BANK, BatchStatus, Deed, PayoutStatus
from registry.models import User

__all__ = ["Stuck", "resume", "settle_difference", "stuck"]

TRANSFER_DIFFERS, LINES = observing.DIFFERS, "lines_changed"

_PAYOUTS = {
    PayoutStatus.RESERVED: "Look at what its batch waits for, and whether the worker sends.",
    PayoutStatus.SENDING: "It is looked up every minute: see whether the provider answers.",
    PayoutStatus.UNKNOWN: "It is looked up every minute: see whether the provider answers.",
    PayoutStatus.HELD: "The payee finishes onboarding, or an admin cancels the batch's rest.",
    PayoutStatus.BANK_FAILED: "The payee corrects the bank account; else take the transfer back.",
}
_SEVERAL = 2
_BY_BANK = "Tell the bank's answer: mark it paid or failed."
_BY_ADMIN = "An admin held it: release it, or take it out of the batch."
_DOUBLED = (
    "Take the transfers that are too many back at the provider; it is looked up every minute. If"
    " that cannot be done, settle the difference: the platform bears them."
)
_OWES = (
    "The payee's account at the provider is below zero, and the provider would keep what comes:"
    " the payee settles that with the provider; it is asked again every hour. Else an admin takes"
    " it out of the batch."
)
_DIFFERS = "Take the other transfer back at the provider, then settle the difference."
_BATCHES = {
    "funds": "Top the provider's balance up; sending goes on by itself.",
    LINES: "Find out who changed the lines. Once they are as approved, resume; else cancel.",
}
_UNDECIDED = {
    BatchStatus.DRAFT: "Submit or cancel it; until then no other is drawn up.",
    BatchStatus.SUBMITTED: "A second admin approves it, or somebody cancels it.",
}
_UNPAID = "Ask the provider whether it was paid; else nothing is owed."
_ABANDONED = "Read the trouble, then look the object up at the provider."


@dataclass(frozen=True, slots=True)
class Stuck:
    """One thing that waits. ``kind``: payout, batch, event or topup. ``action`` is for a person."""

    kind: str
    id: str
    state: str
    trouble: str
    since: datetime
    action: str


def stuck(*, at: datetime, older_than: timedelta) -> list[Stuck]:
    """Everything that has been where it is for longer than that, the oldest first."""
    before = at - older_than
    found = [*_payouts(before), *_batches(before), *_events(before), *_topups(before)]
    return sorted(found, key=lambda each: (each.since, each.id))


def settle_difference(  # noqa: PLR0913 - a decision is said in full, each part by name
    payout: Payout, admin: User, *, gateway: Gateway, reason: str, send_again: bool, at: datetime
) -> Payout:
    """Undo that the provider had another transfer than was asked for, once that was taken back.

    The payout is sent anew under a new key, or called off and its money given back. When the
    provider has several, the one asked for becomes the payout's, and the platform bears the rest
    (`ledger.adjusting` books it). Raises WrongState while the other transfer stands, none is
    the one asked for, or the payout goes through another provider; ReasonMissing, MakerIsChecker, NotPayoutAdmin, and what the gateway
    raises.
    """
    if payout.gateway != gateway.name:
        raise WrongState(f"{payout.pk} goes through {payout.gateway}, not {gateway.name}")
    found = gateway.find_transfers(group=payout.group)
    if payout.trouble == observing.DOUBLED and not send_again:
        return _bear(payout, admin, found, reason=reason, at=at)
    for each in found:
        if each.reversed_minor < each.amount_minor:
            raise WrongState(f"{each.id} was not taken back: nothing may be sent beside it")
    with transaction.atomic(durable=True):
        payout = payout_steps.locked(payout.pk)
        _require(admin, payout.batch, reason)
        if (payout.status, payout.trouble) != (PayoutStatus.HELD, TRANSFER_DIFFERS):
            raise WrongState(f"{payout.pk} is {payout.status} for {payout.trouble or 'no trouble'}")
        fresh = {"attempt": payout.attempt + 1, "first_asked_at": None}
        to = PayoutStatus.RESERVED if send_again else PayoutStatus.CANCELED
        changes = {**fresh, "transfer_id": "", "trouble": ""}
        payout_steps.move([payout], to, at=at, by=admin, reason=reason, changes=changes)
        journal.record(
            admin,
            Deed.DIFFERENCE_SETTLED,
            payout=payout,
            reason=reason,
            at=at,
            outcome="sent_anew" if send_again else "called_off",
        )
        observing.close_if_done(payout.batch_id, at=at)
    return payout


def _bear(
    payout: Payout, admin: User, found: Sequence[TransferResult], *, reason: str, at: datetime
) -> Payout:
    with transaction.atomic(durable=True):
        payout = payout_steps.locked(payout.pk)
        _require(admin, payout.batch, reason)
        left = observing.standing(payout, found)
        if payout.trouble != observing.DOUBLED or len(left) < _SEVERAL:
            raise WrongState(f"{payout.pk} is not double any more: look it up")
        own = [each for each in left if observing.is_asked_for(payout, each)]
        if payout.status == PayoutStatus.HELD:
            if not own:
                raise WrongState(f"none of the transfers is the one asked for: {payout.pk}")
            observing.apply_transfer(payout, own[0], at=at)
        observing.note(payout, observing.borne(left), reason=reason, at=at, by=admin)
        journal.record(
            admin,
            Deed.DIFFERENCE_SETTLED,
            payout=payout,
            reason=reason,
            at=at,
            outcome="borne",
            transfers=len(left),
        )
    return payout


def resume(batch: PayoutBatch, admin: User, *, reason: str, at: datetime) -> PayoutBatch:
    """Let a batch go on whose lines had changed, and are again exactly those approved.

    Raises LinesChanged while they are not: then only cancelling is left. Raises WrongState,
    ReasonMissing, MakerIsChecker, NotPayoutAdmin.
    """
    with transaction.atomic():
        batch = payout_steps.locked_batch(batch.pk)
        _require(admin, batch, reason)
        if batch.waits_for != LINES:
            raise WrongState(f"{batch.pk} waits for {batch.waits_for or 'nothing'}")
        if lines_changed(batch):
            raise LinesChanged(f"the lines of {batch.pk} are not those submitted")
        batch.waits_for = ""
        batch.save(update_fields=["waits_for"])
        PayoutEvent.objects.bulk_create(
            PayoutEvent(
                payout=payout,
                from_status=payout.status,
                to_status=payout.status,
                reason=reason[:200],
                by=admin,
                at=at,
            )
            for payout in batch.payouts.filter(status=PayoutStatus.RESERVED)
        )
        journal.record(admin, Deed.RESUMED, batch=batch, reason=reason, at=at)
    return batch


def _require(admin: User, batch: PayoutBatch, reason: str) -> None:
    journal.require_admin(admin)
    if admin.pk in {batch.prepared_by_id, batch.submitted_by_id}:
        raise MakerIsChecker(f"{admin.pk} prepared or submitted {batch.pk}")
    journal.require_reason(reason)


def _payouts(before: datetime) -> Iterator[Stuck]:
    doubled = Q(trouble=observing.DOUBLED)
    rows = Payout.objects.filter(doubled | Q(status__in=_PAYOUTS))
    rows = rows.annotate(moved_at=Max("events__at"))
    for row in rows.filter(doubled | Q(moved_at__lt=before)):
        status = PayoutStatus(row.status)
        action = _PAYOUTS.get(status, _DOUBLED)
        if row.trouble == observing.DOUBLED:
            action = _DOUBLED
        elif row.trouble == TRANSFER_DIFFERS:
            action = _DIFFERS
        elif row.trouble == line_decisions.BY_ADMIN:
            action = _BY_ADMIN
        elif row.trouble == OWES:
            action = _OWES
        elif row.gateway == BANK and status == PayoutStatus.SENDING:
            action = _BY_BANK
        yield Stuck("payout", row.pk, row.status, row.trouble, row.moved_at, action)


def _batches(before: datetime) -> Iterator[Stuck]:
    undecided = PayoutBatch.objects.filter(status__in=_UNDECIDED, prepared_at__lt=before)
    for row in undecided:
        since = row.submitted_at or row.prepared_at
        if since < before:
            yield Stuck("batch", row.pk, row.status, "", since, _UNDECIDED[BatchStatus(row.status)])
    waiting = PayoutBatch.objects.filter(
        status__in=[BatchStatus.APPROVED, BatchStatus.SENDING], waits_for__in=_BATCHES
    )
    for row in waiting.filter(approved_at__lt=before):
        since = row.approved_at or row.prepared_at
        yield Stuck("batch", row.pk, row.status, row.waits_for, since, _BATCHES[row.waits_for])


def _events(before: datetime) -> Iterator[Stuck]:
    rows = ProviderEvent.objects.filter(
        outcome=ProviderEvent.Outcome.ABANDONED, processed_at__lt=before
    )
    for row in rows.order_by("-processed_at")[:100]:
        yield Stuck("event", row.pk, row.type, row.trouble, row.received_at, _ABANDONED)


def _topups(before: datetime) -> Iterator[Stuck]:
    rows = TopUp.objects.filter(status=TopUp.Status.OPEN, created_at__lt=before)
    for row in rows.order_by("-created_at")[:100]:
        yield Stuck("topup", row.pk, row.status, "", row.created_at, _UNPAID)
