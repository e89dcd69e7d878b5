"""Whatever is posted, in whatever portions: every answer and balance equals a simple model's."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import balances, invariants
from ledger.accounts import AccountKind, account_ids
from ledger.errors import KeyReused
from ledger.posting import Draft, EntryKind, key_for, post
from registry.models import Creator, Operator
from tests.factories import NOON

Legs = tuple[tuple[int, int], ...]


@dataclass
class Model:
    """A ledger in a few lines: account 0 may owe, the others may not."""

    balances: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    answers: dict[str, tuple[Legs, bool]] = field(default_factory=dict)

    def post(self, batch: list[tuple[str, Legs]]) -> dict[str, bool] | None:
        """For each key whether it was posted; None when a key came back with other legs."""
        fresh: dict[str, Legs] = {}
        for key, legs in batch:
            before = self.answers[key][0] if key in self.answers else fresh.get(key, legs)
            if before != legs:
                return None
            if key not in self.answers:
                fresh.setdefault(key, legs)
        everything = self._after(self.balances, *fresh.values())
        for key, legs in fresh.items():
            after = everything if self._sound(everything) else self._after(self.balances, legs)
            funded = self._sound(after)
            self.answers[key] = legs, funded
            if funded and after is not everything:
                self.balances = after
        if self._sound(everything):
            self.balances = everything
        return {key: self.answers[key][1] for key, _ in batch}

    @staticmethod
    def _after(balances: list[int], *entries: Legs) -> list[int]:
        after = list(balances)
        for legs in entries:
            for account, amount in legs:
                after[account] += amount
        return after

    @staticmethod
    def _sound(balances: list[int]) -> bool:
        return all(balance >= 0 for balance in balances[1:])


@st.composite
def drafts(draw: st.DrawFn) -> tuple[str, Legs]:
    key = f"key {draw(st.integers(0, 20))}"
    amounts = draw(st.lists(st.integers(-9, 9).filter(bool), min_size=1, max_size=3))
    accounts = draw(st.permutations(range(1, 4)))
    legs = [*zip(accounts, amounts, strict=False)]
    total = sum(amounts)
    return key, ((0, -total), *legs) if total else (*legs, (0, 5), (0, -5))


@pytest.mark.usefixtures("db")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(st.lists(drafts(), min_size=1, max_size=6), min_size=1, max_size=6))
def test_every_answer_and_balance_equals_the_models(
    acme: Operator, ada: Creator, batches: list[list[tuple[str, Legs]]], example: Any
) -> None:
    currency = example()
    kinds = [
        (AccountKind.PROVIDER_CLEARING, None, currency),
        (AccountKind.OPERATOR_PREPAID, acme.pk, currency),
        (AccountKind.CREATOR_PENDING, ada.pk, currency),
        (AccountKind.CREATOR_AVAILABLE, ada.pk, currency),
    ]
    ids = account_ids(kinds)
    numbers = [ids[kind] for kind in kinds]
    start = [balances.balance(number).micros for number in numbers]
    model = Model(balances=start)

    def key(name: str) -> UUID:
        return key_for(f"{example.count} {name}")

    for batch in batches:
        said = [
            Draft(
                key(name),
                EntryKind.ADJUSTMENT,
                currency,
                tuple((numbers[account], amount) for account, amount in legs),
                NOON,
            )
            for name, legs in batch
        ]
        expected = model.post(batch)
        if expected is None:
            with pytest.raises(KeyReused):
                post(said, at=NOON)
            continue
        answer = post(said, at=NOON)
        assert {name: key(name) in answer.entry_ids for name in expected} == expected
        assert {name: key(name) not in answer.refused for name in expected} == expected
        assert [balances.balance(number).micros for number in numbers] == model.balances
    assert invariants.findings() == []


@pytest.fixture
def example() -> Any:
    """Counts the examples of one test, which share a database."""

    class Example:
        count = 0

        def __call__(self) -> str:
            self.count += 1
            return "EUR"

    return Example()
