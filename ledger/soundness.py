"""Whether the books are sound enough to pay from: what the audit, the provider's list and the look-ups said.

Decides nothing about a batch itself.
"""

from datetime import datetime, timedelta

from django.conf import settings

from ledger import invariants
from ledger.errors import BooksInDoubt, ComparisonStale, TransfersDoubled
from ledger.models import Payout, Reconciliation
from ledger.observing import DOUBLED

__all__ = ["is_stale", "require", "require_fresh"]


def require(currency: str) -> None:
    """Raise BooksInDoubt or TransfersDoubled when something found is not settled."""
    if found := invariants.recent_findings():
        raise BooksInDoubt(f"the audit has {len(found)} findings, first {found[0]}")
    doubled = Payout.objects.filter(trouble=DOUBLED).order_by("pk").first()
    if doubled:
        raise TransfersDoubled(f"the provider has several transfers for {doubled.pk}")
    last = Reconciliation.objects.filter(currency=currency).order_by("-compared_at").first()
    if last and not last.agrees:
        raise BooksInDoubt(f"the last reconciliation in {currency} found a difference")


def require_fresh(*, at: datetime) -> None:
    """Raise ComparisonStale when the newest comparison is too old, or there never was one."""
    if is_stale(at=at):
        newest = _newest()
        raise ComparisonStale(
            f"the books were last compared with the provider {newest or 'never'}:"
            " run the reconciliation, then approve"
        )


def is_stale(*, at: datetime) -> bool:
    """Whether the newest comparison is older than RECONCILIATION_MAXIMUM_HOURS.

    A run compares all currencies in which anything ever lay at the provider, so that its time is
    that of each.
    """
    most = timedelta(hours=settings.RECONCILIATION_MAXIMUM_HOURS)
    newest = _newest()
    return bool(most) and (newest is None or newest < at - most)


def _newest() -> datetime | None:
    rows = Reconciliation.objects.order_by("-compared_at")
    return rows.values_list("compared_at", flat=True).first()
