"""Sending: signed, once if it arrives, again if not, never to private machines, kept on record."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from standardwebhooks.webhooks import Webhook

from registry import fetching
from registry.errors import FetchFailed, FetchRefused, InvalidWebhook, TooManyWebhooks
from registry.models import Operator, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookEvent
from registry.webhooks import endpoints, events, sending
from registry.webhooks.events import Happening
from tests.factories import DAY, NOON, make_creator, make_operator, make_user
from tests.registry.webhooks.receiver import URL, Receiver, receiving

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with receiving(settings) as found:
        yield found


@pytest.fixture
def acme() -> Operator:
    return make_operator("acme")


def listening(operator: Operator, *types: str) -> WebhookEndpoint:
    return endpoints.add(operator, url=URL, events=types or ("manifest.ready",), at=NOON)


def happen(operator: Operator, subject: str = "mft_1", *, at: datetime = NOON) -> int:
    return events.publish([Happening(operator.pk, "manifest.ready", subject, {"rows": 3})], at=at)


def send(post: Callable[..., int] = fetching.post, *, at: datetime = NOON) -> int:
    return sending.send_due(post=post, clock=lambda: at, until=at + SECOND, limit=100)


def answering(*statuses: int | BaseException) -> Callable[..., int]:
    coming = iter(statuses)

    def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> int:
        del url, body, headers
        answer = next(coming)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return post


def test_an_event_arrives_signed_as_the_specification_says(
    receiver: Receiver, acme: Operator
) -> None:
    endpoint = listening(acme)
    now = timezone.now()
    happen(acme, at=now)

    assert send(at=now) == 1

    ((path, headers, body),) = receiver.came
    said = Webhook(endpoints.secret(endpoint)).verify(body, headers)
    assert said["type"] == "manifest.ready"
    assert said["data"] == {"rows": 3}
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == WebhookEvent.objects.get().pk
    assert path == "/hooks?from=tribute"
    delivery = WebhookDelivery.objects.get()
    assert (delivery.status, delivery.delivered_at) == ("delivered", now)
    assert send(at=now + DAY) == 0


def test_the_same_happening_is_one_event(acme: Operator, receiver: Receiver) -> None:
    listening(acme)
    listening(acme, "revocation.created")

    assert [happen(acme), happen(acme), happen(acme, "mft_2")] == [1, 0, 1]
    assert WebhookDelivery.objects.count() == 2
    assert happen(make_operator("other")) == 0


def test_after_a_rotation_both_secrets_verify_for_a_day(receiver: Receiver, acme: Operator) -> None:
    endpoint = listening(acme)
    old = endpoints.secret(endpoint)
    now = timezone.now()
    endpoints.rotate(endpoint, at=now)
    happen(acme, "mft_1", at=now)
    send(at=now)
    happen(acme, "mft_2", at=now)
    send(at=now + DAY)

    (_, during, body), (_, after, _) = receiver.came
    for secret in (old, endpoints.secret(endpoint)):
        assert Webhook(secret).verify(body, during)
    assert old != endpoints.secret(endpoint)
    assert len(during["webhook-signature"].split()) == 2
    assert len(after["webhook-signature"].split()) == 1


def test_what_did_not_arrive_is_sent_again_for_three_days_and_given_up(
    acme: Operator, receiver: Receiver
) -> None:
    listening(acme)
    happen(acme)
    at, waits = NOON, []
    coming: list[int | BaseException] = [500, FetchFailed("late"), 302] * 4
    post = answering(*coming)

    while (delivery := WebhookDelivery.objects.get()).status == "pending":
        waits.append(delivery.due_at - at)
        at = delivery.due_at
        assert send(post, at=at - timedelta(microseconds=1)) == 0
        assert send(post, at=at) == 1

    attempts = list(WebhookAttempt.objects.order_by("id").values_list("answered", "trouble"))
    assert attempts[:3] == [(500, ""), (None, "late"), (302, "")]
    assert (len(attempts), delivery.status) == (10, "failed")
    assert all(a < b for a, b in pairwise(waits))
    assert 3 * DAY < at - NOON < 4 * DAY


def test_an_endpoint_where_nothing_arrives_for_days_is_disabled_with_notice(
    acme: Operator, receiver: Receiver, django_capture_on_commit_callbacks: Any
) -> None:
    endpoint = listening(acme)
    acme.members.add(make_user("li@example.org", language="zh-hans"))
    happen(acme, "mft_1")
    send(answering(500))
    happen(acme, "mft_2", at=NOON + 5 * DAY)

    with django_capture_on_commit_callbacks(execute=True):
        send(answering(500, 500), at=NOON + 5 * DAY)

    endpoint.refresh_from_db()
    assert (endpoint.disabled_reason, endpoint.failing_since) == ("failing", NOON)
    notice, translated = mail.outbox
    assert (notice.to, translated.to) == (["acme@example.org"], ["li@example.org"])
    assert (notice.subject, translated.subject) == (
        "[Tribute] A webhook was disabled",
        "[Tribute] 一个 Webhook 已停用",
    )
    for each in (notice, translated):
        assert URL in each.body
        assert f"/v1/webhooks/{endpoint.pk}:enable" in each.body
    # What waits is kept, and sent when the endpoint is enabled again.
    happen(acme, "mft_3", at=NOON + 6 * DAY)
    assert send(at=NOON + 9 * DAY) == 0
    endpoints.enable(endpoint)
    assert send(at=NOON + 9 * DAY) == 3
    assert len(receiver.came) == 3


def test_an_endpoint_that_is_gone_is_disabled_at_once(acme: Operator, receiver: Receiver) -> None:
    endpoint = listening(acme)
    happen(acme)

    send(answering(410))

    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "gone"


def test_a_success_ends_a_failing_time(acme: Operator, receiver: Receiver) -> None:
    endpoint = listening(acme)
    happen(acme)
    send(answering(500))
    send(at=NOON + DAY)

    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.disabled_at) == (None, None)


def test_a_worker_that_dies_while_sending_is_followed_by_another(
    acme: Operator, receiver: Receiver
) -> None:
    listening(acme)
    happen(acme)

    with pytest.raises(KeyboardInterrupt):
        send(answering(KeyboardInterrupt()))

    assert send(at=NOON + 30 * SECOND) == 0
    assert send(at=NOON + sending.LEASE) == 1
    assert WebhookDelivery.objects.get().status == "delivered"


def test_a_delivery_is_replayed_under_the_same_id(acme: Operator, receiver: Receiver) -> None:
    listening(acme)
    happen(acme)
    send()
    delivery = WebhookDelivery.objects.get()

    sending.replay(delivery, at=NOON + DAY)
    send(at=NOON + DAY)

    assert len({headers["webhook-id"] for _, headers, _ in receiver.came}) == 1
    assert len({body for _, _, body in receiver.came}) == 1
    assert WebhookAttempt.objects.count() == 2


def test_those_who_answer_do_not_wait_for_those_who_do_not(
    acme: Operator, receiver: Receiver
) -> None:
    listening(acme)
    happen(acme, "mft_1")
    send(answering(500))
    other = make_operator("other")
    listening(other)
    happen(other, "mft_2", at=NOON + DAY)

    sending.send_due(post=answering(204), clock=lambda: NOON + DAY, until=NOON + 2 * DAY, limit=1)

    delivered = WebhookDelivery.objects.get(status="delivered")
    assert delivered.endpoint.operator == other


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.test.org/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://acme.example:8443/",
        "https://user@acme.example/",
        "ftp://acme.example/",
        "https://acme.example/\r\nX: y",
        "not an address",
    ],
)
def test_only_public_https_addresses_are_taken(acme: Operator, url: str) -> None:
    with pytest.raises(InvalidWebhook):
        endpoints.add(acme, url=url, events=["manifest.ready"], at=NOON)


def test_an_address_that_leads_to_a_private_machine_is_not_sent_to(acme: Operator) -> None:
    endpoints.add(acme, url="https://inside.example/", events=["manifest.ready"], at=NOON)
    happen(acme)

    def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> int:
        return fetching.post(url, body=body, headers=headers, resolve=lambda *_: ["10.0.0.1"])

    send(post)

    attempt = WebhookAttempt.objects.get()
    assert attempt.answered is None
    assert "public Internet" in attempt.trouble
    with pytest.raises(FetchRefused):
        fetching.post("http://inside.example/", body=b"", headers={})


def test_owners_choose_among_their_own_events(acme: Operator) -> None:
    ada = make_creator("ada")

    with pytest.raises(InvalidWebhook):
        endpoints.add(ada, url=URL, events=["manifest.ready"], at=NOON)
    with pytest.raises(InvalidWebhook):
        endpoints.add(acme, url=URL, events=[], at=NOON)
    for _ in range(endpoints.MOST_PER_OWNER):
        endpoints.add(ada, url=URL, events=["import.ready"], at=NOON)
    with pytest.raises(TooManyWebhooks):
        endpoints.add(ada, url=URL, events=["import.ready"], at=NOON)
