"""Holds: money set aside is really moved, ends once, and nobody spends it meanwhile."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import balances, holds, invariants
from ledger.accounts import AccountKind
from ledger.errors import CannotHold, InvalidDraft, KeyReused, UnknownHold
from ledger.gateway_paper import PaperGateway
from ledger.holds import HoldRequest, Settlement
from ledger.models import Hold
from ledger.money import Money
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.vocabulary import HoldStatus
from registry.models import Creator, Operator
from tests.factories import DAY, NOON
from tests.journal import Journal
from tests.ledger.cast import account, attempt, earn_available, tamper, top_up

PREPAID, AVAILABLE = AccountKind.OPERATOR_PREPAID, AccountKind.CREATOR_AVAILABLE


def request(
    owner: Operator | Creator, micros: int, *, name: str = "q1", kind: AccountKind = PREPAID
) -> HoldRequest:
    return HoldRequest(key_for(name), kind, owner.pk, Money(micros, "EUR"), NOON + DAY)


def settlement(name: str, *credits_: tuple[int, int]) -> Settlement:
    return Settlement(key_for(name), credits_, key_for(f"entry {name}"))


@pytest.fixture
def funded(acme: Operator, gateway: PaperGateway) -> None:
    top_up(acme, 50, gateway=gateway)


@pytest.mark.usefixtures("funded", "sound")
def test_what_is_settled_goes_out_and_the_rest_comes_back(
    acme: Operator, ada: Creator, journal: Journal
) -> None:
    journal()
    reserved = holds.reserve_many([request(acme, 10_000)], at=NOON)
    assert reserved.refused == {}
    assert [hold.status for hold in reserved.holds.values()] == ["reserved"]
    pending = account(AccountKind.CREATOR_PENDING, ada)
    ended = holds.settle_many([settlement("q1", (pending, 9_000))], at=NOON)
    assert ended.done == {key_for("q1")}
    assert (
        journal()
        == """
        operator:acme:prepaid    -0.010000 EUR
        operator:acme:reserved    0.010000 EUR

        operator:acme:reserved   -0.010000 EUR
        creator:ada:pending       0.009000 EUR
        operator:acme:prepaid     0.001000 EUR
    """
    )
    hold = Hold.objects.get()
    assert (hold.status, hold.settled_micros) == ("settled", 9_000)


@pytest.mark.usefixtures("sound")
def test_a_creators_available_money_is_held_and_released(
    acme: Operator, ada: Creator, gateway: PaperGateway
) -> None:
    top_up(acme, 50, gateway=gateway)
    earn_available(ada, acme, 3_000_000)
    holds.reserve_many([request(ada, 3_000_000, kind=AVAILABLE)], at=NOON)
    assert balances.balance(account(AVAILABLE, ada)).micros == 0
    assert holds.release_many([key_for("q1")], at=NOON).done == {key_for("q1")}
    assert balances.balance(account(AVAILABLE, ada)).micros == 3_000_000


@pytest.mark.usefixtures("funded", "sound")
def test_nobody_holds_or_spends_more_than_there_is(acme: Operator, ada: Creator) -> None:
    asked = [request(acme, 20_000_000, name=f"q{n}") for n in range(3)]
    reserved = holds.reserve_many(asked, at=NOON)
    assert set(reserved.holds) == {key_for("q0"), key_for("q1")}
    assert set(reserved.refused) == {key_for("q2")}
    legs = (
        (account(PREPAID, acme), -20_000_000),
        (account(AccountKind.CREATOR_PENDING, ada), 20_000_000),
    )
    assert post([Draft(uuid4(), EntryKind.QUERY, "EUR", legs, NOON)], at=NOON).refused

    holds.release_many([key_for("q0")], at=NOON)
    again = holds.reserve_many(asked, at=NOON)
    assert set(again.refused) == {key_for("q2")}, "a refused key stays refused"
    assert again.holds[key_for("q0")].status == "released", "and an ended hold ended"
    assert holds.reserve_many([request(acme, 30_000_000, name="new")], at=NOON).refused == {}


@pytest.mark.usefixtures("funded", "sound")
def test_a_hold_ends_once(acme: Operator, ada: Creator, journal: Journal) -> None:
    holds.reserve_many([request(acme, 10_000)], at=NOON)
    pending = account(AccountKind.CREATOR_PENDING, ada)
    paid = settlement("q1", (pending, 10_000))
    holds.settle_many([paid], at=NOON)
    journal()
    assert holds.settle_many([paid], at=NOON).done == {key_for("q1")}
    late = holds.release_many([key_for("q1")], at=NOON)
    assert (late.done, late.otherwise) == (set(), {key_for("q1"): HoldStatus.SETTLED})
    assert holds.expire_due(at=NOON + 2 * DAY) == 0
    assert journal() == ""
    with pytest.raises(KeyReused):
        holds.settle_many([settlement("q1", (pending, 9_999))], at=NOON)


@pytest.mark.usefixtures("funded", "sound")
def test_what_nobody_settles_in_time_expires(acme: Operator, ada: Creator) -> None:
    holds.reserve_many([request(acme, 10_000), request(acme, 5_000, name="q2")], at=NOON)
    assert holds.expire_due(at=NOON + DAY - timedelta(seconds=1)) == 0
    holds.release_many([key_for("q2")], at=NOON)
    assert holds.expire_due(at=NOON + DAY) == 1
    assert balances.balance(account(PREPAID, acme)).micros == 50_000_000
    late = settlement("q1", (account(AccountKind.CREATOR_PENDING, ada), 10_000))
    assert holds.settle_many([late], at=NOON).otherwise == {key_for("q1"): HoldStatus.EXPIRED}


@pytest.mark.usefixtures("funded", "sound")
def test_senseless_holds_are_refused(acme: Operator, ada: Creator) -> None:
    pending = account(AccountKind.CREATOR_PENDING, ada)
    with pytest.raises(CannotHold):
        holds.reserve_many([request(acme, 0)], at=NOON)
    with pytest.raises(CannotHold):
        holds.reserve_many([request(ada, 5, kind=AccountKind.CREATOR_PENDING)], at=NOON)
    with pytest.raises(UnknownHold):
        holds.release_many([key_for("q1")], at=NOON)
    with pytest.raises(UnknownHold):
        holds.settle_many([settlement("q1", (pending, 1))], at=NOON)
    holds.reserve_many([request(acme, 10_000)], at=NOON)
    for credits_ in ([], [(pending, 10_001)], [(pending, 5), (pending, -1)]):
        with pytest.raises(InvalidDraft):
            holds.settle_many([settlement("q1", *credits_)], at=NOON)
    assert Hold.objects.get().status == "reserved"


@pytest.mark.usefixtures("funded", "sound")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_hold SET amount_micros = 1",
        "UPDATE ledger_hold SET expires_at = now() + interval '1 year'",
        "UPDATE ledger_hold SET status = 'reserved', ended_at = NULL WHERE status = 'released'",
        "DELETE FROM ledger_hold",
        "TRUNCATE ledger_hold CASCADE",
    ],
)
@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
def test_postgresql_keeps_holds_as_they_are(acme: Operator, sql: str, role: str) -> None:
    holds.reserve_many([request(acme, 10_000)], at=NOON)
    holds.release_many([key_for("q1")], at=NOON)
    refused = "append-only|permission denied|stays so|is fixed"
    with pytest.raises((IntegrityError, ProgrammingError), match=refused):
        attempt(role, sql)


@pytest.mark.usefixtures("funded")
def test_the_audit_finds_a_hold_without_its_money(acme: Operator) -> None:
    holds.reserve_many([request(acme, 10_000)], at=NOON)
    assert invariants.findings() == []
    tamper("ledger_hold", "UPDATE ledger_hold SET amount_micros = 9000")
    assert [finding.invariant for finding in invariants.findings()] == ["holds"]


@pytest.mark.usefixtures("committed_db")
def test_settling_and_releasing_at_once_ends_each_hold_one_way() -> None:
    acme = Operator.objects.create(handle="acme", name="Acme", created_at=NOON)
    clearing, prepaid = account(AccountKind.PROVIDER_CLEARING), account(PREPAID, acme)
    fee = account(AccountKind.PLATFORM_FEE)
    legs = ((clearing, -1_000), (prepaid, 1_000))
    post([Draft(uuid4(), EntryKind.TOPUP, "EUR", legs, NOON)], at=NOON)
    names = [f"q{n}" for n in range(40)]
    holds.reserve_many([request(acme, 20, name=name) for name in names], at=NOON)
    settled: list[set[UUID]] = []
    released: list[set[UUID]] = []

    def settle() -> None:
        settled.extend(
            holds.settle_many([settlement(name, (fee, 20))], at=NOON).done for name in names
        )
        connection.close()

    def release() -> None:
        released.extend(
            holds.release_many([key_for(name)], at=NOON).done for name in reversed(names)
        )
        connection.close()

    threads = [threading.Thread(target=deed) for deed in (settle, release)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    paid, given_back = set().union(*settled), set().union(*released)
    assert paid.isdisjoint(given_back)
    assert len(paid | given_back) == 40
    assert balances.balance(prepaid).micros == 1_000 - 20 * len(paid)
    assert invariants.findings() == []


@pytest.mark.usefixtures("db")
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["reserve", "settle", "release", "expire"]),
            st.integers(0, 4),
            st.integers(1, 40),
        ),
        max_size=20,
    )
)
def test_money_held_is_never_lost_or_spent_twice(
    acme: Operator, steps: list[tuple[str, int, int]], run: Any
) -> None:
    """Prepaid + reserved + paid out is what was there before, whatever happens in which order."""
    run.count += 1
    prepaid, fee = account(PREPAID, acme), account(AccountKind.PLATFORM_FEE)
    clearing = account(AccountKind.PROVIDER_CLEARING)
    legs = ((clearing, -100), (prepaid, 100))
    post([Draft(uuid4(), EntryKind.TOPUP, "EUR", legs, NOON)], at=NOON)
    before = -balances.balance(clearing).micros
    for deed, number, micros in steps:
        name = f"{run.count} {number}"
        known = Hold.objects.filter(key=key_for(name)).first()
        if deed == "reserve" and known is None:
            holds.reserve_many([request(acme, micros, name=name)], at=NOON)
        elif deed == "settle" and known and known.status == "reserved":
            part = min(micros, known.amount_micros)
            holds.settle_many([settlement(name, (fee, part))], at=NOON)
        elif deed == "release" and known:
            holds.release_many([known.key], at=NOON)
        elif deed == "expire":
            holds.expire_due(at=NOON + DAY)
    reserved = account(AccountKind.OPERATOR_RESERVED, acme)
    total = balances.balances([prepaid, reserved, fee])
    assert sum(money.micros for money in total.values()) == before
    assert invariants.findings() == []


@pytest.fixture
def run() -> Any:
    class Run:
        count = 0

    return Run()
