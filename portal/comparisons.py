"""Read comparisons with the payment provider: the newest of each currency, and what blocks."""

from ledger.models import Reconciliation

__all__ = ["newest_comparisons"]


def newest_comparisons() -> list[Reconciliation]:
    """Return each currency's newest comparison; one that differs blocks the next batch."""
    newest = Reconciliation.objects.order_by("currency", "-compared_at", "-pk")
    return list(newest.distinct("currency"))
