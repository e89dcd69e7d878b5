"""A payer takes money back: the operator's own first, then who received it, never silently."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import balances, chargebacks, invariants, maturity, reconciliation, statements
from ledger.accounts import AccountKind
from ledger.errors import UnknownObject
from ledger.gateway import PaymentStatus
from ledger.gateway_paper import PaperGateway
from ledger.models import Balance, PaymentReturn, ProviderEvent, TopUp
from registry.models import Creator, Operator
from tests.factories import NOON
from tests.journal import Journal
from tests.ledger.cast import (
    LATER,
    account,
    attempt,
    earn,
    earn_available,
    hear,
    tamper,
    top_up,
)

PREPAID, PENDING = AccountKind.OPERATOR_PREPAID, AccountKind.CREATOR_PENDING
DEBT = AccountKind.CREATOR_DEBT


def held(kind: AccountKind, owner: Operator | Creator | None = None) -> int:
    return balances.balance(account(kind, owner)).micros


@pytest.mark.usefixtures("sound")
def test_what_is_not_spent_goes_first(
    acme: Operator, ada: Creator, gateway: PaperGateway, journal: Journal
) -> None:
    topup = top_up(acme, 50, gateway=gateway)
    earn(ada, acme, 10_000_000)
    journal()
    gateway.return_payment(topup.payment_id, 3_000)
    hear(gateway)
    hear(gateway)
    assert (
        journal()
        == """
        operator:acme:prepaid       -30.000000 EUR
        platform:provider-clearing   30.000000 EUR
    """
    )
    assert held(PENDING, ada) == 10_000_000


@pytest.mark.usefixtures("sound")
def test_what_is_spent_comes_back_from_pending_in_proportion(
    acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway, journal: Journal
) -> None:
    topup = top_up(acme, 50, gateway=gateway)
    earn(ada, acme, 30_000_000)
    earn(ben, acme, 10_000_000)
    journal()
    gateway.return_payment(topup.payment_id, 3_000)
    hear(gateway)
    assert (
        journal()
        == """
        operator:acme:prepaid       -10.000000 EUR
        creator:ada:pending         -15.000000 EUR
        creator:ben:pending          -5.000000 EUR
        platform:provider-clearing   30.000000 EUR
    """
    )
    (row,) = PaymentReturn.objects.all()
    assert (row.prepaid_micros, row.pending_micros) == (10_000_000, 20_000_000)
    assert (row.debt_micros, row.platform_micros) == (0, 0)


@pytest.mark.usefixtures("sound")
def test_what_is_no_longer_pending_becomes_a_debt_that_earnings_pay(
    acme: Operator, ada: Creator, gateway: PaperGateway, journal: Journal
) -> None:
    first = top_up(acme, 10, gateway=gateway)
    earn_available(ada, acme, 10_000_000)
    gateway.return_payment(first.payment_id, 1_000)
    hear(gateway)
    shown = statements.earnings(ada, currency="EUR")
    assert (shown.available.micros, shown.debt.micros) == (10_000_000, -10_000_000)
    assert shown.earned.micros == 0

    top_up(acme, 50, gateway=gateway)
    journal()
    earn_available(ada, acme, 6_000_000)
    assert (
        journal()
        == """
        operator:acme:prepaid   -6.000000 EUR
        creator:ada:pending      6.000000 EUR

        creator:ada:pending     -6.000000 EUR
        creator:ada:available    6.000000 EUR

        creator:ada:available   -6.000000 EUR
        creator:ada:debt         6.000000 EUR
    """
    )
    earn_available(ada, acme, 6_000_000)
    shown = statements.earnings(ada, currency="EUR")
    assert (shown.available.micros, shown.debt.micros) == (12_000_000, 0)


@pytest.mark.usefixtures("sound")
def test_a_debt_has_a_cap_and_the_platform_bears_the_rest(
    acme: Operator, ada: Creator, gateway: PaperGateway, settings: Any
) -> None:
    settings.CREATOR_DEBT_MAXIMUMS_MICROS = {"EUR": 4_000_000}
    topup = top_up(acme, 10, gateway=gateway)
    earn_available(ada, acme, 10_000_000)
    gateway.return_payment(topup.payment_id, 300)
    hear(gateway)
    gateway.return_payment(topup.payment_id, 700)
    hear(gateway)
    assert (held(DEBT, ada), held(AccountKind.PLATFORM_FEE)) == (-4_000_000, -6_000_000)
    assert [row.number for row in PaymentReturn.objects.order_by("pk")] == [1, 2]


@pytest.mark.usefixtures("sound")
def test_who_received_nothing_of_it_gives_nothing(
    acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway
) -> None:
    top_up(acme, 20, gateway=gateway)
    earn(ben, acme, 20_000_000)
    late = top_up(acme, 20, gateway=gateway)
    earn(ada, acme, 20_000_000)
    gateway.return_payment(late.payment_id, 2_000)
    hear(gateway)
    assert (held(PENDING, ada), held(PENDING, ben)) == (0, 20_000_000)


@pytest.mark.usefixtures("sound")
def test_a_chargeback_that_was_turned_down_is_undone(
    acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway
) -> None:
    topup = top_up(acme, 50, gateway=gateway)
    earn_available(ada, acme, 30_000_000)
    earn(ben, acme, 10_000_000)
    before = dict(Balance.objects.values_list("account_id", "balance_micros"))
    gateway.return_payment(topup.payment_id, 5_000)
    hear(gateway)
    assert held(DEBT, ada) == -20_000_000
    gateway.return_payment(topup.payment_id, -5_000)
    hear(gateway)
    after = dict(Balance.objects.values_list("account_id", "balance_micros"))
    assert {number: micros for number, micros in after.items() if micros} == {
        number: micros for number, micros in before.items() if micros
    }
    assert [row.agrees for row in _reconciled(gateway)] == [True]


@pytest.mark.usefixtures("sound")
def test_a_debt_that_earnings_paid_comes_back_as_available(
    acme: Operator, ada: Creator, gateway: PaperGateway
) -> None:
    topup = top_up(acme, 10, gateway=gateway)
    earn_available(ada, acme, 10_000_000)
    gateway.return_payment(topup.payment_id, 1_000)
    hear(gateway)
    top_up(acme, 10, gateway=gateway)
    earn_available(ada, acme, 4_000_000)
    assert held(DEBT, ada) == -6_000_000
    gateway.return_payment(topup.payment_id, -1_000)
    hear(gateway)
    shown = statements.earnings(ada, currency="EUR")
    assert (shown.debt.micros, shown.available.micros) == (0, 14_000_000)


def test_an_event_that_overtook_the_payment_waits(acme: Operator, gateway: PaperGateway) -> None:
    with pytest.raises(UnknownObject):
        chargebacks.apply(PaymentStatus("pi_unknown", 100, 100, "EUR"), at=NOON)


def test_of_events_about_cards_only_the_payment_is_kept(
    acme: Operator, gateway: PaperGateway
) -> None:
    topup = top_up(acme, 10, gateway=gateway)
    gateway.return_payment(topup.payment_id, 100)
    hear(gateway)
    kept = ProviderEvent.objects.get(type="charge.refunded")
    assert kept.payload == {"data": {"object": {"payment_intent": topup.payment_id}}}
    assert kept.outcome == "applied"


@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
def test_returns_are_on_record_for_good(acme: Operator, gateway: PaperGateway, role: str) -> None:
    topup = top_up(acme, 10, gateway=gateway)
    gateway.return_payment(topup.payment_id, 100)
    hear(gateway)
    with pytest.raises((IntegrityError, ProgrammingError), match=r"append-only|permission denied"):
        attempt(role, "UPDATE ledger_paymentreturn SET at = now()")


def test_the_audit_finds_a_return_that_says_something_else(
    acme: Operator, gateway: PaperGateway
) -> None:
    topup = top_up(acme, 10, gateway=gateway)
    gateway.return_payment(topup.payment_id, 100)
    hear(gateway)
    sql = "UPDATE ledger_paymentreturn SET amount_micros = 5, prepaid_micros = 5"
    tamper("ledger_paymentreturn", sql)
    assert [finding.invariant for finding in invariants.findings()] == ["returns"]


@pytest.mark.usefixtures("db")
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["earn", "mature", "return", "win"]), st.integers(1, 60)),
        max_size=14,
    )
)
def test_whatever_happens_books_and_provider_agree(
    acme: Operator, ada: Creator, ben: Creator, steps: list[tuple[str, int]]
) -> None:
    """No balance but a debt falls below zero, and no micro appears or is lost."""
    gateway = PaperGateway(clock=lambda: NOON)
    gateway._counts.update(dict.fromkeys(("cs", "pi", "evt", "txn"), TopUp.objects.count() * 100))
    before = held(AccountKind.PROVIDER_CLEARING)
    topup = top_up(acme, 10, gateway=gateway)
    for deed, amount in steps:
        returned = gateway.payment(topup.payment_id).returned_minor
        if deed == "earn":
            if micros := min(held(PREPAID, acme), amount * 100_000):
                earn(ada if amount % 3 else ben, acme, micros)
        elif deed == "mature":
            maturity.mature(at=LATER, holding=timedelta(days=30))
        elif deed == "return" and returned < 1_000:
            gateway.return_payment(topup.payment_id, min(amount * 10, 1_000 - returned))
        elif deed == "win" and returned:
            gateway.return_payment(topup.payment_id, -min(amount * 10, returned))
        hear(gateway)
    row = gateway.balance()[0]
    assert before - held(AccountKind.PROVIDER_CLEARING) == row.available_minor * 10_000
    assert invariants.findings() == []


def _reconciled(gateway: PaperGateway) -> list[Any]:
    rows = reconciliation.reconcile(gateway=gateway, at=NOON)
    for row in rows:
        row.refresh_from_db()
    return rows
