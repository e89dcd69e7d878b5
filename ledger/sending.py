"""Send approved payouts: intent, call, outcome, each in a transaction of its own or in none.

The row is the queue. A crash after the intent leaves it ``sending``, a lost answer ``unknown``;
both end only by looking up what the provider has. A second key is used only after a look-up
showed that the first did nothing and can do nothing any more.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from time import monotonic

from django.db import transaction
from django.db.models import F, Min, Q

from ledger import journal, observing, payout_steps
from ledger.errors import WrongState
from ledger.gateway import (
    Gateway,
    GatewayError,
    InsufficientFunds,
    NotConfigured,
    OutcomeUnknown,
    PayeeCannotReceive,
    Refused,
    TransferResult,
    TryAgain,
)
from ledger.models import Payee, Payout, PayoutBatch
from ledger.money import from_minor
from ledger.observing import DOUBLED
from ledger.payout_lines import lines_changed
from ledger.vocabulary import BatchStatus, Deed, PayoutStatus
from registry.models import User

__all__ = ["look_up", "resolve_unknown", "send_due"]

LOOK_UP_AFTER = timedelta(minutes=5)
"""Longer than any request to the provider may still be under way."""
KEY_LASTS = timedelta(hours=23)
"""Providers may forget an idempotency key after 24 hours."""
WAIT = timedelta(minutes=1)
RUN_SECONDS = 60.0
"""How long one run sends. Each intent bears the time at which its run began, and is looked up
`LOOK_UP_AFTER` that; a run that went on for longer would be asking still while others look."""
MOST_ASKED = 20
"""How many accounts below zero one run asks about: it must come to sending, too."""
UNDER_WAY = [BatchStatus.APPROVED.value, BatchStatus.SENDING.value]
FUNDS, LINES = "funds", "lines_changed"
CANNOT_RECEIVE, OWES = "payee_cannot_receive", "payee_owes_provider"
PAYEE_TROUBLES = [CANNOT_RECEIVE, "payee_not_ready"]
OWES_WAIT = timedelta(hours=1)
"""How long until a payee's account is asked again whether it is still below zero."""


def send_due(
    *, gateway: Gateway, at: datetime, limit: int, clock: Callable[[], float] = monotonic
) -> int:
    """Send up to ``limit`` approved payouts; returns how many the provider took.

    What no key protects is looked up first, and what the provider has of it applied. A payee whose
    account at the provider is below zero is sent nothing: the provider would keep it.
    Stops early when the provider lacks funds (the batch then waits for them) or turns requests
    away, and after `RUN_SECONDS` by ``clock``. Raises NotConfigured after putting the payout back.
    """
    began = clock()
    _resume(gateway=gateway, at=at)
    sent = 0
    for due in _due(gateway=gateway, at=at, limit=limit):
        if clock() - began > RUN_SECONDS:
            break
        try:
            if _is_there(due, gateway=gateway, at=at):
                continue
            trouble = _account_trouble(due, gateway=gateway)
        except TryAgain:
            break
        payout = _intend(due, trouble, at=at)
        if payout is None:
            continue
        answer = _ask(payout, gateway=gateway)
        _conclude(payout, answer, at=at)
        if isinstance(answer, NotConfigured):
            raise answer
        if isinstance(answer, InsufficientFunds | TryAgain):
            break
        sent += isinstance(answer, TransferResult)
    return sent


def resolve_unknown(*, gateway: Gateway, at: datetime, limit: int = 100) -> int:
    """Look payouts up whose outcome is unknown or double; returns how many are known now.

    What the provider has counts as sent. What it has not goes back to be sent: under the same
    key while the provider remembers that, under a new one afterwards.
    """
    lost = [PayoutStatus.SENDING, PayoutStatus.UNKNOWN]
    rows = Payout.objects.filter(
        Q(status__in=lost, asked_at__lte=at - LOOK_UP_AFTER) | Q(trouble=DOUBLED),
        gateway=gateway.name,
    )
    resolved = 0
    for payout in list(rows.order_by("asked_at")[:limit]):
        try:
            found = gateway.find_transfers(group=payout.group)
        except TryAgain:
            break
        resolved += _resolve(payout, found, at=at)
    return resolved


def look_up(payout: Payout, admin: User, *, gateway: Gateway, at: datetime) -> Payout:
    """Look one payout up now, as `resolve_unknown` does by itself every minute.

    Raises WrongState for one that has no open question, or was asked for so lately that the
    request may still be under way; NotPayoutAdmin; and what the gateway raises.
    """
    journal.require_admin(admin)
    is_lost = payout.status in {PayoutStatus.SENDING, PayoutStatus.UNKNOWN}
    asked = payout.asked_at
    if payout.gateway != gateway.name or not (is_lost or payout.trouble == DOUBLED):
        raise WrongState(f"{payout.pk} by {payout.gateway} is {payout.status}")
    if is_lost and (asked is None or asked > at - LOOK_UP_AFTER):
        raise WrongState(f"{payout.pk} was asked for at {asked}: its answer may be on its way")
    found = gateway.find_transfers(group=payout.group)
    journal.record(
        admin, Deed.LOOKED_UP, payout=payout, at=at, outcome="found" if found else "not_there"
    )
    _resolve(payout, found, at=at)
    payout.refresh_from_db()
    return payout


# What is due -----------------------------------------------------------------------------------


def _resume(*, gateway: Gateway, at: datetime) -> None:
    """Take up again what waited for funds or for a payee and need wait no longer."""
    _resume_held(at=at)
    _resume_owing(gateway=gateway, at=at)
    waiting = PayoutBatch.objects.filter(status__in=UNDER_WAY, waits_for=FUNDS)
    smallest = waiting.annotate(
        least=Min("payouts__amount_micros", filter=Q(payouts__status=PayoutStatus.RESERVED))
    ).exclude(least=None)
    needs = list(smallest.values_list("pk", "currency", "least"))
    if not needs:
        return
    available = {
        row.currency: from_minor(row.available_minor, row.currency).micros
        for row in gateway.balance()
    }
    funded = [pk for pk, currency, least in needs if available.get(currency, 0) >= least]
    PayoutBatch.objects.filter(pk__in=funded, waits_for=FUNDS).update(waits_for="")


def _resume_held(*, at: datetime) -> None:
    with transaction.atomic(durable=True):
        held = Payout.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
        ready = held.filter(
            status=PayoutStatus.HELD,
            trouble__in=PAYEE_TROUBLES,
            creator__payee__can_receive=True,
            creator__payee__account=F("account"),
        )
        payout_steps.move(
            list(ready),
            PayoutStatus.RESERVED,
            at=at,
            reason="the payee can receive again",
            changes={"trouble": ""},
        )


def _resume_owing(*, gateway: Gateway, at: datetime) -> None:
    """Take up again whose account is not below zero any more; ask about the others later."""
    rows = Payout.objects.filter(
        status=PayoutStatus.HELD, trouble=OWES, gateway=gateway.name, try_after__lte=at
    )
    for owing in rows.order_by("try_after", "pk")[:MOST_ASKED]:
        try:
            trouble = _account_trouble(owing, gateway=gateway)
        except TryAgain:
            return
        with transaction.atomic(durable=True):
            payout = payout_steps.locked(owing.pk)
            if (payout.status, payout.trouble) != (PayoutStatus.HELD, OWES):
                continue
            if trouble:
                payout.try_after = at + OWES_WAIT
                payout.save(update_fields=["try_after"])
                continue
            told, changes = "the payee's account is no longer below zero", {"trouble": ""}
            payout_steps.move([payout], PayoutStatus.RESERVED, at=at, reason=told, changes=changes)


def _due(*, gateway: Gateway, at: datetime, limit: int) -> Iterable[Payout]:
    """What to send, of batches whose lines are still those that were approved."""
    rows = Payout.objects.filter(
        Q(try_after=None) | Q(try_after__lte=at),
        status=PayoutStatus.RESERVED,
        batch__status__in=UNDER_WAY,
        batch__waits_for="",
        gateway=gateway.name,
    )
    due = list(rows.order_by("pk")[:limit])
    for batch in PayoutBatch.objects.filter(pk__in={payout.batch_id for payout in due}):
        if lines_changed(batch):
            PayoutBatch.objects.filter(pk=batch.pk).update(waits_for=LINES)
            due = [payout for payout in due if payout.batch_id != batch.pk]
    return due


# Intent, call, outcome -------------------------------------------------------------------------


def _is_there(payout: Payout, *, gateway: Gateway, at: datetime) -> bool:
    """Whether the provider has a transfer for what we believe to be due, which is applied then.

    Books restored from a backup may have forgotten that it was sent, somebody may have sent it by
    hand, and a key that was said a day ago protects no more.
    """
    if not _is_forgotten(payout, at=at):
        return False
    found = gateway.find_transfers(group=payout.group)
    if not found:
        return False
    with transaction.atomic(durable=True):
        payout = payout_steps.locked(payout.pk)
        waits = payout.status == PayoutStatus.RESERVED
        return not waits or observing.apply_transfers(payout, found, at=at)


def _is_forgotten(payout: Payout, *, at: datetime) -> bool:
    """Whether the provider does not know the payout's key, or need not know it any more."""
    return payout.first_asked_at is None or at - payout.first_asked_at > KEY_LASTS


def _account_trouble(payout: Payout, *, gateway: Gateway) -> str:
    """Ask the provider about the account to be paid; raises TryAgain and NotConfigured."""
    try:
        held = gateway.payee_balance(payout.account)
    except Refused:
        return CANNOT_RECEIVE
    of_currency = [row for row in held if row.currency == payout.currency]
    below = any(row.available_minor + min(row.pending_minor, 0) < 0 for row in of_currency)
    return OWES if below else ""


def _intend(due: Payout, account_trouble: str, *, at: datetime) -> Payout | None:
    """Put the intent on record; None when somebody else was quicker or the payee is not ready."""
    with transaction.atomic(durable=True):
        rows = Payout.objects.select_for_update(no_key=True, skip_locked=True)
        payout = rows.filter(pk=due.pk, status=PayoutStatus.RESERVED).first()
        if payout is None:
            return None
        if trouble := _payee_trouble(payout) or account_trouble:
            _hold(payout, trouble, at=at)
            return None
        payout_steps.move(
            [payout],
            PayoutStatus.SENDING,
            at=at,
            reason=payout.transfer_key,
            changes={"asked_at": at, "first_asked_at": payout.first_asked_at or at},
        )
        batches = PayoutBatch.objects.filter(pk=payout.batch_id, status=BatchStatus.APPROVED)
        batches.update(status=BatchStatus.SENDING.value)
    return payout


def _hold(payout: Payout, trouble: str, *, at: datetime) -> None:
    changes = {"trouble": trouble, "try_after": at + OWES_WAIT if trouble == OWES else None}
    payout_steps.move([payout], PayoutStatus.HELD, at=at, reason=trouble, changes=changes)
    if trouble == CANNOT_RECEIVE:
        Payee.objects.filter(creator=payout.creator_id).update(can_receive=False)


def _payee_trouble(payout: Payout) -> str:
    payee = Payee.objects.filter(creator=payout.creator_id).first()
    if payee is None or (payee.gateway, payee.account) != (payout.gateway, payout.account):
        return "payee_account_changed"
    return "" if payee.can_receive else "payee_not_ready"


def _ask(payout: Payout, *, gateway: Gateway) -> TransferResult | GatewayError:
    try:
        return gateway.transfer(
            key=payout.transfer_key,
            payee_account=payout.account,
            amount_minor=payout.amount_minor,
            currency=payout.currency,
            group=payout.group,
            metadata={"payout": payout.pk, "batch": payout.batch_id},
        )
    except GatewayError as error:
        return error


def _conclude(asked: Payout, answer: TransferResult | GatewayError, *, at: datetime) -> None:
    with transaction.atomic(durable=True):
        payout = payout_steps.locked(asked.pk)
        if isinstance(answer, TransferResult):
            observing.apply_transfer(payout, answer, at=at)
        elif payout.status == PayoutStatus.SENDING and _is_same(asked, payout):
            _put_on_record(payout, answer, at=at)  # else a webhook or a look-up knew better


def _is_same(asked: Payout, payout: Payout) -> bool:
    """Whether the payout was not asked for again since."""
    return (asked.attempt, asked.asked_at) == (payout.attempt, payout.asked_at)


def _put_on_record(payout: Payout, answer: GatewayError, *, at: datetime) -> None:
    """Apply an answer that is no transfer. What it means is said in `ledger.gateway`."""
    fresh = {"attempt": payout.attempt + 1, "first_asked_at": None}

    def step(to: PayoutStatus, **changes: object) -> None:
        told = {"trouble": answer.code, **changes}
        payout_steps.move([payout], to, at=at, reason=str(answer), changes=told)

    match answer:
        case OutcomeUnknown() | Refused(code="idempotency_key_reused"):
            step(PayoutStatus.UNKNOWN)
        case InsufficientFunds():
            step(PayoutStatus.RESERVED, **fresh)
            PayoutBatch.objects.filter(pk=payout.batch_id).update(waits_for=FUNDS)
        case PayeeCannotReceive():
            step(PayoutStatus.HELD, **fresh | {"trouble": CANNOT_RECEIVE})
            Payee.objects.filter(creator=payout.creator_id).update(can_receive=False)
        case Refused():
            step(PayoutStatus.FAILED)
            observing.close_if_done(payout.batch_id, at=at)
        case _:
            step(PayoutStatus.RESERVED, try_after=at + WAIT)


def _resolve(asked: Payout, found: Sequence[TransferResult], *, at: datetime) -> int:
    """Apply what a look-up found; ``asked`` is the payout as it was before."""
    with transaction.atomic(durable=True):
        payout = payout_steps.locked(asked.pk)
        is_lost = payout.status in {PayoutStatus.SENDING, PayoutStatus.UNKNOWN}
        if not is_lost and payout.trouble != DOUBLED:
            return 0
        if observing.apply_transfers(payout, found, at=at) or not is_lost:
            return int(payout.trouble != DOUBLED)
        if not _is_same(asked, payout):
            return 0  # asked for again meanwhile: that it was not there says nothing of now
        fresh: dict[str, object] = {}
        if _is_forgotten(payout, at=at):
            fresh = {"attempt": payout.attempt + 1, "first_asked_at": None}
        payout_steps.move(
            [payout],
            PayoutStatus.RESERVED,
            at=at,
            reason="looked up: the provider has no transfer",
            changes={"trouble": "", **fresh},
        )
        return 1
