"""Keep who decided what about money, and why; nothing here decides anything.

The domain functions of payout admins write here, each in the transaction of its deed.
"""

from collections.abc import Mapping
from datetime import datetime

from ledger.errors import NotPayoutAdmin, ReasonMissing
from ledger.models import AdminAction, Payout, PayoutBatch, Proposal
from ledger.vocabulary import Deed
from registry.models import User

__all__ = ["record", "require_admin", "require_reason"]

MAX_REASON = 500


def record(  # noqa: PLR0913 - a deed is said in full, each part by name
    admin: User,
    deed: Deed,
    *,
    at: datetime,
    batch: PayoutBatch | None = None,
    payout: Payout | None = None,
    proposal: Proposal | None = None,
    subject: str = "",
    reason: str = "",
    amounts: Mapping[str, int] | None = None,
    **facts: int | str,
) -> AdminAction:
    """Put one deed on record. A payout's batch is filled in.

    amounts: micros by currency. facts: other figures as they are now; empty words are left out.
    """
    kept = {name: value for name, value in facts.items() if isinstance(value, int) or value}
    return AdminAction.objects.create(
        by=admin,
        deed=deed.value,
        batch_id=payout.batch_id if payout else batch.pk if batch else None,
        payout=payout,
        proposal=proposal,
        subject=subject[:80],
        reason=reason.strip()[:MAX_REASON],
        facts={**(amounts or {}), **kept},
        at=at,
    )


def require_admin(user: User) -> None:
    """Raise NotPayoutAdmin for anybody but an active payout admin."""
    if not (user.is_active and user.is_payout_admin):
        raise NotPayoutAdmin(f"{user.pk} is no payout admin")


def require_reason(reason: str) -> str:
    """Return the reason without its edges. Raises ReasonMissing when there is none."""
    if not reason.strip():
        raise ReasonMissing("say why")
    return reason.strip()[:MAX_REASON]
