"""The laws of money: nothing is lost, nobody is favoured, currencies do not mix."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import CurrencyMismatch, InvalidAmount, NothingToSplit, UnknownCurrency
from ledger.money import (
    WHOLE_PPM,
    Money,
    approach,
    divide,
    floor_to_minor,
    from_minor,
    minor_unit_micros,
    split,
    split_carrying,
)

pools = st.integers(-(10**15), 10**15)
weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any)


@st.composite
def splits(draw: st.DrawFn) -> list[int]:
    """Parts per million that add up to the whole."""
    cuts = sorted(draw(st.lists(st.integers(0, WHOLE_PPM), max_size=7)))
    return [b - a for a, b in zip([0, *cuts], [*cuts, WHOLE_PPM], strict=True)]


@given(pools, weights)
def test_splitting_loses_nothing_and_strays_less_than_a_micro(pool: int, shares: list[int]) -> None:
    amounts = [money.micros for money in split(Money(pool, "EUR"), shares)]
    assert sum(amounts) == pool
    for amount, weight in zip(amounts, shares, strict=True):
        assert abs(amount * sum(shares) - pool * weight) < sum(shares)


@given(splits(), st.lists(st.integers(0, 9), min_size=1, max_size=60))
def test_carrying_loses_nothing_and_favours_nobody_over_time(
    ppm: list[int], fees: list[int]
) -> None:
    paid, carry = [0] * len(ppm), [0] * len(ppm)
    for fee in fees:
        amounts, carry = split_carrying(Money(fee, "EUR"), ppm, carry)
        assert sum(money.micros for money in amounts) == fee
        assert all(money.micros >= 0 for money in amounts)
        paid = [a + money.micros for a, money in zip(paid, amounts, strict=True)]
    for received, weight in zip(paid, ppm, strict=True):
        assert abs(received * WHOLE_PPM - sum(fees) * weight) <= 2 * WHOLE_PPM


def test_carrying_shares_one_micro_fees_in_proportion() -> None:
    paid, carry = [0, 0, 0], None
    for _ in range(5_000):
        amounts, carry = split_carrying(Money(1, "EUR"), [500_000, 300_000, 200_000], carry)
        paid = [a + money.micros for a, money in zip(paid, amounts, strict=True)]
    assert paid == [2_500, 1_500, 1_000]


@pytest.mark.parametrize("shares", [[], [0, 0], [2, -1]])
def test_splitting_over_nothing_is_refused(shares: list[int]) -> None:
    with pytest.raises(NothingToSplit):
        split(Money(1, "EUR"), shares)


@pytest.mark.parametrize(
    ("pool", "ppm", "carry"),
    [
        (1, [999_999], None),
        (-1, [WHOLE_PPM], None),
        (1, [WHOLE_PPM], [1]),
        (1, [WHOLE_PPM], [0, 0]),
    ],
)
def test_carrying_with_a_crooked_split_is_refused(
    pool: int, ppm: list[int], carry: list[int] | None
) -> None:
    with pytest.raises(NothingToSplit):
        split_carrying(Money(pool, "EUR"), ppm, carry)


@given(st.integers(0, 10**14), st.sampled_from(["EUR", "JPY", "KWD", "HUF", "TWD", "BHD"]))
def test_flooring_keeps_the_remainder(micros: int, currency: str) -> None:
    minor, rest = floor_to_minor(Money(micros, currency))
    assert from_minor(minor, currency) + rest == Money(micros, currency)
    assert 0 <= rest.micros < minor_unit_micros(currency) * 100


@pytest.mark.parametrize(
    ("currency", "micros", "minor"),
    [("EUR", 1_019_999, 101), ("JPY", 1_999_999, 1), ("HUF", 12_345_000_000, 1_234_500)],
)
def test_flooring_follows_the_currency(currency: str, micros: int, minor: int) -> None:
    assert floor_to_minor(Money(micros, currency))[0] == minor


def test_flooring_a_debt_is_refused() -> None:
    with pytest.raises(InvalidAmount):
        floor_to_minor(Money(-1, "EUR"))


def test_currencies_do_not_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "EUR") + Money(1, "USD")
    with pytest.raises(CurrencyMismatch):
        assert Money(1, "EUR") < Money(1, "USD")
    with pytest.raises(UnknownCurrency):
        Money(1, "eur")


@pytest.mark.parametrize("micros", [2**63, -(2**63), 1.0, True, float("nan")])
def test_an_amount_is_a_whole_number_of_64_bits(micros: int) -> None:
    with pytest.raises(InvalidAmount):
        Money(micros, "EUR")


def test_money_reads_with_all_its_micros() -> None:
    assert str(Money(-10_000, "EUR")) == "-0.010000 EUR"
    assert str(Money(1_000_000, "JPY")) == "1.000000 JPY"


@given(
    whole=st.integers(0, 10**13), claims=st.lists(st.integers(0, 10**40), min_size=1).filter(any)
)
def test_divide_loses_nothing_errs_by_less_than_one_and_favours_the_largest_remainder(
    whole: int, claims: list[int]
) -> None:
    parts = divide(whole, claims)

    exact = [Fraction(whole * claim, sum(claims)) for claim in claims]
    gains = [part - exactly for part, exactly in zip(parts, exact, strict=True)]
    assert sum(parts) == whole
    assert all(abs(gain) < 1 for gain in gains)
    up = [(exactly % 1, -at) for at, exactly in enumerate(exact) if gains[at] > 0]
    down = [(exactly % 1, -at) for at, exactly in enumerate(exact) if gains[at] < 0]
    assert not up or not down or min(up) > max(down)


@given(
    targets=st.lists(st.integers(-(10**6), 10**7), min_size=1, max_size=8),
    total=st.integers(0, 30),
)
def test_approach_adds_up_and_nobody_could_be_nearer_by_taking_one_from_another(
    targets: list[int], total: int
) -> None:
    scale = 10**6
    amounts = approach(targets, total, scale=scale)

    assert sum(amounts) == total
    assert min(amounts) >= 0
    behind = [target - amount * scale for target, amount in zip(targets, amounts, strict=True)]
    takers = [each for each, amount in zip(behind, amounts, strict=True) if amount]
    assert not takers or max(behind) - min(takers) <= scale
