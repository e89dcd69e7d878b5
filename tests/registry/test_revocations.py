"""Revocations: operators learn what they may no longer use, once, and take note on record."""

import json
from datetime import datetime
from typing import Any

import pytest

from registry import consent, licensing, manifests, revocations
from registry.manifests import ManifestItem
from registry.models import Manifest, Operator, RevocationNotice, WebhookEvent, Work
from registry.webhooks import endpoints
from tests.factories import (
    DAY,
    NOON,
    allow,
    api_client,
    deny,
    make_creator,
    make_operator,
    make_work,
)
from tests.registry.test_licensing import license_work
from tribute.vocabulary import Decision, Purpose

pytestmark = pytest.mark.django_db

INGESTED, RECEIVED = NOON + DAY, NOON + 2 * DAY
LATER = NOON + 30 * DAY


def used(operator: Operator, *works: Work, at: datetime = RECEIVED) -> Manifest:
    """The operator ingested these works, each by all its addresses."""
    rows = [
        ManifestItem(INGESTED, url=f"https://{identifier.canonical}")
        for work in works
        for identifier in work.identifiers.all()
    ]
    return manifests.receive(operator, rows, at=at)


def allowed_work(handle: str = "ada", **fields: Any) -> Work:
    work = make_work(make_creator(handle), **fields)
    allow(work)
    return work


def test_a_later_deny_is_told_once_to_whoever_used_the_work() -> None:
    acme, other = make_operator("acme"), make_operator("other")
    ben = make_creator("ben")
    kept = make_work(ben)
    allow(kept)
    work = allowed_work()
    manifest = used(acme, work, kept)
    used(other, kept)
    assert revocations.notify(at=NOON + 3 * DAY) == 0

    statement = deny(work, at=NOON + 4 * DAY)

    assert [revocations.notify(at=LATER), revocations.notify(at=LATER + DAY)] == [1, 0]
    notice = RevocationNotice.objects.get()
    assert (notice.operator, notice.manifest, notice.work) == (acme, manifest, work)
    assert (notice.decision, notice.statement) == ("deny", statement)
    assert (notice.noticed_at, notice.acknowledge_by) == (LATER, LATER + 30 * DAY)


def test_a_deny_counts_from_when_it_takes_effect() -> None:
    work = allowed_work()
    used(make_operator("acme"), work)
    deny(work, at=NOON + 3 * DAY, effective_from=NOON + 10 * DAY)

    told = [revocations.notify(at=NOON + day * DAY) for day in (9, 10)]

    assert told == [0, 1]


def test_what_was_taken_back_is_told_too() -> None:
    work = allowed_work()
    used(make_operator("acme"), work)
    consent.state(
        work.registered_by, work, purpose=Purpose.TRAIN_AI, decision=Decision.UNKNOWN, at=LATER
    )

    assert revocations.notify(at=LATER) == 1
    notice = RevocationNotice.objects.get()
    assert (notice.decision, notice.statement) == ("unknown", None)


def test_one_notice_for_a_work_with_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "ROWS_AT_ONCE", 1)
    work = allowed_work(text="April is the month of rain", url="https://ada.example/1")
    rows = [
        ManifestItem(INGESTED, url="https://ada.example/1"),
        ManifestItem(INGESTED, url="http://www.ada.example/1"),
        ManifestItem(INGESTED, sha256=bytes(work.sha256 or b"").hex()),
        ManifestItem(INGESTED, iscc=work.iscc),
    ]
    manifests.receive(make_operator("acme"), rows, at=RECEIVED)
    deny(work, at=LATER)

    assert revocations.notify(at=LATER) == 1


def test_a_grant_keeps_its_operator_from_being_told() -> None:
    acme, other = make_operator("acme"), make_operator("other")
    work = make_work(make_creator("ada"))
    terms = license_work(work)
    licensing.accept(acme, terms, work, purpose=Purpose.TRAIN_AI, at=NOON)
    licensing.accept(
        other, terms, work, purpose=Purpose.TRAIN_AI, effective_until=LATER - DAY, at=NOON
    )
    used(acme, work)
    used(other, work)
    deny(work, at=NOON + 3 * DAY)

    revocations.notify(at=LATER)

    assert RevocationNotice.objects.get().operator == other


def test_only_the_newest_manifest_counts_and_only_what_was_allowed() -> None:
    acme = make_operator("acme")
    dropped, forbidden = allowed_work(), make_work(make_creator("ben"))
    deny(forbidden)
    used(acme, dropped)
    newest = used(acme, forbidden, at=RECEIVED + DAY)
    deny(dropped, at=NOON + 4 * DAY)

    assert (newest.violations_count, revocations.notify(at=LATER)) == (1, 0)


def test_what_another_model_learned_from_counts_as_well() -> None:
    acme, work = make_operator("acme"), allowed_work()
    older = used(acme, work)
    used(acme, make_work(make_creator("ben")), at=RECEIVED + DAY)
    deny(work, at=NOON + 4 * DAY)

    assert revocations.notify(at=LATER) == 0
    assert revocations.notify(at=LATER, in_force=[older.pk]) == 1
    assert RevocationNotice.objects.get().manifest == older


def test_a_manifest_that_still_holds_the_work_is_told_anew() -> None:
    acme, work = make_operator("acme"), allowed_work()
    used(acme, work)
    deny(work, at=NOON + 3 * DAY)
    revocations.notify(at=NOON + 4 * DAY)
    used(acme, work, at=NOON + 5 * DAY)

    assert revocations.notify(at=LATER) == 1


def test_the_feed_is_read_and_acknowledged_once() -> None:
    acme, work = make_operator("acme"), allowed_work()
    used(acme, work)
    deny(work, at=NOON + 3 * DAY)
    revocations.notify(at=LATER)
    client = api_client(acme)

    (told,) = client.get("/v1/revocations").data["items"]
    first, second = (client.post(f"/v1/revocations/{told['id']}:acknowledge") for _ in range(2))

    assert (told["work"], told["decision"], told["acknowledged_at"]) == (work.pk, "deny", None)
    assert first.status_code == 200
    assert first.data["acknowledged_at"] is not None
    assert first.data == second.data
    assert first.data["acknowledge_by"] == "2026-07-31T12:00:00Z"
    assert client.get("/v1/revocations").data["items"] == [first.data]


def test_mallory_neither_reads_nor_acknowledges_acmes_revocations() -> None:
    acme, work = make_operator("acme"), allowed_work()
    used(acme, work)
    deny(work, at=NOON + 3 * DAY)
    revocations.notify(at=LATER)
    notice = RevocationNotice.objects.get()
    mallory = api_client(make_operator("mallory"))

    assert mallory.get("/v1/revocations").data["items"] == []
    for named in (notice.pk, "x", "rvk_01jzj6t3v7e8qs9f3c5m2k4x7a"):
        answer = mallory.post(f"/v1/revocations/{named}:acknowledge")
        assert (answer.status_code, answer.data["code"]) == (404, "not_found")
    ada = api_client(work.registered_by)
    assert ada.get("/v1/revocations").data["items"][0]["id"] == notice.pk
    assert ada.post(f"/v1/revocations/{notice.pk}:acknowledge").status_code == 403
    assert api_client(acme, scopes=["checks:write"]).get("/v1/revocations").status_code == 403
    assert api_client().get("/v1/revocations").status_code == 401
    assert not hasattr(RevocationNotice.objects.get(), "acknowledgement")


def test_the_feed_costs_the_same_for_one_notice_and_for_three(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    clients = []
    for handle, count in (("acme", 1), ("other", 3)):
        works = [allowed_work(f"{handle}-{n}") for n in range(count)]
        operator = make_operator(handle)
        used(operator, *works)
        for work in works:
            deny(work, at=NOON + 3 * DAY)
        clients.append(api_client(operator))
        clients[-1].get("/v1/revocations")
    revocations.notify(at=LATER)

    with django_assert_max_num_queries(4) as one:
        assert len(clients[0].get("/v1/revocations").data["items"]) == 1
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(clients[1].get("/v1/revocations").data["items"]) == 3


def events_told(kind: str) -> set[tuple[str | None, str | None]]:
    found = WebhookEvent.objects.filter(type=kind)
    return {(event.operator_id, event.creator_id) for event in found}


def test_a_notice_is_told_to_the_operators_webhook_once() -> None:
    acme = make_operator("acme")
    endpoints.add(acme, url="https://acme.example/", events=["revocation.created"], at=NOON)
    work = allowed_work()
    used(acme, work)
    deny(work, at=NOON + 3 * DAY)

    revocations.notify(at=LATER)
    revocations.notify(at=LATER + DAY)

    event = WebhookEvent.objects.get()
    said = json.loads(bytes(event.body))
    assert said["data"]["work"] == work.pk
    assert said["data"]["revocation"] == RevocationNotice.objects.get().pk
    assert event.deliveries.count() == 1


def test_a_missed_deadline_stays_on_record_and_is_told_to_both_sides() -> None:
    acme = make_operator("acme")
    work = allowed_work()
    ada = work.registered_by
    endpoints.add(acme, url="https://acme.example/", events=["revocation.overdue"], at=NOON)
    endpoints.add(ada, url="https://ada.example/", events=["revocation.overdue"], at=NOON)
    used(acme, work)
    deny(work, at=NOON + 3 * DAY)
    revocations.notify(at=LATER)
    notice = RevocationNotice.objects.get()
    late = notice.acknowledge_by + DAY

    told = [revocations.flag_overdue(at=at) for at in (notice.acknowledge_by, late, late + DAY)]

    assert told == [0, 1, 0]
    assert events_told("revocation.overdue") == {(acme.pk, None), (None, ada.pk)}
    revocations.acknowledge(notice, at=late + DAY)
    seen = [api_client(side).get("/v1/revocations").json()["items"] for side in (acme, ada)]
    assert seen[0] == seen[1]
    assert seen[0][0]["overdue_at"] is not None
    assert seen[0][0]["acknowledged_at"] is not None
    assert api_client(make_creator("eve")).get("/v1/revocations").json()["items"] == []


def test_who_took_note_in_time_is_not_flagged() -> None:
    acme = make_operator("acme")
    work = allowed_work()
    used(acme, work)
    deny(work, at=NOON + 3 * DAY)
    revocations.notify(at=LATER)
    notice = RevocationNotice.objects.get()
    revocations.acknowledge(notice, at=LATER + DAY)

    assert revocations.flag_overdue(at=notice.acknowledge_by + DAY) == 0
