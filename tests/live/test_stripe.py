"""What Tribute asks of Stripe, asked of Stripe: ``make test-live`` with a key of test mode.

In ``make test`` the same questions go to our simulation, which shows that they can be asked, and
nothing about Stripe. The suite has never been run before Stripe itself.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from ledger.gateway import InvalidSignature, NotConfigured, PayeeAccount, Refused, TransferResult
from tests.live.stand import FUNDS_MINOR, LiveStand, Stand, signature
from tests.server.stripe_simulator.stage import PLATFORM_SECRET


@pytest.fixture(scope="module")
def payee(stand: Stand) -> PayeeAccount:
    return stand.payee()


@pytest.fixture(scope="module")
def sent(stand: Stand, payee: PayeeAccount) -> TransferResult:
    """Ten units on their way to the payee."""
    stand.fund()
    return transfer(stand, payee, 1_000)


def transfer(stand: Stand, payee: PayeeAccount, minor: int, *, name: str = "1") -> TransferResult:
    return stand.gateway().transfer(
        key=f"payout:pay_{stand.run}:transfer:{name}",
        payee_account=payee.id,
        amount_minor=minor,
        currency=stand.currency,
        group=f"payout:pay_{stand.run}",
        metadata={"payout": f"pay_{stand.run}"},
    )


def test_an_account_is_opened_once_and_waits_for_its_owner(stand: Stand) -> None:
    gateway = stand.gateway()
    particulars: Mapping[str, Any] = {
        "reference": f"cre_new_{stand.run}",
        "email": f"ada+{stand.run}@example.org",
        "country": stand.country,
    }
    opened = gateway.create_payee(**particulars)
    assert opened.id.startswith("acct_")
    assert not opened.can_receive
    assert opened.requirements
    assert gateway.create_payee(**particulars).id == opened.id
    assert gateway.payee(opened.id).id == opened.id
    link = gateway.onboarding_link(
        opened.id, return_url="https://example.org/back", refresh_url="https://example.org/again"
    )
    assert link.startswith("http")


def test_a_top_up_session_is_opened_once_and_is_unpaid(stand: Stand) -> None:
    gateway = stand.gateway()
    page: Mapping[str, Any] = {
        "key": f"topup:top_new_{stand.run}",
        "amount_minor": FUNDS_MINOR,
        "currency": stand.currency,
        "reference": f"top_new_{stand.run}",
        "success_url": "https://example.org/done",
        "cancel_url": "https://example.org/no",
    }
    session = gateway.checkout(**page)
    assert gateway.checkout(**page) == session
    status = gateway.find_checkout(session.id)
    assert (status.paid, status.amount_minor, status.currency, status.reference) == (
        False,
        FUNDS_MINOR,
        stand.currency,
        f"top_new_{stand.run}",
    )


def test_a_payee_that_is_onboarded_can_receive(payee: PayeeAccount) -> None:
    assert payee.can_receive


def test_a_transfer_is_made_once_and_found_by_its_group_and_metadata(
    stand: Stand, payee: PayeeAccount, sent: TransferResult
) -> None:
    assert (sent.payee_account, sent.amount_minor, sent.currency) == (
        payee.id,
        1_000,
        stand.currency,
    )
    assert transfer(stand, payee, 1_000).id == sent.id, "the same key is the same transfer"
    (found,) = stand.gateway().find_transfers(group=f"payout:pay_{stand.run}")
    assert (found.id, dict(found.metadata)) == (sent.id, {"payout": f"pay_{stand.run}"})
    assert stand.gateway().find_transfers(group=f"payout:pay_none_{stand.run}") == ()


def test_a_key_said_with_another_amount_is_refused(
    stand: Stand, payee: PayeeAccount, sent: TransferResult
) -> None:
    with pytest.raises(Refused) as told:
        transfer(stand, payee, sent.amount_minor + 1)
    assert told.value.code == "idempotency_key_reused"


def test_part_of_a_transfer_is_taken_back_once(stand: Stand, sent: TransferResult) -> None:
    gateway = stand.gateway()
    again: Mapping[str, Any] = {
        "key": f"payout:pay_{stand.run}:reversal:1",
        "transfer_id": sent.id,
        "amount_minor": 400,
    }
    reversal = gateway.reverse_transfer(**again)
    assert (reversal.transfer_id, reversal.amount_minor) == (sent.id, 400)
    assert gateway.reverse_transfer(**again).id == reversal.id
    (found,) = gateway.find_transfers(group=f"payout:pay_{stand.run}")
    assert found.reversed_minor == 400
    with pytest.raises(Refused):
        gateway.reverse_transfer(
            key=f"payout:pay_{stand.run}:reversal:2", transfer_id=sent.id, amount_minor=601
        )


def test_what_moved_the_balance_can_be_listed(stand: Stand, sent: TransferResult) -> None:
    gateway = stand.gateway()
    assert stand.currency in {row.currency for row in gateway.balance()}
    listed = gateway.balance_transactions(since=sent.created_at, cursor=None)
    moved = [row for row in listed.items if row.kind == "transfer"]
    assert -sent.amount_minor in {row.amount_minor for row in moved}


def test_an_event_is_read_when_the_sdk_finds_it_signed(stand: Stand, sent: TransferResult) -> None:
    gateway = stand.gateway()
    payload, header = stand.event("transfer.created", sent.id)
    event = gateway.parse_event(payload, header)
    assert (event.type, event.object_id, event.livemode) == ("transfer.created", sent.id, False)
    for wrong in (signature(payload, "whsec_mallory"), header.replace("v1=", "v0="), ""):
        with pytest.raises(InvalidSignature):
            gateway.parse_event(payload, wrong)
    with pytest.raises(InvalidSignature):
        gateway.parse_event(payload.replace(b"transfer", b"transfor"), header)
    assert gateway.parse_event(payload, signature(payload, PLATFORM_SECRET)).id == event.id


@pytest.mark.parametrize(
    ("key", "payee_id"), [("", "acct_1"), ("sk_live_1", "acct_1"), ("sk_test_1", "")]
)
def test_only_a_test_key_and_an_onboarded_account_are_taken(
    monkeypatch: pytest.MonkeyPatch, key: str, payee_id: str
) -> None:
    monkeypatch.setenv("STRIPE_TEST_KEY", key)
    monkeypatch.setenv("STRIPE_TEST_PAYEE", payee_id)
    with pytest.raises(NotConfigured):
        LiveStand.from_environment()


def test_the_live_stand_asks_stripe_and_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_TEST_KEY", "sk_test_1")
    monkeypatch.setenv("STRIPE_TEST_PAYEE", "acct_1")
    live = LiveStand.from_environment()
    assert live.gateway()._client._requestor._options.base_addresses.get("api") == (
        "https://api.stripe.com"
    )
