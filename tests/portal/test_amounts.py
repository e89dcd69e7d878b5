"""Money as people read and write it."""

import pytest
from django import forms
from hypothesis import given
from hypothesis import strategies as st

from portal import amounts
from portal.charts import HEIGHT, TOP, bars
from portal.forms.quantities import MicrosField, PpmField


@pytest.mark.parametrize(
    ("micros", "currency", "printed"),
    [
        (8_412_070_000, "EUR", "8,412.07"),
        (41_279_999, "EUR", "41.27"),
        (0, "EUR", "0.00"),
        (-5_000_000, "EUR", "−5.00"),
        (-1, "EUR", "0.00"),
        (1_500_000_000, "JPY", "1,500"),
        (1_234_567, "KWD", "1.234"),
    ],
)
def test_amounts_are_cut_to_the_minor_unit(micros: int, currency: str, printed: str) -> None:
    assert amounts.to_minor_unit(micros, currency) == printed


@pytest.mark.parametrize(
    ("micros", "printed"),
    [(41_270, "0.041270"), (-1, "−0.000001"), (1_234_000_000_001, "1,234,000.000001")],
)
def test_exact_amounts_have_six_places(micros: int, printed: str) -> None:
    assert amounts.to_the_micro(micros) == printed


@given(st.integers(min_value=1, max_value=10**14))
def test_what_is_printed_exactly_reads_back_as_the_same(micros: int) -> None:
    assert MicrosField(label="").clean(amounts.to_the_micro(micros)) == micros


@pytest.mark.parametrize(
    ("text", "micros"), [("25", 25_000_000), ("12.50", 12_500_000), ("1,000.000001", 1_000_000_001)]
)
def test_amounts_become_whole_micros(text: str, micros: int) -> None:
    assert MicrosField().clean(text) == micros


@pytest.mark.parametrize("text", ["", "-1", "1.2345678", "1e3", "٣", "12,50.x", "0"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(forms.ValidationError):
        MicrosField().clean(text)


@pytest.mark.parametrize(("text", "ppm"), [("100", 1_000_000), ("0.0001", 1), ("33.3333", 333_333)])
def test_shares_become_parts_per_million(text: str, ppm: int) -> None:
    assert PpmField().clean(text) == ppm


@given(st.lists(st.integers(min_value=0, max_value=10**12), max_size=12))
def test_bars_stand_on_the_ground_and_stay_in_the_frame(values: list[int]) -> None:
    chart = bars([(str(value), value, "") for value in values])

    for bar, value in zip(chart.bars, values, strict=True):
        assert bar.y + bar.height == pytest.approx(chart.ground, abs=0.2)
        assert bar.y >= TOP - 0.2
        assert (bar.height > 0) == (value > 0)
        assert bar.height <= HEIGHT
