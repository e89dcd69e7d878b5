"""The currencies the ledger keeps books in, and what their smallest coins are.

Owns the table below and nothing else (pure). A currency is an ISO 4217 alphabetic code in
Python and JSON, and its numeric code in PostgreSQL.
"""

from dataclasses import dataclass

from ledger.errors import UnknownCurrency

THOUSANDTHS = 3
MICROS = 1_000_000
"""Micros in one major unit (one euro, one yen) of any currency."""


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency.

    numeric: ISO 4217 numeric code. exponent: decimal digits of its minor unit.
    payout_step_minor: providers pay only multiples of it, though the currency has finer coins
    (Stripe, "Special cases" in docs.stripe.com/currencies).
    """

    code: str
    numeric: int
    exponent: int
    payout_step_minor: int = 1

    @property
    def payment_step_minor(self) -> int:
        """Payments come in multiples of it: coins of a thousandth by tens alone (same place)."""
        return 10 if self.exponent == THOUSANDTHS else 1


_TABLE = (
    Currency("AUD", 36, 2),
    Currency("BHD", 48, 3, payout_step_minor=10),
    Currency("BRL", 986, 2),
    Currency("CAD", 124, 2),
    Currency("CHF", 756, 2),
    Currency("CNY", 156, 2),
    Currency("CZK", 203, 2),
    Currency("DKK", 208, 2),
    Currency("EUR", 978, 2),
    Currency("GBP", 826, 2),
    Currency("HKD", 344, 2),
    Currency("HUF", 348, 2, payout_step_minor=100),
    Currency("INR", 356, 2),
    Currency("JPY", 392, 0),
    Currency("KRW", 410, 0),
    Currency("KWD", 414, 3, payout_step_minor=10),
    Currency("MXN", 484, 2),
    Currency("NOK", 578, 2),
    Currency("NZD", 554, 2),
    Currency("PLN", 985, 2),
    Currency("RON", 946, 2),
    Currency("SEK", 752, 2),
    Currency("SGD", 702, 2),
    Currency("THB", 764, 2),
    Currency("TWD", 901, 2, payout_step_minor=100),
    Currency("USD", 840, 2),
    Currency("ZAR", 710, 2),
)
_BY_CODE = {currency.code: currency for currency in _TABLE}
_BY_NUMERIC = {currency.numeric: currency for currency in _TABLE}

CODES = tuple(_BY_CODE)


def find(code: str) -> Currency:
    """Look a currency up by its alphabetic code. Raises UnknownCurrency."""
    try:
        return _BY_CODE[code]
    except KeyError:
        raise UnknownCurrency(f"{code!r} is not a currency of this ledger") from None


def find_numeric(numeric: int) -> Currency:
    """Look a currency up by its numeric code. Raises UnknownCurrency."""
    try:
        return _BY_NUMERIC[numeric]
    except KeyError:
        raise UnknownCurrency(f"{numeric} is not a currency of this ledger") from None
