"""What an admin decides about one line of a batch: hold it, let it go on, take it out.

None of these sends anything or changes whom, where and how much: they only keep money from going
out, or undo that. Each says why; payee's own troubles are `ledger.sending`'s.
"""

from datetime import datetime

from django.db import transaction

from ledger import journal, observing, payout_steps
from ledger.errors import WrongState
from ledger.models import Payout, PayoutBatch
from ledger.vocabulary import BatchStatus, Deed, PayoutStatus
from registry.models import User

__all__ = ["BY_ADMIN", "CANCELABLE", "cancel", "hold", "release"]

BY_ADMIN = "held_by_admin"
"""The trouble of a payout that a person holds: no program lets it go."""
CANCELABLE = frozenset({PayoutStatus.PLANNED, PayoutStatus.RESERVED, PayoutStatus.HELD})


def hold(payout: Payout, admin: User, *, reason: str, at: datetime) -> Payout:
    """Keep an approved payout from being sent until somebody releases it.

    Raises WrongState once it is being sent, ReasonMissing, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    with transaction.atomic():
        payout = _locked(payout)
        if payout.status != PayoutStatus.RESERVED:
            raise WrongState(f"{payout.pk} is {payout.status}: only what waits can be held")
        payout_steps.move(
            [payout],
            PayoutStatus.HELD,
            at=at,
            by=admin,
            reason=why,
            changes={"trouble": BY_ADMIN},
        )
        journal.record(admin, Deed.LINE_HELD, payout=payout, reason=why, at=at)
    return payout


def release(payout: Payout, admin: User, *, reason: str, at: datetime) -> Payout:
    """Let a payout go on that an admin held; it goes out as it was approved.

    Raises WrongState for what waits for something else, ReasonMissing, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    with transaction.atomic():
        payout = _locked(payout)
        if (payout.status, payout.trouble) != (PayoutStatus.HELD, BY_ADMIN):
            raise WrongState(f"{payout.pk} is {payout.status} for {payout.trouble or 'no trouble'}")
        payout_steps.move(
            [payout],
            PayoutStatus.RESERVED,
            at=at,
            by=admin,
            reason=why,
            changes={"trouble": ""},
        )
        journal.record(admin, Deed.LINE_RELEASED, payout=payout, reason=why, at=at)
    return payout


def cancel(payout: Payout, admin: User, *, reason: str, at: datetime) -> Payout:
    """Take one payout out of its batch before it is sent; its money is available again.

    A batch of which nothing is left is canceled or closed with it. Raises WrongState once it may
    be at the provider, ReasonMissing, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    with transaction.atomic():
        payout = _locked(payout)
        batch = PayoutBatch.objects.select_for_update(no_key=True).get(pk=payout.batch_id)
        if payout.status not in CANCELABLE or payout.transfer_id:
            raise WrongState(f"{payout.pk} is {payout.status}: it may be at the provider")
        payout_steps.move([payout], PayoutStatus.CANCELED, at=at, by=admin, reason=why)
        journal.record(
            admin,
            Deed.LINE_CANCELED,
            payout=payout,
            reason=why,
            at=at,
            micros=payout.amount_micros,
        )
        _end(batch, admin, at=at)
    return payout


def _locked(payout: Payout) -> Payout:
    return payout_steps.locked(payout.pk)


def _end(batch: PayoutBatch, admin: User, *, at: datetime) -> None:
    """End a batch of which nothing is left."""
    if not batch.payouts.exclude(status=PayoutStatus.CANCELED).exists():
        batch.status, batch.canceled_by, batch.closed_at = BatchStatus.CANCELED.value, admin, at
        batch.save()
    observing.close_if_done(batch.pk, at=at)
