"""Sending: answers that are lost, late, refused or contradicted; nobody is paid twice."""

from datetime import timedelta
from typing import Any

import pytest

from ledger import balances, payouts, sending, statements
from ledger.accounts import AccountKind
from ledger.gateway import (
    InsufficientFunds,
    NotConfigured,
    OutcomeUnknown,
    PayeeCannotReceive,
    Refused,
    TransferResult,
    TryAgain,
)
from ledger.gateway_paper import PaperGateway
from ledger.models import Payee, Payout, PayoutBatch
from ledger.money import Money
from ledger.vocabulary import BatchStatus, PayoutStatus
from registry.models import Creator, Operator, User
from tests.factories import NOON
from tests.ledger.cast import (
    account,
    approved,
    hear,
    history,
    of,
    send,
    sent_minor,
)

pytestmark = pytest.mark.usefixtures("sound")

MINUTES = timedelta(minutes=1)


# Lost and late answers -------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("happened", [True, False])
def test_a_lost_answer_is_unknown_until_looked_up_and_nobody_is_paid_twice(
    mia: User, noah: User, gateway: PaperGateway, *, happened: bool
) -> None:
    approved(mia, noah)
    first = Payout.objects.order_by("pk").first()
    assert first is not None
    gateway.fail_next("transfer", OutcomeUnknown("timed out"), after=happened)
    assert send(gateway) == 1
    first.refresh_from_db()
    assert first.status == PayoutStatus.UNKNOWN
    assert send(gateway, at=NOON + 4 * MINUTES) == 0
    assert payouts.resolve_unknown(gateway=gateway, at=NOON + 4 * MINUTES) == 0

    assert payouts.resolve_unknown(gateway=gateway, at=NOON + 5 * MINUTES) == 1
    send(gateway, at=NOON + 6 * MINUTES)
    first.refresh_from_db()
    assert (first.status, first.attempt) == (PayoutStatus.TRANSFERRED, 1)
    assert sent_minor(gateway) == 500


@pytest.mark.usefixtures("world")
def test_a_webhook_may_know_before_the_look_up(
    mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.fail_next("transfer", OutcomeUnknown("timed out"), after=True)
    send(gateway)
    lost = Payout.objects.get(status=PayoutStatus.UNKNOWN)
    hear(gateway)  # names a transfer we do not know: it waits
    lost.refresh_from_db()
    assert lost.status == PayoutStatus.UNKNOWN
    payouts.resolve_unknown(gateway=gateway, at=NOON + 5 * MINUTES)
    hear(gateway, at=NOON + 5 * MINUTES)
    lost.refresh_from_db()
    assert lost.status == PayoutStatus.TRANSFERRED
    assert sent_minor(gateway) == 500


@pytest.mark.usefixtures("world")
def test_a_second_key_is_used_only_after_the_first_is_forgotten(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    for _ in range(2):
        gateway.fail_next("transfer", OutcomeUnknown("timed out"))
    send(gateway)
    payouts.resolve_unknown(gateway=gateway, at=NOON + timedelta(hours=22))
    assert {p.attempt for p in Payout.objects.all()} == {1}
    for _ in range(2):
        gateway.fail_next("transfer", OutcomeUnknown("timed out"))
    send(gateway, at=NOON + timedelta(hours=22))
    payouts.resolve_unknown(gateway=gateway, at=NOON + timedelta(hours=24))
    assert {p.attempt for p in Payout.objects.all()} == {2}
    assert send(gateway, at=NOON + timedelta(hours=24)) == 2
    assert sent_minor(gateway) == 500


@pytest.mark.usefixtures("world")
def test_a_look_up_that_was_overtaken_by_a_new_request_says_nothing(
    mia: User, noah: User, gateway: PaperGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = approved(mia, noah)
    for _ in range(2):
        gateway.fail_next("transfer", OutcomeUnknown("timed out"))
    send(gateway)
    find, late = gateway.find_transfers, NOON + 6 * MINUTES

    def slow(*, group: str) -> tuple[TransferResult, ...]:
        """While this answer is on its way, another worker looks up and asks again."""
        found = find(group=group)
        monkeypatch.undo()
        payouts.resolve_unknown(gateway=gateway, at=NOON + 5 * MINUTES)
        for _ in range(2):
            gateway.fail_next("transfer", OutcomeUnknown("timed out"), after=True)
        send(gateway, at=late)
        return found

    monkeypatch.setattr(gateway, "find_transfers", slow)
    assert payouts.resolve_unknown(gateway=gateway, at=NOON + 5 * MINUTES) == 1, "the other one"
    payouts.cancel(batch, mia, at=late)
    assert sorted(Payout.objects.values_list("status", flat=True)) == ["transferred", "unknown"]
    payouts.resolve_unknown(gateway=gateway, at=late + 5 * MINUTES)
    assert set(Payout.objects.values_list("status", flat=True)) == {"transferred"}
    assert sent_minor(gateway) == 500


@pytest.mark.usefixtures("world")
def test_a_run_ends_before_its_payouts_are_looked_up(
    mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    ticks = iter([0.0, 1.0, sending.RUN_SECONDS + 2])
    assert payouts.send_due(gateway=gateway, at=NOON, limit=9, clock=lambda: next(ticks)) == 1
    assert sorted(Payout.objects.values_list("status", flat=True)) == ["reserved", "transferred"]
    assert timedelta(seconds=2 * sending.RUN_SECONDS) < sending.LOOK_UP_AFTER
    assert send(gateway, at=NOON + MINUTES) == 1


class Killed(BaseException):
    """The process dies."""


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("after_the_call", [True, False])
def test_a_crash_around_the_call_pays_once(
    mia: User,
    noah: User,
    gateway: PaperGateway,
    monkeypatch: pytest.MonkeyPatch,
    *,
    after_the_call: bool,
) -> None:
    approved(mia, noah)
    transfer = gateway.transfer

    def dying(**asked: Any) -> None:
        if after_the_call:
            transfer(**asked)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(gateway, "transfer", dying)
        with pytest.raises(Killed):
            send(gateway)
    assert sorted(Payout.objects.values_list("status", flat=True)) == ["reserved", "sending"]

    payouts.resolve_unknown(gateway=gateway, at=NOON + 5 * MINUTES)
    send(gateway, at=NOON + 5 * MINUTES)
    assert set(Payout.objects.values_list("status", flat=True)) == {"transferred"}
    assert sent_minor(gateway) == 500


@pytest.mark.usefixtures("world")
def test_a_key_that_came_back_with_other_amounts_is_looked_up_not_failed(
    mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.fail_next("transfer", Refused("idempotency_key_reused", "other amounts"), after=True)
    send(gateway)
    assert Payout.objects.filter(status=PayoutStatus.UNKNOWN).count() == 1
    payouts.resolve_unknown(gateway=gateway, at=NOON + 5 * MINUTES)
    assert sent_minor(gateway) == 500


# Refusals --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_a_refused_transfer_gives_the_money_back(
    ada: Creator, ben: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.fail_next("transfer", Refused("account_closed", "for good"))
    gateway.fail_next("transfer", Refused("account_closed", "for good"))
    assert send(gateway) == 0
    assert history(ada) == ["reserved", "sending", "failed"]
    assert of(ada).trouble == "account_closed"
    assert statements.earnings(ada, currency="EUR").available == Money(3_004_999, "EUR")
    assert PayoutBatch.objects.get().status == BatchStatus.CLOSED


@pytest.mark.usefixtures("world")
def test_missing_funds_pause_the_batch_until_they_come(
    acme: Operator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    batch = approved(mia, noah)
    gateway.fail_next("transfer", InsufficientFunds("balance_insufficient", "nothing there"))
    assert send(gateway) == 0
    batch.refresh_from_db()
    assert (batch.status, batch.waits_for) == (BatchStatus.SENDING, "funds")
    assert sorted(p.attempt for p in batch.payouts.all()) == [1, 2]
    assert set(batch.payouts.values_list("status", flat=True)) == {"reserved"}
    assert send(gateway) == 2  # the provider says that its balance covers it
    batch.refresh_from_db()
    assert (batch.status, batch.waits_for) == (BatchStatus.CLOSED, "")


@pytest.mark.usefixtures("world")
def test_a_batch_stays_paused_while_the_provider_has_nothing(
    mia: User, noah: User, gateway: PaperGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(mia, noah)
    gateway.fail_next("transfer", InsufficientFunds("balance_insufficient", "nothing there"))
    send(gateway)
    monkeypatch.setattr(gateway, "balance", tuple)
    assert send(gateway) == 0
    assert PayoutBatch.objects.get().waits_for == "funds"


@pytest.mark.usefixtures("world")
def test_a_payee_who_cannot_receive_is_held_until_they_can(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    Payee.objects.filter(creator=ada).update(can_receive=False)
    gateway.fail_next("transfer", PayeeCannotReceive("payee_inactive", "not onboarded"))
    assert send(gateway) == 0
    assert set(Payout.objects.values_list("status", flat=True)) == {"held"}
    assert send(gateway) == 0
    Payee.objects.update(can_receive=True)
    assert send(gateway) == 2


@pytest.mark.usefixtures("world")
def test_a_payee_whose_account_changed_is_held_for_a_person(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    batch = approved(mia, noah)
    Payee.objects.filter(creator=ada).update(account="acct_new")
    assert send(gateway) == 1
    assert (of(ada).status, of(ada).trouble) == (PayoutStatus.HELD, "payee_account_changed")
    assert send(gateway) == 0
    payouts.cancel(batch, mia, at=NOON)
    assert of(ada).status == PayoutStatus.CANCELED


@pytest.mark.usefixtures("world")
def test_a_provider_that_is_busy_or_not_configured_changes_nothing(
    mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.fail_next("transfer", TryAgain("429"))
    assert send(gateway) == 0
    gateway.fail_next("transfer", NotConfigured("no key"))
    with pytest.raises(NotConfigured):
        send(gateway)
    assert set(Payout.objects.values_list("status", "attempt")) == {("reserved", 1)}
    assert send(gateway) == 0
    assert send(gateway, at=NOON + MINUTES) == 2


@pytest.mark.usefixtures("world")
def test_a_transfer_that_is_not_the_one_asked_for_is_held(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    batch = approved(mia, noah)
    gateway.transfer(
        key="by hand",
        payee_account=of(ada).account,
        amount_minor=299,
        currency="EUR",
        group=of(ada).group,
        metadata={},
    )
    gateway.fail_next("transfer", OutcomeUnknown("timed out"))
    gateway.fail_next("transfer", OutcomeUnknown("timed out"))
    send(gateway)
    payouts.resolve_unknown(gateway=gateway, at=NOON + 5 * MINUTES)
    assert (of(ada).status, of(ada).trouble) == (PayoutStatus.HELD, "transfer_differs")
    payouts.cancel(batch, mia, at=NOON)
    assert of(ada).status == PayoutStatus.HELD, "money left; only a person may say what it was"


@pytest.mark.usefixtures("world")
def test_a_payee_who_owes_the_provider_is_held_asked_about_hourly_and_sent_once_settled(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.charge_payee(of(ada).account, 1, "EUR")
    assert send(gateway) == 1, "Ben's"
    assert (of(ada).status, of(ada).trouble) == (PayoutStatus.HELD, "payee_owes_provider")
    assert sent_minor(gateway) == 200
    for minutes in (1, 59, 60, 61):
        assert send(gateway, at=NOON + minutes * MINUTES) == 0
    assert history(ada) == ["reserved", "held"], "asking leaves no mark"

    gateway.charge_payee(of(ada).account, -1, "EUR")
    assert send(gateway, at=NOON + 119 * MINUTES) == 0
    assert send(gateway, at=NOON + 120 * MINUTES) == 1
    assert (of(ada).status, of(ada).attempt) == (PayoutStatus.TRANSFERRED, 1)
    assert sent_minor(gateway) == 500


@pytest.mark.usefixtures("world")
def test_what_a_payee_owes_in_another_currency_holds_nothing_up(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.charge_payee(of(ada).account, 1, "JPY")
    assert send(gateway) == 2


@pytest.mark.usefixtures("world")
def test_an_account_that_cannot_be_asked_about_is_sent_nothing(
    mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.fail_next("payee_balance", TryAgain("429"))
    assert send(gateway) == 0
    gateway.fail_next("payee_balance", NotConfigured("the key may not read balances"))
    with pytest.raises(NotConfigured):
        send(gateway)
    assert set(Payout.objects.values_list("status", "attempt")) == {("reserved", 1)}
    gateway.fail_next("payee_balance", PayeeCannotReceive("account_invalid", "not ours any more"))
    assert send(gateway) == 1
    held = Payout.objects.get(status=PayoutStatus.HELD)
    assert held.trouble == "payee_cannot_receive"
    assert not Payee.objects.get(creator=held.creator_id).can_receive


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("is_back", [False, True])
def test_books_that_forgot_what_they_sent_send_it_no_second_time(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, *, is_back: bool
) -> None:
    approved(mia, noah)
    lost = gateway.transfer(  # as before the backup that was restored
        key=of(ada).transfer_key,
        payee_account=of(ada).account,
        amount_minor=of(ada).amount_minor,
        currency="EUR",
        group=of(ada).group,
        metadata={},
    )
    if is_back:
        gateway.reverse_transfer(key="back", transfer_id=lost.id, amount_minor=300)
    gateway._answers.clear()  # and long enough ago
    assert send(gateway) == 1, "Ben's"
    assert of(ada).status == (PayoutStatus.REVERSED if is_back else PayoutStatus.TRANSFERRED)
    assert of(ada).transfer_id == lost.id
    assert sent_minor(gateway) == (200 if is_back else 500)


@pytest.mark.usefixtures("world")
def test_another_transfer_that_is_there_before_ours_holds_ours(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.transfer(
        key="by hand",
        payee_account=of(ada).account,
        amount_minor=299,
        currency="EUR",
        group=of(ada).group,
        metadata={},
    )
    assert send(gateway) == 1, "Ben's"
    assert (of(ada).status, of(ada).trouble) == (PayoutStatus.HELD, "transfer_differs")
    assert sent_minor(gateway) == 499


@pytest.mark.usefixtures("world")
def test_a_key_that_waited_longer_than_it_lasts_is_looked_up_before_it_is_said_again(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    for _ in range(2):
        gateway.fail_next("transfer", OutcomeUnknown("timed out"))
    send(gateway)
    payouts.resolve_unknown(gateway=gateway, at=NOON + timedelta(hours=22))
    assert of(ada).status == PayoutStatus.RESERVED
    for each in Payout.objects.all():  # it happened after all, and nobody heard
        gateway.transfer(
            key=each.transfer_key,
            payee_account=each.account,
            amount_minor=each.amount_minor,
            currency="EUR",
            group=each.group,
            metadata={},
        )
    gateway._answers.clear()
    assert send(gateway, at=NOON + timedelta(hours=25)) == 0
    assert {p.status for p in Payout.objects.all()} == {PayoutStatus.TRANSFERRED}
    assert sent_minor(gateway) == 500


# After it was sent -----------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_a_bank_may_send_back_what_it_had_paid(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    gateway.pay_out(of(ada).transfer_id)
    hear(gateway)
    assert of(ada).status == PayoutStatus.PAID
    gateway.pay_out(of(ada).transfer_id, status="failed")
    hear(gateway)
    assert (of(ada).status, of(ada).trouble) == (PayoutStatus.BANK_FAILED, "account_closed")
    gateway.pay_out(of(ada).transfer_id)
    hear(gateway)
    assert history(ada)[-3:] == ["paid", "bank_failed", "paid"]


@pytest.mark.usefixtures("world")
def test_a_partial_reversal_returns_its_part(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    gateway.reverse_transfer(key="dashboard", transfer_id=of(ada).transfer_id, amount_minor=100)
    hear(gateway)
    hear(gateway)
    assert (of(ada).status, of(ada).reversed_micros) == (PayoutStatus.TRANSFERRED, 1_000_000)
    assert statements.earnings(ada, currency="EUR").paid == Money(2_000_000, "EUR")
    available = balances.balance(account(AccountKind.CREATOR_AVAILABLE, ada))
    assert available == Money(1_004_999, "EUR")
