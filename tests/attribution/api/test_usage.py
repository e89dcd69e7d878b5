"""Signed reports and usage flags over HTTP, and who sees them."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rest_framework.test import APIClient

from attribution.models import GenerativeModel, Query, UsageFlag
from tests.attribution.world import MEDLEY
from tests.factories import api_client, make_operator, make_user
from tribute import report_signatures

SECRET = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(SECRET.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


@pytest.fixture
def client(writer: GenerativeModel) -> APIClient:
    return api_client(writer.operator)


@pytest.fixture
def key_id(client: APIClient) -> str:
    made = client.post("/v1/report-keys", {"name": "r", "public_key": PUBLIC}, format="json")
    assert made.status_code == 201
    found: str = made.json()["id"]
    return found


def report(client: APIClient, model: GenerativeModel, name: str, signature: Any = None) -> Any:
    said = {
        "model": model.pk,
        "external_id": name,
        "occurred_at": "2026-06-01T12:00:00Z",
        "output": MEDLEY,
    }
    body = json.dumps({"queries": [said]}).encode()
    headers = {"Tribute-Signature": signature(body)} if signature else {}
    return client.post("/v1/queries", body, content_type="application/json", headers=headers)


def by(key_id: str, number: int) -> Any:
    return lambda body: report_signatures.sign(body, SECRET, key_id=key_id, sequence=number)


def test_a_signed_report_is_taken_and_a_gap_flagged(
    client: APIClient, writer: GenerativeModel, key_id: str, settings: Any
) -> None:
    settings.USAGE_REPORT_HOURS = 10**6
    assert report(client, writer, "a", by(key_id, 1)).status_code == 202
    assert report(client, writer, "c", by(key_id, 3)).status_code == 202

    flags = client.get("/v1/usage-flags").json()["items"]

    assert [(each["kind"], each["first"], each["last"]) for each in flags] == [("gap", 2, 2)]
    assert Query.objects.count() == 2


def test_a_wrong_signature_is_refused_and_nothing_kept(
    client: APIClient, writer: GenerativeModel, key_id: str
) -> None:
    answer = report(client, writer, "a", lambda body: by(key_id, 1)(body + b" "))

    assert (answer.status_code, answer.json()["code"]) == (403, "invalid_report_signature")
    assert not Query.objects.exists()


def test_an_operator_binds_itself_to_sign_and_cannot_free_itself(
    client: APIClient, writer: GenerativeModel, key_id: str
) -> None:
    put = client.put("/v1/usage-policy", {"signature_required": True}, format="json")
    free = client.put("/v1/usage-policy", {"signature_required": False}, format="json")

    assert (put.status_code, free.status_code) == (200, 400)
    assert client.get("/v1/usage-policy").json() == {"signature_required": True}
    unsigned = report(client, writer, "a")
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "signature_required")
    assert report(client, writer, "a", by(key_id, 1)).status_code == 202
    assert client.post(f"/v1/report-keys/{key_id}:revoke").json()["revoked_at"] is not None
    assert report(client, writer, "b", by(key_id, 2)).status_code == 403


def test_flags_are_seen_by_their_operator_and_resolved_by_admins(
    client: APIClient, writer: GenerativeModel, key_id: str
) -> None:
    report(client, writer, "b", by(key_id, 2))
    flag = UsageFlag.objects.get(kind="gap")
    admin = api_client(make_user("pia@example.org", is_payout_admin=True))
    mallory = make_user("mallory@example.org")
    path = f"/v1/usage-flags/{flag.pk}:resolve"
    body = {"resolution": "a test machine"}

    assert api_client(make_operator("borealis")).get("/v1/usage-flags").json()["items"] == []
    assert api_client(mallory).get("/v1/usage-flags").status_code == 403
    assert api_client(mallory).post(path, body, format="json").status_code == 403
    assert client.post(path, body, format="json").status_code == 403
    assert flag.pk in {each["id"] for each in admin.get("/v1/usage-flags").json()["items"]}
    assert admin.post(path, body, format="json").json()["resolution"] == "a test machine"
    again = admin.post(path, body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "usage_flag_closed")


@pytest.mark.parametrize("key", ["", "AAAA", "not base64!", 5])
def test_what_is_no_key_is_not_registered(client: APIClient, key: Any) -> None:
    answer = client.post("/v1/report-keys", {"name": "r", "public_key": key}, format="json")

    assert answer.status_code in {400, 422}
