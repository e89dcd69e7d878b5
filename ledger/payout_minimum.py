"""From how much on a creator is paid, in each currency; less rolls over to the next time."""

from django.conf import settings
from django.db.models import QuerySet

from ledger.accounts import AccountKind
from ledger.models import Balance
from ledger.money import Money

__all__ = ["of", "rolling_over"]


def of(currency: str) -> Money:
    """The smallest payout in a currency."""
    micros: int = settings.PAYOUT_MINIMUMS_MICROS.get(currency, settings.PAYOUT_MINIMUM_MICROS)
    return Money(micros, currency)


def rolling_over(currency: str) -> QuerySet[Balance]:
    """What is available to creators but below the minimum, the largest first."""
    rows = Balance.objects.filter(
        account__kind=AccountKind.CREATOR_AVAILABLE,
        account__creator__erased_at=None,
        currency=currency,
        balance_micros__gt=0,
        balance_micros__lt=of(currency).micros,
    )
    return rows.select_related("account__creator").order_by("-balance_micros", "pk")
