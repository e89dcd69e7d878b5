"""The provider's events: stored once, without what they say of people, worked through from the row, in any order.

An event only says where to look. What happened is read anew from the provider and applied by
functions that are safe to repeat, so that late, doubled and reordered events converge.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import F

from ledger import chargebacks, journal, observing, payees, payout_steps, topups
from ledger import gateway as provider
from ledger.errors import LedgerError, LedgerUnavailable, UnknownObject, WrongState
from ledger.gateway import Gateway, NotConfigured
from ledger.models import Payout, ProviderEvent
from ledger.vocabulary import Deed
from registry.models import User

__all__ = ["again", "process_stored", "store"]

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 16
"""With doubling waits from one minute to half a day: three days in all."""
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=12)

_OUR_FAULT = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DataError,
    IntegrityError,
    LookupError,
    TypeError,
    ValueError,
)
"""What nobody foresaw about one event, which then waits like any other that cannot be applied yet:
it must not keep those behind it. A database that was lost is none of these."""

Outcome = ProviderEvent.Outcome


def store(
    event: provider.ProviderEvent, *, gateway: str, at: datetime, fetched: bool = False
) -> bool:
    """Keep a verified event; False when it was kept before. ``gateway`` is the provider's name.

    fetched: it was found in the provider's list, since no webhook told it.

    Of events about people (accounts, cards, pages that were paid) only the ids are kept: their
    snapshots hold personal data, and `process_stored` reads the object anew anyway.
    """
    row = ProviderEvent(
        gateway=gateway,
        event_id=event.id,
        type=event.type,
        object_id=event.object_id,
        account=event.account_id or "",
        livemode=event.livemode,
        payload=_kept(event),
        happened_at=event.created_at,
        received_at=at,
        fetched=fetched,
        try_after=at,
    )
    ProviderEvent.objects.bulk_create([row], ignore_conflicts=True)
    return ProviderEvent.objects.filter(pk=row.pk).exists()


def process_stored(*, gateway: Gateway, at: datetime, limit: int) -> int:
    """Work through up to ``limit`` events that wait; returns how many are done with.

    What cannot be applied yet waits, longer each time; after `MAX_ATTEMPTS` it is abandoned
    and logged as an error. Raises NotConfigured.
    """
    waiting = ProviderEvent.objects.filter(
        gateway=gateway.name, processed_at=None, try_after__lte=at
    )
    done = 0
    for event in waiting.order_by("try_after", "pk")[:limit]:
        try:
            _conclude(event, _apply(event, gateway=gateway, at=at), at=at)
        except (NotConfigured, LedgerUnavailable):
            raise  # not the event's fault, and no attempt of its
        except (LedgerError, provider.GatewayError) as trouble:
            done += _put_off(event, trouble, at=at)
        except _OUR_FAULT as trouble:
            log.exception("%s %s", event.type, event.event_id)
            done += _put_off(event, trouble, at=at)
        else:
            done += 1
    return done


def again(event: ProviderEvent, admin: User, *, reason: str, at: datetime) -> ProviderEvent:
    """Let an abandoned event be worked through once more, from its first attempt.

    Raises WrongState for one that was not abandoned, ReasonMissing, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    with transaction.atomic():
        abandoned = ProviderEvent.objects.filter(pk=event.pk, outcome=Outcome.ABANDONED)
        if not abandoned.update(outcome="", processed_at=None, attempts=0, try_after=at):
            raise WrongState(f"{event.pk} was not abandoned")
        journal.record(
            admin, Deed.EVENT_RETRIED, subject=event.pk, reason=why, at=at, type=event.type
        )
    event.refresh_from_db()
    return event


# What each type of event says about where to look ----------------------------------------------


def _apply(event: ProviderEvent, *, gateway: Gateway, at: datetime) -> str:
    for prefix, handler in _HANDLERS.items():
        if event.type.startswith(prefix):
            return handler(event, gateway, at)
    return Outcome.IGNORED


def _checkout(event: ProviderEvent, gateway: Gateway, at: datetime) -> str:
    status = gateway.find_checkout(event.object_id)
    if not status.reference.startswith("top_"):
        return Outcome.IGNORED
    topups.complete(status, at=at)
    return Outcome.APPLIED


def _transfer(event: ProviderEvent, gateway: Gateway, at: datetime) -> str:
    payout = _payout_of(event)
    if payout is None:
        if _group(event).startswith("payout:") or not event.payload.get("data"):
            raise UnknownObject(f"no payout has the transfer {event.object_id}")
        return Outcome.IGNORED
    found = gateway.find_transfers(group=payout.group)
    if not found:
        raise UnknownObject(f"{payout.pk} has no transfer at the provider yet")
    with transaction.atomic():
        observing.apply_transfers(payout_steps.locked(payout.pk), found, at=at)
    return Outcome.APPLIED


def _bank_payout(event: ProviderEvent, gateway: Gateway, at: datetime) -> str:
    if not event.account:
        return Outcome.IGNORED  # our own balance to our own bank: reconciliation's
    found = gateway.bank_payout(event.object_id, account_id=event.account)
    return Outcome.APPLIED if observing.apply_bank_payout(found, at=at) else Outcome.IGNORED


def _account(event: ProviderEvent, gateway: Gateway, at: datetime) -> str:
    account = event.account or event.object_id
    if payees.is_forgotten(account, gateway=gateway):
        return Outcome.IGNORED
    payees.refresh_account(account, gateway=gateway, at=at)
    return Outcome.APPLIED


def _payment(event: ProviderEvent, gateway: Gateway, at: datetime) -> str:
    payment_id = str(_object(event).get("payment_intent") or "")
    if not payment_id:
        return Outcome.IGNORED  # not paid on a page of ours
    chargebacks.apply(gateway.payment(payment_id), at=at)
    return Outcome.APPLIED


_HANDLERS: Mapping[str, Callable[[ProviderEvent, Gateway, datetime], str]] = {
    "checkout.session.": _checkout,
    "transfer.": _transfer,
    "payout.": _bank_payout,
    "account.": _account,
    "capability.": _account,
    "v2.core.account": _account,
    "charge.refund": _payment,
    "charge.dispute.": _payment,
    "refund.": _payment,
}
_ABOUT_OUR_MONEY = ("transfer.", "payout.", "topup.", "balance.")
_ABOUT_CARDS = ("charge.", "payment_intent.", "refund.")


def _kept(event: provider.ProviderEvent) -> dict[str, object]:
    """What is kept of an event's body: all that is about our own money, else as good as nothing.

    Everything else may tell about somebody: a payee's papers, who paid on a page, whose card.
    """
    if event.type.startswith(_ABOUT_OUR_MONEY):
        return {_storable(name): _storable(value) for name, value in event.payload.items()}
    if event.type.startswith(_ABOUT_CARDS):
        data: Any = event.payload.get("data") or {}
        payment = (data.get("object") or {}).get("payment_intent")
        return {"data": {"object": {"payment_intent": _storable(payment)}}}
    return {}


def _storable(value: Any) -> Any:
    """The same without what is JSON but no text to PostgreSQL: NUL, and halves of letters."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, list):
        return [_storable(each) for each in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(each) for name, each in value.items()}
    return value


def _payout_of(event: ProviderEvent) -> Payout | None:
    """By the transfer's id, or by its group when the event overtook our own record of the id."""
    rows = Payout.objects.filter(gateway=event.gateway)
    if known := rows.filter(transfer_id=event.object_id).first():
        return known
    group = _group(event)
    named = group.removeprefix("payout:") if group.startswith("payout:pay_") else None
    return rows.filter(pk=named).first() if named else None


def _group(event: ProviderEvent) -> str:
    return str(_object(event).get("transfer_group") or "")


def _object(event: ProviderEvent) -> dict[str, Any]:
    data = event.payload.get("data") or {}
    return data.get("object") or {}


# What became of it -----------------------------------------------------------------------------


def _conclude(event: ProviderEvent, outcome: str, *, at: datetime, trouble: str = "") -> None:
    ProviderEvent.objects.filter(pk=event.pk, processed_at=None).update(
        outcome=outcome, processed_at=at, trouble=trouble[:500], attempts=F("attempts") + 1
    )


def _put_off(event: ProviderEvent, trouble: Exception, *, at: datetime) -> int:
    if event.attempts + 1 >= MAX_ATTEMPTS:
        _conclude(event, Outcome.ABANDONED, at=at, trouble=str(trouble))
        log.error("gave %s %s up: %s", event.type, event.event_id, trouble)
        return 1
    wait = min(FIRST_WAIT * 2**event.attempts, LONGEST_WAIT)
    ProviderEvent.objects.filter(pk=event.pk, processed_at=None).update(
        try_after=at + wait, trouble=str(trouble)[:500], attempts=F("attempts") + 1
    )
    return 0
