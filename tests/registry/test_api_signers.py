"""Signers over HTTP: begin, show a signed file, end; and nobody else's."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from attribution.certificates import Identity
from registry.models import Creator
from tests.factories import DAY, api_client, make_creator, make_operator
from tests.registry.signing import make_identity, sign

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> Creator:
    return make_creator("ada", verified=False)


@pytest.fixture
def identity() -> Identity:
    return make_identity(at=timezone.now() - DAY)


def send(client: APIClient, path: str, body: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("a.png", body)
    return client.post(path, {"file": file, **fields}, format="multipart")


def begun(client: APIClient) -> dict[str, Any]:
    answer = client.post("/v1/signers")
    assert answer.status_code == 201, answer.data
    found: dict[str, Any] = answer.data
    return found


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.data["code"]


def test_a_signed_file_proves_the_signer_and_then_works(ada: Creator, identity: Identity) -> None:
    client = api_client(ada)
    waiting = begun(client)
    path = f"/v1/signers/{waiting['id']}"
    signed = sign(identity, challenge=waiting["challenge"]["challenge"])

    shown = send(client, f"{path}:verify", signed)
    work = send(client, "/v1/works", sign(identity), title="A picture", medium="image")
    unsigned = client.post(
        "/v1/works",
        {
            "title": "A page",
            "medium": "text",
            "identifiers": [{"kind": "url", "value": "https://ada.example/1"}],
        },
        format="json",
    )

    assert shown.status_code == 200, shown.data
    assert waiting["certificate_sha256"] is None
    assert waiting["challenge"]["assertion"] == "tribute.challenge"
    assert len(shown.data["certificate_sha256"]) == 64
    assert shown.data["control_proven_at"] is not None
    assert shown.data["challenge"] != waiting["challenge"]
    assert client.get(path).data == shown.data
    assert work.data["signed_with"] == shown.data["certificate_sha256"]
    assert unsigned.data["signed_with"] is None


def test_a_proof_is_ended_by_its_owner(ada: Creator, identity: Identity) -> None:
    client = api_client(ada)
    waiting = begun(client)
    path = f"/v1/signers/{waiting['id']}"
    send(client, f"{path}:verify", sign(identity, challenge=waiting["challenge"]["challenge"]))

    ended = client.post(f"{path}:end")

    assert ended.status_code == 200, ended.data
    assert (ended.data["control_proven_at"], ended.data["recheck_at"]) == (None, None)
    assert ended.data["certificate_sha256"] is not None


def test_what_shows_nothing_is_refused_with_its_reason(ada: Creator, identity: Identity) -> None:
    client = api_client(ada)
    path = f"/v1/signers/{begun(client)['id']}:verify"

    assert code(send(client, path, b"no picture")) == (422, "not_signed")
    assert code(send(client, path, sign(identity))) == (422, "signer_not_shown")
    assert code(client.post(path, {}, format="multipart")) == (400, "invalid_request")


def test_a_certificate_of_two_is_refused(ada: Creator, identity: Identity) -> None:
    first, second = api_client(ada), api_client(make_creator("ben"))
    answers = []
    for client in (first, second):
        waiting = begun(client)
        body = sign(identity, challenge=waiting["challenge"]["challenge"])
        answers.append(send(client, f"/v1/signers/{waiting['id']}:verify", body))

    assert answers[0].status_code == 200
    assert code(answers[1]) == (409, "signer_shared")


def test_a_large_file_is_refused(ada: Creator, settings: Any) -> None:
    client = api_client(ada)
    path = f"/v1/signers/{begun(client)['id']}:verify"
    settings.UPLOAD_MAX_BYTES = 10

    assert code(send(client, path, b"x" * 11)) == (413, "file_too_large")


def test_mallory_sees_nothing_of_adas_signers(ada: Creator, identity: Identity) -> None:
    waiting = begun(api_client(ada))
    mallory = api_client(make_creator("mallory"))
    path = f"/v1/signers/{waiting['id']}"
    body = sign(identity, challenge=waiting["challenge"]["challenge"])

    assert code(mallory.get(path)) == (404, "not_found")
    assert code(send(mallory, f"{path}:verify", body)) == (404, "not_found")
    assert code(mallory.post(f"{path}:end")) == (404, "not_found")
    assert mallory.get("/v1/signers").data["items"] == []
    assert api_client().get("/v1/signers").status_code == 401
    assert api_client(make_operator()).post("/v1/signers").status_code == 403
    assert api_client(ada, scopes=["works:read"]).post("/v1/signers").status_code == 403


def test_lists_cost_the_same_for_one_signer_and_for_three(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    clients = []
    for handle, count in (("ada", 1), ("ben", 3)):
        client = api_client(make_creator(handle))
        for number in range(count):
            waiting = begun(client)
            identity = make_identity(at=timezone.now() - timedelta(days=1 + number))
            body = sign(identity, challenge=waiting["challenge"]["challenge"])
            assert send(client, f"/v1/signers/{waiting['id']}:verify", body).status_code == 200
        client.get("/v1/signers")
        clients.append(client)

    with django_assert_max_num_queries(4) as one:
        assert len(clients[0].get("/v1/signers").data["items"]) == 1
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(clients[1].get("/v1/signers").data["items"]) == 3
