"""Webhooks: once, late, doubled, reordered, forged; the books end up the same."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from ledger import balances, gateway, payees, payouts, topups, webhooks
from ledger.accounts import AccountKind
from ledger.errors import InvalidAmount, NoPayee
from ledger.gateway import OutcomeUnknown, TryAgain
from ledger.gateway_paper import PaperGateway
from ledger.models import Payee, Payout, ProviderEvent, TopUp
from ledger.money import Money
from registry.models import Creator, Operator
from tests.factories import NOON
from tests.journal import Journal
from tests.ledger.cast import account, admin, earn_available, hear, payable, top_up

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def paper() -> PaperGateway:
    return PaperGateway(clock=lambda: NOON)


def test_a_top_up_is_credited_once_with_what_really_came(
    acme: Operator, paper: PaperGateway, journal: Journal
) -> None:
    topup = topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=paper, at=NOON)
    assert topup.session_id
    hear(paper)
    assert TopUp.objects.get().status == "open"
    paper._checkouts[topup.session_id] = replace(
        paper._checkouts[topup.session_id], amount_minor=4_900
    )
    paper.pay(topup.session_id)
    hear(paper)
    hear(paper)
    topups.complete(paper.find_checkout(topup.session_id), at=NOON)

    assert (
        journal()
        == """
        platform:provider-clearing  -49.000000 EUR
        operator:acme:prepaid        49.000000 EUR
    """
    )
    topup.refresh_from_db()
    assert (topup.status, topup.settled_micros) == ("paid", 49_000_000)


def test_a_page_paid_before_its_address_was_noted_still_counts(
    acme: Operator, paper: PaperGateway
) -> None:
    paper.fail_next("checkout", OutcomeUnknown("timed out"), after=True)
    with pytest.raises(OutcomeUnknown):
        topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=paper, at=NOON)
    paper.pay("cs_paper_1")
    hear(paper)
    prepaid = account(AccountKind.OPERATOR_PREPAID, acme)
    assert balances.balance(prepaid) == Money(50_000_000, "EUR")


@pytest.mark.parametrize("micros", [0, -5_000_000, 5_000_001, 4_990_000, 10**12])
def test_a_top_up_is_a_whole_number_of_cents_within_limits(
    acme: Operator, paper: PaperGateway, micros: int
) -> None:
    with pytest.raises(InvalidAmount):
        topups.start(acme, amount=Money(micros, "EUR"), gateway=paper, at=NOON)
    assert not TopUp.objects.exists()


def test_an_event_is_stored_once(acme: Operator, paper: PaperGateway) -> None:
    top_up(acme, 5, gateway=paper)
    (event,) = paper.events
    assert not webhooks.store(event, gateway="paper", at=NOON)
    assert webhooks.process_stored(gateway=paper, at=NOON, limit=10) == 0
    assert ProviderEvent.objects.get().outcome == "applied"


def test_events_of_accounts_keep_no_personal_data(ada: Creator, paper: PaperGateway) -> None:
    assert payable(ada, paper).can_receive
    assert ProviderEvent.objects.get(type="account.updated").payload == {}


def test_who_paid_on_a_page_is_not_kept(acme: Operator, paper: PaperGateway) -> None:
    told = {"data": {"object": {"customer_details": {"email": "olga@acme.example"}}}}
    for number, kind in enumerate(["checkout.session.completed", "customer.created"]):
        event = gateway.ProviderEvent(f"evt_{number}", kind, "x", None, NOON, False, told)
        webhooks.store(event, gateway="paper", at=NOON)
    assert set(map(str, ProviderEvent.objects.values_list("payload", flat=True))) == {"{}"}


@pytest.mark.django_db
def test_what_json_can_say_and_postgresql_cannot_is_kept_legibly() -> None:
    said = {"data": {"object": {"description": "a\0b\ud800", "lines": [{"x\0": "\0"}]}}}
    event = gateway.ProviderEvent("evt", "transfer.created", "tr_1", None, NOON, False, said)
    assert webhooks.store(event, gateway="paper", at=NOON)
    kept = ProviderEvent.objects.get().payload["data"]["object"]
    assert kept == {"description": "a\ufffdb?", "lines": [{"x\ufffd": "\ufffd"}]}


def test_reordered_and_doubled_events_converge(
    acme: Operator, ada: Creator, paper: PaperGateway
) -> None:
    top_up(acme, 50, gateway=paper)
    earn_available(ada, acme, 3_000_000)
    payable(ada, paper)
    batch = payouts.prepare(admin("mia"), currency="EUR", at=NOON)
    payouts.submit(batch, admin("noah"), at=NOON)
    payouts.approve(batch, admin("olga"), at=NOON)
    known = len(paper.events)
    payouts.send_due(gateway=paper, at=NOON, limit=1)
    transfer = Payout.objects.get().transfer_id
    paper.pay_out(transfer, status="in_transit")
    paper.pay_out(transfer)
    news = paper.events[known:]
    for number, order in enumerate(permutations(news)):
        for event in (*order, *order):
            again = replace(event, id=f"{event.id}_{number}")
            webhooks.store(again, gateway="paper", at=NOON)
            webhooks.process_stored(gateway=paper, at=NOON, limit=10)
        assert Payout.objects.get().status == "paid"
    assert Payout.objects.get().events.count() == 5


def test_an_event_about_something_unknown_waits_and_is_at_last_abandoned(
    paper: PaperGateway, db: None
) -> None:
    stranger = gateway.ProviderEvent("evt", "transfer.created", "tr_x", None, NOON, False, {})
    webhooks.store(stranger, gateway="paper", at=NOON)
    at = NOON
    for _ in range(webhooks.MAX_ATTEMPTS - 1):
        assert webhooks.process_stored(gateway=paper, at=at, limit=10) == 0
        assert webhooks.process_stored(gateway=paper, at=at, limit=10) == 0
        at += timedelta(hours=12)
    assert webhooks.process_stored(gateway=paper, at=at, limit=10) == 1
    assert ProviderEvent.objects.get().outcome == "abandoned"


def test_events_wait_for_as_long_as_the_provider_repeats_them() -> None:
    waits = [
        min(webhooks.FIRST_WAIT * 2**attempt, webhooks.LONGEST_WAIT)
        for attempt in range(webhooks.MAX_ATTEMPTS - 1)
    ]
    assert sum(waits, timedelta()) >= timedelta(days=3)


def test_an_event_is_put_off_while_the_provider_is_busy(
    acme: Operator, paper: PaperGateway
) -> None:
    paper.fail_next("find_checkout", TryAgain("429"))
    topup = top_up(acme, 5, gateway=paper)
    assert topup.status == "open"
    hear(paper, at=NOON + timedelta(minutes=1))
    topup.refresh_from_db()
    assert topup.status == "paid"


def test_events_that_are_none_of_our_business_are_ignored(paper: PaperGateway, db: None) -> None:
    others = {"data": {"object": {"transfer_group": "somebody else's"}}}
    for number, (kind, payload) in enumerate(
        [("invoice.paid", {}), ("transfer.created", others), ("payout.paid", {})]
    ):
        event = gateway.ProviderEvent(f"evt{number}", kind, "x", None, NOON, False, payload)
        webhooks.store(event, gateway="paper", at=NOON)
    assert webhooks.process_stored(gateway=paper, at=NOON, limit=10) == 3
    assert set(ProviderEvent.objects.values_list("outcome", flat=True)) == {"ignored"}


def test_onboarding_opens_one_account_and_mints_new_links(
    ada: Creator, paper: PaperGateway
) -> None:
    with pytest.raises(NoPayee):
        payees.link(ada, gateway=paper, return_url="https://a.example", refresh_url="https://b")
    first, second = payable(ada, paper), payable(ada, paper)
    assert first.account == second.account
    assert Payee.objects.count() == 1
    assert payees.of(ada) == first


def test_an_event_that_nobody_foresaw_does_not_keep_those_behind_it(
    acme: Operator, paper: PaperGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = topups.start(acme, amount=Money(50_000_000, "EUR"), gateway=paper, at=NOON)
    second = topups.start(acme, amount=Money(20_000_000, "EUR"), gateway=paper, at=NOON)
    for topup in (first, second):
        assert topup.session_id
        paper.pay(topup.session_id)
    find = paper.find_checkout

    def odd(session_id: str) -> gateway.CheckoutStatus:
        if session_id == first.session_id:
            raise TypeError("a shape of the provider's that we do not know")
        return find(session_id)

    with monkeypatch.context() as patched:
        patched.setattr(paper, "find_checkout", odd)
        hear(paper)
    prepaid = account(AccountKind.OPERATOR_PREPAID, acme)
    assert balances.balance(prepaid) == Money(20_000_000, "EUR")
    assert (
        ProviderEvent.objects.get(outcome="").trouble
        == "a shape of the provider's that we do not know"
    )
    hear(paper, at=NOON + timedelta(minutes=1))
    assert balances.balance(prepaid) == Money(70_000_000, "EUR")


def test_messages_about_the_account_of_who_left_are_ignored(
    ada: Creator, paper: PaperGateway
) -> None:
    payable(ada, paper)
    account = Payee.objects.get(creator=ada).account
    payees.forget(ada, at=NOON)
    kept = Payee.objects.get(creator=ada)
    assert account not in (kept.account, kept.holder)

    told = gateway.ProviderEvent("evt", "account.updated", account, account, NOON, False, {})
    webhooks.store(told, gateway="paper", at=NOON)
    assert webhooks.process_stored(gateway=paper, at=NOON, limit=10) > 0

    assert ProviderEvent.objects.get(event_id="evt").outcome == "ignored"
