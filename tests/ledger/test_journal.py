"""Every deed of an admin stands in the journal, and nobody rewrites it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError

from ledger import by_hand, invariants, journal, payees, payouts, topups, webhooks
from ledger.errors import NotPayoutAdmin, ReasonMissing, WrongState
from ledger.gateway import OutcomeUnknown
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, AuditRun, Payee, PayoutBatch, ProviderEvent, TopUp
from ledger.money import Money
from ledger.vocabulary import Deed
from registry.models import Creator, Operator, User
from tests.factories import NOON, make_user
from tests.ledger.cast import approved, attempt, of, send, tamper, top_up

pytestmark = pytest.mark.usefixtures("sound")
LATER = NOON + timedelta(hours=1)


def deeds() -> list[str]:
    return list(AdminAction.objects.order_by("pk").values_list("deed", flat=True))


@pytest.mark.usefixtures("world")
def test_drawing_up_submitting_approving_and_calling_off_are_on_record(
    mia: User, noah: User
) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    payouts.approve(batch, noah, at=NOON, factor="totp")
    payouts.cancel(batch, noah, at=NOON, reason="the wrong month")

    prepared, submitted, confirmed, canceled = AdminAction.objects.order_by("pk")
    assert deeds() == ["prepared", "submitted", "approved", "canceled"]
    assert (prepared.by, prepared.batch, prepared.facts["lines"]) == (mia, batch, 2)
    assert submitted.facts["micros"] == 5_000_000
    assert confirmed.facts["factor"] == "totp"
    assert confirmed.facts["digest"] == submitted.facts["digest"]
    assert (canceled.reason, canceled.facts["lines"]) == ("the wrong month", 2)


@pytest.mark.usefixtures("world")
def test_what_was_refused_is_not_on_record(mia: User) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    with pytest.raises(WrongState):
        payouts.submit(batch, mia, at=NOON)
    assert deeds() == ["prepared", "submitted"]


@pytest.mark.usefixtures("world")
def test_the_journal_is_append_only(mia: User) -> None:
    payouts.prepare(mia, currency="EUR", at=NOON)
    for role, error in (("tribute_app", ProgrammingError), ("tribute_owner", IntegrityError)):
        for sql in (
            "UPDATE ledger_adminaction SET reason = 'x'",
            "DELETE FROM ledger_adminaction",
            "UPDATE ledger_auditrun SET findings_count = 0",
            "TRUNCATE ledger_auditrun",
        ):
            with pytest.raises(error):
                attempt(role, sql)


def test_only_admins_do_deeds_and_only_with_a_reason(mia: User) -> None:
    mallory = make_user("mallory@example.org")
    with pytest.raises(NotPayoutAdmin):
        journal.require_admin(mallory)
    with pytest.raises(ReasonMissing):
        journal.require_reason("  \n")
    mia.is_active = False
    with pytest.raises(NotPayoutAdmin):
        journal.require_admin(mia)


@pytest.mark.usefixtures("world")
def test_looking_a_payout_up_waits_for_the_request_and_is_on_record(
    mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.fail_next("transfer", OutcomeUnknown("no answer"), after=True)
    send(gateway)
    unknown = PayoutBatch.objects.get().payouts.get(status="unknown")
    with pytest.raises(WrongState, match="on its way"):
        payouts.look_up(unknown, noah, gateway=gateway, at=NOON)

    found = payouts.look_up(unknown, noah, gateway=gateway, at=LATER)

    assert found.status == "transferred"
    assert AdminAction.objects.get(deed=Deed.LOOKED_UP).facts == {"outcome": "found"}
    with pytest.raises(WrongState):
        payouts.look_up(found, noah, gateway=gateway, at=LATER)


def test_a_top_up_whose_webhook_was_lost_is_found_paid(
    noah: User, acme: Operator, gateway: PaperGateway
) -> None:
    topup = topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=gateway, at=NOON)
    assert topups.look_up(topup, noah, gateway=gateway, at=NOON).status == TopUp.Status.OPEN
    assert topup.session_id
    gateway.pay(topup.session_id)

    found = topups.look_up(topup, noah, gateway=gateway, at=LATER)

    assert (found.status, found.settled_micros) == (TopUp.Status.PAID, 50_000_000)
    facts = AdminAction.objects.order_by("pk").values_list("facts", flat=True)
    assert list(facts) == [{"outcome": "unpaid"}, {"outcome": "paid"}]


def test_an_abandoned_event_is_worked_through_again(
    noah: User, acme: Operator, gateway: PaperGateway
) -> None:
    topup = top_up(acme, 50, gateway=gateway)
    event = ProviderEvent.objects.filter(object_id=topup.session_id).latest("pk")
    with pytest.raises(WrongState):
        webhooks.again(event, noah, reason="once more", at=LATER)
    tamper("ledger_providerevent", "UPDATE ledger_providerevent SET outcome = 'abandoned'")

    webhooks.again(event, noah, reason="the key was wrong", at=LATER)

    assert webhooks.process_stored(gateway=gateway, at=LATER, limit=9) == 1
    event.refresh_from_db()
    assert event.outcome == ProviderEvent.Outcome.APPLIED
    assert AdminAction.objects.get().reason == "the key was wrong"


@pytest.mark.usefixtures("world")
def test_asking_about_a_payee_is_on_record(noah: User, ada: Creator, gateway: PaperGateway) -> None:
    Payee.objects.filter(creator=ada).update(can_receive=False)
    found = payees.look_up(Payee.objects.get(creator=ada), noah, gateway=gateway, at=NOON)
    assert found.can_receive
    assert AdminAction.objects.get().subject == ada.pk


@pytest.mark.usefixtures("world")
def test_a_file_and_the_banks_answers_are_on_record(
    mia: User, noah: User, ada: Creator, settings: Any
) -> None:
    settings.PAYER_NAME, settings.PAYER_IBAN = "Tribute", "FR1420041010050500013M02606"
    long_ago = NOON - timedelta(days=4)
    by_hand.register(ada, holder="Ada", iban="DE89370400440532013000", at=long_ago)
    batch = approved(mia, noah)
    by_hand.issue(batch, noah, at=NOON)
    by_hand.hand_over(batch, mia, at=NOON)
    by_hand.mark_paid(of(ada), noah, at=NOON)
    by_hand.mark_failed(of(ada), noah, reason="account closed", at=LATER)

    assert deeds()[-4:] == ["file_issued", "file_taken", "marked_paid", "marked_failed"]
    last = AdminAction.objects.latest("pk")
    assert (last.payout, last.batch, last.reason) == (of(ada), batch, "account closed")


@pytest.mark.usefixtures("world")
def test_each_whole_audit_leaves_a_run() -> None:
    assert invariants.audit(at=NOON) == []
    tamper("ledger_balance", "UPDATE ledger_balance SET balance_micros = balance_micros + 1")
    found = invariants.audit(at=LATER)
    tamper("ledger_balance", "UPDATE ledger_balance SET balance_micros = balance_micros - 1")

    clean, broken = AuditRun.objects.order_by("pk")
    assert (clean.findings_count, clean.findings) == (0, [])
    assert broken.findings_count == len(found) > 0
    assert broken.findings[0] == str(found[0])
