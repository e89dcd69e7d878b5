"""Payouts: two people, exact lines, paid at most once, whatever gets lost on the way."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from ledger import balances, payouts, statements
from ledger.accounts import AccountKind
from ledger.errors import (
    BooksInDoubt,
    LinesChanged,
    MakerIsChecker,
    NotCovered,
    NothingDue,
    NotPayoutAdmin,
    OpenBatchExists,
    WrongState,
)
from ledger.gateway import (
    InsufficientFunds,
    NotConfigured,
    OutcomeUnknown,
    PayeeCannotReceive,
    Refused,
    TryAgain,
)
from ledger.gateway_paper import PaperGateway
from ledger.models import Payee, Payout, PayoutBatch, PayoutEvent, Reconciliation
from ledger.money import Money
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.vocabulary import BatchStatus, PayoutStatus
from registry.models import Creator, Operator, User
from tests.journal import Journal
from tests.ledger.cast import account, admin, attempt, earn_available, hear, payable, tamper, top_up
from tests.ledger.conftest import NOON

pytestmark = pytest.mark.usefixtures("sound")

MINUTES = timedelta(minutes=1)


@pytest.fixture
def gateway() -> PaperGateway:
    return PaperGateway(clock=lambda: NOON)


@pytest.fixture
def mia(db: None) -> User:
    return admin("mia")


@pytest.fixture
def noah(db: None) -> User:
    return admin("noah")


@pytest.fixture
def world(acme: Operator, ada: Creator, ben: Creator, gateway: PaperGateway) -> None:
    """Ada is owed 3.004999 euros, Ben 2; both can be paid."""
    top_up(acme, 50, gateway=gateway)
    earn_available(ada, acme, 3_004_999)
    earn_available(ben, acme, 2_000_000)
    payable(ada, gateway)
    payable(ben, gateway)


def approved(mia: User, noah: User) -> PayoutBatch:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    return payouts.approve(batch, noah, at=NOON)


def of(creator: Creator) -> Payout:
    return Payout.objects.get(creator=creator)


def history(creator: Creator) -> list[str]:
    events = PayoutEvent.objects.filter(payout__creator=creator).order_by("pk")
    return list(events.values_list("to_status", flat=True))


def send(gateway: PaperGateway, at: datetime = NOON) -> int:
    return payouts.send_due(gateway=gateway, at=at, limit=100)


def sent_minor(gateway: PaperGateway) -> int:
    """What left the platform's balance at the provider, in cents."""
    page = gateway.balance_transactions(since=NOON, cursor=None)
    return -sum(row.amount_minor for row in page.items if row.kind.startswith("transfer"))


@pytest.mark.usefixtures("world")
def test_a_payout_goes_from_plan_to_bank(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, journal: Journal
) -> None:
    journal()
    batch = approved(mia, noah)
    assert (
        journal()
        == """
        creator:ada:available   -3.000000 EUR
        creator:ada:in-payout    3.000000 EUR

        creator:ben:available   -2.000000 EUR
        creator:ben:in-payout    2.000000 EUR
    """
    )
    assert send(gateway) == 2
    batch.refresh_from_db()
    assert batch.status == BatchStatus.CLOSED
    assert of(ada).status == PayoutStatus.TRANSFERRED

    gateway.pay_out(of(ada).transfer_id, status="in_transit")
    hear(gateway)
    assert of(ada).status == PayoutStatus.IN_TRANSIT
    gateway.pay_out(of(ada).transfer_id)
    hear(gateway)
    assert history(ada) == ["reserved", "sending", "transferred", "in_transit", "paid"]
    assert sent_minor(gateway) == 500
    assert (
        journal()
        == """
        creator:ada:in-payout       -3.000000 EUR
        platform:provider-clearing   3.000000 EUR

        creator:ben:in-payout       -2.000000 EUR
        platform:provider-clearing   2.000000 EUR
    """
    )
    earned = statements.earnings(ada, currency="EUR")
    assert (earned.paid, earned.available) == (Money(3_000_000, "EUR"), Money(4_999, "EUR"))
    assert earned.earned == Money(3_004_999, "EUR")


# Two people ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_the_maker_does_not_approve(mia: User, noah: User) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, noah, at=NOON)
    for maker in (mia, noah):
        with pytest.raises(MakerIsChecker):
            payouts.approve(batch, maker, at=NOON)


@pytest.mark.usefixtures("world")
def test_postgresql_itself_refuses_a_maker_who_approves(mia: User, noah: User) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, noah, at=NOON)
    for maker in (mia, noah):
        with (
            pytest.raises(IntegrityError, match="payout_batch_maker_is_not_checker"),
            transaction.atomic(),
        ):
            PayoutBatch.objects.filter(pk=batch.pk).update(
                approved_by=maker, approved_at=NOON, status="approved"
            )


@pytest.mark.usefixtures("world")
def test_nobody_but_a_payout_admin_acts(mia: User, noah: User) -> None:
    mallory = User.objects.create_user("mallory@example.org")
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    with pytest.raises(NotPayoutAdmin):
        payouts.prepare(mallory, currency="EUR", at=NOON)
    for deed in (payouts.submit, payouts.approve, payouts.cancel):
        with pytest.raises(NotPayoutAdmin):
            deed(batch, mallory, at=NOON)
    noah.is_active = False
    with pytest.raises(NotPayoutAdmin):
        payouts.cancel(batch, noah, at=NOON)


# Exact lines -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_lines_are_frozen_for_everybody(ada: Creator, mia: User) -> None:
    payouts.submit(payouts.prepare(mia, currency="EUR", at=NOON), mia, at=NOON)
    for change in ({"amount_micros": 9_000_000}, {"account": "acct_of_mallory"}):
        with pytest.raises(IntegrityError, match="is fixed"), transaction.atomic():
            Payout.objects.filter(creator=ada).update(**change)
    mallory = Creator.objects.create(handle="mallory", display_name="Mallory", created_at=NOON)
    late = Payout(
        batch=PayoutBatch.objects.get(),
        creator=mallory,
        gateway="paper",
        account="acct_of_mallory",
        amount_micros=1_000_000,
        currency="EUR",
        created_at=NOON,
    )
    with pytest.raises(IntegrityError, match="while that is a draft"), transaction.atomic():
        late.save()


@pytest.mark.usefixtures("world")
def test_changed_lines_void_the_approval(
    ben: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    def redirect(account: str) -> None:
        sql = "UPDATE ledger_payout SET account = %s WHERE amount_micros = 2000000"
        tamper("ledger_payout", sql, account)

    rightful = Payee.objects.get(creator=ben).account
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    redirect("acct_of_mallory")
    with pytest.raises(LinesChanged):
        payouts.approve(batch, noah, at=NOON)

    redirect(rightful)
    payouts.approve(batch, noah, at=NOON)
    redirect("acct_of_mallory")
    assert send(gateway) == 0
    redirect(rightful)
    assert send(gateway) == 0, "a batch that was tampered with once is for a person to look at"
    assert PayoutBatch.objects.get().waits_for == "lines_changed"
    assert sent_minor(gateway) == 0


# What may be drawn up --------------------------------------------------------------------------


def test_only_who_can_be_paid_and_has_the_minimum_is_paid(
    acme: Operator, ada: Creator, ben: Creator, mia: User, gateway: PaperGateway
) -> None:
    top_up(acme, 50, gateway=gateway)
    earn_available(ada, acme, 999_999)
    earn_available(ben, acme, 1_000_000)
    payable(ada, gateway)
    with pytest.raises(NothingDue):
        payouts.prepare(mia, currency="EUR", at=NOON)
    assert not PayoutBatch.objects.exists()
    payable(ben, gateway)
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    assert [payout.creator_id for payout in batch.payouts.all()] == [ben.pk]


@pytest.mark.usefixtures("world")
def test_one_batch_is_drawn_up_at_a_time(mia: User, noah: User) -> None:
    first = payouts.prepare(mia, currency="EUR", at=NOON)
    with pytest.raises(OpenBatchExists):
        payouts.prepare(noah, currency="EUR", at=NOON)
    payouts.cancel(first, noah, at=NOON)
    assert payouts.prepare(noah, currency="EUR", at=NOON).payouts.count() == 2


@pytest.mark.usefixtures("world")
def test_a_difference_in_reconciliation_blocks_the_next_batch(mia: User) -> None:
    figures = {"ledger_micros": 5, "provider_micros": 5, "balance_micros": 4}
    Reconciliation.objects.create(gateway="paper", currency="EUR", compared_at=NOON, **figures)
    with pytest.raises(BooksInDoubt):
        payouts.prepare(mia, currency="EUR", at=NOON)


@pytest.mark.usefixtures("world")
def test_approval_fails_whole_when_the_money_is_gone(
    ada: Creator, mia: User, noah: User, journal: Journal
) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    legs = (
        (account(AccountKind.CREATOR_AVAILABLE, ada), -1_000_000),
        (account(AccountKind.CREATOR_DISPUTED, ada), 1_000_000),
    )
    post([Draft(key_for("dispute"), EntryKind.CLAIM, "EUR", legs, NOON)], at=NOON)
    journal()
    with pytest.raises(NotCovered):
        payouts.approve(batch, noah, at=NOON)
    assert journal() == ""
    batch.refresh_from_db()
    assert batch.status == BatchStatus.SUBMITTED


# Cancelling ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
def test_cancelling_gives_reserved_money_back(ada: Creator, mia: User, noah: User) -> None:
    batch = payouts.cancel(approved(mia, noah), mia, at=NOON)
    assert batch.status == BatchStatus.CANCELED
    assert history(ada) == ["reserved", "canceled"]
    assert statements.earnings(ada, currency="EUR").available == Money(3_004_999, "EUR")
    with pytest.raises(WrongState):
        payouts.cancel(batch, mia, at=NOON)


@pytest.mark.usefixtures("world")
def test_cancelling_leaves_alone_what_was_sent(
    mia: User, noah: User, gateway: PaperGateway
) -> None:
    batch = approved(mia, noah)
    payouts.send_due(gateway=gateway, at=NOON, limit=1)
    batch = payouts.cancel(batch, mia, at=NOON)
    assert batch.status == BatchStatus.CLOSED
    statuses = sorted(batch.payouts.values_list("status", flat=True))
    assert statuses == ["canceled", "transferred"]
    assert send(gateway) == 0


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
def test_taking_back_makes_the_money_available_again_once(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, journal: Journal
) -> None:
    approved(mia, noah)
    send(gateway)
    journal()
    gateway.fail_next("reverse_transfer", OutcomeUnknown("timed out"), after=True)
    with pytest.raises(OutcomeUnknown):
        payouts.take_back(of(ada), mia, gateway=gateway, at=NOON)
    assert journal() == ""
    payouts.take_back(of(ada), mia, gateway=gateway, at=NOON)
    hear(gateway)
    assert (
        journal()
        == """
        platform:provider-clearing  -3.000000 EUR
        creator:ada:available        3.000000 EUR
    """
    )
    assert of(ada).status == PayoutStatus.REVERSED
    with pytest.raises(WrongState):
        payouts.take_back(of(ada), mia, gateway=gateway, at=NOON)
    assert sent_minor(gateway) == 200


@pytest.mark.usefixtures("world")
def test_a_refused_reversal_leaves_the_payout_and_may_be_tried_anew(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    gateway.pay_out(of(ada).transfer_id)
    with pytest.raises(InsufficientFunds):
        payouts.take_back(of(ada), mia, gateway=gateway, at=NOON)
    gateway.pay_out(of(ada).transfer_id, status="failed")
    gateway._bank_payouts.clear()
    payouts.take_back(of(ada), mia, gateway=gateway, at=NOON)
    assert of(ada).status == PayoutStatus.REVERSED


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


# History ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_payoutevent SET reason = ''",
        "DELETE FROM ledger_payoutevent",
        "DELETE FROM ledger_payout",
        "DELETE FROM ledger_payoutbatch",
        "TRUNCATE ledger_payoutevent",
        "UPDATE ledger_payout SET status = 'reserved' WHERE status = 'canceled'",
        "UPDATE ledger_payoutbatch SET approved_by_id = prepared_by_id",
        "UPDATE ledger_payoutbatch SET lines_digest = '\\x00'",
        "UPDATE ledger_payoutbatch SET status = 'draft'",
    ],
)
@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
def test_history_is_refused_change(mia: User, noah: User, sql: str, role: str) -> None:
    payouts.cancel(approved(mia, noah), mia, at=NOON)
    refused = "append-only|permission denied|stays so|on record"
    with pytest.raises((IntegrityError, ProgrammingError), match=refused):
        attempt(role, sql)
