"""The Stripe gateway: the real SDK against the simulation, over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
import stripe

from ledger.gateway import (
    BalanceTransaction,
    CheckoutStatus,
    GatewayError,
    InsufficientFunds,
    NotConfigured,
    OutcomeUnknown,
    PayeeAccount,
    PayeeCannotReceive,
    ProviderBalance,
    Refused,
    TransferResult,
    TryAgain,
)
from ledger.gateway_stripe import StripeGateway
from server.stripe_simulator import Settings
from tests.server.stripe_simulator.stage import (
    API_KEY,
    CONNECT_SECRET,
    PLATFORM_SECRET,
    Stage,
    staged,
    wait_until,
)

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TRANSFERS = "POST /v1/transfers"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as stage:
        yield stage


@pytest.fixture
def gateway(stage: Stage) -> StripeGateway:
    return stage.gateway()


@pytest.fixture
def ada(stage: Stage, gateway: StripeGateway) -> PayeeAccount:
    return stage.onboarded(gateway)


def send(
    gateway: StripeGateway, payee: PayeeAccount, minor: int, *, key: str = "pay_1:1"
) -> TransferResult:
    return gateway.transfer(
        key=key,
        payee_account=payee.id,
        amount_minor=minor,
        currency="EUR",
        group=f"payout:{key.split(':', maxsplit=1)[0]}",
        metadata={"payout": "pay_1"},
    )


@pytest.mark.parametrize("account_api", ["v1", "v2"])
def test_onboarding_makes_a_payee_able_to_receive(
    stage: Stage, account_api: Literal["v1", "v2"]
) -> None:
    gateway = stage.gateway(account_api=account_api)
    opened = gateway.create_payee(reference="cre_ada", email="ada@example.org", country="DE")
    link = gateway.onboarding_link(
        opened.id, return_url="https://t.example/back", refresh_url="https://t.example/again"
    )
    assert (opened.can_receive, "external_account" in opened.requirements) == (False, True)

    assert stage.press(link) == "https://t.example/back"

    assert gateway.payee(opened.id) == PayeeAccount(opened.id, can_receive=True, requirements=())


@pytest.mark.parametrize(
    ("account_api", "kind"),
    [
        ("v1", "account.updated"),
        ("v2", "v2.core.account[configuration.recipient].capability_status_updated"),
    ],
)
def test_onboarding_is_reported_by_an_event_about_the_account(
    stage: Stage, account_api: Literal["v1", "v2"], kind: str
) -> None:
    gateway = stage.gateway(account_api=account_api)
    payee = stage.onboarded(gateway)

    (letter,) = stage.inbox.wait_for(kind)
    event = gateway.parse_event(letter.payload, letter.signature)

    assert (event.type, event.object_id, event.account_id) == (kind, payee.id, payee.id)
    assert abs(event.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_create_payee_twice_opens_one_account(gateway: StripeGateway) -> None:
    first = gateway.create_payee(reference="cre_ada", email="ada@example.org", country="DE")
    again = gateway.create_payee(reference="cre_ada", email="ada@example.org", country="DE")
    corrected = gateway.create_payee(reference="cre_ada", email="ada@example.com", country="DE")

    assert first == again
    assert corrected.id != first.id


def test_create_payee_in_an_unknown_country_is_refused(gateway: StripeGateway) -> None:
    with pytest.raises(Refused) as refusal:
        gateway.create_payee(reference="cre_ada", email="ada@example.org", country="Mordor")

    assert refusal.value.code == "country_unsupported"


def test_transfer_moves_money_and_can_be_found(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)

    sent = send(gateway, ada, 1_500)

    assert sent == TransferResult(
        id=sent.id,
        payee_account=ada.id,
        amount_minor=1_500,
        reversed_minor=0,
        currency="EUR",
        group="payout:pay_1",
        metadata={"payout": "pay_1"},
        created_at=sent.created_at,
    )
    assert gateway.find_transfers(group="payout:pay_1") == (sent,)
    assert gateway.find_transfers(group="payout:pay_2") == ()
    assert gateway.balance() == (ProviderBalance("EUR", 10_000 - 175 - 1_500, 0),)


def test_transfer_said_twice_pays_once(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)

    assert send(gateway, ada, 1_500) == send(gateway, ada, 1_500)

    assert stage.simulator.counts()["objects"]["transfer"] == 1


def test_transfer_key_with_another_amount_is_refused(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)
    send(gateway, ada, 1_500)

    with pytest.raises(Refused) as refusal:
        send(gateway, ada, 1_501)

    assert refusal.value.code == "idempotency_key_reused"


def test_transfer_without_funds_is_refused_for_good_under_its_key(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    with pytest.raises(InsufficientFunds):
        send(gateway, ada, 1_500)
    stage.paid(gateway, 10_000)

    with pytest.raises(InsufficientFunds):
        send(gateway, ada, 1_500)

    assert send(gateway, ada, 1_500, key="pay_1:2").amount_minor == 1_500


def test_transfer_waits_until_the_money_has_settled(tmp_path: Path) -> None:
    with staged(tmp_path, Settings(settle_delay_s=3600)) as stage:
        gateway = stage.gateway()
        ada = stage.onboarded(gateway)
        stage.paid(gateway, 10_000)

        assert gateway.balance() == (ProviderBalance("EUR", 0, 9_825),)
        with pytest.raises(InsufficientFunds):
            send(gateway, ada, 1)


@pytest.mark.parametrize("account_id", ["", "acct_nobody"])
def test_transfer_to_a_payee_who_cannot_receive_is_refused(
    stage: Stage, gateway: StripeGateway, account_id: str
) -> None:
    stage.paid(gateway, 10_000)
    ben = gateway.create_payee(reference="cre_ben", email="ben@example.org", country="FR")

    with pytest.raises(PayeeCannotReceive):
        send(gateway, PayeeAccount(account_id or ben.id, can_receive=True, requirements=()), 100)


def test_transfer_whose_reply_was_lost_is_found(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)
    stage.fault("timeout_after_success", TRANSFERS)

    with pytest.raises(OutcomeUnknown):
        send(gateway, ada, 1_500)

    (found,) = gateway.find_transfers(group="payout:pay_1")
    assert found is not None
    assert found == send(gateway, ada, 1_500)
    assert stage.simulator.counts()["objects"]["transfer"] == 1


def test_transfer_that_outlasts_the_timeout_is_unknown(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)
    stage.fault("slow", TRANSFERS, seconds=1.0)

    with pytest.raises(OutcomeUnknown):
        send(stage.gateway(timeout_s=0.1), ada, 1_500)
    with pytest.raises(OutcomeUnknown):
        send(gateway, ada, 1_500)  # 409: the first is still running

    wait_until(lambda: bool(gateway.find_transfers(group="payout:pay_1")))
    assert gateway.find_transfers(group="payout:pay_1") == (send(gateway, ada, 1_500),)


@pytest.mark.parametrize(("fault", "made"), [("error_500", 0), ("error_500_after_success", 1)])
def test_transfer_answered_500_is_unknown_and_stays_so(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount, fault: str, made: int
) -> None:
    stage.paid(gateway, 10_000)
    stage.fault(fault, TRANSFERS)

    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            send(gateway, ada, 1_500)

    assert bool(gateway.find_transfers(group="payout:pay_1")) == bool(made)


def test_transfer_turned_away_unread_may_be_said_again(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)
    stage.fault("error_429", TRANSFERS)

    with pytest.raises(TryAgain):
        send(gateway, ada, 1_500)

    assert send(gateway, ada, 1_500).amount_minor == 1_500


def test_question_that_got_no_answer_may_be_asked_again(
    stage: Stage, gateway: StripeGateway
) -> None:
    stage.fault("error_500", "GET /v1/balance")

    with pytest.raises(TryAgain):
        gateway.balance()

    assert gateway.balance() == ()


def test_reversals_take_back_up_to_the_whole_transfer(tmp_path: Path) -> None:
    with staged(tmp_path, Settings(payout_delay_s=3600)) as stage:
        gateway = stage.gateway()
        ada = stage.onboarded(gateway)
        stage.paid(gateway, 10_000)
        sent = send(gateway, ada, 1_500)

        part = gateway.reverse_transfer(key="rev:1", transfer_id=sent.id, amount_minor=500)
        with pytest.raises(Refused):
            gateway.reverse_transfer(key="rev:2", transfer_id=sent.id, amount_minor=1_001)
        gateway.reverse_transfer(key="rev:3", transfer_id=sent.id, amount_minor=1_000)
        with pytest.raises(Refused):
            gateway.reverse_transfer(key="rev:4", transfer_id=sent.id, amount_minor=1)

        assert (part.transfer_id, part.amount_minor, part.currency) == (sent.id, 500, "EUR")
        (found,) = gateway.find_transfers(group="payout:pay_1")
        assert found.reversed_minor == 1_500
        assert gateway.balance() == (ProviderBalance("EUR", 9_825, 0),)


def test_reversal_of_money_that_went_to_the_bank_is_refused(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)
    sent = send(gateway, ada, 1_500)
    stage.inbox.wait_for("payout.paid")

    with pytest.raises(InsufficientFunds):
        gateway.reverse_transfer(key="rev:1", transfer_id=sent.id, amount_minor=1_500)


def test_checkout_is_paid_on_its_page_and_reported(stage: Stage, gateway: StripeGateway) -> None:
    session = gateway.checkout(
        key="top_1",
        amount_minor=10_000,
        currency="EUR",
        reference="top_1",
        success_url="https://t.example/done?session={CHECKOUT_SESSION_ID}",
        cancel_url="https://t.example/no",
    )
    before = gateway.find_checkout(session.id)
    assert before == CheckoutStatus(session.id, False, 10_000, "EUR", "top_1", None)

    assert stage.press(session.url) == f"https://t.example/done?session={session.id}"
    stage.press(session.url)

    (letter,) = stage.inbox.wait_for("checkout.session.completed")
    event = gateway.parse_event(letter.payload, letter.signature)
    assert (event.object_id, event.account_id, event.livemode) == (session.id, None, False)
    after = gateway.find_checkout(session.id)
    assert (after.paid, after.reference, bool(after.payment_id)) == (True, "top_1", True)
    assert gateway.balance() == (ProviderBalance("EUR", 9_825, 0),)


def test_a_payees_own_balance_may_be_below_zero(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    assert gateway.payee_balance(ada.id) == ()
    stage.charge(ada.id, 700)
    assert gateway.payee_balance(ada.id) == (ProviderBalance("EUR", -700, 0),)
    assert gateway.balance() == (), "the platform's own is another"
    with pytest.raises(PayeeCannotReceive):
        gateway.payee_balance("acct_gone")


def test_balance_transactions_add_up_to_the_balance(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.gateway_stripe.gateway.PAGE_SIZE", 2)
    stage.paid(gateway, 10_000, key="top_1")
    stage.paid(gateway, 5_000, key="top_2")
    for number in range(3):
        send(gateway, ada, 1_000, key=f"pay_{number}:1")

    rows = all_transactions(gateway, since=LONG_AGO)

    assert [row.kind for row in rows] == ["transfer"] * 3 + ["charge"] * 2
    assert len({row.id for row in rows}) == 5
    net = sum(row.amount_minor - row.fee_minor for row in rows)
    assert gateway.balance() == (ProviderBalance("EUR", net, 0),)
    assert all_transactions(gateway, since=datetime.now(UTC) + timedelta(hours=1)) == []


def all_transactions(gateway: StripeGateway, *, since: datetime) -> list[BalanceTransaction]:
    page = gateway.balance_transactions(since=since, cursor=None)
    rows = [*page.items]
    while page.cursor:
        page = gateway.balance_transactions(since=since, cursor=page.cursor)
        rows += page.items
    return rows


def test_bank_payout_names_the_transfers_it_carries(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)
    sent = send(gateway, ada, 1_500)

    (letter,) = stage.inbox.wait_for("payout.paid")
    event = gateway.parse_event(letter.payload, letter.signature)
    assert event.account_id == ada.id
    payout = gateway.bank_payout(event.object_id, account_id=ada.id)

    assert (payout.status, payout.amount_minor, payout.currency) == ("paid", 1_500, "EUR")
    assert (payout.transfer_ids, payout.failure_code) == ((sent.id,), None)


def test_bank_payout_may_fail_after_it_was_paid(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    stage.paid(gateway, 10_000)
    stage.fault("payout_fails_after_paid")
    send(gateway, ada, 1_500)

    (letter,) = stage.inbox.wait_for("payout.failed")
    payout_id = gateway.parse_event(letter.payload, letter.signature).object_id

    assert len(stage.inbox.of("payout.paid")) == 1
    payout = gateway.bank_payout(payout_id, account_id=ada.id)
    assert (payout.status, payout.failure_code) == ("failed", "account_closed")


def test_parse_event_reads_what_the_sdk_itself_believes(
    stage: Stage, gateway: StripeGateway
) -> None:
    stage.paid(gateway, 10_000)
    (letter,) = stage.inbox.wait_for("charge.succeeded")

    event = stage.client().construct_event(letter.payload, letter.signature, PLATFORM_SECRET)

    assert gateway.parse_event(letter.payload, letter.signature).id == event.id


def test_parse_event_reads_thin_events_as_the_sdk_does(
    stage: Stage, gateway: StripeGateway, ada: PayeeAccount
) -> None:
    kind = "v2.core.account[configuration.recipient].capability_status_updated"
    (letter,) = stage.inbox.wait_for(kind)

    notification = stage.client().parse_event_notification(
        letter.payload, letter.signature, CONNECT_SECRET
    )

    assert gateway.parse_event(letter.payload, letter.signature).id == notification.id
    full = notification.fetch_event()
    assert full.to_dict()["data"] == {"updated_capability": "stripe_balance.stripe_transfers"}


def test_gateway_that_nobody_answers_knows_nothing() -> None:
    gateway = StripeGateway(
        API_KEY,
        base_url="http://127.0.0.1:1",
        platform_webhook_secret=PLATFORM_SECRET,
        connect_webhook_secret=CONNECT_SECRET,
    )

    with pytest.raises(OutcomeUnknown):
        send(gateway, PayeeAccount("acct_x", can_receive=True, requirements=()), 1)
    with pytest.raises(TryAgain):
        gateway.balance()


def test_gateway_with_a_refused_key_is_not_configured(stage: Stage) -> None:
    gateway = stage.gateway()
    gateway._client = stripe.StripeClient("sk_revoked", base_addresses={"api": stage.simulator.url})

    with pytest.raises(NotConfigured):
        gateway.balance()


def test_errors_all_descend_from_one() -> None:
    errors = [InsufficientFunds, NotConfigured, OutcomeUnknown, PayeeCannotReceive, TryAgain]

    assert all(issubclass(error, GatewayError) for error in errors)
