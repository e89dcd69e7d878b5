"""Every method against every law it is bound by, in one table.

A game is up to seven works, each with a height from 0 to 1; every method gets it in its own form.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import exp, factorial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.methods import cascade, reported, shapley, similarity, uniform, verbatim
from attribution.methods.clusters import leaders
from attribution.methods.evidence import Candidate, Evidence, Weights
from attribution.methods.similarity import Calibration, Passage, Resemblance

WORDS, NGRAM = 24, 3
MILLION = 1_000_000
ROUNDED = Fraction(1, 10**8)
"""More than methods lose that work with real numbers and then round to whole parts."""

LOGIT = Calibration("t", cosine=0, bm25=6 * MILLION, coverage=0, outside=3 * MILLION)

Heights = Mapping[str, int]
"""By work: 0 to 20, of which each method makes what it reads; 0 is nothing."""

Weigh = Callable[[Heights], Weights]
Worth = Callable[[Heights, Iterable[str]], Fraction]
"""What a set of works is worth of the output, by the definition."""


def _evidence(heights: Heights) -> Evidence:
    """The output's first words are found in a work, as many runs as its height."""
    return Evidence(
        WORDS,
        NGRAM,
        tuple(
            Candidate(work, tuple(range(height)))
            for work, height in sorted(heights.items())
            if height
        ),
    )


def _passage(heights: Heights) -> Passage:
    """A work of height 0 is no candidate, as in what is found for a query."""
    return Passage(
        0, WORDS, tuple(Resemblance(w, 0.0, h / 20, 0.0) for w, h in heights.items() if h)
    )


def _in_passages(heights: Heights) -> list[Mapping[str, int]]:
    return [{work: height * MILLION // 20 for work, height in heights.items()}]


def _by_scores(heights: Heights) -> Weights:
    rows = dict(enumerate(heights, start=1))
    scores = {row: float(heights[work]) for row, work in rows.items()}
    return reported.weigh(scores, rows, higher_is_proponent=True, outside_mass=0.25)


METHODS: dict[str, Weigh] = {
    "verbatim": lambda heights: verbatim.weigh(_evidence(heights), min_words=NGRAM),
    "shapley": lambda heights: shapley.weigh(_in_passages(heights)),
    "similarity": lambda heights: similarity.weigh([_passage(heights)], LOGIT),
    "cascade": lambda heights: cascade.weigh(
        _evidence(heights), [_passage(heights)], LOGIT, min_words=NGRAM
    ),
    "reported": _by_scores,
    "uniform": lambda heights: uniform.weigh(sorted(w for w, h in heights.items() if h)),
}

HEIGHTS = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 20), min_size=1, max_size=7)
every_method = pytest.mark.parametrize("method", METHODS)


def shares(found: Weights) -> dict[str, Fraction]:
    return {each.work: Fraction(each.weight, found.total) for each in found.works}


def share(found: Weights, work: str) -> Fraction:
    return shares(found).get(work, Fraction(0))


@every_method
@given(heights=HEIGHTS)
def test_all_is_given_away_exactly(method: str, heights: dict[str, int]) -> None:
    found = METHODS[method](heights)

    assert sum(shares(found).values()) + Fraction(found.unattributed, found.total) == 1
    assert found.unattributed >= 0
    assert all(each.weight > 0 for each in found.works)


@every_method
@given(heights=HEIGHTS)
def test_equal_works_get_equal_shares(method: str, heights: dict[str, int]) -> None:
    first, *_ = heights

    found = METHODS[method](heights | {"z": heights[first]})

    assert abs(share(found, "z") - share(found, first)) <= ROUNDED


@every_method
@given(heights=HEIGHTS)
def test_a_work_of_nothing_gets_nothing_and_takes_nothing(
    method: str, heights: dict[str, int]
) -> None:
    with_it = shares(METHODS[method](heights | {"z": 0}))

    assert "z" not in with_it
    assert with_it == shares(METHODS[method](heights))


@every_method
@given(heights=HEIGHTS, more=st.integers(0, 20))
def test_more_of_the_same_never_earns_less(method: str, heights: dict[str, int], more: int) -> None:
    work, *_ = heights
    raised = heights | {work: max(heights[work], more)}

    before = share(METHODS[method](heights), work)

    assert share(METHODS[method](raised), work) >= before - ROUNDED


@every_method
@given(heights=HEIGHTS, data=st.data())
def test_the_order_of_works_changes_nothing(
    method: str, heights: dict[str, int], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(list(heights)))

    assert METHODS[method]({work: heights[work] for work in order}) == METHODS[method](heights)


@every_method
@given(heights=HEIGHTS, data=st.data())
def test_other_names_get_the_same_shares(
    method: str, heights: dict[str, int], data: st.DataObject
) -> None:
    names = data.draw(st.permutations("abcdefg"))
    called = dict(zip("abcdefg", names, strict=True))

    found = shares(METHODS[method]({called[work]: height for work, height in heights.items()}))

    expected = shares(METHODS[method](heights))
    assert found.keys() == {called[work] for work in expected}
    assert all(abs(found[called[work]] - share) <= ROUNDED for work, share in expected.items())


@every_method
@given(heights=HEIGHTS, copies=st.integers(1, 5))
def test_copies_in_a_cluster_change_nothing(
    method: str, heights: dict[str, int], copies: int
) -> None:
    """A cluster is as high as its highest member; its earliest registration stands for it."""
    first, *_ = heights
    names = [f"z{number}" for number in range(copies)]
    everyone = heights | dict.fromkeys(names, heights[first])
    leader_of = leaders(list(everyone), [(first, name) for name in names])
    clustered: dict[str, int] = {}
    for work, height in everyone.items():
        clustered[leader_of[work]] = max(height, clustered.get(leader_of[work], 0))

    assert METHODS[method](clustered) == METHODS[method](heights)


def _words_covered(heights: Heights, works: Iterable[str]) -> Fraction:
    covered = {
        word
        for work in works
        for first in range(heights[work])
        for word in range(first, min(WORDS, first + NGRAM))
    }
    return Fraction(len(covered), WORDS)


def _highest(heights: Heights, works: Iterable[str]) -> Fraction:
    return Fraction(max((heights[work] for work in works), default=0), 20)


def _scores_kept(heights: Heights, works: Iterable[str]) -> Fraction:
    """Influence adds up: of all that is reported, what these works have."""
    total = sum(heights.values())
    return Fraction(3, 4) * Fraction(sum(heights[work] for work in works), total or 1)


def _any(heights: Heights, works: Iterable[str]) -> Fraction:
    """Whatever the output, works that were learned from have made it."""
    return Fraction(any(heights[work] for work in works))


GAMES: dict[str, Worth] = {
    "verbatim": _words_covered,
    "shapley": _highest,
    "reported": _scores_kept,
    "uniform": _any,
}


def _values(heights: Heights, worth: Worth) -> dict[str, Fraction]:
    """Shapley values by their definition: the mean gain over all sets of others."""
    count = len(heights)
    found = {}
    for work in heights:
        others = [each for each in heights if each != work]
        total = Fraction(0)
        for size in range(count):
            weight = Fraction(factorial(size) * factorial(count - size - 1), factorial(count))
            for subset in combinations(others, size):
                total += weight * (worth(heights, [*subset, work]) - worth(heights, subset))
        found[work] = total
    return found


@pytest.mark.parametrize("method", GAMES)
@settings(max_examples=30)
@given(heights=HEIGHTS)
def test_shares_are_the_shapley_values_of_the_game(method: str, heights: dict[str, int]) -> None:
    found = shares(METHODS[method](heights))

    for work, value in _values(heights, GAMES[method]).items():
        assert abs(found.get(work, 0) - value) <= ROUNDED


def _logit(heights: Heights) -> dict[str, float]:
    powers = {work: exp(6 * height / 20) for work, height in heights.items() if height}
    total = exp(3) + sum(powers.values())
    return {work: power / total for work, power in powers.items()}


def _logit_of_the_rest(heights: Heights) -> dict[str, float]:
    covered = _values(heights, _words_covered)
    rest = 1 - float(sum(covered.values()))
    alike = _logit(heights)
    return {work: float(covered[work]) + rest * alike.get(work, 0.0) for work in heights}


CHOICES: dict[str, Callable[[Heights], Mapping[str, float]]] = {
    "similarity": _logit,
    "cascade": _logit_of_the_rest,
}


@pytest.mark.parametrize("method", CHOICES)
@given(heights=HEIGHTS)
def test_shares_are_the_choice_probabilities(method: str, heights: dict[str, int]) -> None:
    """Methods that are no Shapley value follow their formula; a thousandth counts as none."""
    found = shares(METHODS[method](heights))

    for work, chance in CHOICES[method](heights).items():
        assert float(found.get(work, 0)) == pytest.approx(chance, abs=1e-3)


def test_every_method_is_in_the_tables() -> None:
    modules: Sequence[str] = [
        each.NAME for each in (cascade, reported, shapley, similarity, uniform, verbatim)
    ]
    assert set(METHODS) == set(modules) == {*GAMES, *CHOICES}
