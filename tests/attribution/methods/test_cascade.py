"""Repetition comes first and resemblance divides what it leaves."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from attribution.methods import cascade, similarity, verbatim
from attribution.methods.evidence import Candidate, Evidence, Weights, WorkWeight, weights
from attribution.methods.similarity import Calibration, Passage, Resemblance

CALIBRATION = Calibration("test", cosine=0, bm25=10_000_000, coverage=0, outside=5_000_000)


def made(parts: dict[str, int], unattributed: int) -> Weights:
    return weights(
        {work: WorkWeight(work, part) for work, part in parts.items()}, unattributed=unattributed
    )


WEIGHTS = st.builds(
    made,
    st.dictionaries(st.sampled_from(["ada", "ben", "eve"]), st.integers(0, 10**12), max_size=3),
    st.integers(0, 10**12),
)


def share(found: Weights, work: str) -> Fraction:
    return Fraction(sum(each.weight for each in found.works if each.work == work), found.total)


def test_weigh_divides_only_what_is_not_repeated() -> None:
    """Ben's work holds 5 of 10 words; Ada's, alike by a half, gets half of the other five."""
    evidence = Evidence(10, 3, (Candidate("ben", (0, 1, 2)),))
    alike = [Passage(0, 10, (Resemblance("ada", 0.0, 0.5, 0.0),))]

    found = cascade.weigh(evidence, alike, CALIBRATION, min_words=3)

    assert found == Weights((WorkWeight("ada", 1, 0), WorkWeight("ben", 2, 5)), 1)


def test_weigh_is_verbatim_where_nothing_is_alike() -> None:
    evidence = Evidence(10, 3, (Candidate("ben", (0, 1, 2)),))

    assert cascade.weigh(evidence, [], CALIBRATION, min_words=3) == verbatim.weigh(
        evidence, min_words=3
    )


def test_weigh_is_similarity_where_nothing_is_repeated() -> None:
    candidates = (Resemblance("ada", 0.1, 0.4, 0.0), Resemblance("ben", 0.0, 0.6, 0.2))
    alike = [Passage(0, 10, candidates)]

    assert cascade.weigh(Evidence(10, 3, ()), alike, CALIBRATION) == similarity.weigh(
        alike, CALIBRATION
    )


def test_a_passage_that_is_repeated_whole_has_nothing_left_to_divide() -> None:
    """Ben's is repeated in the first five words and alike to them; the other five are Ada's."""
    evidence = Evidence(10, 3, (Candidate("ben", (0, 1, 2)),))
    passages = [
        Passage(0, 5, (Resemblance("ben", 0.0, 1.0, 1.0),)),
        Passage(5, 5, (Resemblance("ada", 0.0, 1.0, 0.0),)),
    ]

    found = cascade.weigh(evidence, passages, CALIBRATION, min_words=3)

    assert share(found, "ben") == Fraction(1, 2)
    assert share(found, "ada") > Fraction(49, 100)


def test_words_in_no_passage_are_nobodys() -> None:
    passages = [Passage(0, 5, (Resemblance("ada", 0.0, 1.0, 0.0),))]

    found = cascade.weigh(Evidence(10, 3, ()), passages, CALIBRATION)

    assert share(found, "ada") < Fraction(1, 2)


@given(first=WEIGHTS, second=WEIGHTS)
def test_pass_on_never_takes_from_what_is_repeated(first: Weights, second: Weights) -> None:
    found = cascade.pass_on(first, second)

    assert all(share(found, each.work) >= share(first, each.work) for each in first.works)


@given(first=WEIGHTS, second=WEIGHTS)
def test_pass_on_gives_the_whole_away_in_proportion(first: Weights, second: Weights) -> None:
    found = cascade.pass_on(first, second)

    rest = Fraction(first.unattributed, first.total)
    for work in ("ada", "ben", "eve"):
        exact = share(first, work) + rest * share(second, work)
        assert abs(share(found, work) - exact) <= Fraction(1, 10**9)
    assert (
        sum(share(found, work) for work in ("ada", "ben", "eve"))
        + Fraction(found.unattributed, found.total)
        == 1
    )


@given(first=WEIGHTS, second=WEIGHTS)
def test_weights_passed_on_stay_in_bounds_of_the_books(first: Weights, second: Weights) -> None:
    """A query's weight is kept in millionths of it, in 64 bits."""
    largest = max(first.total, 2 * 10**9)

    assert cascade.pass_on(first, second).total <= largest
