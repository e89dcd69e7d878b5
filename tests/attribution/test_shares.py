"""The laws of dividing a fee."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.methods.evidence import Weights, WorkWeight
from attribution.shares import PARTS, REMAINDER, Owner, Part, Payee, Shares, share
from ledger.money import Money

WHOLE = 1_000_000
NAMES = ["w1", "w2", "w3", "w4", "w5", "w6"]


def weigh(unattributed: int = 0, **works: int) -> Weights:
    return Weights(tuple(WorkWeight(w, works[w]) for w in sorted(works)), unattributed)


def sole(*works: str) -> dict[str, list[Owner]]:
    return {work: [Owner(f"c{work}", WHOLE)] for work in works}


def fee(micros: int) -> Money:
    return Money(micros, "EUR")


def paid(shares: Shares) -> dict[Payee, int]:
    return {(part.work, part.creator): part.micros for part in shares.parts}


@st.composite
def splits(draw: st.DrawFn) -> tuple[Weights, dict[str, list[Owner]]]:
    """Weights over up to six works with one to three owners each, some of whom are not paid."""
    works = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=6))
    numbers = {work: draw(st.integers(1, 10**6)) for work in works}
    owners = {}
    for work in works:
        cuts = sorted(draw(st.sets(st.integers(1, WHOLE - 1), max_size=2)))
        edges = [0, *cuts, WHOLE]
        owners[work] = [
            Owner(f"c{number}", high - low, draw(st.sampled_from(["", "", "waived"])))
            for number, (low, high) in enumerate(pairwise(edges))
        ]
    least = 0 if works else 1
    return weigh(draw(st.integers(least, 10**6)), **numbers), owners


FEES = st.one_of(st.integers(0, 50), st.integers(0, 10**12))
CARRIES = st.dictionaries(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["c0", "c1"])),
    st.integers(-2 * PARTS, 2 * PARTS),
)


@given(split=splits(), micros=FEES, ppm=st.integers(0, WHOLE), carry=CARRIES)
def test_share_loses_nothing(
    split: tuple[Weights, dict[str, list[Owner]]], micros: int, ppm: int, carry: dict[Payee, int]
) -> None:
    found = share(fee(micros), *split, platform_ppm=ppm, carry=carry)

    amounts = [found.platform, *(part.micros for part in found.parts), found.remainder]
    assert sum(amounts) == micros
    assert all(type(amount) is int and amount >= 0 for amount in amounts)
    assert sum(found.carried.values()) == 0


@given(split=splits(), micros=FEES)
def test_share_is_less_than_a_micro_from_exact_without_a_carry(
    split: tuple[Weights, dict[str, list[Owner]]], micros: int
) -> None:
    found = share(fee(micros), *split, platform_ppm=0, carry={})

    for part in found.parts:
        exact = Fraction(0) if part.withheld else Fraction(micros * part.weight, found.weight)
        assert abs(part.micros - exact) < 1 + Fraction(1, 10**3)


@given(split=splits(), micros=FEES, data=st.data())
def test_share_ignores_the_order_of_owners(
    split: tuple[Weights, dict[str, list[Owner]]], micros: int, data: st.DataObject
) -> None:
    weights, owners = split
    shuffled = {work: data.draw(st.permutations(each)) for work, each in owners.items()}

    assert share(fee(micros), weights, shuffled, platform_ppm=100_000, carry={}) == share(
        fee(micros), weights, owners, platform_ppm=100_000, carry={}
    )


@given(split=splits(), micros=FEES)
def test_share_pays_nothing_to_those_it_is_withheld_from(
    split: tuple[Weights, dict[str, list[Owner]]], micros: int
) -> None:
    found = share(fee(micros), *split, platform_ppm=0, carry={})

    assert all(part.micros == 0 for part in found.parts if part.withheld)
    assert not any(
        (part.work, part.creator) in found.carried for part in found.parts if part.withheld
    )


@given(weight=st.integers(1, 10**6), micros=st.integers(2_000, 10**9))
def test_share_pays_equal_works_alike(weight: int, micros: int) -> None:
    found = share(
        fee(micros), weigh(w1=weight, w2=weight), sole("w1", "w2"), platform_ppm=0, carry={}
    )

    assert abs(found.parts[0].micros - found.parts[1].micros) <= 1


@given(
    weights=st.lists(st.integers(0, 1_000), min_size=2, max_size=6).filter(any),
    fees=st.lists(st.integers(0, 40), min_size=1, max_size=120),
)
def test_tiny_fees_favour_nobody_over_time(weights: list[int], fees: list[int]) -> None:
    numbers = {name: weight for name, weight in zip(NAMES, weights, strict=False) if weight}
    carry: Counter[Payee] = Counter()
    total: Counter[Payee] = Counter()
    for micros in fees:
        found = share(fee(micros), weigh(**numbers), sole(*numbers), platform_ppm=0, carry=carry)
        carry.update(found.carried)
        total.update(paid(found))

    for name, weight in numbers.items():
        exact = Fraction(sum(fees) * weight, sum(weights))
        assert abs(total[name, f"c{name}"] - exact) < 2


@given(
    queries=st.lists(
        st.tuples(st.integers(1, 9), st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True)),
        min_size=1,
        max_size=150,
    )
)  # fmt: skip
def test_tiny_fees_stay_fair_when_the_works_change(queries: list[tuple[int, list[str]]]) -> None:
    carry: Counter[Payee] = Counter()
    total: Counter[Payee] = Counter()
    exact: dict[Payee, Fraction] = {}
    for micros, works in queries:
        numbers = dict.fromkeys(works, 1)
        found = share(fee(micros), weigh(**numbers), sole(*works), platform_ppm=0, carry=carry)
        carry.update(found.carried)
        total.update(paid(found))
        for part in found.parts:
            payee = (part.work, part.creator)
            exact[payee] = exact.get(payee, Fraction(0)) + Fraction(micros, len(works))

    assert sum(carry.values()) == 0
    assert all(abs(total[payee] - exact[payee]) < len(NAMES) for payee in exact)


@pytest.mark.parametrize(
    ("micros", "weights", "each"),
    [(3, (75, 25), (75, 25)), (1, (50, 30, 20), (50, 30, 20)), (10_000, (34, 33, 33), (34, 33, 33))],
)  # fmt: skip
def test_five_thousand_fees_are_shared_as_published(
    micros: int, weights: tuple[int, ...], each: tuple[int, ...]
) -> None:
    numbers = dict(zip(NAMES, weights, strict=False))
    carry: Counter[Payee] = Counter()
    total: Counter[Payee] = Counter()
    for _ in range(5_000):
        found = share(fee(micros), weigh(**numbers), sole(*numbers), platform_ppm=0, carry=carry)
        carry.update(found.carried)
        total.update(paid(found))

    assert [total[name, f"c{name}"] for name in numbers] == [
        5_000 * micros * e // 100 for e in each
    ]


def test_share_takes_the_platforms_part_first_and_splits_the_rest_among_co_owners() -> None:
    owners = {
        "w1": [Owner("ada", 700_000), Owner("ben", 300_000)],
        "w2": [Owner("ben", WHOLE)],
    }

    found = share(fee(10_000), weigh(1, w1=2, w2=1), owners, platform_ppm=100_000, carry={})

    assert found == Shares(
        platform=1_000,
        parts=(
            Part("w1", "ada", 1_400_000, 0, 3_150, ""),
            Part("w1", "ben", 600_000, 0, 1_350, ""),
            Part("w2", "ben", 1_000_000, 0, 2_250, ""),
        ),
        remainder=2_250,
        weight=4_000_000,
        carried={},
        carry={},
    )


def test_share_moves_a_waived_part_to_the_remainder() -> None:
    owners = {"w1": [Owner("ada", 700_000), Owner("ben", 300_000, "waived")]}

    found = share(fee(10_000), weigh(w1=1), owners, platform_ppm=0, carry={})

    assert paid(found) == {("w1", "ada"): 7_000, ("w1", "ben"): 0}
    assert found.remainder == 3_000


def test_share_leaves_an_unattributed_fee_whole() -> None:
    found = share(fee(5), weigh(1), {}, platform_ppm=0, carry={})

    assert (found.parts, found.remainder, found.carried) == ((), 5, {})


def test_the_remainder_waits_its_turn_like_everyone() -> None:
    first = share(fee(1), weigh(1, w1=1), sole("w1"), platform_ppm=0, carry={})
    second = share(fee(1), weigh(1, w1=1), sole("w1"), platform_ppm=0, carry=first.carried)

    assert (paid(first), first.remainder) == ({("w1", "cw1"): 1}, 0)
    assert first.carried == {("w1", "cw1"): -PARTS // 2, REMAINDER: PARTS // 2}
    assert (paid(second), second.remainder) == ({("w1", "cw1"): 0}, 1)
