"""One hold for many parts: each part leaves once, and what is left is what lies reserved."""

from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import balances, chargebacks, drawing, holds, invariants
from ledger.accounts import AccountKind
from ledger.drawing import Parts
from ledger.errors import CannotHold
from ledger.gateway import PaymentStatus
from ledger.gateway_paper import PaperGateway
from ledger.models import Hold
from ledger.money import Money
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.vocabulary import HoldStatus
from registry.models import Operator
from tests.factories import DAY, NOON, api_client
from tests.journal import Journal
from tests.ledger.cast import account, attempt, top_up

PREPAID, RESERVED = AccountKind.OPERATOR_PREPAID, AccountKind.OPERATOR_RESERVED
WHOLE = 50_000_000


def parts(owner: Operator, *micros: int, name: str = "call") -> Parts:
    return Parts(key_for(name), PREPAID, owner.pk, "EUR", micros, NOON + DAY)


def pay(owner: Operator, micros: int, *, hold: str, name: str) -> dict[UUID, Any]:
    """Draw on a hold, and post what was drawn to the platform's fee."""
    with transaction.atomic():
        drawn = drawing.take({key_for(hold): micros}, at=NOON)
        for each in drawn.values():
            legs = ((each.reserved_id, -micros), (account(AccountKind.PLATFORM_FEE), micros))
            post([Draft(key_for(name), EntryKind.QUERY, "EUR", legs, NOON)], at=NOON)
    return drawn


@pytest.fixture
def funded(acme: Operator, gateway: PaperGateway) -> None:
    top_up(acme, 50, gateway=gateway)


@pytest.mark.usefixtures("funded", "sound")
def test_a_hold_is_used_up_part_by_part(acme: Operator, journal: Journal) -> None:
    journal()
    assert drawing.reserve([parts(acme, 300, 200)], at=NOON) == {key_for("call"): [True, True]}
    pay(acme, 300, hold="call", name="first")
    assert Hold.objects.get().left_micros == 200
    drawing.give_back({key_for("call"): (150, "second")}, at=NOON)
    drawing.give_back({key_for("call"): (50, "third")}, at=NOON)
    assert (
        journal()
        == """
        operator:acme:prepaid    -0.000500 EUR
        operator:acme:reserved    0.000500 EUR

        operator:acme:reserved   -0.000300 EUR
        platform:fee              0.000300 EUR

        operator:acme:reserved   -0.000150 EUR
        operator:acme:prepaid     0.000150 EUR

        operator:acme:reserved   -0.000050 EUR
        operator:acme:prepaid     0.000050 EUR
    """
    )
    hold = Hold.objects.get()
    assert (hold.status, hold.settled_micros, hold.returned_micros) == ("settled", 300, 200)
    assert hold.ended_at == NOON


@pytest.mark.usefixtures("funded", "sound")
def test_what_ended_is_not_drawn_on(acme: Operator, journal: Journal) -> None:
    drawing.reserve([parts(acme, 300)], at=NOON)
    assert holds.expire_due(at=NOON + DAY) == 1
    journal()
    assert pay(acme, 300, hold="call", name="late") == {}
    drawing.give_back({key_for("call"): (300, "late")}, at=NOON)
    assert journal() == ""


@pytest.mark.usefixtures("funded", "sound")
def test_only_what_is_covered_is_held_and_the_order_counts(acme: Operator) -> None:
    asked = parts(acme, WHOLE - 10, 11, 10, 1)
    assert drawing.reserve([asked], at=NOON)[asked.key] == [True, False, True, False]
    assert balances.balance(account(PREPAID, acme)).micros == 0
    assert balances.balance(account(RESERVED, acme)).micros == WHOLE
    nothing = parts(acme, 1, name="another")
    assert drawing.reserve([nothing], at=NOON)[nothing.key] == [False]
    assert Hold.objects.count() == 1


@pytest.mark.usefixtures("funded", "sound")
def test_a_race_lost_after_looking_is_decided_again(
    acme: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The balance is read, then somebody else spends before the hold is posted."""
    looked, rest = drawing._limits, account(RESERVED, acme)

    def spend_meanwhile(source: int) -> Any:
        found = looked(source)
        monkeypatch.setattr(drawing, "_limits", looked)
        legs = ((source, -WHOLE + 200), (account(AccountKind.PLATFORM_FEE), WHOLE - 200))
        post([Draft(key_for("other"), EntryKind.QUERY, "EUR", legs, NOON)], at=NOON)
        return found

    monkeypatch.setattr(drawing, "_limits", spend_meanwhile)
    asked = parts(acme, 150, 100, 50)
    assert drawing.reserve([asked], at=NOON)[asked.key] == [True, False, True]
    assert balances.balance(rest).micros == 200


@pytest.mark.usefixtures("funded", "sound")
def test_holds_of_the_one_kind_are_not_ended_as_the_other(acme: Operator) -> None:
    drawing.reserve([parts(acme, 300)], at=NOON)
    whole = holds.HoldRequest(key_for("whole"), PREPAID, acme.pk, Money(5, "EUR"), NOON + DAY)
    holds.reserve_many([whole], at=NOON)
    with pytest.raises(CannotHold):
        holds.release_many([key_for("call")], at=NOON)
    assert pay(acme, 5, hold="whole", name="wrong") == {}
    for senseless in (parts(acme, 5, 0), parts(acme), parts(acme, -1)):
        with pytest.raises(CannotHold):
            drawing.reserve([senseless], at=NOON)


@pytest.mark.usefixtures("funded", "sound")
@pytest.mark.parametrize(("settled", "returned"), [(101, 0), (0, 101)])
def test_nobody_draws_more_than_is_left(acme: Operator, settled: int, returned: int) -> None:
    drawing.reserve([parts(acme, 200, 100)], at=NOON)
    pay(acme, 200, hold="call", name="first")
    with pytest.raises(IntegrityError), transaction.atomic():
        drawing._draw({key_for("call"): settled}, {key_for("call"): returned}, at=NOON)


@pytest.mark.usefixtures("funded", "sound")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_hold SET settled_micros = 0",
        "UPDATE ledger_hold SET returned_micros = returned_micros - 1",
        "UPDATE ledger_hold SET in_parts = false",
        "UPDATE ledger_hold SET settled_micros = amount_micros",
    ],
)
@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
def test_postgresql_keeps_what_was_drawn(acme: Operator, sql: str, role: str) -> None:
    drawing.reserve([parts(acme, 200, 100)], at=NOON)
    pay(acme, 100, hold="call", name="first")
    drawing.give_back({key_for("call"): (50, "second")}, at=NOON)
    with pytest.raises((IntegrityError, ProgrammingError)):
        attempt(role, sql)


@pytest.mark.usefixtures("sound")
def test_a_payer_who_takes_money_back_gets_what_it_still_has_first(
    acme: Operator, gateway: PaperGateway, journal: Journal
) -> None:
    """What only waits to be settled is the operator's own money: nobody else pays for it."""
    topup = top_up(acme, 50, gateway=gateway)
    for number in range(3):
        drawing.reserve([parts(acme, 10_000_000, name=f"call {number}")], at=NOON)
    journal()

    back = PaymentStatus(topup.payment_id, 5_000, 3_500, "EUR")
    returned = chargebacks.apply(back, at=NOON)

    assert returned is not None
    assert (returned.prepaid_micros, returned.platform_micros) == (35_000_000, 0)
    left = dict(Hold.objects.values_list("key", "status"))
    assert [left[key_for(f"call {number}")] for number in range(3)] == [
        HoldStatus.RESERVED,
        HoldStatus.RELEASED,
        HoldStatus.RELEASED,
    ]
    assert balances.balance(account(PREPAID, acme)).micros == 5_000_000


@pytest.mark.usefixtures("funded", "sound")
def test_the_balance_says_what_is_kept_aside(acme: Operator) -> None:
    drawing.reserve([parts(acme, 300)], at=NOON)
    told = api_client(acme).get("/v1/balance").json()
    assert told == {
        "balances": [{"amount_micros": WHOLE - 300, "currency": "EUR"}],
        "reserved": [{"amount_micros": 300, "currency": "EUR"}],
    }


@pytest.mark.usefixtures("db")
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["reserve", "take", "give_back", "expire", "free"]),
            st.integers(0, 2),
            st.lists(st.integers(1, 40), min_size=1, max_size=3),
        ),
        max_size=20,
    )
)
def test_whatever_the_order_what_is_left_is_what_lies_reserved(
    acme: Operator, steps: list[tuple[str, int, list[int]]], story: Any
) -> None:
    story.count += 1
    prepaid, reserved = account(PREPAID, acme), account(RESERVED, acme)
    fee, clearing = account(AccountKind.PLATFORM_FEE), account(AccountKind.PROVIDER_CLEARING)
    legs = ((clearing, -100), (prepaid, 100))
    post([Draft(key_for(f"paid {story.count}"), EntryKind.TOPUP, "EUR", legs, NOON)], at=NOON)
    for step, (deed, number, amounts) in enumerate(steps):
        name = f"{story.count} {number}"
        known = Hold.objects.filter(key=key_for(name)).first()
        part = min(amounts[0], known.left_micros) if known else 0
        if deed == "reserve" and known is None:
            before = balances.balance(prepaid).micros
            asked = parts(acme, *amounts, name=name)
            funded = drawing.reserve([asked], at=NOON)[asked.key]
            held = sum(micros for micros, yes in zip(amounts, funded, strict=True) if yes)
            assert balances.balance(prepaid).micros == before - held
            assert all(
                micros > before - held
                for micros, yes in zip(amounts, funded, strict=True)
                if not yes
            )
        elif deed == "take" and part:
            pay(acme, part, hold=name, name=f"{name} {step}")
        elif deed == "give_back" and part:
            drawing.give_back({key_for(name): (part, f"{step}")}, at=NOON)
        elif deed == "expire":
            holds.expire_due(at=NOON + DAY)
        elif deed == "free":
            free = balances.balance(reserved).micros
            holds.free(acme.pk, "EUR", amounts[0], at=NOON)
            assert free - balances.balance(reserved).micros >= min(amounts[0], free)
    total = balances.balances([prepaid, reserved, fee])
    assert sum(money.micros for money in total.values()) == 100 * story.count
    assert invariants.findings() == []


@pytest.fixture
def story() -> Any:
    class Story:
        count = 0

    return Story()
