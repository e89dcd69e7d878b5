"""Shares become whole numbers that lose nothing."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.apportion import PARTS, apportion
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


@given(shares=st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=9))
def test_apportion_has_no_more_than_its_parts(shares: dict[str, float]) -> None:
    assert apportion(shares, unattributed=1).total <= PARTS


@given(
    shares=st.dictionaries(
        st.text(max_size=3),
        st.floats(0, 1e300) | st.integers(0, 10**400) | st.fractions(0),
        max_size=9,
    ),
    unattributed=st.floats(0, 1e300) | st.fractions(0),
)
def test_apportion_rounds_as_exact_fractions_would(
    shares: dict[str, float | Fraction], unattributed: float | Fraction
) -> None:
    works = sorted(shares)
    claims = [Fraction(shares[work]) for work in works] + [Fraction(unattributed)]
    found = apportion(shares, unattributed=unattributed)

    if not any(claims):
        assert found == Weights((), 1)
        return
    exact = [PARTS * claim / sum(claims) for claim in claims]
    parts = [int(part) for part in exact]
    behind = sorted(range(len(claims)), key=lambda at: parts[at] - exact[at])
    for at in behind[: PARTS - sum(parts)]:
        parts[at] += 1
    by_work = {each.work: Fraction(each.weight, found.total) for each in found.works}
    expected = {w: Fraction(p, PARTS) for w, p in zip(works, parts, strict=False) if p}
    assert by_work == expected
