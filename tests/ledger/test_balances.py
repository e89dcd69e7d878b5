"""Balances at any instant, and money that changes its currency by two entries in one batch."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import balances, invariants
from ledger.accounts import AccountKind
from ledger.errors import UnknownAccount
from ledger.models import Batch, Entry
from ledger.money import Money
from ledger.posting import Draft, EntryKind, post
from tests.factories import DAY, NOON
from tests.journal import Journal
from tests.ledger.cast import account

CLEARING, BANK = AccountKind.PROVIDER_CLEARING, AccountKind.PLATFORM_BANK


@pytest.mark.usefixtures("db")
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amounts=st.lists(
        st.tuples(st.integers(-50, 50).filter(bool), st.integers(-500, 500)), min_size=1, max_size=8
    ),
    asked=st.lists(st.integers(0, 7), max_size=5),
)
def test_as_of_any_instant_is_what_the_batches_until_then_add_up_to(
    amounts: list[tuple[int, int]], asked: list[int]
) -> None:
    clearing, fee = account(CLEARING), account(AccountKind.PLATFORM_FEE)
    history: list[tuple[datetime, int]] = [
        (datetime.min.replace(tzinfo=UTC), 0),
        *_recorded(fee),
    ]
    for micros, days in amounts:
        # When it happened, told by whoever posts, changes nothing about when it was recorded.
        told = NOON + days * DAY
        legs = ((clearing, -micros), (fee, micros))
        post([Draft(uuid4(), EntryKind.WITHDRAWAL, "EUR", legs, told)], at=NOON)
        history.append((Batch.objects.latest("seq").posted_at, history[-1][1] + micros))
    instants = [instant for instant, _ in history[-len(amounts) :]]
    for instant in (instants[number % len(instants)] for number in asked):
        for nearby in (-1, 0, 1):
            at = instant + timedelta(microseconds=nearby)
            expected = history[bisect_right(history, at, key=lambda row: row[0]) - 1][1]
            assert balances.as_of(fee, at) == Money(expected, "EUR")
    assert balances.as_of(fee, NOON.replace(year=1970)) == Money(0, "EUR")
    assert balances.as_of(fee, instants[-1] + DAY) == balances.balance(fee)
    assert invariants.findings() == []


def _recorded(number: int) -> list[tuple[datetime, int]]:
    """What earlier examples left: the account's lines, oldest first."""
    lines = balances.lines(number).order_by("batch_id")
    return [(line.batch.posted_at, line.balance_micros) for line in lines]


@pytest.mark.usefixtures("sound")
def test_money_changes_its_currency_by_two_entries_in_one_batch(journal: Journal) -> None:
    euros, dollars = account(CLEARING, currency="EUR"), account(CLEARING, currency="USD")
    bank_eur, bank_usd = account(BANK, currency="EUR"), account(BANK, currency="USD")
    out = Draft(uuid4(), EntryKind.WITHDRAWAL, "EUR", ((euros, 100), (bank_eur, -100)), NOON)
    into = Draft(uuid4(), EntryKind.WITHDRAWAL, "USD", ((bank_usd, 108), (dollars, -108)), NOON)

    posted = post([out, into], at=NOON)

    assert len(posted.entry_ids) == 2
    assert Batch.objects.count() == 1
    assert (
        journal()
        == """
        platform:provider-clearing    0.000100 EUR
        platform:bank                -0.000100 EUR

        platform:bank                 0.000108 USD
        platform:provider-clearing   -0.000108 USD
    """
    )
    for number, expected in ((euros, Money(100, "EUR")), (dollars, Money(-108, "USD"))):
        assert balances.balance(number) == expected


@pytest.mark.usefixtures("sound")
def test_both_halves_of_an_exchange_are_posted_or_neither() -> None:
    euros, dollars = account(CLEARING, currency="EUR"), account(CLEARING, currency="USD")
    bank = account(BANK, currency="EUR")
    out = Draft(uuid4(), EntryKind.WITHDRAWAL, "EUR", ((euros, 100), (bank, -100)), NOON)
    mixed = Draft(uuid4(), EntryKind.WITHDRAWAL, "USD", ((bank, 100), (dollars, -100)), NOON)
    with pytest.raises((UnknownAccount, IntegrityError)), transaction.atomic():
        post([out, mixed], at=NOON)
    assert not Entry.objects.exists()
