"""Payouts: two people, exact lines, paid at most once, whatever gets lost on the way."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from ledger import balances, holds, maturity, payouts, statements, topups
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
from ledger.gateway_paper import PaperGateway
from ledger.holds import HoldRequest
from ledger.models import Payee, Payout, PayoutBatch, Reconciliation
from ledger.money import Money
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.vocabulary import BatchStatus, PayoutStatus
from registry.models import Creator, Operator, User
from tests.factories import NOON
from tests.journal import Journal
from tests.ledger.cast import (
    LATER,
    account,
    approved,
    attempt,
    earn,
    earn_available,
    hear,
    history,
    of,
    payable,
    send,
    sent_minor,
    tamper,
    top_up,
)
from tribute import ids

pytestmark = pytest.mark.usefixtures("sound")


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


def test_what_is_below_the_minimum_rolls_over_until_it_is_not(
    acme: Operator, ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    """And what a payout leaves below a whole cent is there for the next."""
    top_up(acme, 50, gateway=gateway)
    payable(ada, gateway)
    available = account(AccountKind.CREATOR_AVAILABLE, ada)
    for micros in (400_000, 350_000):
        earn_available(ada, acme, micros)
        with pytest.raises(NothingDue):
            payouts.prepare(mia, currency="EUR", at=NOON)
    assert balances.balance(available) == Money(750_000, "EUR")
    earn_available(ada, acme, 259_999)
    approved(mia, noah)
    send(gateway)
    assert of(ada).amount == Money(1_000_000, "EUR")
    assert balances.balance(available) == Money(9_999, "EUR")
    with pytest.raises(NothingDue):
        payouts.prepare(mia, currency="EUR", at=NOON)
    earn_available(ada, acme, 990_001)
    assert [
        payout.amount for payout in payouts.prepare(mia, currency="EUR", at=NOON).payouts.all()
    ] == [Money(1_000_000, "EUR")]


def test_only_money_that_has_matured_and_settled_is_paid(
    acme: Operator, ada: Creator, mia: User, gateway: PaperGateway
) -> None:
    """Of what an operator was asked for, only what the provider settled can become earnings."""
    asked = topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=gateway, at=NOON)
    payable(ada, gateway)
    prepaid, pending = (
        account(AccountKind.OPERATOR_PREPAID, acme),
        account(AccountKind.CREATOR_PENDING, ada),
    )
    legs = ((prepaid, -2_000_000), (pending, 2_000_000))
    unpaid = Draft(uuid4(), EntryKind.QUERY, "EUR", legs, NOON)
    assert unpaid.key in post([unpaid], at=NOON).refused, "the page is open, nothing has come"

    assert asked.session_id
    gateway.pay(asked.session_id)
    hear(gateway)
    earn(ada, acme, 2_000_000)
    with pytest.raises(NothingDue):
        payouts.prepare(mia, currency="EUR", at=NOON)
    maturity.mature(at=LATER, holding=timedelta(days=30))
    assert payouts.prepare(mia, currency="EUR", at=NOON).payouts.count() == 1


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
def test_a_difference_found_since_blocks_the_approval(mia: User, noah: User) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    figures = {"ledger_micros": 5, "provider_micros": 5, "balance_micros": 4}
    Reconciliation.objects.create(gateway="paper", currency="EUR", compared_at=NOON, **figures)
    with pytest.raises(BooksInDoubt):
        payouts.approve(batch, noah, at=NOON)
    batch.refresh_from_db()
    assert batch.status == BatchStatus.SUBMITTED


@pytest.mark.usefixtures("world")
def test_approval_fails_whole_when_the_money_is_gone(
    ada: Creator, mia: User, noah: User, journal: Journal
) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    wanted = HoldRequest(
        key_for("hold"), AccountKind.CREATOR_AVAILABLE, ada.pk, Money(1_000_000, "EUR"), NOON
    )
    holds.reserve_many([wanted], at=NOON)
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


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("role", ["tribute_app", "tribute_owner"])
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE ledger_payout SET status = 'reserved'",
        "UPDATE ledger_payout SET status = 'reserved', attempt = attempt + 1, transfer_id = ''",
        "UPDATE ledger_payout SET status = 'planned'",
        "UPDATE ledger_payout SET attempt = attempt + 1",
        "UPDATE ledger_payout SET transfer_id = transfer_id || 'x'",
        "UPDATE ledger_payout SET transfer_id = '', status = 'reserved'",
        "UPDATE ledger_payoutbatch SET status = 'approved'",
        "UPDATE ledger_payoutbatch SET status = 'submitted'",
    ],
)
def test_what_was_sent_is_never_due_again(
    gateway: PaperGateway, mia: User, noah: User, sql: str, role: str
) -> None:
    batch = approved(mia, noah)
    payouts.send_due(gateway=gateway, at=NOON, limit=1)
    batch.refresh_from_db()
    assert batch.status == BatchStatus.SENDING, "one was sent, one is still to be"
    sent = Payout.objects.exclude(transfer_id="").get()
    where = f" WHERE id = '{ids.decode('pay', sent.pk)}'" if "ledger_payout " in sql else ""
    refused = r"cannot become|follows an attempt|stays on record"
    with pytest.raises(IntegrityError, match=refused):
        attempt(role, sql + where)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("status", ["reserved", "sending"])
def test_nothing_is_sent_of_a_batch_that_was_not_approved(mia: User, status: str) -> None:
    payouts.prepare(mia, currency="EUR", at=NOON)
    with pytest.raises(IntegrityError, match=r"cannot become|only while its batch"):
        attempt("tribute_app", f"UPDATE ledger_payout SET status = '{status}'")
