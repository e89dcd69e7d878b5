"""Can this creator be paid, and where? Accounts at the provider, which keeps the papers.

A browser that returns from onboarding proves nothing; only `refresh` changes what we believe.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction

from ledger import journal
from ledger.errors import NoPayee, UnknownObject
from ledger.gateway import Gateway, PayeeAccount
from ledger.models import Payee
from ledger.vocabulary import BANK, Deed
from registry.models import Creator, User

__all__ = [
    "change_hold",
    "forget",
    "is_forgotten",
    "link",
    "look_up",
    "of",
    "onboard",
    "paid_from",
    "refresh",
    "refresh_account",
]

NOBODY = "erased:"
"""How the account of a payee begins who has left."""


def of(creator: Creator) -> Payee | None:
    """The creator's account at the provider, if onboarding has begun."""
    return Payee.objects.filter(creator=creator).first()


def change_hold() -> timedelta:
    """How long an account that stands in for an earlier one is not paid to."""
    return timedelta(hours=settings.PAYEE_CHANGE_HOLD_HOURS)


def paid_from(payee: Payee) -> datetime | None:
    """From when on batches pay to an account that was changed; None for a first account."""
    return payee.changed_at + change_hold() if payee.changed_at else None


def onboard(  # noqa: PLR0913 - what the provider needs, said once
    creator: Creator,
    *,
    email: str,
    country: str,
    gateway: Gateway,
    return_url: str,
    refresh_url: str,
    at: datetime,
) -> str:
    """Open the creator's account, once, and mint an address where the creator identifies itself.

    country: ISO 3166-1 alpha-2. email goes to the provider and is not kept here. Raises what
    the gateway raises.
    """
    if of(creator) is None:
        account = gateway.create_payee(reference=creator.pk, email=email, country=country)
        _keep(creator, account, gateway=gateway, country=country, at=at)
    return link(creator, gateway=gateway, return_url=return_url, refresh_url=refresh_url)


def link(creator: Creator, *, gateway: Gateway, return_url: str, refresh_url: str) -> str:
    """Mint another onboarding address; each is single-use and short-lived. Raises NoPayee."""
    payee = of(creator)
    if payee is None:
        raise NoPayee(f"{creator.pk} has no account at the payment provider yet")
    return gateway.onboarding_link(payee.account, return_url=return_url, refresh_url=refresh_url)


def refresh(payee: Payee, *, gateway: Gateway, at: datetime) -> Payee:
    """Read the account again and keep what the provider says."""
    account = gateway.payee(payee.account)
    payee.can_receive, payee.refreshed_at = account.can_receive, at
    payee.requirements = list(account.requirements)
    payee.save(update_fields=["can_receive", "requirements", "refreshed_at"])
    return payee


def look_up(payee: Payee, admin: User, *, gateway: Gateway, at: datetime) -> Payee:
    """`refresh` because an admin asks for it, on record.

    Raises NotPayoutAdmin, UnknownObject for a payee that is not this provider's, and what the
    gateway raises.
    """
    journal.require_admin(admin)
    if payee.gateway != gateway.name:
        raise UnknownObject(f"{payee} is not at {gateway.name}")
    found = refresh(payee, gateway=gateway, at=at)
    outcome = "can_receive" if found.can_receive else "cannot_receive"
    journal.record(admin, Deed.LOOKED_UP, subject=payee.creator_id, at=at, outcome=outcome)
    return found


def refresh_account(account: str, *, gateway: Gateway, at: datetime) -> Payee:
    """`refresh` the payee with this account. Raises UnknownObject."""
    payee = Payee.objects.filter(gateway=gateway.name, account=account).first()
    if payee is None:
        raise UnknownObject(f"no payee has the account {account}")
    return refresh(payee, gateway=gateway, at=at)


@transaction.atomic
def forget(creator: Creator, *, at: datetime) -> None:
    """Forget where a creator who leaves was paid to; said again, nothing changes.

    A provider's account leaves its SHA-256, by which later messages about it are known; of a bank
    account not even that stays, since there are few enough to try them all.
    """
    payee = Payee.objects.select_for_update().filter(creator=creator).first()
    if payee is None or payee.account.startswith(NOBODY):
        return
    guessed = payee.gateway == BANK
    payee.account = f"{NOBODY}{secrets.token_hex(32)}" if guessed else _nobody(payee.account)
    payee.holder, payee.country = "", "ZZ"
    payee.requirements, payee.can_receive, payee.refreshed_at = [], False, at
    payee.save()


def is_forgotten(account: str, *, gateway: Gateway) -> bool:
    """Tell whether an account at the provider was that of a creator who left."""
    return Payee.objects.filter(gateway=gateway.name, account=_nobody(account)).exists()


def _nobody(account: str) -> str:
    return NOBODY + hashlib.sha256(account.encode()).hexdigest()


def _keep(
    creator: Creator, account: PayeeAccount, *, gateway: Gateway, country: str, at: datetime
) -> None:
    try:
        with transaction.atomic():
            Payee.objects.create(
                creator=creator,
                gateway=gateway.name,
                account=account.id,
                country=country.upper(),
                can_receive=account.can_receive,
                requirements=list(account.requirements),
                created_at=at,
                refreshed_at=at,
            )
    except IntegrityError:
        # Two tabs raced; the provider gave both the same account for the same reference.
        if of(creator) is None:
            raise
