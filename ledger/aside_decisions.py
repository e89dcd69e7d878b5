"""What an admin decides about money that was set apart: give it to who earned it, or to another.

Whether a claim is true is found elsewhere, by people; here their finding moves the money, with a
reason on record. Money released goes to balances: paying it out still takes two.
"""

from datetime import datetime, timedelta

from django.db import transaction

from ledger import journal, set_asides
from ledger.accounts import AccountKind
from ledger.errors import WrongState
from ledger.money import Money
from ledger.vocabulary import Deed
from registry.models import Creator, User

__all__ = ["reassign", "release"]


def release(
    subject: str, admin: User, *, reason: str, holding: timedelta, at: datetime
) -> list[Money]:
    """Give contested or capped money of a work to the creators who earned it, each its own.

    Returns what moved, one amount a currency. Raises WrongState when nothing waits for the
    subject, ReasonMissing, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    with transaction.atomic():
        moved = set_asides.give_back(subject, holding=holding, at=at)
        _require_some(moved, subject)
        journal.record(
            admin, Deed.ASIDE_RELEASED, subject=subject, reason=why, at=at, amounts=_amounts(moved)
        )
    return moved


def reassign(  # noqa: PLR0913 - a decision is said in full, each part by name
    kind: AccountKind,
    subject: str,
    admin: User,
    *,
    to: Creator,
    reason: str,
    holding: timedelta,
    at: datetime,
) -> list[Money]:
    """Give all that waits for a subject to one creator, such as a rightsholder who was found.

    kind: disputed or unclaimed. Returns what moved, one amount a currency. Raises WrongState when
    nothing waits or the creator has left, ReasonMissing, NotPayoutAdmin.
    """
    journal.require_admin(admin)
    why = journal.require_reason(reason)
    if to.erased_at is not None:
        raise WrongState(f"{to.pk} has left: nobody could be paid")
    with transaction.atomic():
        moved = set_asides.release(kind, subject, to={to.pk: 1}, holding=holding, at=at)
        _require_some(moved, subject)
        journal.record(
            admin,
            Deed.ASIDE_REASSIGNED,
            subject=subject,
            reason=why,
            at=at,
            amounts=_amounts(moved),
            to=to.pk,
        )
    return moved


def _require_some(moved: list[Money], subject: str) -> None:
    if not moved:
        raise WrongState(f"nothing waits for {subject}")


def _amounts(moved: list[Money]) -> dict[str, int]:
    return {amount.currency: amount.micros for amount in moved}
