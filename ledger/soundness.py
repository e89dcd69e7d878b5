"""Whether the books are sound enough to pay from: what the audit, the provider's list and the look-ups said.

Decides nothing about a batch itself.
"""

from ledger import invariants
from ledger.errors import BooksInDoubt, TransfersDoubled
from ledger.models import Payout, Reconciliation
from ledger.observing import DOUBLED

__all__ = ["require"]


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
