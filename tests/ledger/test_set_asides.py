"""Disputed and unclaimed money: on record for what, handed over once, to whom it belongs."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import balances, disputed, invariants, set_asides, unclaimed
from ledger.accounts import AccountKind
from ledger.errors import NothingToSplit
from ledger.gateway_paper import PaperGateway
from ledger.models import SetAside
from ledger.money import Money
from ledger.posting import Draft, EntryKind, post
from ledger.set_asides import Aside, _draft, _Released
from registry.models import Creator, Operator
from tests.factories import DAY, NOON
from tests.journal import Journal
from tests.ledger.cast import account, attempt, tamper, top_up

WORK, OTHER = "wrk_01jzj6t3v7e8qs9f3c5m2k4x7a", "wrk_01jzj6t3v7e8qs9f3c5m2k4x7b"
HOLDING = timedelta(days=30)
DISPUTED, UNCLAIMED = AccountKind.CREATOR_DISPUTED, AccountKind.UNCLAIMED


@pytest.fixture(autouse=True)
def funded(acme: Operator, gateway: PaperGateway) -> None:
    top_up(acme, 50, gateway=gateway)


def credit(
    operator: Operator,
    kind: AccountKind,
    creator: Creator | None,
    micros: int,
    *,
    subject: str = WORK,
    at: datetime = NOON,
) -> Aside:
    """A query's part goes to an account where it waits, as settlement will do it."""
    target = account(kind, creator)
    key = uuid4()
    legs = ((account(AccountKind.OPERATOR_PREPAID, operator), -micros), (target, micros))
    posted = post([Draft(key, EntryKind.QUERY, "EUR", legs, at)], at=at)
    aside = Aside(target, subject, micros, posted.entry_ids[key])
    set_asides.record([aside], at=at)
    return aside


@pytest.mark.usefixtures("sound")
def test_the_winner_gets_what_was_set_aside_with_either_claimant(
    acme: Operator, ada: Creator, ben: Creator, journal: Journal
) -> None:
    credit(acme, DISPUTED, ada, 3_000, at=NOON - 40 * DAY)
    credit(acme, DISPUTED, ben, 1_000)
    credit(acme, DISPUTED, ben, 500, subject=OTHER)
    journal()
    moved = disputed.release(WORK, to={ada.pk: 1}, holding=HOLDING, at=NOON)
    assert moved == [Money(4_000, "EUR")]
    assert (
        journal()
        == """
        creator:ada:disputed    -0.003000 EUR
        creator:ben:disputed    -0.001000 EUR
        creator:ada:available    0.003000 EUR
        creator:ada:pending      0.001000 EUR
    """
    )
    assert disputed.release(WORK, to={ben.pk: 1}, holding=HOLDING, at=NOON) == []
    assert balances.balance(account(DISPUTED, ben)).micros == 500
    assert SetAside.objects.get(released_at=None).subject == OTHER


@pytest.mark.usefixtures("sound")
def test_co_owners_share_what_was_disputed(acme: Operator, ada: Creator, ben: Creator) -> None:
    credit(acme, DISPUTED, ada, 1_001)
    disputed.release(WORK, to={ada.pk: 1, ben.pk: 1}, holding=HOLDING, at=NOON)
    pending = [balances.balance(account(AccountKind.CREATOR_PENDING, who)) for who in (ada, ben)]
    assert sorted(money.micros for money in pending) == [500, 501]
    with pytest.raises(NothingToSplit):
        disputed.release(WORK, to={}, holding=HOLDING, at=NOON)


@pytest.mark.usefixtures("sound")
def test_a_found_rightsholder_claims_what_waited(
    acme: Operator, ada: Creator, ben: Creator
) -> None:
    credit(acme, UNCLAIMED, None, 700)
    credit(acme, UNCLAIMED, None, 200, subject=ben.pk)
    credit(acme, UNCLAIMED, None, 100, subject=OTHER)
    for _ in range(2):
        unclaimed.claim(WORK, by=ada, holding=timedelta(0), at=NOON)
        unclaimed.claim(ben.pk, by=ada, holding=timedelta(0), at=NOON)
    assert balances.balance(account(AccountKind.CREATOR_AVAILABLE, ada)).micros == 900
    assert balances.balance(account(UNCLAIMED)).micros == 100


@pytest.mark.usefixtures("sound")
def test_recording_twice_is_recording_once(acme: Operator) -> None:
    aside = credit(acme, UNCLAIMED, None, 700)
    set_asides.record([aside, aside], at=NOON)
    assert SetAside.objects.count() == 1


def test_the_audit_finds_money_set_aside_for_nothing(acme: Operator) -> None:
    credit(acme, UNCLAIMED, None, 700)
    assert invariants.findings() == []
    tamper("ledger_setaside", "UPDATE ledger_setaside SET amount_micros = 699")
    assert [finding.invariant for finding in invariants.findings()] == ["set_asides"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_setaside SET amount_micros = 1",
        "UPDATE ledger_setaside SET released_at = NULL",
        "DELETE FROM ledger_setaside",
        "TRUNCATE ledger_setaside",
    ],
)
@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
def test_postgresql_keeps_what_was_set_aside(
    acme: Operator, ada: Creator, sql: str, role: str
) -> None:
    credit(acme, UNCLAIMED, None, 700)
    unclaimed.claim(WORK, by=ada, holding=HOLDING, at=NOON)
    refused = r"append-only|permission denied|released once"
    with pytest.raises((IntegrityError, ProgrammingError), match=refused):
        attempt(role, sql)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**9)), min_size=1, max_size=5),
    weights=st.lists(st.integers(1, 10**6), min_size=1, max_size=4),
)
def test_a_release_loses_nothing(
    ada: Creator, ben: Creator, rows: list[tuple[int, int]], weights: list[int]
) -> None:
    released = [_Released(n + 1, 978, *amounts, n) for n, amounts in enumerate(rows)]
    winners = dict(zip((ada.pk, ben.pk), weights, strict=False))
    draft = _draft(released, winners, at=NOON)
    assert sum(amount for _, amount in draft.legs) == 0
    assert sum(amount for _, amount in draft.legs if amount > 0) == sum(map(sum, rows))
