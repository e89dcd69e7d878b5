"""Resemblance divides an output, nobody included, within a published budget for strangers."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution import calibrations
from attribution.errors import InvalidEvidence
from attribution.methods import similarity
from attribution.methods.evidence import Weights, WorkWeight
from attribution.methods.similarity import Calibration, Passage, Resemblance

BY_BM25 = Calibration("test", cosine=0, bm25=10_000_000, coverage=0, outside=5_000_000)
BY_ALL = Calibration("test", cosine=2_000_000, bm25=6_000_000, coverage=900_000, outside=3_000_000)

UNITS = st.floats(0, 1, width=32)
CANDIDATES = st.lists(
    st.tuples(st.floats(-1, 1, width=32), UNITS, UNITS), min_size=1, max_size=7
).map(
    lambda rows: tuple(
        Resemblance(f"w{number}", cosine, bm25, coverage)
        for number, (cosine, bm25, coverage) in enumerate(rows)
    )
)


def alike(work: str, bm25: float) -> Resemblance:
    return Resemblance(work, 0.0, bm25, 0.0)


def weigh(
    candidates: Sequence[Resemblance], calibration: Calibration = calibrations.SIMILARITY
) -> Weights:
    """An output of one passage."""
    return similarity.weigh([Passage(0, 100, tuple(candidates))], calibration)


def share(weights: Weights, work: str) -> Fraction:
    found = {each.work: each.weight for each in weights.works}
    return Fraction(found.get(work, 0), weights.total)


def test_weigh_follows_the_logit_with_an_outside_option() -> None:
    """exp(10 x 0.5) against exp(5) for nobody: a half each."""
    assert weigh([alike("ada", 0.5)], BY_BM25) == Weights((WorkWeight("ada", 1),), 1)


def test_shipped_coefficients_pay_a_rewording_and_no_stranger() -> None:
    """Typical of the benchmark: a source stands out by a third, a stranger's best by a tenth."""
    source = Resemblance("ada", 0.0, 0.33, 0.2)
    stranger = Resemblance("ada", 0.0, 0.1, 0.0)

    assert share(weigh([source]), "ada") > Fraction(9, 10)
    assert share(weigh([stranger]), "ada") < Fraction(1, 10)


def test_weigh_pays_nobody_for_no_candidates() -> None:
    assert weigh([], BY_BM25) == Weights((), 1)


def test_each_passage_divides_its_own_words() -> None:
    """Ada's is like the first 300 words by a half of each, Ben's like the other 100 likewise."""
    passages = [Passage(0, 300, (alike("ada", 0.5),)), Passage(300, 100, (alike("ben", 0.5),))]

    found = similarity.weigh(passages, BY_BM25)

    assert found == Weights((WorkWeight("ada", 3), WorkWeight("ben", 1)), 4)


def test_an_output_without_words_pays_nobody() -> None:
    assert similarity.weigh([Passage(0, 0, (alike("ada", 0.5),))], BY_BM25) == Weights((), 1)


def test_weigh_leaves_what_is_hardly_alike_to_nobody() -> None:
    """exp(-5) over exp(5): far below a thousandth."""
    low = Calibration("test", cosine=10_000_000, bm25=0, coverage=0, outside=5_000_000)

    assert weigh([Resemblance("ada", -0.5, 0.0, 0.0)], low) == Weights((), 1)


@given(candidates=CANDIDATES)
def test_weigh_gives_the_whole_away_exactly(candidates: tuple[Resemblance, ...]) -> None:
    found = weigh(candidates, BY_ALL)

    assert sum(share(found, each.work) for each in found.works) == 1 - Fraction(
        found.unattributed, found.total
    )
    assert found.total <= 10**9


@given(candidates=CANDIDATES, data=st.data())
def test_the_order_of_candidates_changes_nothing(
    candidates: tuple[Resemblance, ...], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(candidates))

    assert weigh(shuffled, BY_ALL) == weigh(candidates, BY_ALL)


@given(candidates=CANDIDATES, name=st.sampled_from(["wa", "wz"]))
def test_equal_works_weigh_alike(candidates: tuple[Resemblance, ...], name: str) -> None:
    first = candidates[0]
    twin = Resemblance(name, first.cosine, first.bm25, first.coverage)

    found = weigh([*candidates, twin], BY_ALL)

    assert abs(share(found, name) - share(found, first.work)) <= Fraction(1, 10**9)


@given(candidates=CANDIDATES, more=st.floats(0, 1, width=32))
def test_a_work_that_is_more_alike_never_gets_less(
    candidates: tuple[Resemblance, ...], more: float
) -> None:
    first, *rest = candidates
    raised = Resemblance(first.work, first.cosine, max(first.bm25, more), first.coverage)

    after = share(weigh([raised, *rest], BY_ALL), first.work)

    assert after >= share(weigh(candidates, BY_ALL), first.work) - Fraction(1, 10**9)


@pytest.mark.parametrize(
    "features", [(1.1, 0.0, 0.0), (0.0, -0.1, 0.0), (0.0, 0.0, 1.1), (float("nan"), 0.0, 0.0)]
)
def test_a_resemblance_out_of_bounds_is_refused(features: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidEvidence):
        Resemblance("ada", *features)


def test_what_is_like_many_works_does_not_stand_out() -> None:
    """Ten at 0.5 are the background; 0.75 is half way from there to 1."""
    assert similarity.stand_out([0.75, *[0.5] * 10, 0.1]) == [0.5, *[0.0] * 11]


def test_few_works_have_no_background() -> None:
    assert similarity.stand_out([0.75, 0.5]) == [0.75, 0.5]


def test_nothing_stands_out_among_works_that_all_are_the_output() -> None:
    assert similarity.stand_out([1.0] * 10) == [0.0] * 10


@given(scores=st.lists(UNITS, max_size=15))
def test_standing_out_keeps_bounds_and_order(scores: list[float]) -> None:
    found = similarity.stand_out(scores)

    assert all(0 <= each <= 1 for each in found)
    ordered = [each for _, each in sorted(zip(scores, found, strict=True))]
    assert ordered == sorted(found)


def test_what_is_recorded_finds_the_same_coefficients() -> None:
    assert BY_ALL.parameters() == {
        "space": "test",
        "cosine_ppm": 2_000_000,
        "bm25_ppm": 6_000_000,
        "coverage_ppm": 900_000,
        "outside_ppm": 3_000_000,
        "least_share_ppm": 1_000,
    }
