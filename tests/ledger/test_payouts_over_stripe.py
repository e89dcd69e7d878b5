"""The whole way over HTTP: the real SDK, a simulated Stripe with faults, signed webhooks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client

from ledger import gateway_choice, payees, payouts, reconciliation, statements, topups, webhooks
from ledger.gateway_stripe import StripeGateway
from ledger.models import Payee, Payout, ProviderEvent, TopUp
from ledger.money import Money
from registry.models import Creator, Operator
from tests.ledger.cast import admin, earn_available
from tests.server.stripe_simulator.stage import Stage, staged, wait_until

pytestmark = pytest.mark.usefixtures("sound")

TRANSFERS = "POST /v1/transfers"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
def gateway(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    gateway = stage.gateway(timeout_s=1.0)
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    return gateway


def now() -> datetime:
    return datetime.now(UTC)


def hear(stage: Stage, gateway: StripeGateway, *, at: datetime | None = None) -> None:
    """Deliver every webhook that arrived so far, newest first and twice, and work through them."""
    for letter in [*reversed(stage.inbox.letters)] * 2:
        answer = Client().post(
            "/webhooks/stripe",
            letter.payload,
            content_type="application/json",
            headers={"Stripe-Signature": letter.signature},
        )
        assert answer.status_code == 200
    webhooks.process_stored(gateway=gateway, at=at or now(), limit=1_000)


@pytest.fixture
def approved(stage: Stage, gateway: StripeGateway, acme: Operator, ada: Creator) -> Payout:
    """Acme paid in, Ada earned and onboarded, two admins agreed: all through Stripe's own words."""
    topup = topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=gateway, at=now())
    stage.press(topup.url)
    link = payees.onboard(
        ada,
        email="ada@example.org",
        country="DE",
        gateway=gateway,
        return_url="https://t.example/back",
        refresh_url="https://t.example/again",
        at=now(),
    )
    stage.press(link)
    stage.inbox.wait_for("checkout.session.completed")
    wait_until(lambda: gateway.payee(ada.payee.account).can_receive)
    wait_until(lambda: any("account" in letter.event["type"] for letter in stage.inbox.letters))
    hear(stage, gateway)
    assert TopUp.objects.get().status == "paid"
    assert Payee.objects.get().can_receive
    earn_available(ada, acme, 3_000_000)
    batch = payouts.prepare(admin("mia"), currency="EUR", at=now())
    payouts.submit(batch, admin("noah"), at=now())
    payouts.approve(batch, admin("olga"), at=now())
    return batch.payouts.get()


def settled(stage: Stage, gateway: StripeGateway, payout: Payout) -> None:
    """The money reaches the bank, and everything agrees."""
    stage.inbox.wait_for("payout.paid")
    hear(stage, gateway, at=now() + timedelta(hours=1))
    payout.refresh_from_db()
    assert payout.status == "paid"
    assert statements.earnings(payout.creator, currency="EUR").paid == Money(3_000_000, "EUR")
    (row,) = reconciliation.reconcile(gateway=gateway, at=now())
    row.refresh_from_db()
    assert row.agrees, row.__dict__


def test_a_payout_reaches_the_bank(stage: Stage, gateway: StripeGateway, approved: Payout) -> None:
    assert payouts.send_due(gateway=gateway, at=now(), limit=9) == 1
    settled(stage, gateway, approved)
    assert set(ProviderEvent.objects.values_list("outcome", flat=True)) <= {"applied", "ignored"}


@pytest.mark.parametrize("fault", ["timeout_after_success", "error_500_after_success"])
def test_a_lost_reply_is_looked_up_and_paid_once(
    stage: Stage, gateway: StripeGateway, approved: Payout, fault: str
) -> None:
    stage.fault(fault, TRANSFERS)
    assert payouts.send_due(gateway=gateway, at=now(), limit=9) == 0
    approved.refresh_from_db()
    assert approved.status == "unknown"
    payouts.resolve_unknown(gateway=gateway, at=now() + timedelta(minutes=5))
    payouts.send_due(gateway=gateway, at=now() + timedelta(minutes=5), limit=9)
    approved.refresh_from_db()
    assert approved.status in {"transferred", "in_transit", "paid"}
    assert len(stage.client().v1.transfers.list().data) == 1
    settled(stage, gateway, approved)


def test_an_error_stored_under_the_key_ends_with_a_new_key_a_day_later(
    stage: Stage, gateway: StripeGateway, approved: Payout
) -> None:
    stage.fault("error_500", TRANSFERS)
    start = now()
    for hours in (0, 1, 22):
        at = start + timedelta(hours=hours)
        assert payouts.send_due(gateway=gateway, at=at, limit=9) == 0
        payouts.resolve_unknown(gateway=gateway, at=at + timedelta(minutes=5))
    approved.refresh_from_db()
    assert (approved.status, approved.attempt) == ("reserved", 1)
    payouts.send_due(gateway=gateway, at=start + timedelta(hours=23), limit=9)
    payouts.resolve_unknown(gateway=gateway, at=start + timedelta(hours=24))
    assert payouts.send_due(gateway=gateway, at=start + timedelta(hours=24), limit=9) == 1
    approved.refresh_from_db()
    assert approved.attempt == 2
    settled(stage, gateway, approved)


def test_a_bank_that_sends_the_money_back_is_told_apart_from_paid(
    stage: Stage, gateway: StripeGateway, approved: Payout
) -> None:
    stage.fault("payout_fails_after_paid")
    payouts.send_due(gateway=gateway, at=now(), limit=9)
    stage.inbox.wait_for("payout.failed")
    hear(stage, gateway)
    approved.refresh_from_db()
    assert approved.status == "bank_failed"
    assert approved.trouble


def test_an_account_below_zero_is_sent_nothing_until_it_is_settled(
    stage: Stage, gateway: StripeGateway, approved: Payout
) -> None:
    stage.charge(approved.account, 1)
    start = now()
    assert payouts.send_due(gateway=gateway, at=start, limit=9) == 0
    approved.refresh_from_db()
    assert (approved.status, approved.trouble) == ("held", "payee_owes_provider")
    assert stage.client().v1.transfers.list().data == []

    stage.give(approved.account, 1)
    assert payouts.send_due(gateway=gateway, at=start + timedelta(hours=1), limit=9) == 1
    settled(stage, gateway, approved)
