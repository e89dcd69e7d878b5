"""The server is lost or hindered: callers hear one error, and may say the same again."""

from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from ledger import drawing, holds, invariants, webhooks
from ledger.accounts import AccountKind, account_id
from ledger.drawing import Parts
from ledger.errors import LaneBusy, LedgerUnavailable, UnknownAccount
from ledger.gateway_paper import PaperGateway
from ledger.holds import HoldRequest
from ledger.models import Entry, ProviderEvent
from ledger.money import Money
from ledger.outages import told_apart
from ledger.posting import Draft, EntryKind, key_for, post
from registry.models import Operator
from server.api_errors import handle
from tests.conftest import test_database_url
from tests.factories import DAY, NOON
from tests.ledger.cast import account

PREPAID = AccountKind.OPERATOR_PREPAID


def lose_the_server() -> None:
    """End our own session from outside, as a restart of the server does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with psycopg.connect(test_database_url(), autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def a_draft(micros: int = 100) -> Draft:
    legs = (
        (account(AccountKind.PROVIDER_CLEARING), -micros),
        (account(AccountKind.PLATFORM_FEE), micros),
    )
    return Draft(key_for("lost"), EntryKind.WITHDRAWAL, "EUR", legs, NOON)


def post_within(time: str, draft: Draft) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [time])
        post([draft], at=NOON)


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("count", [1, 200])
def test_a_lost_server_is_one_error_and_the_same_said_again_is_posted(count: int) -> None:
    first = a_draft()
    drafts = [
        Draft(key_for(f"lost {n}"), first.kind, "EUR", first.legs, NOON) for n in range(count)
    ]
    lose_the_server()
    with pytest.raises(LedgerUnavailable) as told:
        post(drafts, at=NOON)
    assert isinstance(told.value.__cause__, Exception)
    connection.close()

    assert len(post(drafts, at=NOON).entry_ids) == count
    assert Entry.objects.count() == count
    assert invariants.findings() == []


@pytest.mark.usefixtures("committed_db")
def test_holds_and_accounts_tell_it_alike() -> None:
    acme = Operator.objects.create(handle="acme", name="Acme", created_at=NOON)
    request = HoldRequest(uuid4(), PREPAID, acme.pk, Money(5, "EUR"), NOON + DAY)
    parts = Parts(uuid4(), PREPAID, acme.pk, "EUR", [5], NOON + DAY)
    deeds: list[Callable[[], object]] = [
        lambda: holds.reserve_many([request], at=NOON),
        lambda: holds.expire_due(at=NOON),
        lambda: holds.release_many([request.key], at=NOON),
        lambda: drawing.reserve([parts], at=NOON),
        lambda: drawing.take({parts.key: 5}, at=NOON),
        lambda: account_id(PREPAID, acme.pk, "EUR"),
    ]
    for deed in deeds:
        lose_the_server()
        with pytest.raises(LedgerUnavailable):
            deed()
        connection.close()


@pytest.mark.usefixtures("committed_db")
def test_time_that_is_over_amid_a_copy_leaves_nothing_behind() -> None:
    draft = a_draft()
    with psycopg.connect(test_database_url()) as other:
        other.execute("LOCK TABLE ledger_batch IN ACCESS EXCLUSIVE MODE")  # the trigger waits
        with pytest.raises(LedgerUnavailable):
            post_within("200ms", draft)
        other.rollback()

    assert not Entry.objects.exists()
    assert draft.key in post([draft], at=NOON).entry_ids
    assert invariants.findings() == []


@pytest.mark.usefixtures("db")
def test_what_was_asked_wrongly_is_no_outage() -> None:
    wrong = Draft(uuid4(), EntryKind.WITHDRAWAL, "EUR", ((10**6, -1), (10**6 + 1, 1)), NOON)
    with pytest.raises(UnknownAccount):
        post([wrong], at=NOON)


def test_a_broken_server_is_not_taken_for_a_full_one() -> None:
    def broken() -> None:
        raise psycopg.errors.InternalError_("cache lookup failed for type 7")

    def full() -> None:
        raise psycopg.errors.InternalError_('could not extend file "base/5/7": Quota exceeded')

    with pytest.raises(psycopg.errors.InternalError_):
        told_apart(broken)()
    with pytest.raises(LedgerUnavailable):
        told_apart(full)()


@pytest.mark.parametrize("error", [LedgerUnavailable("gone"), LaneBusy("lost 8 races")])
def test_over_http_it_is_503(error: LedgerUnavailable) -> None:
    answer = handle(error, {})
    assert answer is not None
    assert (answer.status_code, answer.data["code"]) == (503, error.code)


@pytest.mark.usefixtures("db")
def test_an_outage_is_no_attempt_of_an_event(
    gateway: PaperGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event is given up after twelve attempts; a day without database must not use them up."""

    def gone(_event: object, **_rest: object) -> str:
        raise LedgerUnavailable("gone")

    acme = Operator.objects.create(handle="acme", name="Acme", created_at=NOON)
    session = gateway.checkout(
        key="top", amount_minor=500, currency="EUR", reference=f"top_{acme.pk}",
        success_url="https://t.example/", cancel_url="https://t.example/",
    )  # fmt: skip
    gateway.pay(session.id)
    for event in gateway.events:
        webhooks.store(event, gateway=gateway.name, at=NOON)
    monkeypatch.setattr(webhooks, "_apply", gone)
    with pytest.raises(LedgerUnavailable):
        webhooks.process_stored(gateway=gateway, at=NOON, limit=10)
    assert set(ProviderEvent.objects.values_list("attempts", "processed_at")) == {(0, None)}
