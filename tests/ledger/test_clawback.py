"""Who bears a chargeback: nothing is lost, nobody gives more than it got, holds or may owe."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.clawback import Clawback, Creator, plan
from ledger.money import Money

micros = st.integers(0, 10**12)
creators = st.dictionaries(
    st.sampled_from([f"cre_{n}" for n in range(6)]), st.builds(Creator, micros, micros, micros)
)


@given(
    taken_back=st.integers(1, 10**13), prepaid=micros, kept=micros, creators=creators, cap=micros
)
def test_every_micro_is_borne_by_somebody_who_can(
    taken_back: int, prepaid: int, kept: int, creators: dict[str, Creator], cap: int
) -> None:
    borne = plan(Money(taken_back, "EUR"), prepaid=prepaid, kept=kept, creators=creators, cap=cap)
    parts = [*borne.pending.values(), *borne.debt.values()]
    assert borne.prepaid + borne.platform + sum(parts) == taken_back
    assert min([borne.prepaid, borne.platform, *parts]) >= 0
    assert borne.prepaid == min(taken_back, prepaid), "the operator's own money goes first"
    for name, creator in creators.items():
        pending, debt = borne.pending.get(name, 0), borne.debt.get(name, 0)
        assert pending <= creator.pending
        assert pending + debt <= creator.received
        assert creator.owes + debt <= max(cap, creator.owes)
        assert not debt or pending == creator.pending, "pending goes before debt"


@given(taken_back=st.integers(1, 10**9), received=st.lists(st.integers(1, 10**9), min_size=1))
def test_shares_are_in_proportion_to_within_a_micro(taken_back: int, received: list[int]) -> None:
    rich = {f"cre_{n:04}": Creator(got, 10**9, 0) for n, got in enumerate(received)}
    borne = plan(Money(taken_back, "EUR"), prepaid=0, kept=0, creators=rich, cap=0)
    total = sum(received)
    for name, creator in rich.items():
        exact = min(taken_back, total) * creator.received / total
        assert abs(borne.pending.get(name, 0) - exact) <= 1 + exact * 1e-9


def test_the_platform_gives_back_its_part_and_bears_the_rest() -> None:
    borne = plan(
        Money(100, "EUR"),
        prepaid=40,
        kept=10,
        creators={"cre_ada": Creator(30, 5, 0), "cre_ben": Creator(20, 20, 0)},
        cap=12,
    )
    assert borne == Clawback(
        prepaid=40, platform=23, pending={"cre_ada": 5, "cre_ben": 20}, debt={"cre_ada": 12}
    )
