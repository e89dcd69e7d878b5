"""Shares become whole numbers that lose nothing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.apportion import PARTS, apportion, divide
from attribution.methods.evidence import Weights, WorkWeight


def test_shares_are_put_in_lowest_terms() -> None:
    assert apportion({"ben": 0.5, "ada": 0.25}, unattributed=0.25) == Weights(
        (WorkWeight("ada", 1), WorkWeight("ben", 2)), 1
    )


def test_an_odd_part_goes_to_the_smaller_id_before_nobody() -> None:
    found = apportion({"ben": 1, "ada": 1}, unattributed=1)

    assert [each.weight for each in found.works] == [333_333_334, 333_333_333]
    assert found.unattributed == 333_333_333


def test_nothing_at_all_is_unattributed() -> None:
    assert apportion({"ada": 0.0}, unattributed=0) == Weights((), 1)


@pytest.mark.parametrize("share", [-0.1, float("nan"), float("inf")])
def test_a_share_is_finite_and_not_negative(share: float) -> None:
    with pytest.raises(ValueError, match="finite number"):
        apportion({"ada": share}, unattributed=1)


@given(
    whole=st.integers(0, 10**13),
    claims=st.lists(st.floats(0, 1e300).map(Fraction), min_size=1).filter(any),
)
def test_divide_loses_nothing_and_errs_by_less_than_one(whole: int, claims: list[Fraction]) -> None:
    parts = divide(whole, claims)

    assert sum(parts) == whole
    exact = [whole * claim / sum(claims) for claim in claims]
    assert all(
        abs(part - part_exactly) < 1 for part, part_exactly in zip(parts, exact, strict=True)
    )


@given(shares=st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=9))
def test_apportion_has_no_more_than_its_parts(shares: dict[str, float]) -> None:
    assert apportion(shares, unattributed=1).total <= PARTS
