"""Webhooks over HTTP: add, read, change, rotate, test, replay, remove; nobody else's."""

from typing import Any

import pytest
from django.utils import timezone

from registry import fetching
from registry.models import WebhookDelivery
from registry.webhooks import sending
from tests.factories import DAY, api_client, make_creator, make_operator, make_user
from tests.registry.webhooks.receiver import URL, receiving

pytestmark = pytest.mark.django_db

BODY = {"url": "https://acme.example/hooks", "events": ["revocation.created", "manifest.ready"]}


def test_a_webhook_is_added_read_changed_and_removed() -> None:
    client = api_client(make_operator("acme"))

    added = client.post("/v1/webhooks", BODY, format="json")

    path = f"/v1/webhooks/{added.json()['id']}"
    assert added.status_code == 201
    assert added.headers["Location"].endswith(path)
    assert added.json()["secret"].startswith("whsec_")
    assert added.json()["events"] == sorted(BODY["events"])
    assert client.get(path).json() == added.json()
    assert "secret" not in client.get("/v1/webhooks").json()["items"][0]
    changed = client.put(path, {**BODY, "events": ["manifest.ready"]}, format="json")
    assert changed.json()["events"] == ["manifest.ready"]
    rotated = client.post(f"{path}:rotate").json()
    assert rotated["secret"] != added.json()["secret"]
    assert rotated["previous_secret_until"] is not None
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
    assert client.get("/v1/webhooks").json()["items"] == []


def test_a_test_event_is_sent_logged_and_replayed(settings: Any) -> None:
    client = api_client(make_creator("ada"))
    with receiving(settings) as receiver:
        receiver.answers = [503]
        body = {"url": URL, "events": ["import.ready"]}
        path = f"/v1/webhooks/{client.post('/v1/webhooks', body, format='json').json()['id']}"

        queued = client.post(f"{path}:test")
        _send()
        (waiting,) = client.get(f"{path}/deliveries").json()["items"]
        replayed = client.post(f"/v1/webhook-deliveries/{queued.json()['id']}:replay")
        _send()
        (done,) = client.get(f"{path}/deliveries").json()["items"]

    assert (queued.status_code, replayed.status_code) == (202, 202)
    assert (waiting["status"], waiting["type"]) == ("pending", "webhook.test")
    assert waiting["next_attempt_at"] is not None
    assert client.get(path).json()["failing_since"] is None
    assert (done["status"], done["next_attempt_at"]) == ("delivered", None)
    assert [attempt["answered"] for attempt in done["attempts"]] == [503, 204]
    assert len(receiver.came) == 2


def _send() -> None:
    now = timezone.now()
    sending.send_due(post=fetching.post, clock=timezone.now, until=now + DAY, limit=10)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({**BODY, "url": "http://acme.example/"}, 422, "invalid_webhook"),
        ({**BODY, "url": "https://10.0.0.1/"}, 422, "invalid_webhook"),
        ({**BODY, "events": ["import.ready"]}, 422, "invalid_webhook"),
        ({**BODY, "events": ["payout.paid"]}, 400, "invalid_request"),
        ({**BODY, "events": []}, 400, "invalid_request"),
        ({**BODY, "secret": "mine"}, 400, "invalid_request"),
    ],
)
def test_what_is_no_webhook_is_refused(body: dict[str, Any], status: int, code: str) -> None:
    answer = api_client(make_operator("acme")).post("/v1/webhooks", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_webhooks_are_their_owners_alone() -> None:
    acme = api_client(make_operator("acme"))
    path = f"/v1/webhooks/{acme.post('/v1/webhooks', BODY, format='json').json()['id']}"
    delivery = acme.post(f"{path}:test").json()["id"]

    for client in (api_client(make_operator("mallory")), api_client(make_creator("eve"))):
        assert client.get(path).status_code == 404
        assert client.put(path, BODY, format="json").status_code == 404
        assert client.delete(path).status_code == 404
        assert client.get(f"{path}/deliveries").status_code == 404
        for deed in ("rotate", "test", "enable"):
            assert client.post(f"{path}:{deed}").status_code == 404
        assert client.post(f"/v1/webhook-deliveries/{delivery}:replay").status_code == 404
        assert client.get("/v1/webhooks").json()["items"] == []
    assert api_client(make_user(), scopes=["disputes:decide"]).get(path).status_code == 403
    assert WebhookDelivery.objects.count() == 1
