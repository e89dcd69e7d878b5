"""How much a top-up may be, and how much a creator may come to owe, in each currency.

The settings hold the numbers: one for every currency, and others for those in which it is wrong,
since 5 euros are some 800 yen. The smallest payout is in `payout_minimum`.
"""

from django.conf import settings

from ledger.money import Money


def least_topup(currency: str) -> Money:
    """The smallest top-up."""
    micros: int = settings.TOPUP_MINIMUMS_MICROS.get(currency, settings.TOPUP_MINIMUM_MICROS)
    return Money(micros, currency)


def most_topup(currency: str) -> Money:
    """The largest top-up."""
    micros: int = settings.TOPUP_MAXIMUMS_MICROS.get(currency, settings.TOPUP_MAXIMUM_MICROS)
    return Money(micros, currency)


def most_debt(currency: str) -> Money:
    """The most that chargebacks and corrections may leave one creator owing."""
    micros: int = settings.CREATOR_DEBT_MAXIMUMS_MICROS.get(
        currency, settings.CREATOR_DEBT_MAXIMUM_MICROS
    )
    return Money(micros, currency)
