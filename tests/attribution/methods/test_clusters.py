"""Copying a work gains nothing once copies are one cluster."""

from hypothesis import given
from hypothesis import strategies as st

from attribution.methods import verbatim
from attribution.methods.clusters import leaders
from attribution.methods.evidence import Candidate, Evidence

WORKS = [f"w{number}" for number in range(8)]
PAIRS = st.lists(st.tuples(st.sampled_from(WORKS), st.sampled_from(WORKS)), max_size=12)


def test_a_copy_follows_the_earliest_registration() -> None:
    assert leaders(["ada", "ben", "mallory"], [("mallory", "ada")]) == {
        "ada": "ada",
        "ben": "ben",
        "mallory": "ada",
    }


def test_a_chain_of_small_changes_does_not_merge_its_ends() -> None:
    pairs = [("one", "two"), ("two", "three")]

    assert leaders(["one", "two", "three"], pairs) == {"one": "one", "two": "one", "three": "three"}


def test_pairs_with_works_that_are_no_candidates_are_left_out() -> None:
    assert leaders(["ada"], [("ada", "elsewhere")]) == {"ada": "ada"}


@given(pairs=PAIRS)
def test_every_leader_leads_itself_and_comes_first(pairs: list[tuple[str, str]]) -> None:
    found = leaders(WORKS, pairs)

    assert all(found[leader] == leader for leader in found.values())
    assert all(WORKS.index(leader) <= WORKS.index(work) for work, leader in found.items())


@given(pairs=PAIRS, data=st.data())
def test_the_order_of_pairs_changes_nothing(
    pairs: list[tuple[str, str]], data: st.DataObject
) -> None:
    assert leaders(WORKS, data.draw(st.permutations(pairs))) == leaders(WORKS, pairs)


@given(copies=st.integers(1, 20))
def test_twenty_copies_of_a_work_gain_nothing(copies: int) -> None:
    names = ["ada", "rival", *(f"copy{number}" for number in range(copies))]
    matches = {"ada": {0, 1, 2, 9}} | {name: {2, 3, 4} for name in names[1:]}
    found = leaders(names, [(name, "rival") for name in names[2:]])
    merged = {
        leader: set().union(*(matches[name] for name in names if found[name] == leader))
        for leader in set(found.values())
    }

    def weigh(by_work: dict[str, set[int]]) -> object:
        candidates = [Candidate(work, tuple(sorted(at))) for work, at in sorted(by_work.items())]
        return verbatim.weigh(Evidence(16, 3, tuple(candidates)), min_words=3)

    assert weigh(merged) == weigh({name: matches[name] for name in ("ada", "rival")})
