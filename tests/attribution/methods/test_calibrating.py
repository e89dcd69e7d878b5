"""Coefficients are fitted to known origins and sharpened within the budget for strangers."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods import calibrating, similarity
from attribution.methods.calibrating import Example
from attribution.methods.similarity import Calibration, Passage, Resemblance


def alike(work: str, bm25: float) -> Resemblance:
    return Resemblance(work, 0.0, bm25, 0.0)


def known(*, source: float = 0.8, other: float = 0.2, count: int = 10) -> list[Example]:
    return [
        Example((alike("ada", source - each / 100), alike("ben", other)), {"ada": 1.0})
        for each in range(count)
    ]


def strangers(*, like: float = 0.5, count: int = 10) -> list[Example]:
    return [
        Example((alike("ada", like - each / 50), alike("ben", 0.1)), {}) for each in range(count)
    ]


def test_calibrate_learns_which_feature_tells_the_source() -> None:
    found = calibrating.calibrate(known(), strangers(), space="test")

    assert found.bm25 > 1_000_000
    assert found.cosine == 0
    weights = similarity.weigh([Passage(0, 100, known()[0].candidates)], found)
    assert weights.works[0].work == "ada"
    assert Fraction(weights.works[0].weight, weights.total) > Fraction(9, 10)


def test_calibrate_is_repeatable() -> None:
    assert calibrating.calibrate(known(), strangers(), space="test") == calibrating.calibrate(
        known(), strangers(), space="test"
    )


@settings(max_examples=25, deadline=None)
@given(budget=st.integers(5_000, 400_000), like=st.floats(0.3, 0.7))
def test_calibrate_keeps_the_budget_for_strangers(budget: int, like: float) -> None:
    found = calibrating.calibrate(known(), strangers(like=like), space="test", budget_ppm=budget)

    assert calibrating.paid_ppm(strangers(like=like), found) <= budget


def test_the_threshold_is_raised_no_further_than_the_budget_asks() -> None:
    vague = Calibration("t", cosine=0, bm25=10_000_000, coverage=0, outside=0)

    found = calibrating.within_budget(vague, strangers(like=0.75), budget_ppm=20_000)

    lower = Calibration("t", found.cosine, found.bm25, found.coverage, found.outside - 1)
    assert calibrating.paid_ppm(strangers(like=0.75), lower) > 20_000


def test_sharpening_keeps_proportions_and_divides_money_better() -> None:
    """The likeliest coefficients are vague where strangers come close to what is known."""
    fitted = calibrating.fit(known(), strangers(like=0.7), space="t")

    found = calibrating.sharpen(fitted, known(), strangers(like=0.7))

    everyone = [*known(), *strangers(like=0.7)]
    assert found.bm25 / fitted.bm25 in calibrating.STEEPER
    assert calibrating.share_error(everyone, found) < calibrating.share_error(everyone, fitted)


def test_a_passage_counts_by_its_part_of_the_output() -> None:
    """A quarter of the stranger's output is like nothing, three quarters are paid by a half."""
    even = Calibration("t", cosine=0, bm25=10_000_000, coverage=0, outside=5_000_000)
    passages = [
        Example((), {}, part=0.25),
        Example((alike("ada", 0.5),), {}, part=0.75),
    ]

    assert calibrating.paid_ppm(passages, even) == pytest.approx(375_000)


def test_calibrate_counts_what_earlier_methods_paid_strangers() -> None:
    paid_half = [Example((alike("ada", 0.1),), {}, rest=0.5)]

    with pytest.raises(ValueError, match="over the budget already"):
        calibrating.calibrate(known(), paid_half, space="test", budget_ppm=400_000)


def test_calibrate_needs_known_origins() -> None:
    with pytest.raises(ValueError, match="known origin"):
        calibrating.calibrate([], strangers(), space="test")


def test_calibrate_refuses_true_shares_over_the_whole() -> None:
    with pytest.raises(ValueError, match="at most 1"):
        calibrating.calibrate([Example((alike("ada", 0.5),), {"ada": 1.5})], [], space="test")
