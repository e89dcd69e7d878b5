"""Webhooks that never come: the provider's list of events tells what they would have."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from django.test import Client

from ledger import (
    balances,
    gateway_choice,
    missed_events,
    payees,
    payouts,
    reconciliation,
    topups,
    webhooks,
)
from ledger.accounts import AccountKind
from ledger.gateway import NotConfigured, TryAgain
from ledger.gateway_paper import PaperGateway
from ledger.gateway_stripe import StripeGateway
from ledger.models import EventListing, Payee, ProviderEvent, TopUp
from ledger.money import Money
from registry.models import Creator, Operator
from tests import factories
from tests.factories import NOON
from tests.ledger.cast import account, admin, approved, earn_available, of, payable, top_up
from tests.server.stripe_simulator.stage import Stage, staged, wait_until

pytestmark = pytest.mark.usefixtures("sound")

DAY, SOON = timedelta(days=1), timedelta(minutes=11)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
def stripe(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    gateway = stage.gateway()
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    return gateway


def now() -> datetime:
    return datetime.now(UTC)


def fetch(gateway: StripeGateway | PaperGateway, at: datetime | None = None) -> int:
    """Look for missed events a while from now, and work through them; what overtook waits."""
    at = at or now() + SOON
    stored = missed_events.fetch(gateway=gateway, at=at, accounts=100)
    for hours in range(3):
        webhooks.process_stored(gateway=gateway, at=at + timedelta(hours=hours), limit=1_000)
    return stored


def paid(stage: Stage, gateway: StripeGateway, operator: Operator) -> TopUp:
    topup = topups.start(operator, amount=Money(50_000_000, "EUR"), gateway=gateway, at=now())
    stage.press(topup.url)
    return topup


def prepaid(operator: Operator) -> int:
    return balances.balance(account(AccountKind.OPERATOR_PREPAID, operator)).micros


# Over HTTP: the real SDK, a simulated Stripe that delivers nothing ------------------------------


def test_a_payment_its_refund_and_its_dispute_are_found_though_no_webhook_comes(
    stage: Stage, stripe: StripeGateway, acme: Operator
) -> None:
    stage.fault("drop_webhooks", times=1_000)
    topup = paid(stage, stripe, acme)
    assert fetch(stripe) == 1
    topup.refresh_from_db()
    assert (topup.status, prepaid(acme)) == ("paid", 50_000_000)

    stage.client().v1.refunds.create({"payment_intent": topup.payment_id, "amount": 700})
    assert fetch(stripe) == 2
    assert prepaid(acme) == 43_000_000

    stage.fault("payment_disputed")
    other = paid(stage, stripe, acme)
    wait_until(lambda: stage.simulator.counts()["appointments_waiting"] == 0)
    fetch(stripe)
    other.refresh_from_db()
    assert other.returns.get().amount_micros == 50_000_000
    (row,) = reconciliation.reconcile(gateway=stripe, at=now())
    row.refresh_from_db()
    assert row.agrees
    assert stage.inbox.letters == []
    assert set(ProviderEvent.objects.values_list("fetched", flat=True)) == {True}


@pytest.mark.parametrize("account_api", ["v1", "v2"])
def test_what_befalls_a_payee_and_its_bank_is_found(
    stage: Stage, acme: Operator, ada: Creator, account_api: Literal["v1", "v2"]
) -> None:
    stage.fault("drop_webhooks", times=1_000)
    gateway = stage.gateway(account_api=account_api)
    paid(stage, gateway, acme)
    fetch(gateway)
    earn_available(ada, acme, 3_000_000)
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
    assert not Payee.objects.get().can_receive
    fetch(gateway)
    assert Payee.objects.get().can_receive

    approved(admin("mia"), admin("noah"))
    payouts.send_due(gateway=gateway, at=now(), limit=1)
    wait_until(lambda: stage.simulator.counts()["appointments_waiting"] == 0)
    # The account's list is read every six hours.
    fetch(gateway, now() + timedelta(hours=7))
    assert of(ada).status == "paid"


def test_a_webhook_that_comes_after_all_is_a_duplicate(
    stage: Stage, stripe: StripeGateway, acme: Operator
) -> None:
    paid(stage, stripe, acme)
    (letter,) = stage.inbox.wait_for("checkout.session.completed")
    assert fetch(stripe) == 1
    answer = Client().post(
        "/webhooks/stripe",
        letter.payload,
        content_type="application/json",
        headers={"Stripe-Signature": letter.signature},
    )
    assert answer.json() == {"stored": False}
    assert fetch(stripe, now() + DAY) == 0
    assert prepaid(acme) == 50_000_000


def test_an_event_that_the_list_shows_late_is_found_by_reading_some_of_it_again(
    stage: Stage, stripe: StripeGateway, acme: Operator
) -> None:
    stage.fault("drop_webhooks", times=1_000)
    stage.fault("lists_lag", "checkout.session.completed", seconds=5.0)
    paid(stage, stripe, acme)
    assert fetch(stripe) == 0
    wait_until(lambda: stage.simulator.counts()["appointments_waiting"] == 0)
    assert fetch(stripe) == 1
    assert prepaid(acme) == 50_000_000


def test_a_list_of_several_pages_is_read_to_its_end(
    stage: Stage, stripe: StripeGateway, acme: Operator
) -> None:
    stage.fault("drop_webhooks", times=1_000)
    topup = paid(stage, stripe, acme)
    fetch(stripe)
    topup.refresh_from_db()
    for _ in range(60):
        stage.client().v1.refunds.create({"payment_intent": topup.payment_id, "amount": 1})
    assert fetch(stripe) == 120
    assert prepaid(acme) == 49_400_000


def test_a_provider_that_turns_us_away_is_asked_again(
    stage: Stage, stripe: StripeGateway, acme: Operator
) -> None:
    stage.fault("drop_webhooks", times=1_000)
    paid(stage, stripe, acme)
    stage.fault("error_429", "GET /v1/events", times=1)
    assert fetch(stripe) == 0
    assert EventListing.objects.get().listed_until is None
    assert fetch(stripe) == 1


# With notes only -------------------------------------------------------------------------------


def test_a_webhook_on_its_way_is_waited_for(acme: Operator, gateway: PaperGateway) -> None:
    topup = topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=gateway, at=NOON)
    assert topup.session_id
    gateway.pay(topup.session_id)
    assert fetch(gateway, NOON + missed_events.GRACE / 2) == 0
    assert fetch(gateway, NOON + missed_events.GRACE) == 1


def test_what_webhooks_told_is_not_counted_as_missed(
    acme: Operator, ada: Creator, gateway: PaperGateway
) -> None:
    top_up(acme, 50, gateway=gateway)
    payable(ada, gateway)
    assert fetch(gateway, NOON + DAY) == 0
    found = missed_events.report(at=NOON + DAY)
    assert (found.total, found.accounts, found.late, found.troubled) == (0, 1, 0, 0)
    assert found.listed_until == NOON + DAY - missed_events.GRACE


def test_what_was_missed_is_counted_by_type(acme: Operator, gateway: PaperGateway) -> None:
    topup = top_up(acme, 50, gateway=gateway)
    gateway.return_payment(topup.payment_id, 300)
    gateway.return_payment(topup.payment_id, 200)
    assert fetch(gateway, NOON + DAY) == 2
    assert missed_events.report(at=NOON + DAY).fetched == (("charge.refunded", 2),)
    assert missed_events.report(at=NOON + 40 * DAY).total == 0


def test_reading_that_broke_off_goes_on_from_the_last_whole_piece(
    acme: Operator, gateway: PaperGateway
) -> None:
    topup = topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=gateway, at=NOON)
    assert topup.session_id
    gateway.pay(topup.session_id)
    for _ in range(12):
        assert fetch(gateway, NOON - 12 * DAY) == 0  # all read, nothing there yet
    gateway.fail_next("list_events", TryAgain("429"))
    assert fetch(gateway, NOON + DAY) == 0
    assert EventListing.objects.get().listed_until == NOON - 12 * DAY - missed_events.GRACE
    assert fetch(gateway, NOON + DAY) == 1


def test_an_account_that_is_not_ours_to_read_keeps_nobody_waiting(
    acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway
) -> None:
    top_up(acme, 50, gateway=gateway)
    payable(ada, gateway)
    payable(ben, gateway)
    fetch(gateway, NOON + SOON)
    gateway.finish_onboarding(ben.payee.account)
    gateway.finish_onboarding(ada.payee.account)
    del gateway._payees[ada.payee.account]
    assert fetch(gateway, NOON + DAY) == 1
    assert missed_events.report(at=NOON + DAY).troubled == 1
    assert EventListing.objects.filter(trouble="resource_missing").count() == 1


def test_a_key_that_may_not_list_events_is_heard_of(gateway: PaperGateway, db: None) -> None:
    gateway.fail_next("list_events", NotConfigured("the key may not read events"))
    with pytest.raises(NotConfigured):
        fetch(gateway, NOON)


def test_what_is_listed_no_more_is_logged(
    gateway: PaperGateway, db: None, caplog: pytest.LogCaptureFixture
) -> None:
    fetch(gateway, NOON)
    with caplog.at_level(logging.ERROR):
        fetch(gateway, NOON + 40 * DAY)
    assert "are listed no more" in caplog.text


def test_accounts_take_turns(acme: Operator, gateway: PaperGateway) -> None:
    for name in ("ada", "ben", "cleo"):
        payable(factories.make_creator(name), gateway)
    for round_ in range(3):
        missed_events.fetch(gateway=gateway, at=NOON + SOON + round_ * SOON, accounts=1)
    assert EventListing.objects.exclude(account="").filter(listed_until=None).count() == 0


def test_of_who_left_nothing_is_asked(ada: Creator, gateway: PaperGateway) -> None:
    payable(ada, gateway)
    fetch(gateway, NOON + SOON)
    payees.forget(ada, at=NOON)
    account = EventListing.objects.get(account__startswith="acct").account
    fetch(gateway, NOON + DAY)
    assert EventListing.objects.get(account=account).listed_at == NOON + SOON
    assert missed_events.report(at=NOON + DAY).accounts == 0
    assert not EventListing.objects.filter(account__startswith=payees.NOBODY).exists()
