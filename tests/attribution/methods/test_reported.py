"""What an operator reports of training rows becomes shares of works, and is checked."""

from fractions import Fraction
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import InvalidEvidence
from attribution.methods import reported
from attribution.methods.apportion import apportion
from attribution.methods.evidence import Weights, WorkWeight

WORKS = {1: "ada", 2: "ada", 3: "ben"}
SCORES = st.dictionaries(st.integers(1, 8), st.floats(-1e6, 1e6), max_size=8)
OWNERS = st.dictionaries(st.integers(1, 8), st.sampled_from(["ada", "ben", "eve"]), max_size=8)


def weigh(
    scores: dict[int, float],
    works: dict[int, str] = WORKS,
    *,
    outside_mass: float = 0.0,
    floor_ppm: int = 0,
) -> Weights:
    return reported.weigh(
        scores,
        works,
        higher_is_proponent=True,
        outside_mass=outside_mass,
        floor_ppm=floor_ppm,
    )


def share(weights: Weights, work: str) -> Fraction:
    return Fraction(sum(e.weight for e in weights.works if e.work == work), weights.total)


def test_rows_of_one_work_add_up() -> None:
    assert weigh({1: 1.0, 2: 2.0, 3: 1.0}) == Weights(
        (WorkWeight("ada", 3), WorkWeight("ben", 1)), 0
    )


def test_rows_that_speak_against_the_output_count_within_their_work_only() -> None:
    """Ada's rows make 3 - 2 = 1; Ben's speaks against, so it gets nothing and costs nobody."""
    assert weigh({1: 3.0, 2: -2.0, 3: -5.0}) == Weights((WorkWeight("ada", 1),), 0)


def test_low_scores_speak_for_an_output_where_the_report_says_so() -> None:
    found = reported.weigh({1: -1.0, 3: -3.0}, WORKS, higher_is_proponent=False)

    assert found == Weights((WorkWeight("ada", 1), WorkWeight("ben", 3)), 0)


def test_rows_of_no_registered_work_keep_their_part_from_the_others() -> None:
    assert weigh({1: 1.0, 9: 3.0}) == Weights((WorkWeight("ada", 1),), 3)


def test_what_lies_outside_the_rows_and_under_the_floor_is_nobodys() -> None:
    """(1 - 0.2) of (1 - 0.5) is left."""
    found = weigh({1: 1.0}, outside_mass=0.5, floor_ppm=200_000)

    assert found == Weights((WorkWeight("ada", 2),), 3)


@pytest.mark.parametrize("scores", [{}, {1: 0.0}, {3: -1.0}])
def test_nothing_is_attributed_where_no_row_speaks_for_the_output(
    scores: dict[int, float],
) -> None:
    assert weigh(scores) == Weights((), 1)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_scores_must_be_finite(bad: float) -> None:
    with pytest.raises(InvalidEvidence, match="not finite"):
        weigh({1: bad})


@pytest.mark.parametrize(
    ("outside_mass", "floor_ppm"), [(1.1, 0), (-0.1, 0), (float("nan"), 0), (0.0, -1), (0.0, 10**7)]
)
def test_terms_must_be_in_bounds(outside_mass: float, floor_ppm: int) -> None:
    with pytest.raises(InvalidEvidence, match="mass outside"):
        weigh({1: 1.0}, outside_mass=outside_mass, floor_ppm=floor_ppm)


@given(scores=SCORES, works=OWNERS, outside=st.floats(0, 1), floor=st.integers(0, 10**6))
def test_the_whole_is_given_away_exactly_and_the_floor_kept(
    scores: dict[int, float], works: dict[int, str], outside: float, floor: int
) -> None:
    found = weigh(scores, works, outside_mass=outside, floor_ppm=floor)

    unattributed = Fraction(found.unattributed, found.total)
    assert sum(share(found, work) for work in ("ada", "ben", "eve")) + unattributed == 1
    assert unattributed >= Fraction(floor, 10**6) - Fraction(4, 10**9)


@given(scores=SCORES, works=OWNERS, more=st.floats(0, 1e6), row=st.integers(1, 8))
def test_a_higher_score_never_costs_its_work(
    scores: dict[int, float], works: dict[int, str], more: float, row: int
) -> None:
    works = works | {row: "ada"}
    raised = scores | {row: scores.get(row, 0.0) + more}

    assert share(weigh(raised, works), "ada") >= share(weigh(scores, works), "ada") - Fraction(
        1, 10**9
    )


@given(scores=SCORES, works=OWNERS, data=st.data())
def test_the_order_of_rows_changes_nothing(
    scores: dict[int, float], works: dict[int, str], data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(sorted(scores.items()))))

    assert weigh(shuffled, works) == weigh(scores, works)


@given(parts=st.integers(1, 20), score=st.integers(1, 1000))
def test_splitting_a_work_into_more_rows_gains_nothing(parts: int, score: int) -> None:
    """Influence adds up: the parts of a text have its score together."""
    split = {row: float(score) for row in range(10, 10 + parts)} | {3: 100.0}
    whole = {1: float(score * parts), 3: 100.0}

    assert weigh(split, dict.fromkeys(range(10, 10 + parts), "ada") | {3: "ben"}) == weigh(whole)


def test_spot_check_flags_reports_that_evidence_does_not_bear_out() -> None:
    honest = weigh({1: 3.0, 3: 1.0}), weigh({1: 1.0, 3: 1.0})
    bought = weigh({3: 1.0}), weigh({1: 1.0})

    assert reported.spot_check([honest]) == reported.Divergence(250_000, 250_000, flagged=False)
    assert reported.spot_check([honest, bought]) == reported.Divergence(
        625_000, 1_000_000, flagged=True
    )


def test_spot_check_counts_what_is_unattributed() -> None:
    assert reported.total_variation(weigh({1: 1.0}), Weights((), 1)) == 1


def test_spot_check_needs_an_output() -> None:
    with pytest.raises(ValueError, match="at least one output"):
        reported.spot_check([])


@given(
    scores=st.dictionaries(st.integers(1, 30), st.floats(-1e12, 1e12), max_size=12),
    works=st.dictionaries(st.integers(1, 30), st.sampled_from(["ada", "ben", "zoe"]), max_size=20),
    outside=st.floats(0, 1),
    floor=st.integers(0, reported.MILLION),
)
def test_whole_numbers_weigh_as_exact_fractions_would(
    scores: dict[int, float], works: dict[int, str], outside: float, floor: int
) -> None:
    found = reported.weigh(
        scores, works, higher_is_proponent=True, outside_mass=outside, floor_ppm=floor
    )

    rows: dict[str, list[float]] = {}
    for row in sorted(scores):
        if row in works:
            rows.setdefault(works[row], []).append(scores[row])
    nobodys = fsum(max(0.0, score) for row, score in scores.items() if row not in works)
    speaking = {work: Fraction(max(0.0, fsum(each))) for work, each in rows.items()}
    total = sum(speaking.values()) + Fraction(nobodys)
    if not total:
        assert found == Weights((), 1)
        return
    given_away = (1 - Fraction(floor, reported.MILLION)) * (1 - Fraction(outside))
    shares = {work: given_away * score / total for work, score in speaking.items()}
    assert found == apportion(shares, unattributed=1 - sum(shares.values()))
