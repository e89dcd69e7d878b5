"""Places, statements, terms, checks, look-ups and keys over HTTP."""

from typing import Any

import pytest

from registry import collections, receipts
from registry.models import ApiKey, Check, Collection, LogOutbox, Statement, Terms
from tests.described import DescribedClient
from tests.factories import (
    NOON,
    allow,
    api_client,
    deny,
    make_creator,
    make_operator,
    make_work,
)
from tribute import receipts as verifier
from tribute.vocabulary import IdentifierKind, Purpose

pytestmark = pytest.mark.django_db

UNKNOWN_ID = "wrk_01jzj6t3v7e8qs9f3c5m2k4x7a"


def post(client: DescribedClient, path: str, body: object) -> Any:
    return client.post(path, body, format="json")


def answer(response: Any) -> tuple[int, str]:
    return response.status_code, response.data.get("code", "")


# Statements and terms ---------------------------------------------------------------------------


def test_a_statement_is_recorded_and_its_history_read() -> None:
    ada = make_creator("ada")
    work = make_work(ada)
    client = api_client(ada)
    said = {"subject": work.pk, "purpose": "train-ai", "decision": "allow", "paid": True}

    created = post(client, "/v1/statements", said)
    history = client.get("/v1/statements", {"subject": work.pk})

    assert created.status_code == 201, created.data
    assert created.data["sequence"] == 1
    assert LogOutbox.objects.filter(leaf_hash=bytes.fromhex(created.data["leaf"])).exists()
    assert [row["id"] for row in history.data["items"]] == [created.data["id"]]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"purpose": "dance"}, (400, "invalid_request")),
        ({"decision": "maybe"}, (400, "invalid_request")),
        ({"paid": "yes"}, (400, "invalid_request")),
        ({"paid": 1}, (400, "invalid_request")),
        ({"effective_from": "2026-01-01T00:00:00"}, (400, "invalid_request")),
        ({"effective_from": 5}, (400, "invalid_request")),
        ({"effective_from": "1999-01-01T00:00:00Z"}, (422, "effective_from_out_of_range")),
        ({"effective_from": "9999-12-31T23:59:59-12:00"}, (400, "invalid_request")),
        ({"decision": "license"}, (422, "terms_required")),
        ({"decision": "deny", "paid": True}, (422, "paid_needs_use")),
        ({"terms": "trm_0"}, (404, "not_found")),
        ({"subject": "x"}, (404, "not_found")),
        ({"subject": UNKNOWN_ID}, (404, "not_found")),
        ({"subject": ""}, (400, "invalid_request")),
        ({"subject": None}, (400, "invalid_request")),
        ({"because": "I say so"}, (400, "invalid_request")),
    ],
)
def test_a_bad_statement_is_refused_and_nothing_written(
    changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    ada = make_creator("ada")
    work = make_work(ada)
    said = {"subject": work.pk, "purpose": "train-ai", "decision": "allow"} | changes

    response = post(api_client(ada), "/v1/statements", said)

    assert answer(response) == expected
    assert (Statement.objects.count(), LogOutbox.objects.count()) == (0, 0)


def test_mallory_neither_speaks_for_ada_nor_reads_what_she_said() -> None:
    ada = make_creator("ada")
    work = make_work(ada)
    site = collections.claim(ada, kind=IdentifierKind.HOST, value="ada.example", at=NOON)
    allow(work)
    mallory = api_client(make_creator("mallory"))

    for subject in (work.pk, site.pk, ada.pk):
        said = {"subject": subject, "purpose": "train-ai", "decision": "deny"}
        assert answer(post(mallory, "/v1/statements", said)) == (404, "not_found")
        read = mallory.get("/v1/statements", {"subject": subject})
        assert answer(read) == (404, "not_found")
    assert mallory.get("/v1/statements").data["items"] == []
    assert Statement.objects.count() == 1


def test_terms_are_offered_and_then_named_by_a_license() -> None:
    ada = make_creator("ada")
    client = api_client(ada)
    price = {"amount_micros": 250_000, "currency": "EUR"}

    terms = post(client, "/v1/terms", {"price": price, "uri": "https://ada.example/terms"})
    said = {"subject": ada.pk, "purpose": "train-ai", "decision": "license"}
    stated = post(client, "/v1/statements", said | {"terms": terms.data["id"]})

    assert (terms.status_code, terms.data["price"]) == (201, price)
    assert (stated.status_code, stated.data["terms"]) == (201, terms.data["id"])
    assert client.get("/v1/terms").data["items"] == [terms.data]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"price": {"amount_micros": -1, "currency": "EUR"}, "uri": "https://a.example"},
        {"price": {"amount_micros": 1.5, "currency": "EUR"}, "uri": "https://a.example"},
        {"price": {"amount_micros": 1, "currency": "euro"}, "uri": "https://a.example"},
        {"price": {"amount_micros": 10**16, "currency": "EUR"}, "uri": "https://a.example"},
        {"text_sha256": "zz"},
        {"uri": "javascript:alert(1)"},
    ],
)
def test_bad_terms_are_refused(body: dict[str, Any]) -> None:
    response = post(api_client(make_creator("ada")), "/v1/terms", body)

    assert response.status_code in {400, 422}
    assert not Terms.objects.exists()


# Places -----------------------------------------------------------------------------------------


def test_a_place_is_claimed_read_and_not_proven_without_its_file() -> None:
    client = api_client(make_creator("ada"))

    claimed = post(client, "/v1/collections", {"kind": "host", "value": "127.0.0.1"})
    verified = client.post(f"/v1/collections/{claimed.data['id']}:verify")
    read = client.get(f"/v1/collections/{claimed.data['id']}")

    assert claimed.status_code == 201
    assert answer(verified) == (422, "control_not_shown")
    assert read.data["challenge"]["body"].count(".") == 1
    assert read.data["challenge"]["pages"][0] == "https://127.0.0.1/"
    assert read.data["challenge"]["name"] is None
    wrong = post(client, f"/v1/collections/{claimed.data['id']}:verify", {"method": "post"})
    assert answer(wrong) == (400, "invalid_request")
    assert read.data["control_proven_at"] is None


def test_mallory_sees_nothing_of_adas_places() -> None:
    site = collections.claim(
        make_creator("ada"), kind=IdentifierKind.HOST, value="ada.example", at=NOON
    )
    mallory = api_client(make_creator("mallory"))

    assert answer(mallory.get(f"/v1/collections/{site.pk}")) == (404, "not_found")
    assert answer(mallory.post(f"/v1/collections/{site.pk}:verify")) == (404, "not_found")
    assert mallory.get("/v1/collections").data["items"] == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"kind": "domain", "value": "co.uk"}, (422, "public_suffix")),
        ({"kind": "url", "value": "https://ada.example/"}, (400, "invalid_request")),
        ({"kind": "host", "value": "a b"}, (422, "invalid_identifier")),
        ({"kind": "host"}, (400, "invalid_request")),
    ],
)
def test_a_bad_claim_is_refused(body: dict[str, str], expected: tuple[int, str]) -> None:
    assert answer(post(api_client(make_creator("ada")), "/v1/collections", body)) == expected
    assert not Collection.objects.exists()


# Checks -----------------------------------------------------------------------------------------


def test_a_check_is_answered_kept_and_proven() -> None:
    ada, acme = make_creator("ada"), make_operator("acme")
    deny(make_work(ada, url="https://ada.example/1"))
    client = api_client(acme)
    items = [{"id": "x", "url": "https://ada.example/1"}, {"url": "broken"}]

    asked = post(client, "/v1/checks", {"items": items, "purposes": ["train-ai"]})
    read = client.get(f"/v1/checks/{asked.json()['check']}")
    receipt = client.get(f"/v1/checks/{asked.json()['check']}/receipt")
    row = client.get(f"/v1/checks/{asked.json()['check']}/receipt", {"row": 0})

    assert asked.status_code == 201
    assert [a["id"] for a in asked.json()["answers"]] == ["x", "1"]
    assert asked.json()["answers"][0]["decisions"]["train-ai"]["decision"] == "deny"
    assert asked.json()["answers"][1]["error"]["code"] == "invalid_identifier"
    assert read.json() == asked.json()
    proven = verifier.verify_receipt(receipt.json(), public_key=receipts.public_key(), items=items)
    assert proven.items == 2
    leaf = verifier.row_digest(
        row.json()["item"], row.json()["answer"], salt=bytes.fromhex(row.json()["salt"])
    )
    path = [bytes.fromhex(sibling) for sibling in row.json()["path"]]
    assert verifier.verify_inclusion(leaf, index=0, size=2, path=path, root=proven.answers_root)


@pytest.mark.parametrize(
    ("changes", "code", "pointers"),
    [
        ({"items": []}, "too_many_items", None),
        ({"items": [{"url": "https://a.example"}] * 10_001}, "too_many_items", None),
        ({"items": "https://a.example"}, "invalid_request", ["/items"]),
        (
            {"items": [{}, 5, {"url": 5}, {"link": "x"}]},
            "invalid_request",
            ["/items/1", "/items/2", "/items/3"],
        ),
        ({"items": [{"id": "x" * 201}]}, "invalid_request", ["/items/0"]),
        ({"purposes": []}, "invalid_request", ["/purposes"]),
        ({"purposes": ["dance"]}, "invalid_request", ["/purposes/0"]),
        ({"as_of": "2999-01-01T00:00:00Z"}, "as_of_in_future", None),
        ({"prompt": "a cat"}, "invalid_request", ["/prompt"]),
    ],
)
def test_a_check_of_the_wrong_shape_is_refused_with_its_rows(
    changes: dict[str, Any], code: str, pointers: list[str] | None
) -> None:
    body = {"items": [{"url": "https://a.example"}], "purposes": ["train-ai"]} | changes

    response = post(api_client(make_operator("acme")), "/v1/checks", body)

    assert response.status_code in {400, 422}
    assert response.data["code"] == code
    assert [place["pointer"] for place in response.data.get("errors", [])] == (pointers or [])
    assert not Check.objects.exists()


def test_mallory_reads_no_check_of_acmes() -> None:
    client = api_client(make_operator("acme"))
    body = {"items": [{"url": "https://a.example"}], "purposes": ["train-ai"]}
    check = post(client, "/v1/checks", body).json()["check"]
    mallory = api_client(make_operator("mallory"))

    assert answer(mallory.get(f"/v1/checks/{check}")) == (404, "not_found")
    assert answer(mallory.get(f"/v1/checks/{check}/receipt")) == (404, "not_found")
    assert answer(client.get(f"/v1/checks/{check}/receipt", {"row": 1})) == (404, "not_found")
    assert client.get(f"/v1/checks/{check}/receipt", {"row": "x"}).status_code == 400


def test_creators_do_not_check_and_operators_do_not_register() -> None:
    body = {"items": [{"url": "https://a.example"}], "purposes": ["train-ai"]}

    assert post(api_client(make_creator("ada")), "/v1/checks", body).status_code == 403
    assert post(api_client(make_operator("acme")), "/v1/works", {}).status_code == 403


# Anybody ----------------------------------------------------------------------------------------


def test_anybody_looks_one_thing_up() -> None:
    ada = make_creator("ada")
    work = make_work(ada, url="https://ada.example/1", title="April")
    allow(work)

    found = api_client().get("/v1/lookup", {"url": "http://www.ada.example/1"})

    assert found.status_code == 200
    assert found.data["works"] == [
        {"id": work.pk, "title": "April", "medium": "text", "creators": ["Ada"]}
    ]
    assert found.data["decisions"]["train-ai"]["decision"] == "allow"
    assert set(found.data["decisions"]) == set(Purpose)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, (400, "one_identifier_required")),
        ({"url": "https://a.example", "iscc": "x"}, (400, "one_identifier_required")),
        ({"title": "April"}, (400, "one_identifier_required")),
        ({"url": "nowhere"}, (422, "invalid_identifier")),
        ({"sha256": "zz"}, (422, "invalid_identifier")),
        ({"iscc": "ISCC:"}, (422, "invalid_identifier")),
        ({"url": "https://a.exa\x00mple/"}, (422, "invalid_identifier")),
    ],
)
def test_a_bad_look_up_is_refused(query: dict[str, str], expected: tuple[int, str]) -> None:
    assert answer(api_client().get("/v1/lookup", query)) == expected


def test_the_figures_are_public() -> None:
    allow(make_work(make_creator("ada")))

    figures = api_client().get("/v1/transparency").data

    assert figures["counts"]["works"] == 1
    assert figures["decisions"] == {"allow": 1}
    assert bytes.fromhex(figures["receipt_key"]) == receipts.public_key()


# Keys -------------------------------------------------------------------------------------------


def test_a_key_lists_its_siblings_and_replaces_itself() -> None:
    acme = make_operator("acme")
    api_client(make_operator("mallory"))
    client = api_client(acme, scopes=["checks:write"])

    rotated = client.post("/v1/keys:rotate")
    listed = client.get("/v1/keys")

    assert rotated.status_code == 201
    assert rotated.data["secret"].startswith("trb_live_")
    assert rotated.headers["Cache-Control"] == "no-store"
    assert len(listed.data["items"]) == 2
    assert rotated.data["secret"] not in str(listed.data)
    assert ApiKey.objects.filter(operator=acme).count() == 2


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer x", "Basic abc", "Bearer trb_live_x_y", "", "bearer  "]
)
def test_without_a_valid_key_the_answer_is_401(header: str) -> None:
    client = DescribedClient()
    client.credentials(HTTP_AUTHORIZATION=header)

    response = client.get("/v1/keys")

    assert answer(response) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="tribute"'


@pytest.mark.parametrize("path", ["/v1/collections", "/v1/statements", "/v1/terms", "/v1/keys"])
def test_lists_cost_the_same_for_one_row_and_for_three(
    path: str, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    clients = []
    for handle, count in (("ada", 1), ("ben", 3)):
        creator = make_creator(handle)
        client = api_client(creator)
        for number in range(count):
            value = f"{handle}{number}.example"
            post(client, "/v1/collections", {"kind": "host", "value": value})
            terms = post(client, "/v1/terms", {"uri": f"https://{value}/"}).data["id"]
            said = {"subject": creator.pk, "purpose": "search", "decision": "license"}
            post(client, "/v1/statements", said | {"terms": terms})
        for _ in range(count - 1):
            api_client(creator)
        client.get(path)
        clients.append(client)

    with django_assert_max_num_queries(4) as one:
        assert len(clients[0].get(path).data["items"]) == 1
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(clients[1].get(path).data["items"]) == 3
