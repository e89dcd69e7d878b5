"""Refunds and disputes that cross, exceed, differ in currency and come back: exact to the micro."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger import gateway_choice, invariants, payouts, reconciliation, topups, webhooks
from ledger.accounts import AccountKind
from ledger.errors import BooksInDoubt
from ledger.gateway_stripe import StripeGateway
from ledger.models import PaymentReturn, ProviderEvent, Reconciliation, TopUp
from ledger.money import Money
from registry.models import Creator, Operator, User
from tests.factories import make_operator
from tests.ledger.cast import adjust, earn
from tests.ledger.test_chargebacks_over_stripe import agreed, held, now, paid
from tests.ledger.test_missed_events import fetch
from tests.server.stripe_simulator.stage import Stage, staged

pytestmark = pytest.mark.usefixtures("sound")

PREPAID, PENDING = AccountKind.OPERATOR_PREPAID, AccountKind.CREATOR_PENDING


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
def gateway(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> StripeGateway:
    gateway = stage.gateway()
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    return gateway


@pytest.fixture
def topup(stage: Stage, gateway: StripeGateway, acme: Operator) -> TopUp:
    return paid(stage, gateway, acme)


def refund(stage: Stage, topup: TopUp, minor: int) -> None:
    stage.client().v1.refunds.create({"payment_intent": topup.payment_id, "amount": minor})


def returned(topup: TopUp) -> int:
    return sum(PaymentReturn.objects.filter(topup=topup).values_list("amount_micros", flat=True))


def test_a_dispute_won_after_a_partial_refund_leaves_the_refund(
    stage: Stage, gateway: StripeGateway, acme: Operator, ada: Creator, topup: TopUp
) -> None:
    paid(stage, gateway, make_operator("others"))  # pays the fees
    earn(ada, acme, 30_000_001)
    refund(stage, topup, 1_007)
    dispute = stage.dispute(topup.payment_id, 3_993)
    fetch(gateway)
    assert returned(topup) == 50_000_000
    assert held(PREPAID, acme) == 0
    stage.verdict(dispute, "won")
    fetch(gateway)
    assert returned(topup) == 10_070_000
    assert held(PREPAID, acme) == 50_000_000 - 30_000_001 - 10_070_000
    assert held(PENDING, ada) == 30_000_001
    assert agreed(gateway)


@pytest.mark.parametrize(("outcome", "left"), [("won", 19_990_000), ("lost", 0)])
def test_a_partial_refund_beside_a_partial_dispute(
    stage: Stage,
    gateway: StripeGateway,
    acme: Operator,
    *,
    topup: TopUp,
    outcome: str,
    left: int,
) -> None:
    paid(stage, gateway, make_operator("others"))  # pays the fees
    dispute = stage.dispute(topup.payment_id, 1_999)
    fetch(gateway)
    assert held(PREPAID, acme) == 30_010_000
    refund(stage, topup, 3_001)
    fetch(gateway)
    assert held(PREPAID, acme) == 0
    stage.verdict(dispute, outcome)
    fetch(gateway)
    assert held(PREPAID, acme) == left
    assert returned(topup) == 50_000_000 - left
    assert agreed(gateway)


def test_what_a_payer_got_twice_is_not_taken_from_anybody_twice(
    stage: Stage, gateway: StripeGateway, acme: Operator, topup: TopUp, mia: User
) -> None:
    """A bank takes the whole payment back after a refund: more than was paid in is gone."""
    refund(stage, topup, 1_000)
    dispute = stage.dispute(topup.payment_id, 5_000)
    fetch(gateway)
    assert returned(topup) == 50_000_000
    assert invariants.findings() == []
    assert not agreed(gateway)
    row = Reconciliation.objects.latest("pk")
    assert row.ledger_micros - row.provider_micros == 10_000_000
    with pytest.raises(BooksInDoubt):
        payouts.prepare(mia, currency="EUR", at=now())
    noah = User.objects.create_user("noah@tribute.example", is_payout_admin=True)
    adjust(row, mia, noah, reason="refunded and charged back", at=now())
    assert agreed(gateway)
    stage.verdict(dispute, "won")
    fetch(gateway)
    assert returned(topup) == 10_000_000
    assert held(PREPAID, acme) == 40_000_000


def test_a_dispute_in_another_currency_is_booked_by_nobody_but_people(
    stage: Stage, gateway: StripeGateway, acme: Operator, topup: TopUp
) -> None:
    stage.dispute(topup.payment_id, 5_421, "usd")
    fetch(gateway)
    waiting = ProviderEvent.objects.filter(type__startswith="charge.dispute.", outcome="")
    assert {event.trouble.partition(":")[0] for event in waiting} == {"currency_differs"}
    assert returned(topup) == 0
    assert held(PREPAID, acme) == 50_000_000
    found = {row.currency: row for row in reconciliation.reconcile(gateway=gateway, at=now())}
    for row in found.values():
        row.refresh_from_db()
    assert (found["EUR"].agrees, found["USD"].agrees) == (True, False)
    assert found["USD"].provider_micros - found["USD"].ledger_micros == -54_210_000
    # The rest of the payment is still followed once the doubt is about nothing any more.
    at = now()
    for _ in range(webhooks.MAX_ATTEMPTS + 1):
        webhooks.process_stored(gateway=gateway, at=at, limit=100)
        at += timedelta(hours=12)
    assert {event.outcome for event in ProviderEvent.objects.filter(pk__in=waiting)} == set()
    assert ProviderEvent.objects.filter(outcome="abandoned").count() == 2


def test_a_dispute_that_gives_more_again_than_it_took_credits_no_more_than_was_paid(
    stage: Stage, gateway: StripeGateway, acme: Operator, topup: TopUp
) -> None:
    dispute = stage.dispute(topup.payment_id, 5_000)
    fetch(gateway)
    assert held(PREPAID, acme) == 0
    stage.verdict(dispute, "won", 5_003)
    fetch(gateway)
    assert (returned(topup), held(PREPAID, acme)) == (0, 50_000_000)
    assert not agreed(gateway)
    row = Reconciliation.objects.latest("pk")
    assert row.provider_micros - row.ledger_micros == 30_000


def test_one_cent_at_a_time_comes_from_each_to_the_micro(
    stage: Stage,
    gateway: StripeGateway,
    acme: Operator,
    ada: Creator,
    *,
    ben: Creator,
    topup: TopUp,
) -> None:
    earn(ada, acme, 33_333_333)
    earn(ben, acme, 16_666_667)
    for _ in range(7):
        refund(stage, topup, 1)
        fetch(gateway)
    assert returned(topup) == 70_000
    assert held(PENDING, ada) + held(PENDING, ben) == 50_000_000 - 70_000
    assert abs(33_333_333 - held(PENDING, ada) - 46_667) <= 7, "a micro a refund, at most"
    for row in PaymentReturn.objects.all():
        assert row.amount_micros == row.pending_micros == 10_000
    assert agreed(gateway)


def test_a_refund_in_dollars_touches_dollars_alone(
    stage: Stage, gateway: StripeGateway, acme: Operator, topup: TopUp
) -> None:
    dollars = topups.start(acme, amount=Money(33_330_000, "USD"), gateway=gateway, at=now())
    stage.press(dollars.url)
    fetch(gateway)
    dollars.refresh_from_db()
    refund(stage, dollars, 1_111)
    dispute = stage.dispute(dollars.payment_id, 2_222, "usd")
    fetch(gateway)
    assert (returned(dollars), returned(topup)) == (33_330_000, 0)
    stage.verdict(dispute, "won")
    fetch(gateway)
    assert (returned(dollars), held(PREPAID, acme)) == (11_110_000, 50_000_000)
    for row in reconciliation.reconcile(gateway=gateway, at=now()):
        row.refresh_from_db()
        assert row.agrees
