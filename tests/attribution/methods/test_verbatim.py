"""The laws of the verbatim method, against the Shapley value's own definition."""

from fractions import Fraction
from itertools import permutations
from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods import verbatim
from attribution.methods.evidence import Candidate, Evidence, Weights, WorkWeight

WORDS = 24
NGRAM = 3


def evidence(*candidates: Candidate, words: int = WORDS, ngram: int = NGRAM) -> Evidence:
    return Evidence(words, ngram, candidates)


def at(work: str, *positions: int) -> Candidate:
    return Candidate(work, positions)


def positions() -> st.SearchStrategy[tuple[int, ...]]:
    numbers = st.sets(st.integers(0, WORDS - NGRAM), max_size=12)
    return numbers.map(lambda chosen: tuple(sorted(chosen)))


def games(*, players: int = 7) -> st.SearchStrategy[Evidence]:
    return st.lists(positions(), max_size=players).map(
        lambda all_positions: evidence(
            *(Candidate(f"w{number}", each) for number, each in enumerate(all_positions))
        )
    )


def share(weights: Weights, work: str) -> Fraction:
    found = {each.work: each.weight for each in weights.works}
    return Fraction(found.get(work, 0), weights.total)


def words_covered(coalition: tuple[Candidate, ...], min_words: int) -> int:
    """The worth of a coalition, written without the module under test."""
    words: set[int] = set()
    for candidate in coalition:
        for start in range(WORDS):
            for stop in range(start + min_words, WORDS + 1):
                needed = range(start, stop - NGRAM + 1)
                if all(position in candidate.positions for position in needed):
                    words |= set(range(start, stop))
    return len(words)


def shapley_by_definition(game: Evidence, min_words: int) -> dict[str, Fraction]:
    value = {candidate.work: Fraction(0) for candidate in game.candidates}
    worth = {
        frozenset(chosen): words_covered(chosen, min_words)
        for size in range(len(game.candidates) + 1)
        for chosen in permutations(game.candidates, size)
        if list(chosen) == sorted(chosen, key=lambda each: each.work)
    }
    count = len(game.candidates)
    for coalition, alone in worth.items():
        for candidate in set(game.candidates) - coalition:
            chance = Fraction(
                factorial(len(coalition)) * factorial(count - len(coalition) - 1), factorial(count)
            )
            value[candidate.work] += chance * (worth[coalition | {candidate}] - alone)
    return value


@given(game=games(players=5), min_words=st.integers(NGRAM, 6))
def test_weigh_equals_the_shapley_value_by_definition(game: Evidence, min_words: int) -> None:
    found = verbatim.weigh(game, min_words=min_words)

    for work, worth in shapley_by_definition(game, min_words).items():
        assert share(found, work) == worth / WORDS


def test_weigh_equals_the_shapley_value_for_seven_works() -> None:
    game = evidence(
        at("w0", 0, 1, 2, 3), at("w1", 2, 3, 4), at("w2", 3), at("w3", 0, 10, 11),
        at("w4", 10, 11, 12), at("w5"), at("w6", *range(22)),
    )  # fmt: skip

    found = verbatim.weigh(game, min_words=4)

    assert {w: share(found, w) * WORDS for w in ("w0", "w1", "w2", "w3", "w4", "w5", "w6")} == (
        shapley_by_definition(game, 4)
    )


@given(game=games())
def test_weigh_gives_the_whole_away_exactly(game: Evidence) -> None:
    found = verbatim.weigh(game, min_words=4)

    assert sum(share(found, each.work) for each in found.works) == 1 - Fraction(
        found.unattributed, found.total
    )
    assert Fraction(found.unattributed, found.total) == 1 - Fraction(
        words_covered(game.candidates, 4), WORDS
    )


@given(game=games(players=4), data=st.data())
def test_weigh_ignores_the_order_of_candidates(game: Evidence, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(game.candidates))

    assert verbatim.weigh(evidence(*shuffled)) == verbatim.weigh(game)


@given(game=games(players=4), more=positions())
def test_weigh_treats_equal_works_alike(game: Evidence, more: tuple[int, ...]) -> None:
    twins = evidence(*game.candidates, Candidate("x", more), Candidate("y", more))

    found = verbatim.weigh(twins, min_words=NGRAM)

    assert share(found, "x") == share(found, "y")


@given(game=games(players=4))
def test_weigh_gives_nothing_to_a_work_that_covers_nothing(game: Evidence) -> None:
    with_null = evidence(*game.candidates, Candidate("null", ()))

    assert verbatim.weigh(with_null) == verbatim.weigh(game)


@given(game=games(players=4), extra=st.integers(0, WORDS - NGRAM))
def test_weigh_never_punishes_a_work_for_matching_more(game: Evidence, extra: int) -> None:
    few = evidence(*game.candidates, Candidate("ada", (2, 3)))
    more = evidence(*game.candidates, Candidate("ada", tuple(sorted({2, 3, extra}))))

    before, after = (verbatim.weigh(each, min_words=NGRAM) for each in (few, more))

    assert share(after, "ada") >= share(before, "ada")


def test_a_run_of_three_ngrams_covers_five_words() -> None:
    found = verbatim.weigh(evidence(at("ada", 4, 5, 6), words=10), min_words=5)

    assert found == Weights((WorkWeight("ada", 1, words=5),), unattributed=1)


def test_a_run_below_the_least_length_counts_for_nothing() -> None:
    found = verbatim.weigh(evidence(at("ada", 4, 5), words=10), min_words=5)

    assert found == Weights((), unattributed=1)


def test_overlapping_runs_count_each_word_once() -> None:
    found = verbatim.weigh(evidence(at("ada", 0, 2), words=6), min_words=3)

    assert found == Weights((WorkWeight("ada", 5, words=5),), unattributed=1)


def test_a_shared_word_is_split_equally() -> None:
    found = verbatim.weigh(evidence(at("ada", 0), at("ben", 1), words=4), min_words=3)

    assert found == Weights((WorkWeight("ada", 1, words=3), WorkWeight("ben", 1, words=3)), 0)


def test_a_phrase_found_in_too_many_works_shows_no_origin() -> None:
    game = evidence(at("ada", 0, 5), at("ben", 0), at("eve", 0), words=8)

    found = verbatim.weigh(game, min_words=3, max_sharers=2)

    assert found == Weights((WorkWeight("ada", 3, words=6),), unattributed=5)


@pytest.mark.parametrize("words", [0, 1, 7])
def test_an_output_without_candidates_is_unattributed(words: int) -> None:
    assert verbatim.weigh(evidence(words=words)) == Weights((), unattributed=1)
