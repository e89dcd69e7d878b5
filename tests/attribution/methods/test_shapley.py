"""The closed forms equal the Shapley value's definition, and copying gains nothing."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import combinations, permutations
from math import factorial, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.errors import InvalidEvidence
from attribution.methods import shapley
from attribution.methods.clusters import leaders
from attribution.methods.evidence import Weights, WorkWeight

MILLION = 1_000_000
RELEVANCES = st.lists(st.integers(0, MILLION), min_size=1, max_size=7).map(
    lambda numbers: {f"w{at}": number for at, number in enumerate(numbers)}
)


def subsets(players: Iterable[str]) -> list[frozenset[str]]:
    names = sorted(players)
    return [frozenset(s) for size in range(len(names) + 1) for s in combinations(names, size)]


def by_definition(
    players: Iterable[str], worth: Callable[[frozenset[str]], Fraction]
) -> dict[str, Fraction]:
    """The value, written without the module under test: over all coalitions without the player."""
    names = sorted(players)
    count = len(names)
    value = dict.fromkeys(names, Fraction(0))
    for coalition in subsets(names):
        for player in set(names) - coalition:
            chance = Fraction(
                factorial(len(coalition)) * factorial(count - len(coalition) - 1), factorial(count)
            )
            value[player] += chance * (worth(coalition | {player}) - worth(coalition))
    return value


def k_largest(relevances: dict[str, int], k: int) -> Callable[[frozenset[str]], Fraction]:
    return lambda coalition: Fraction(
        sum(sorted((relevances[work] for work in coalition), reverse=True)[:k]), k
    )


def share(weights: Weights, work: str) -> Fraction:
    return Fraction(sum(e.weight for e in weights.works if e.work == work), weights.total)


@settings(max_examples=40, deadline=None)
@given(relevances=RELEVANCES, k=st.integers(1, 4))
def test_values_equal_the_shapley_value_by_definition(relevances: dict[str, int], k: int) -> None:
    assert shapley.values(relevances, neighbours=k) == by_definition(
        relevances, k_largest(relevances, k)
    )


@given(relevances=RELEVANCES)
def test_values_add_up_to_the_best_relevance(relevances: dict[str, int]) -> None:
    assert sum(shapley.values(relevances).values()) == max(relevances.values())


@given(relevances=RELEVANCES)
def test_a_work_without_relevance_gets_nothing(relevances: dict[str, int]) -> None:
    with_null = shapley.values(relevances | {"null": 0})

    assert with_null == shapley.values(relevances) | {"null": 0}


@given(relevances=RELEVANCES)
def test_equal_works_get_the_same(relevances: dict[str, int]) -> None:
    found = shapley.values(relevances | {"twin": relevances["w0"]})

    assert found["twin"] == found["w0"]


@given(relevances=RELEVANCES, more=st.integers(0, MILLION), k=st.integers(1, 3))
def test_a_more_relevant_work_never_gets_less(
    relevances: dict[str, int], more: int, k: int
) -> None:
    raised = relevances | {"w0": max(relevances["w0"], more)}

    before = shapley.values(relevances, neighbours=k)["w0"]

    assert shapley.values(raised, neighbours=k)["w0"] >= before


@given(relevances=RELEVANCES, data=st.data())
def test_the_order_of_works_changes_nothing(
    relevances: dict[str, int], data: st.DataObject
) -> None:
    shuffled = dict(data.draw(st.permutations(sorted(relevances.items()))))

    assert shapley.weigh([shuffled]) == shapley.weigh([relevances])


@given(relevances=RELEVANCES, copies=st.integers(1, 20))
def test_without_clusters_copies_gain_but_never_more_than_their_own_relevance(
    relevances: dict[str, int], copies: int
) -> None:
    """With one neighbour; it is clusters that take even this gain away."""
    cloned = relevances | {f"copy{n}": relevances["w0"] for n in range(copies)}
    found = shapley.values(cloned)

    together = found["w0"] + sum(found[f"copy{n}"] for n in range(copies))

    assert together >= shapley.values(relevances)["w0"]
    assert together <= relevances["w0"]


@given(relevances=RELEVANCES, copies=st.integers(1, 20))
def test_copies_in_one_cluster_gain_nothing(relevances: dict[str, int], copies: int) -> None:
    cloned = relevances | {f"x{n}": relevances["w0"] for n in range(copies)}
    leader = leaders(list(cloned), [("w0", f"x{n}") for n in range(copies)])
    clustered = {
        work: max(cloned[each] for each in cloned if leader[each] == work)
        for work in set(leader.values())
    }

    assert shapley.weigh([clustered]) == shapley.weigh([relevances])


def test_weigh_averages_passages_and_leaves_the_rest_unattributed() -> None:
    """First passage: Ada 0.8, Ben 0.4, so 0.6 and 0.2; second: Ben alone, 0.5."""
    passages = [{"ada": 800_000, "ben": 400_000}, {"ben": 500_000}]

    found = shapley.weigh(passages)

    assert found == Weights((WorkWeight("ada", 6), WorkWeight("ben", 7)), 7)


@given(passages=st.lists(RELEVANCES, max_size=4))
def test_weigh_gives_the_whole_away_exactly(passages: list[dict[str, int]]) -> None:
    found = shapley.weigh(passages)

    names = {work for passage in passages for work in passage}
    assert (
        sum(share(found, work) for work in names) + Fraction(found.unattributed, found.total) == 1
    )


def test_weigh_pays_nobody_for_an_output_without_passages() -> None:
    assert shapley.weigh([]) == Weights((), 1)


@pytest.mark.parametrize("relevance", [-1, MILLION + 1])
def test_weigh_refuses_a_relevance_out_of_bounds(relevance: int) -> None:
    with pytest.raises(InvalidEvidence):
        shapley.weigh([{"ada": relevance}])


def test_values_need_a_neighbour() -> None:
    with pytest.raises(ValueError, match="at least one neighbour"):
        shapley.values({"ada": 1}, neighbours=0)


UTILITIES = st.lists(st.floats(-50, 0), min_size=16, max_size=16).map(
    lambda numbers: dict(zip(subsets("abcd"), numbers, strict=True))
)


@given(utilities=UTILITIES)
def test_an_audit_over_all_orders_equals_the_definition(
    utilities: dict[frozenset[str], float],
) -> None:
    found = shapley.audit(list(permutations("abcd")), utilities)

    exact = by_definition("abcd", lambda coalition: Fraction(utilities[coalition]))
    assert found.values == pytest.approx({g: float(v) for g, v in exact.items()}, abs=1e-9)


@given(seed=st.integers(0, 1000))
def test_drawn_orders_come_in_reversed_pairs_of_all_groups(seed: int) -> None:
    orders = shapley.draw_orders(["c", "a", "b"], pairs=3, seed=seed)

    assert [sorted(order) for order in orders] == [["a", "b", "c"]] * 6
    assert [order[::-1] for order in orders[::2]] == list(orders[1::2])
    assert orders == shapley.draw_orders(["a", "b", "c"], pairs=3, seed=seed)


@given(seed=st.integers(0, 50), weights=st.lists(st.floats(0.1, 5), min_size=5, max_size=5))
def test_a_sampled_audit_is_exact_for_additive_games(seed: int, weights: list[float]) -> None:
    worth = dict(zip("abcde", weights, strict=True))
    orders = shapley.draw_orders("abcde", pairs=2, seed=seed)
    utilities = {s: sum(worth[g] for g in s) for s in shapley.subsets_of(orders)}

    found = shapley.audit(orders, utilities)

    assert found.values == pytest.approx(worth)
    assert max(found.standard_errors.values()) < 1e-9


def test_more_orders_come_closer_to_the_value() -> None:
    """Log-likelihoods are concave in data: log(1 + size of the set's data)."""
    sizes = {"a": 1, "b": 2, "c": 4, "d": 8, "e": 16, "f": 32}
    utilities = {s: log(1 + sum(sizes[g] for g in s)) for s in subsets(sizes)}
    exact = by_definition(sizes, lambda coalition: Fraction(utilities[coalition]))

    found = shapley.audit(shapley.draw_orders(list(sizes), pairs=200, seed=1), utilities)

    for group, value in exact.items():
        assert abs(found.values[group] - value) < 5 * max(found.standard_errors[group], 1e-3)
        assert found.standard_errors[group] < 0.05


def test_a_group_that_harms_an_output_is_paid_nothing() -> None:
    utilities = {
        frozenset(): -10.0, frozenset("a"): -6.0, frozenset("b"): -12.0, frozenset("ab"): -8.0,
    }  # fmt: skip

    found = shapley.audit([("a", "b"), ("b", "a")], utilities)

    assert found.values == {"a": 4.0, "b": -2.0}
    assert found.weights == Weights((WorkWeight("a", 1),), 0)


def test_an_audit_needs_every_subset() -> None:
    with pytest.raises(InvalidEvidence, match="2 subsets"):
        shapley.audit([("a", "b")], {frozenset("a"): -1.0, frozenset(): float("nan")})


@pytest.mark.parametrize("groups", [[], ["a", "a"], [f"g{n}" for n in range(21)]])
def test_an_audit_is_of_few_groups_named_once(groups: list[str]) -> None:
    with pytest.raises(ValueError, match="1 to 20 groups"):
        shapley.draw_orders(groups, pairs=1, seed=0)


def test_an_audit_needs_an_order() -> None:
    with pytest.raises(ValueError, match="at least one order"):
        shapley.audit([], {})
