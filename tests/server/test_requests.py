"""What is refused before any view sees it, and what caches may keep of the answers."""

import io
from typing import Any

import pytest
from django.test import Client

from tests.factories import api_client, make_creator, make_user

PROBLEM = "application/problem+json"

pytestmark = pytest.mark.django_db


def test_a_body_of_unannounced_length_is_refused_not_taken_for_empty() -> None:
    client = api_client(make_creator("ada"))

    chunked = client.generic("POST", "/v1/works", "{}", headers={"Transfer-Encoding": "chunked"})
    terminated: Any = {"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"{}")}
    streamed = client.generic("POST", "/v1/works", CONTENT_LENGTH="", **terminated)
    terminated["wsgi.input"] = io.BytesIO()
    empty = client.generic("POST", "/v1/signers", CONTENT_LENGTH="", **terminated)

    for answer in (chunked, streamed):
        assert (answer.status_code, answer.json()["code"]) == (411, "length_required")
        assert answer["Content-Type"] == PROBLEM
    assert empty.status_code == 201


def test_an_encoded_body_is_refused() -> None:
    client = api_client(make_creator("ada"))

    zipped = client.generic("POST", "/v1/works", "{}", headers={"Content-Encoding": "gzip"})
    plain = client.generic("POST", "/v1/signers", "", headers={"Content-Encoding": "identity"})

    assert (zipped.status_code, zipped.json()["code"]) == (415, "unsupported_media_type")
    assert plain.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        '{"title": "a", "title": "b"}',
        '{"title": "a", "identifiers": [{"kind": "url", "value": "a", "\\u006bind": "url"}]}',
    ],
)
def test_a_name_that_stands_twice_in_an_object_is_refused(body: str) -> None:
    answer = api_client(make_creator("ada")).generic(
        "POST", "/v1/works", body, content_type="application/json"
    )

    assert answer.status_code == 400
    assert "twice" in answer.json()["detail"]


@pytest.mark.parametrize("host", ["", "evil.example", "localhost@evil.example", "a,b"])
@pytest.mark.parametrize("path", ["/", "/v1/works", "/log/checkpoint"])
def test_a_host_that_is_not_ours_is_refused(client: Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert "evil" not in answer.content.decode()


def test_no_cache_keeps_what_somebody_had_to_be_known_for(client: Client) -> None:
    creator = make_creator("ada", user=make_user("ada@example.org"))
    assert api_client(creator).get("/v1/works")["Cache-Control"] == "private, no-store"
    assert client.get("/v1/works")["Cache-Control"] == "private, no-store"

    assert not client.get("/").has_header("Cache-Control")
    client.force_login(creator.members.get())
    assert client.get("/overview/")["Cache-Control"] == "private, no-store"
    assert client.get("/v1/openapi.json")["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/log/checkpoint", "/v1/openapi.json"])
def test_what_is_only_read_refuses_writing_with_its_methods(path: str) -> None:
    answer: Any = Client(enforce_csrf_checks=True).post(path, "x", content_type="text/plain")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"


def test_the_description_is_asked_for_again_only_when_it_changed(client: Client) -> None:
    first = client.get("/v1/openapi.json")

    again = client.get("/v1/openapi.json", headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
