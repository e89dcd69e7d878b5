"""The pages of payout admins: what they say, and what their buttons set going."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ledger import gateway_choice, invariants, maturity, payouts, topups
from ledger.gateway import OutcomeUnknown
from ledger.gateway_paper import PaperGateway
from ledger.models import (
    AdminAction,
    AuditRun,
    Payout,
    PayoutBatch,
    Proposal,
    Reconciliation,
    TopUp,
)
from ledger.money import Money
from portal import desks
from registry.models import Creator
from tests.factories import make_creator
from tests.ledger.cast import hear, send, tamper
from tests.portal import money_world
from tests.portal.conftest import FAR, World, confirmed, enrol, signed_in
from tests.portal.test_pages import troubles


@pytest.fixture
def gateway(world: World, monkeypatch: pytest.MonkeyPatch) -> PaperGateway:
    """The provider; Ada and Ben have money ready and an account there."""
    gateway = PaperGateway()
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    money_world.pay_in(world.acme, 300, gateway=gateway)
    maturity.mature(at=FAR, holding=timedelta(days=30))
    money_world.can_be_paid(world.ada, world.ben, gateway=gateway)
    return gateway


def of(creator: Creator) -> Payout:
    return Payout.objects.filter(creator=creator).latest("created_at")


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    assert list(troubles(answer, "en")) == []
    return answer.content.decode()


# Batches and lines -----------------------------------------------------------------------------


@pytest.mark.parametrize("desk", [desks.money, desks.attribution])
def test_each_page_of_a_desk_leads_to_all_of_it(
    world: World, desk: Callable[[], list[desks.Way]]
) -> None:
    quinn = signed_in("quinn")
    ways = desk()
    for here, _label in ways:
        page = quinn.get(here).content.decode()
        strip = page[page.index('<nav class="desk"') :]
        assert all(f'href="{url}"' in strip for url, _label in ways)
        assert f'href="{here}" aria-current="true"' in strip
        masthead = page[: page.index('<nav class="desk"')]
        assert re.search(rf'href="{ways[0][0]}"[^>]*aria-current', masthead), "and is found again"


def test_a_batch_says_what_changed_since_last_time(
    world: World, gateway: PaperGateway, settings: Any
) -> None:
    dee = make_creator("dee", verified=False)
    money_world.paid(gateway)
    money_world.earn(world.ada, world.acme, of(world.ada).amount_micros * 4)
    money_world.earn(world.ben, world.acme, of(world.ben).amount_micros)
    money_world.earn(dee, world.acme, 5_000_000)
    money_world.by_bank(world.ben)
    money_world.can_be_paid(dee, gateway=gateway)
    batch = money_world.drawn_up()

    page = text(signed_in("pia"), f"/payout-batches/{batch.pk}/")

    for words in (
        "4 times the last payout",
        "other bank details than last time",
        "first payout",
        "identity not verified",
    ):
        assert words in page, words
    only = signed_in("pia").get(f"/payout-batches/{batch.pk}/?show=changed")
    assert only.context["odd_count"] == len(only.context["lines"]) == 3


def test_what_stops_an_approval_is_said_before(world: World, gateway: PaperGateway) -> None:
    batch = money_world.submitted()
    tamper("ledger_payout", "UPDATE ledger_payout SET amount_micros = amount_micros * 100")

    page = text(confirmed("quinn"), f"/payout-batches/{batch.pk}/")

    assert "The lines are no longer those that were submitted" in page
    assert "no longer covers the amount for" in page


def test_progress_is_polled_until_it_is_over(world: World, gateway: PaperGateway) -> None:
    batch = money_world.approved()
    quinn = signed_in("quinn")
    path = f"/payout-batches/{batch.pk}/progress"

    waiting = quinn.get(path, HTTP_HX_REQUEST="true")
    assert waiting.status_code == 200
    assert 'hx-trigger="every 5s"' in waiting.content.decode()
    assert "<html" not in waiting.content.decode()
    send(gateway, at=timezone.now())

    over = quinn.get(path, HTTP_HX_REQUEST="true")
    assert over.status_code == 286, "htmx stops polling on this status"
    assert "hx-trigger" not in over.content.decode()


def test_a_line_explains_itself_and_is_held_released_and_taken_out(
    world: World, gateway: PaperGateway
) -> None:
    batch = money_world.approved()
    quinn, line = signed_in("quinn"), f"/payout-lines/{of(world.ada).pk}/"
    page = text(quinn, line)
    assert "The Chariot" in page
    assert "Hold this payout" in page

    quinn.post(f"{line}hold", {"reason": " "})
    assert of(world.ada).status == "reserved"
    quinn.post(f"{line}hold", {"reason": "odd"})
    assert (of(world.ada).status, of(world.ada).trouble) == ("held", "held_by_admin")
    quinn.post(f"{line}release", {"reason": "fine"})
    quinn.post(f"{line}take-out", {"reason": "next month"})

    assert of(world.ada).status == "canceled"
    assert "next month" in text(quinn, f"/payout-batches/{batch.pk}/")
    deeds = AdminAction.objects.filter(payout=of(world.ada)).order_by("pk")
    assert [each.deed for each in deeds] == ["line_held", "line_released", "line_canceled"]
    assert quinn.post(f"{line}no-such-deed", {"reason": "x"}).status_code == 404


def test_minimums_and_what_rolls_over_are_shown(
    world: World, gateway: PaperGateway, settings: Any
) -> None:
    settings.PAYOUT_MINIMUMS_MICROS = {"EUR": 25_000_000}

    answer = signed_in("pia").get("/payout-batches/?currency=EUR")

    assert answer.context["rolling"].count == 2
    assert "25.00" in answer.content.decode()
    assert "Rolls over" in answer.content.decode()


# Waiting ---------------------------------------------------------------------------------------


def test_what_waits_comes_with_what_undoes_it(world: World, gateway: PaperGateway) -> None:
    money_world.approved()
    gateway.fail_next("transfer", OutcomeUnknown("no answer"), after=True)
    send(gateway, at=timezone.now() - timedelta(hours=2))
    lost = Payout.objects.get(status="unknown")
    quinn = signed_in("quinn")
    assert "we are looking it up" in text(quinn, "/waiting/?hours=0")

    quinn.post(f"/payout-lines/{lost.pk}/look-up")

    lost.refresh_from_db()
    assert lost.status == "transferred"
    assert "Nothing waits" in text(quinn, "/waiting/")


def test_a_lost_top_up_is_found(world: World, gateway: PaperGateway) -> None:
    topup = topups.start(
        world.acme, amount=Money(50_000_000, "EUR"), gateway=gateway, at=timezone.now()
    )
    assert topup.session_id
    gateway.pay(topup.session_id)
    quinn = signed_in("quinn")
    assert "Top-up" in text(quinn, "/waiting/?hours=0")

    answer = quinn.post(f"/waiting/top-ups/{topup.pk}", follow=True)

    assert "It was paid" in answer.content.decode()
    topup.refresh_from_db()
    assert topup.status == TopUp.Status.PAID


# The bank --------------------------------------------------------------------------------------


def test_each_answer_of_the_bank_is_kept_for_itself(
    world: World, gateway: PaperGateway, settings: Any
) -> None:
    money_world.banked(settings)
    money_world.by_bank(world.ada)
    money_world.by_bank(world.ben, money_world.OTHER_IBAN)
    batch = money_world.approved()
    pia, quinn = signed_in("pia"), signed_in("quinn")
    page = f"/payout-batches/{batch.pk}/bank/"
    assert "No file was issued yet" in text(quinn, page)
    quinn.post(f"/payout-batches/{batch.pk}/issue")
    assert "somebody else tells what the bank said" in text(pia, page)
    ada, ben = of(world.ada).pk, of(world.ben).pk

    answer = quinn.post(page, {f"answer-{ada}": "paid", f"answer-{ben}": "refused"})

    assert answer.status_code == 422
    assert list(troubles(answer, "en")) == [422]
    assert "Say what the bank said" in answer.content.decode()
    assert (of(world.ada).status, of(world.ben).status) == ("paid", "sending")
    quinn.post(page, {f"answer-{ben}": "refused", f"reason-{ben}": "account closed"})
    assert (of(world.ben).status, of(world.ben).trouble) == ("failed", "account closed")
    by_maker = pia.post(page, {f"answer-{ada}": "refused", f"reason-{ada}": "no"})
    assert by_maker.status_code in {302, 422}
    assert of(world.ada).status == "paid"


def test_taking_the_file_is_on_record(world: World, gateway: PaperGateway, settings: Any) -> None:
    money_world.banked(settings)
    money_world.by_bank(world.ada)
    batch = money_world.approved()
    quinn = signed_in("quinn")
    path = f"/payout-batches/{batch.pk}/file-1.xml"
    assert quinn.get(path).status_code == 302, "nothing was issued"
    quinn.post(f"/payout-batches/{batch.pk}/issue")

    answer = quinn.get(path)

    assert answer["Content-Type"].startswith("application/xml")
    assert "no-store" in answer["Cache-Control"]
    assert AdminAction.objects.filter(deed="file_taken", by__name="Quinn").count() == 1


# What takes two --------------------------------------------------------------------------------


def second_person(first: Client, second: Client | None = None) -> None:
    """Who proposed cannot confirm; Pia can, once she has shown a second factor."""
    page = f"/proposals/{Proposal.objects.get(status='open').pk}/"
    first.post(f"{page}confirm")
    assert Proposal.objects.filter(status="open").exists(), "who proposed does not confirm"
    assert "somebody else has to confirm" in text(first, page)
    asked = signed_in("pia").post(f"{page}confirm")
    assert asked["Location"].startswith("/accounts/2fa/")
    assert Proposal.objects.filter(status="open").exists(), "a session alone does not confirm"
    answer = (second or confirmed("pia")).post(f"{page}confirm", follow=True)
    assert "Confirmed and done" in answer.content.decode()


def test_a_payout_is_taken_back_by_two(world: World, gateway: PaperGateway) -> None:
    money_world.approved()
    send(gateway, at=timezone.now())
    payout = of(world.ada)
    quinn = confirmed("quinn")
    page = f"/payout-lines/{payout.pk}/"

    quinn.post(f"{page}take-back", {"reason": "wrong person"})
    payout.refresh_from_db()
    assert payout.status == "transferred"
    assert "proposed something about this" in text(quinn, page)
    assert "take-back" not in text(quinn, page)
    second_person(quinn)

    payout.refresh_from_db()
    assert payout.status == "reversed"
    assert "confirmed" in text(quinn, "/proposals/?show=all")


def test_a_proposal_is_withdrawn_with_a_reason(world: World, gateway: PaperGateway) -> None:
    money_world.set_aside(world.acme, world.ada, 4_000_000, world.chariot.pk)
    released = {"to": "earners", "kind": "4", "reason": "a real success"}
    confirmed("quinn").post(f"/set-asides/{world.chariot.pk}/", released)
    proposal = Proposal.objects.get()
    pia = signed_in("pia")
    assert "a real success" in text(pia, f"/proposals/{proposal.pk}/")

    pia.post(f"/proposals/{proposal.pk}/withdraw", {"reason": " "})
    assert Proposal.objects.get().is_open
    pia.post(f"/proposals/{proposal.pk}/withdraw", {"reason": "not yet"})

    proposal.refresh_from_db()
    assert (proposal.status, proposal.answer) == ("withdrawn", "not yet")
    assert "No proposal waits" in text(pia, "/proposals/")
    assert "not yet" in text(pia, f"/proposals/{proposal.pk}/")


# Reconciliation --------------------------------------------------------------------------------


def compared(quinn: Client) -> Reconciliation:
    quinn.post("/reconciliations/compare")
    return Reconciliation.objects.latest("pk")


def settle_world(world: World, gateway: PaperGateway) -> None:
    """The world's own money came from nowhere; let the provider have it."""
    gateway._book("charge", 10_000, "EUR", "pi_world")


def test_a_difference_is_explained_blocks_and_is_ended_by_booking_it(
    world: World, gateway: PaperGateway
) -> None:
    quinn = confirmed("quinn")
    settle_world(world, gateway)
    assert compared(quinn).agrees
    gateway._book("network_cost", -1_250, "EUR", "nc_4711")
    row = compared(quinn)
    page = f"/reconciliations/{row.pk}/"
    assert "nc_4711" in text(quinn, page)
    assert "The next batch is blocked" in text(quinn, "/payout-batches/?currency=EUR")

    without = signed_in("quinn").post(f"{page}adjust", {"reason": "bank costs"})
    assert without["Location"].startswith("/accounts/2fa/reauthenticate/")
    quinn.post(f"{page}adjust", {"reason": ""})
    assert not AdminAction.objects.filter(deed="adjusted").exists()
    quinn.post(f"{page}adjust", {"reason": "costs of the network"})
    assert "proposed something about this" in text(quinn, page)
    second_person(quinn)

    assert compared(quinn).agrees
    assert "is not blocked" in text(quinn, "/reconciliations/")
    booked = AdminAction.objects.get(deed="adjusted")
    assert (booked.by.name, booked.facts["micros"]) == ("Pia", -12_500_000)


# Money set aside, debts ------------------------------------------------------------------------


def test_money_set_aside_is_released_or_given_to_another(
    world: World, gateway: PaperGateway
) -> None:
    for work in (world.chariot, world.tyger):
        money_world.set_aside(world.acme, world.ada, 4_000_000, work.pk)
        money_world.set_aside(world.acme, world.ben, 1_000_000, work.pk)
    quinn = confirmed("quinn")
    assert text(quinn, "/set-asides/").count("The Chariot") == 1
    first, second = (f"/set-asides/{w.pk}/" for w in (world.chariot, world.tyger))
    released = {"to": "earners", "kind": "4", "reason": "a real success"}

    without = signed_in("quinn").post(first, released)
    assert without["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert quinn.post(first, {**released, "reason": ""}).status_code == 422
    tried = quinn.post(first, {**released, "try": "1"})
    assert "nothing is kept yet" in tried.content.decode()
    assert not Proposal.objects.exists()
    assert quinn.post(first, released).status_code == 302
    stranger = {"to": "somebody", "kind": "4", "handle": "nobody", "reason": "Ben wrote it"}
    assert "handle" in quinn.post(second, stranger).context["form"].errors
    pia = confirmed("pia")
    second_person(quinn, pia)
    quinn.post(second, {**stranger, "handle": "ben"})
    second_person(quinn, pia)

    deeds = AdminAction.objects.filter(deed__startswith="aside").order_by("pk")
    assert [(each.deed, each.facts["EUR"]) for each in deeds] == [
        ("aside_released", 5_000_000),
        ("aside_reassigned", 5_000_000),
    ]
    assert "Nothing is set aside" in text(quinn, "/set-asides/")
    assert "Ben wrote it" in text(quinn, second)
    assert invariants.findings() == []


def test_debts_are_shown_to_admins_and_to_who_owes(world: World, gateway: PaperGateway) -> None:
    topup = money_world.pay_in(world.acme, 100, gateway=gateway)
    money_world.earn(world.ada, world.acme, 390_000_000)
    gateway.return_payment(topup.payment_id, 10_000)
    hear(gateway, at=timezone.now())

    page = text(signed_in("quinn"), "/debts/")
    own = text(signed_in("ada"), "/payouts/")

    assert "20.00" in page
    assert "what matures pays it first" in own
    assert "Owed after a payer" not in text(signed_in("ben"), "/payouts/")


# Audit and journal -----------------------------------------------------------------------------


def test_the_audit_is_run_by_a_button_and_leaves_its_mark(
    world: World, gateway: PaperGateway
) -> None:
    quinn = signed_in("quinn")
    assert "None yet" in text(quinn, "/audit/")

    quinn.post("/audit/run")

    run = AuditRun.objects.get()
    assert run.findings_count == len(invariants.findings())
    assert AdminAction.objects.get(deed="audited").by.name == "Quinn"
    assert "The last whole audit" in text(quinn, "/audit/")


def test_the_journal_is_sieved_and_downloaded(world: World, gateway: PaperGateway) -> None:
    batch = money_world.drawn_up()
    payouts.cancel(batch, money_world.admin("quinn"), at=timezone.now(), reason="=1+1")
    quinn = signed_in("quinn")

    page = text(quinn, "/journal/?by=pia@example.org")
    file = b"".join(quinn.get("/journal.csv")).decode()

    assert "drew a batch up" in page
    assert "called a batch off" not in page.split("<tbody>")[1]
    assert file.splitlines()[0].startswith("at,by,deed,batch,payout")
    assert ",'=1+1," in file, "no spreadsheet takes a reason for a formula"


# What belongs to one is not another's ----------------------------------------------------------


def test_a_payouts_page_is_its_creators_alone(world: World, gateway: PaperGateway) -> None:
    money_world.paid(gateway)
    own = f"/payouts/{of(world.ada).pk}/"

    assert "At the payment provider" in text(signed_in("ada"), own)
    assert signed_in("ben").get(own).status_code == 404
    assert signed_in("mallory").get(own).status_code == 404
    assert signed_in("ben").get(f"/payout-lines/{of(world.ada).pk}/").status_code == 404


def test_a_bank_account_takes_a_fresh_sign_in_and_right_digits(
    world: World, gateway: PaperGateway, settings: Any
) -> None:
    ada = signed_in("ada")
    assert ada.get("/payouts/bank-account")["Location"] == "/payouts/"
    money_world.banked(settings)
    given = {"holder": "Ada", "iban": "DE89 3704 0044 0532 0130 00"}
    asked = ada.post("/payouts/bank-account", given)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    world.ada.payee.refresh_from_db()
    assert world.ada.payee.gateway == "paper"

    ada.post("/accounts/reauthenticate/", {"password": "correct horse battery staple"})
    wrong = ada.post("/payouts/bank-account", {**given, "iban": given["iban"][:-1] + "1"})
    assert list(wrong.context["form"].errors) == ["iban"]
    ada.post("/payouts/bank-account", given)

    page = text(ada, "/payouts/")
    assert "by batches drawn up after" in page, "another account stood there before"
    (told,) = mail.outbox
    assert told.to == ["ada@example.org"]
    assert "DE ···· ···· 3000" in told.body
    assert "DE ···· ···· 3000" in page
    assert "0532" not in page


def test_an_operator_sees_what_is_reserved_and_what_came_back(
    world: World, gateway: PaperGateway
) -> None:
    topup = money_world.pay_in(world.acme, 50, gateway=gateway)
    gateway.return_payment(topup.payment_id, 3_000)
    hear(gateway, at=timezone.now())
    olga = signed_in("olga")

    page = text(olga, "/operator/balance/")
    month = f"{timezone.now():%Y-%m}"
    statement = text(olga, f"/operator/statements/{month}/")
    file = olga.get(f"/operator/statements/{month}.csv").content.decode()

    assert "Refunds and chargebacks" in page
    assert "A payer took money back" in statement
    assert file.startswith("operator,account,")
    assert "Prepaid" not in text(signed_in("mallory"), f"/operator/statements/{month}/")


# Costs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["{batch}", "{batch}progress", "/waiting/?hours=0", "/journal/"])
def test_pages_ask_as_often_for_four_lines_as_for_two(
    path: str, world: World, gateway: PaperGateway
) -> None:
    enrol("quinn")
    counts = []
    for names in ((), ("cyd", "dee")):
        for batch in PayoutBatch.objects.filter(status="approved"):
            payouts.cancel(batch, money_world.admin("pia"), at=timezone.now())
        for name in names:
            creator = make_creator(name)
            money_world.earn(creator, world.acme, 3_000_000)
            money_world.can_be_paid(creator, gateway=gateway)
        batch = money_world.approved()
        client = signed_in("quinn")
        address = path.format(batch=f"/payout-batches/{batch.pk}/")
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]
