"""Refunds and disputes over HTTP: the real SDK, a simulated Stripe, signed webhooks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from ledger import balances, gateway_choice, reconciliation, topups, webhooks
from ledger.accounts import AccountKind
from ledger.gateway_stripe import StripeGateway
from ledger.models import PaymentReturn, TopUp
from ledger.money import Money
from registry.models import Creator, Operator
from tests.ledger.cast import account, earn
from tests.server.stripe_simulator.stage import Stage, staged

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
def gateway(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    gateway = stage.gateway()
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    return gateway


def now() -> datetime:
    return datetime.now(UTC)


def hear(stage: Stage, gateway: StripeGateway) -> None:
    """Every webhook that arrived so far, newest first and twice; what overtook waits an hour."""
    for letter in [*reversed(stage.inbox.letters)] * 2:
        answer = Client().post(
            "/webhooks/stripe",
            letter.payload,
            content_type="application/json",
            headers={"Stripe-Signature": letter.signature},
        )
        assert answer.status_code == 200
    for hours in range(3):
        webhooks.process_stored(gateway=gateway, at=now() + timedelta(hours=hours), limit=100)


def paid(stage: Stage, gateway: StripeGateway, operator: Operator) -> TopUp:
    topup = topups.start(operator, amount=Money(50_000_000, "EUR"), gateway=gateway, at=now())
    stage.press(topup.url)
    stage.inbox.wait_for("checkout.session.completed")
    hear(stage, gateway)
    topup.refresh_from_db()
    return topup


def agreed(gateway: StripeGateway) -> bool:
    (row,) = reconciliation.reconcile(gateway=gateway, at=now())
    row.refresh_from_db()
    return bool(row.agrees)


def held(kind: AccountKind, owner: Operator | Creator) -> int:
    return balances.balance(account(kind, owner)).micros


def test_refunds_are_booked_as_they_come(
    stage: Stage, gateway: StripeGateway, acme: Operator, ada: Creator
) -> None:
    topup = paid(stage, gateway, acme)
    earn(ada, acme, 40_000_000)
    for amount in (1_500, 500):
        stage.client().v1.refunds.create({"payment_intent": topup.payment_id, "amount": amount})
    stage.inbox.wait_for("charge.refunded", 2)
    hear(stage, gateway)
    assert held(AccountKind.OPERATOR_PREPAID, acme) == 0
    assert held(AccountKind.CREATOR_PENDING, ada) == 30_000_000
    assert agreed(gateway)


def test_a_dispute_takes_the_money_and_its_fee(
    stage: Stage, gateway: StripeGateway, acme: Operator
) -> None:
    stage.fault("payment_disputed")
    paid(stage, gateway, acme)
    stage.inbox.wait_for("charge.dispute.closed")
    hear(stage, gateway)
    assert held(AccountKind.OPERATOR_PREPAID, acme) == 0
    assert [row.amount_micros for row in PaymentReturn.objects.all()] == [50_000_000]
    assert agreed(gateway)


def test_a_dispute_that_is_won_gives_it_again(
    stage: Stage, gateway: StripeGateway, acme: Operator, ada: Creator
) -> None:
    stage.fault("payment_disputed")
    stage.fault("dispute_won")
    paid(stage, gateway, acme)
    earn(ada, acme, 20_000_000)
    stage.inbox.wait_for("charge.dispute.funds_withdrawn")
    hear(stage, gateway)
    stage.inbox.wait_for("charge.dispute.funds_reinstated")
    hear(stage, gateway)
    assert held(AccountKind.OPERATOR_PREPAID, acme) == 30_000_000
    assert held(AccountKind.CREATOR_PENDING, ada) == 20_000_000
    assert agreed(gateway)
