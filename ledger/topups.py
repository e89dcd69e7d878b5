"""Operators pay in: a page hosted by the provider, then an entry for what really came.

A top-up is put on record before the provider is asked, under its own key, so that asking again
opens no second page. Only the provider's own figure for a paid page moves money in the books.
"""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from ledger import currencies, journal, limits
from ledger.accounts import AccountKind, account_ids
from ledger.errors import CurrencyMismatch, InvalidAmount, UnknownObject
from ledger.gateway import CheckoutStatus, Gateway
from ledger.models import TopUp
from ledger.money import Money, from_minor, minor_unit_micros
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.vocabulary import Deed
from registry.models import Operator, User

__all__ = ["complete", "look_up", "open_page", "start"]


def start(
    operator: Operator,
    *,
    amount: Money,
    gateway: Gateway,
    at: datetime,
    return_url: str | None = None,
) -> TopUp:
    """Open a page where the operator pays ``amount``; send its browser to ``topup.url``.

    return_url: where the provider sends the browser afterwards; the site's front by default.
    Raises InvalidAmount outside the settings' limits or for parts of a minor unit, and what
    the gateway raises; the top-up then stays open without an address (see `open_page`).
    """
    _check(amount)
    topup = TopUp.objects.create(
        operator=operator,
        amount_micros=amount.micros,
        currency=amount.currency,
        gateway=gateway.name,
        created_at=at,
    )
    return open_page(topup, gateway=gateway, return_url=return_url)


def open_page(topup: TopUp, *, gateway: Gateway, return_url: str | None = None) -> TopUp:
    """Ask the provider for the top-up's page; said twice it is the same page."""
    url = return_url or f"{settings.PUBLIC_URL}/"
    session = gateway.checkout(
        key=f"topup:{topup.pk}",
        amount_minor=topup.amount_micros // minor_unit_micros(topup.currency),
        currency=topup.currency,
        reference=topup.pk,
        success_url=url,
        cancel_url=url,
    )
    topup.session_id, topup.url = session.id, session.url
    topup.save(update_fields=["session_id", "url"])
    return topup


def look_up(topup: TopUp, admin: User, *, gateway: Gateway, at: datetime) -> TopUp:
    """Ask the provider what became of a top-up's page, and credit what was paid.

    A page that was never opened is found unpaid. Raises NotPayoutAdmin, what `complete` raises,
    and what the gateway raises.
    """
    journal.require_admin(admin)
    status = gateway.find_checkout(topup.session_id) if topup.session_id else None
    found = complete(status, at=at) if status else None
    outcome = "paid" if found else "unpaid"
    journal.record(admin, Deed.LOOKED_UP, subject=topup.pk, at=at, outcome=outcome)
    return found or topup


def complete(status: CheckoutStatus, *, at: datetime) -> TopUp | None:
    """Credit the operator with what the provider settled; None while the page is unpaid.

    Said again for a paid top-up, it changes nothing. Raises UnknownObject when no top-up has
    this reference, CurrencyMismatch when another currency came than was asked for.
    """
    if not status.paid:
        return None
    with transaction.atomic():
        topup = _locked(status)
        if topup.status == TopUp.Status.PAID:
            return topup
        came = from_minor(status.amount_minor, status.currency)
        if came.currency != topup.currency:
            raise CurrencyMismatch(f"{topup.pk}: asked for {topup.currency}, {came} came")
        topup.status, topup.settled_micros, topup.paid_at = TopUp.Status.PAID, came.micros, at
        topup.session_id, topup.payment_id = status.id, status.payment_id or ""
        topup.entry_id = _credit(topup, came, at=at)
        topup.save()
        return topup


def _check(amount: Money) -> None:
    lowest, highest = limits.least_topup(amount.currency), limits.most_topup(amount.currency)
    if not lowest.micros <= amount.micros <= highest.micros:
        raise InvalidAmount(f"a top-up is from {lowest} to {highest}, not {amount}")
    step = minor_unit_micros(amount.currency) * currencies.find(amount.currency).payment_step_minor
    if amount.micros % step:
        raise InvalidAmount(f"{amount} is no whole number of {Money(step, amount.currency)}")
    if amount.currency not in settings.CURRENCIES:
        raise InvalidAmount(f"top-ups are in {' or '.join(settings.CURRENCIES)}")


def _locked(status: CheckoutStatus) -> TopUp:
    rows = TopUp.objects.select_for_update(no_key=True)
    topup = rows.filter(session_id=status.id).first()
    if topup is None and status.reference.startswith("top_"):
        # The page was paid before we could write its id down.
        topup = rows.filter(pk=status.reference).first()
    if topup is None:
        raise UnknownObject(f"no top-up has the page {status.id}")
    return topup


def _credit(topup: TopUp, came: Money, *, at: datetime) -> int:
    clearing = (AccountKind.PROVIDER_CLEARING, None, came.currency)
    prepaid = (AccountKind.OPERATOR_PREPAID, topup.operator_id, came.currency)
    ids = account_ids([clearing, prepaid])
    legs = ((ids[clearing], -came.micros), (ids[prepaid], came.micros))
    key = key_for(f"topup:{topup.pk}")
    draft = Draft(key, EntryKind.TOPUP, came.currency, legs, effective_at=at)
    return post([draft], at=at).entry_ids[key]
