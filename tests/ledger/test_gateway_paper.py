"""The paper gateway keeps the same rules as a real provider."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.gateway import (
    Gateway,
    InsufficientFunds,
    InvalidPayload,
    InvalidSignature,
    OutcomeUnknown,
    PayeeAccount,
    PayeeCannotReceive,
    ProviderBalance,
    Refused,
    TransferResult,
)
from ledger.gateway_paper import PaperGateway
from ledger.gateway_stripe import StripeGateway

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def gateway() -> PaperGateway:
    return PaperGateway(clock=lambda: NOON)


@pytest.fixture
def ada(gateway: PaperGateway) -> PayeeAccount:
    account = gateway.create_payee(reference="cre_ada", email="ada@example.org", country="DE")
    gateway.finish_onboarding(account.id)
    return gateway.payee(account.id)


def top_up(gateway: PaperGateway, minor: int, *, fee_minor: int = 0) -> str:
    session = gateway.checkout(
        key="top_1",
        amount_minor=minor,
        currency="EUR",
        reference="top_1",
        success_url="https://t.example/done",
        cancel_url="https://t.example/no",
    )
    gateway.pay(session.id, fee_minor=fee_minor)
    return session.id


def send(
    gateway: Gateway, payee: PayeeAccount, minor: int, *, key: str = "pay_1:1"
) -> TransferResult:
    return gateway.transfer(
        key=key,
        payee_account=payee.id,
        amount_minor=minor,
        currency="EUR",
        group="payout:pay_1",
        metadata={"payout": "pay_1"},
    )


def test_both_gateways_satisfy_the_protocol() -> None:
    kinds: list[type[Gateway]] = [PaperGateway, StripeGateway]

    assert [kind.name for kind in kinds] == ["paper", "stripe"]


def test_transfer_is_noted_once_and_found(gateway: PaperGateway, ada: PayeeAccount) -> None:
    top_up(gateway, 10_000, fee_minor=175)

    sent = send(gateway, ada, 1_500)

    assert sent == send(gateway, ada, 1_500)
    assert gateway.find_transfers(group="payout:pay_1") == (sent,)
    assert gateway.find_transfers(group="payout:pay_2") == ()
    assert gateway.balance() == (ProviderBalance("EUR", 10_000 - 175 - 1_500, 0),)
    assert gateway.payment_file() == (
        "transfer,payee_account,amount_minor,currency,group\n"
        "tr_paper_1,acct_paper_1,1500,EUR,payout:pay_1\n"
    )


def test_key_with_another_amount_is_refused(gateway: PaperGateway, ada: PayeeAccount) -> None:
    top_up(gateway, 10_000)
    send(gateway, ada, 1_500)

    with pytest.raises(Refused) as refusal:
        send(gateway, ada, 1_501)

    assert refusal.value.code == "idempotency_key_reused"


def test_refusal_is_repeated_under_its_key(gateway: PaperGateway, ada: PayeeAccount) -> None:
    with pytest.raises(InsufficientFunds):
        send(gateway, ada, 1_500)
    top_up(gateway, 10_000)

    with pytest.raises(InsufficientFunds):
        send(gateway, ada, 1_500)
    assert send(gateway, ada, 1_500, key="pay_1:2").amount_minor == 1_500


def test_payee_who_was_not_onboarded_cannot_receive(gateway: PaperGateway) -> None:
    top_up(gateway, 10_000)
    ben = gateway.create_payee(reference="cre_ben", email="ben@example.org", country="FR")

    with pytest.raises(PayeeCannotReceive):
        send(gateway, ben, 1)
    with pytest.raises(PayeeCannotReceive):
        gateway.payee("acct_nobody")


@pytest.mark.parametrize("after", [False, True])
def test_fail_next_fails_once_before_or_after_the_deed(
    gateway: PaperGateway, ada: PayeeAccount, *, after: bool
) -> None:
    top_up(gateway, 10_000)
    gateway.fail_next("transfer", OutcomeUnknown("the line went dead"), after=after)

    with pytest.raises(OutcomeUnknown):
        send(gateway, ada, 1_500)

    assert bool(gateway.find_transfers(group="payout:pay_1")) == after
    assert send(gateway, ada, 1_500).id == "tr_paper_1"


def test_reversals_stop_at_the_transfer_and_at_the_bank(
    gateway: PaperGateway, ada: PayeeAccount
) -> None:
    top_up(gateway, 10_000)
    sent = send(gateway, ada, 1_500)

    gateway.reverse_transfer(key="rev:1", transfer_id=sent.id, amount_minor=500)
    with pytest.raises(Refused):
        gateway.reverse_transfer(key="rev:2", transfer_id=sent.id, amount_minor=1_001)
    gateway.pay_out(sent.id, status="in_transit")
    with pytest.raises(InsufficientFunds):
        gateway.reverse_transfer(key="rev:3", transfer_id=sent.id, amount_minor=1_000)

    (found,) = gateway.find_transfers(group="payout:pay_1")
    assert found.reversed_minor == 500


def test_reversal_after_the_bank_sent_the_money_back(
    gateway: PaperGateway, ada: PayeeAccount
) -> None:
    top_up(gateway, 10_000)
    sent = send(gateway, ada, 1_500)

    payout = gateway.pay_out(sent.id, status="failed")
    gateway.reverse_transfer(key="rev:1", transfer_id=sent.id, amount_minor=1_500)

    assert gateway.bank_payout(payout.id, account_id=ada.id).failure_code == "account_closed"
    assert gateway.balance() == (ProviderBalance("EUR", 10_000, 0),)


def test_checkout_is_paid_once(gateway: PaperGateway) -> None:
    session_id = top_up(gateway, 10_000)

    gateway.pay(session_id)

    assert gateway.find_checkout(session_id).paid
    assert gateway.balance() == (ProviderBalance("EUR", 10_000, 0),)


def test_balance_transactions_add_up_page_by_page(
    gateway: PaperGateway, ada: PayeeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.gateway_paper.PAGE_SIZE", 2)
    top_up(gateway, 10_000, fee_minor=175)
    for number in range(3):
        send(gateway, ada, 1_000, key=f"pay_{number}:1")

    first = gateway.balance_transactions(since=NOON, cursor=None)
    second = gateway.balance_transactions(since=NOON, cursor=first.cursor)

    rows = first.items + second.items
    assert second.cursor is None
    assert [row.kind for row in rows] == ["transfer"] * 3 + ["charge"]
    assert sum(row.amount_minor - row.fee_minor for row in rows) == 6_825
    later = gateway.balance_transactions(since=NOON + timedelta(seconds=1), cursor=None)
    assert later.items == ()


def test_events_are_believed_only_as_signed(gateway: PaperGateway, ada: PayeeAccount) -> None:
    (event,) = gateway.events
    payload, signature = gateway.signed(event)

    assert gateway.parse_event(payload, signature) == event
    with pytest.raises(InvalidSignature):
        gateway.parse_event(payload.replace(b"acct", b"acct_x"), signature)
    with pytest.raises(InvalidSignature):
        PaperGateway(secret="another").parse_event(payload, signature)
    with pytest.raises(InvalidPayload):
        gateway.parse_event(b"{}", gateway._sign(b"{}"))
