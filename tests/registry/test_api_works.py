"""Works over HTTP: register, list, read, and nobody else's."""

import hashlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from registry.models import Identifier, Work, WorkFeatures
from tests.factories import api_client, make_creator, make_operator, make_work

pytestmark = pytest.mark.django_db

TEXT = "Whan that Aprille with his shoures soote the droghte of March hath perced to the roote " * 5


def body(**changes: Any) -> dict[str, Any]:
    work = {
        "title": "April",
        "medium": "text",
        "identifiers": [{"kind": "url", "value": "https://www.ada.example:443/poems/%61pril#top"}],
    }
    return work | changes


def test_register_prints_the_canonical_work() -> None:
    ada = make_creator("ada")

    response = api_client(ada).post("/v1/works", body(), format="json")

    assert response.status_code == 201, response.data
    assert response.data["identifiers"] == [{"kind": "url", "value": "ada.example/poems/april"}]
    assert response.data["shares"][0]["creator"] == ada.pk
    assert response.data["disputed"] is False
    assert response.headers["Location"].endswith(f"/v1/works/{response.data['id']}")


def test_register_takes_a_file_and_keeps_no_byte_of_it() -> None:
    ada = make_creator("ada")
    file = SimpleUploadedFile("april.txt", TEXT.encode())

    response = api_client(ada).post(
        "/v1/works",
        {"file": file, "title": "April", "medium": "text", "url": ["https://ada.example/a"]},
        format="multipart",
    )

    assert response.status_code == 201, response.data
    kinds = {i["kind"]: i["value"] for i in response.data["identifiers"]}
    assert kinds["sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    assert kinds["url"] == "ada.example/a"
    assert kinds["iscc"].startswith("ISCC:")
    features = WorkFeatures.objects.get(work=response.data["id"])
    assert features.ngrams > 50
    assert b"Aprille" not in bytes(features.features)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"title": ""}, 400, "invalid_request"),
        ({"title": 5}, 400, "invalid_request"),
        ({"title": "a\x00b"}, 400, "invalid_request"),
        ({"medium": "smell"}, 400, "invalid_request"),
        ({"identifiers": []}, 400, "invalid_request"),
        ({"identifiers": "https://ada.example"}, 400, "invalid_request"),
        ({"identifiers": [{"kind": "domain", "value": "ada.example"}]}, 400, "invalid_request"),
        ({"identifiers": [{"kind": "url", "value": "nowhere"}]}, 422, "invalid_identifier"),
        ({"identifiers": [{"kind": "sha256", "value": "abc"}]}, 422, "invalid_identifier"),
        ({"identifiers": [{"kind": "iscc", "value": "ISCC:AAAA"}]}, 422, "invalid_identifier"),
        ({"prompt": "write me a poem"}, 400, "invalid_request"),
        ({"shares": [{"creator": "cre_x", "ppm": 1_000_000}]}, 422, "invalid_shares"),
        ({"shares": [{"creator": "cre_x", "ppm": True}]}, 400, "invalid_request"),
        ({"shares": [{"creator": "cre_x", "ppm": 10**30}]}, 400, "invalid_request"),
    ],
)
def test_register_refuses_bad_input_and_writes_nothing(
    changes: dict[str, Any], status: int, code: str
) -> None:
    response = api_client(make_creator("ada")).post("/v1/works", body(**changes), format="json")

    assert (response.status_code, response.data["code"]) == (status, code)
    assert Work.objects.count() == Identifier.objects.count() == 0


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 100_000])
def test_register_refuses_what_is_no_json_object(payload: bytes) -> None:
    client = api_client(make_creator("ada"))

    response = client.post("/v1/works", payload, content_type="application/json")

    assert response.status_code == 400, response.data
    assert response.headers["Content-Type"] == "application/problem+json"


def test_register_refuses_a_body_over_5_mb() -> None:
    client = api_client(make_creator("ada"))

    response = client.post(
        "/v1/works", b" " * (5 * 1024 * 1024 + 1), content_type="application/json"
    )

    assert (response.status_code, response.data["code"]) == (413, "body_too_large")


def test_register_refuses_a_file_over_the_limit(settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    file = SimpleUploadedFile("april.txt", TEXT.encode())

    response = api_client(make_creator("ada")).post(
        "/v1/works", {"file": file, "title": "April", "medium": "text"}, format="multipart"
    )

    assert (response.status_code, response.data["code"]) == (413, "file_too_large")
    assert not Work.objects.exists()


@pytest.mark.parametrize(
    ("content", "medium"), [(b"", "text"), (b"\xff\x00\xff", "text"), (b"no picture", "image")]
)
def test_register_refuses_a_file_that_is_not_what_it_says(content: bytes, medium: str) -> None:
    file = SimpleUploadedFile("file", content)

    response = api_client(make_creator("ada")).post(
        "/v1/works", {"file": file, "title": "April", "medium": medium}, format="multipart"
    )

    assert (response.status_code, response.data["code"]) == (422, "unreadable_file")
    assert not Work.objects.exists()


def test_register_twice_is_refused() -> None:
    client = api_client(make_creator("ada"))
    client.post("/v1/works", body(), format="json")

    again = client.post("/v1/works", body(title="Again"), format="json")

    assert (again.status_code, again.data["code"]) == (409, "already_registered")
    assert Work.objects.count() == 1


def test_mallory_sees_and_confirms_nothing_of_adas() -> None:
    work = make_work(make_creator("ada"))
    mallory = api_client(make_creator("mallory"))

    read = mallory.get(f"/v1/works/{work.pk}")
    confirmed = mallory.post(f"/v1/works/{work.pk}:confirm-share")
    malformed = mallory.get("/v1/works/wrk_0")
    listed = mallory.get("/v1/works")

    assert [read.status_code, confirmed.status_code, malformed.status_code] == [404, 404, 404]
    assert {read.data["code"], confirmed.data["code"], malformed.data["code"]} == {"not_found"}
    assert listed.data["items"] == []


def test_a_co_owner_confirms_a_share() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    work = make_work(ada, shares={ada.pk: 700_000, ben.pk: 300_000})

    response = api_client(ben).post(f"/v1/works/{work.pk}:confirm-share")

    assert response.status_code == 200
    confirmed = {share["creator"]: bool(share["confirmed_at"]) for share in response.data["shares"]}
    assert confirmed == {ada.pk: True, ben.pk: True}


@pytest.mark.parametrize("path", ["/v1/works", "/v1/collections", "/v1/statements", "/v1/terms"])
def test_reading_needs_a_key_with_the_scope(path: str) -> None:
    acme = api_client(make_operator("acme"))

    assert api_client().get(path).status_code == 401
    assert acme.get(path).status_code == 403


def test_listing_costs_the_same_for_one_work_and_for_three(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    make_work(ada)
    client, other = api_client(ada), api_client(ben)
    for _ in range(3):
        make_work(ben)
    client.get("/v1/works"), other.get("/v1/works")

    with django_assert_max_num_queries(7) as one:
        assert len(client.get("/v1/works").data["items"]) == 1
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(other.get("/v1/works").data["items"]) == 3
