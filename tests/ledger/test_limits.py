"""Each currency may have bounds of its own: 5 euros are some 800 yen."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from ledger import limits, topups
from ledger.errors import InvalidAmount
from ledger.gateway_paper import PaperGateway
from ledger.money import Money
from portal.forms.operators import TopUp
from registry.models import Operator
from server.settings import env_wholes
from tests.factories import NOON


def test_a_currency_without_bounds_of_its_own_has_those_of_all(settings: Any) -> None:
    settings.TOPUP_MINIMUMS_MICROS = {"JPY": 800_000_000}
    settings.TOPUP_MAXIMUMS_MICROS = {"JPY": 9_000_000_000}
    settings.CREATOR_DEBT_MAXIMUMS_MICROS = {"JPY": 3_000_000_000}

    assert limits.least_topup("JPY") == Money(800_000_000, "JPY")
    assert limits.most_topup("JPY") == Money(9_000_000_000, "JPY")
    assert limits.most_debt("JPY") == Money(3_000_000_000, "JPY")
    assert limits.least_topup("EUR") == Money(settings.TOPUP_MINIMUM_MICROS, "EUR")
    assert limits.most_topup("EUR") == Money(settings.TOPUP_MAXIMUM_MICROS, "EUR")
    assert limits.most_debt("EUR") == Money(settings.CREATOR_DEBT_MAXIMUM_MICROS, "EUR")


@pytest.mark.django_db
def test_a_top_up_keeps_to_its_currencys_bounds(
    acme: Operator, gateway: PaperGateway, settings: Any
) -> None:
    settings.TOPUP_MINIMUMS_MICROS = {"USD": 8_000_000}
    settings.TOPUP_MAXIMUMS_MICROS = {"USD": 9_000_000}

    for micros in (7_000_000, 10_000_000):
        with pytest.raises(InvalidAmount, match=r"from 8\.0+ USD to 9\.0+ USD"):
            topups.start(acme, amount=Money(micros, "USD"), gateway=gateway, at=NOON)
    euros = topups.start(acme, amount=Money(7_000_000, "EUR"), gateway=gateway, at=NOON)
    assert (euros.amount_micros, euros.currency) == (7_000_000, "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "errors"),
    [
        ("7", "USD", {"amount": ["At least 8."]}),
        ("10", "USD", {"amount": ["At most 9."]}),
        ("8.5", "USD", {}),
        ("7", "EUR", {}),
    ],
)
def test_the_form_says_which_bound_was_broken(
    settings: Any, amount: str, currency: str, errors: dict[str, list[str]]
) -> None:
    settings.TOPUP_MINIMUMS_MICROS = {"USD": 8_000_000}
    settings.TOPUP_MAXIMUMS_MICROS = {"USD": 9_000_000}

    form = TopUp({"amount": amount, "currency": currency})

    assert form.errors == errors


@pytest.mark.parametrize("value", ['{"JPY": 0}', '{"JPY": 1.5}', '{"yen": 5}', "[5]", "5"])
def test_bounds_that_are_none_stop_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TOPUP_MINIMUMS_MICROS", value)

    with pytest.raises(ImproperlyConfigured, match="whole numbers by currency"):
        env_wholes("TOPUP_MINIMUMS_MICROS", "{}")


@pytest.mark.django_db
def test_thousandths_come_in_by_tens_as_the_provider_takes_them(
    acme: Operator, gateway: PaperGateway, settings: Any
) -> None:
    settings.CURRENCIES = ["KWD", "JPY"]
    for micros, code in [(9_001_000, "KWD"), (9_005_000, "KWD"), (9_000_001, "JPY")]:
        with pytest.raises(InvalidAmount):
            topups.start(acme, amount=Money(micros, code), gateway=gateway, at=NOON)
    for micros, code in [(9_010_000, "KWD"), (9_000_000, "JPY")]:
        assert topups.start(acme, amount=Money(micros, code), gateway=gateway, at=NOON).url
