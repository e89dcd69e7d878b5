"""Each currency has its minimum; what is below rolls over."""

from typing import Any

import pytest

from ledger import payout_minimum, payouts
from ledger.errors import NothingDue
from ledger.money import Money
from registry.models import Creator, User
from tests.factories import NOON


def test_a_currency_may_have_a_minimum_of_its_own(settings: Any) -> None:
    settings.PAYOUT_MINIMUMS_MICROS = {"USD": 25_000_000}
    assert payout_minimum.of("USD") == Money(25_000_000, "USD")
    assert payout_minimum.of("EUR") == Money(settings.PAYOUT_MINIMUM_MICROS, "EUR")


@pytest.mark.usefixtures("world", "sound")
def test_what_is_below_the_minimum_rolls_over(
    mia: User, ada: Creator, ben: Creator, settings: Any
) -> None:
    settings.PAYOUT_MINIMUMS_MICROS = {"EUR": 2_500_000}
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    assert [payout.creator for payout in batch.payouts.all()] == [ada]
    (waits,) = payout_minimum.rolling_over("EUR")
    assert (waits.account.creator, waits.money) == (ben, Money(2_000_000, "EUR"))
    payouts.cancel(batch, mia, at=NOON)
    settings.PAYOUT_MINIMUMS_MICROS = {"EUR": 25_000_000}
    with pytest.raises(NothingDue):
        payouts.prepare(mia, currency="EUR", at=NOON)
