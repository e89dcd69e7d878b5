"""A correction gives and takes; a decrease is borne by pending money, debt, then the platform."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.accounts import AccountKey, AccountKind, account_id
from ledger.corrections import Correction, _plan, correct
from ledger.invariants import findings
from ledger.posting import Draft, EntryKind, key_for, post
from registry.models import Creator
from tests.factories import NOON, make_creator
from tests.journal import Journal

PENDING, POOL = AccountKind.CREATOR_PENDING, AccountKind.POOL


@pytest.fixture
def ada(db: None) -> Creator:
    return make_creator("ada")


@pytest.fixture
def ben(db: None) -> Creator:
    return make_creator("ben")


def earned(creator: Creator, micros: int) -> None:
    legs = (
        (account_id(AccountKind.PROVIDER_CLEARING, None, "EUR"), -micros),
        (account_id(PENDING, creator.pk, "EUR"), micros),
    )
    draft = Draft(key_for(f"test:{creator.pk}:{micros}"), EntryKind.QUERY, "EUR", legs, NOON)
    post([draft], at=NOON)


def test_what_one_gets_another_gives(ada: Creator, ben: Creator) -> None:
    earned(ben, 500)
    journal = Journal()
    journal()

    changes: dict[AccountKey, int] = {(PENDING, ada.pk, "EUR"): 300, (PENDING, ben.pk, "EUR"): -300}
    found = correct([Correction("test:1", "EUR", changes)], at=NOON)

    assert (
        journal()
        == """
        creator:ada:pending   0.000300 EUR
        creator:ben:pending  -0.000300 EUR
    """
    )
    assert found["test:1"].borne == {}
    assert findings() == []


def test_a_decrease_is_borne_by_pending_then_debt_then_the_platform(
    ada: Creator, ben: Creator, settings: Any
) -> None:
    settings.CREATOR_DEBT_MAXIMUM_MICROS = 250
    earned(ben, 100)
    journal = Journal()
    journal()
    ada_s: AccountKey = (PENDING, ada.pk, "EUR")
    ben_s: AccountKey = (PENDING, ben.pk, "EUR")

    found = correct(
        [
            Correction("test:1", "EUR", {ada_s: 200, ben_s: -200}),
            Correction("test:2", "EUR", {ada_s: 300, ben_s: -300}),
        ],
        at=NOON,
    )

    assert sorted(str(journal()).splitlines()) == sorted(
        str(line)
        for line in [
            f"{'creator:ada:pending':<40}{'0.000200 EUR':>22}",
            f"{'creator:ben:pending':<40}{'-0.000100 EUR':>22}",
            f"{'creator:ben:debt':<40}{'-0.000100 EUR':>22}",
            "",
            f"{'creator:ada:pending':<40}{'0.000300 EUR':>22}",
            f"{'creator:ben:debt':<40}{'-0.000150 EUR':>22}",
            f"{'platform:fee':<40}{'-0.000150 EUR':>22}",
        ]
    )
    assert [found[name].borne for name in ("test:1", "test:2")] == [{}, {ben_s: 150}]
    assert findings() == []


def test_a_pool_that_is_empty_is_not_overdrawn(ada: Creator) -> None:
    found = correct(
        [Correction("test:1", "EUR", {(PENDING, ada.pk, "EUR"): 7, (POOL, None, "EUR"): -7})],
        at=NOON,
    )

    assert found["test:1"].borne == {(POOL, None, "EUR"): 7}
    assert findings() == []


def test_a_correction_adds_up(ada: Creator) -> None:
    with pytest.raises(AssertionError):
        correct([Correction("test:1", "EUR", {(PENDING, ada.pk, "EUR"): 7})], at=NOON)


@given(
    changes=st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=5),
    held=st.lists(st.integers(0, 1_000), min_size=5, max_size=5),
    owed=st.lists(st.integers(0, 250), min_size=5, max_size=5),
)
def test_a_plan_balances_and_breaks_no_limit(
    changes: list[int], held: list[int], owed: list[int]
) -> None:
    most = 20_000_000
    owners = [f"cre_{number}" for number in range(5)]
    balances: Counter[AccountKey] = Counter()
    for owner, amount in zip(owners, held, strict=True):
        balances[PENDING, owner, "EUR"] = amount
    for owner, amount in zip(owners, owed, strict=True):
        balances[AccountKind.CREATOR_DEBT, owner, "EUR"] = -amount
    said: dict[AccountKey, int] = {
        (PENDING, owner, "EUR"): c for owner, c in zip(owners, changes, strict=False)
    }
    said[POOL, None, "EUR"] = -sum(changes)
    balances[POOL, None, "EUR"] = 500

    legs, borne = _plan(Correction("x", "EUR", said), balances)

    assert sum(legs.values()) == 0
    assert all(micros > 0 for micros in borne.values())
    for owner, change in zip(owners, changes, strict=False):
        pending: AccountKey = (PENDING, owner, "EUR")
        debt: AccountKey = (AccountKind.CREATOR_DEBT, owner, "EUR")
        assert balances[pending] >= 0
        assert -most <= balances[debt] <= 0
        moved = legs.get(pending, 0) + legs.get(debt, 0)
        assert moved == change + borne.get(pending, 0)
    assert balances[POOL, None, "EUR"] >= 0
