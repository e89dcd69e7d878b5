"""Registering models over HTTP, and what they learned from."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from attribution.models import GenerativeModel
from registry.models import Manifest, Operator, Work
from tests.attribution.world import INGESTED
from tests.factories import api_client, deny, make_operator

NEW = {"name": "Writer", "version": "2", "currency": "EUR", "fee_micros": 12_000}
WHEN = INGESTED.isoformat().replace("+00:00", "Z")


@pytest.fixture
def client(acme: Operator) -> APIClient:
    return api_client(acme)


def test_a_model_is_registered_with_its_policy(client: APIClient) -> None:
    answer = client.post("/v1/models", NEW, format="json")

    model = GenerativeModel.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": model.pk,
            "name": "Writer",
            "version": "2",
            "currency": "EUR",
            "fee_micros": 12_000,
            "price_share_ppm": None,
            "method": "cascade",
            "space": None,
            "floor_ppm": 0,
            "work_cap_micros": None,
            "unattributed_policy": "pool",
            "keep_evidence_days": None,
            "manifest": None,
            "created_at": model.created_at.isoformat().replace("+00:00", "Z"),
        },
    )
    read = client.get(f"/v1/models/{model.pk}").json()
    assert read == answer.json() | {"spot_check": None}


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"fee_micros": 0}, 400, "invalid_request"),
        ({"fee_micros": -1}, 400, "invalid_request"),
        ({"fee_micros": 2**63}, 400, "invalid_request"),
        ({"fee_micros": 1.5}, 400, "invalid_request"),
        ({"fee_micros": "12"}, 400, "invalid_request"),
        ({"fee_micros": True}, 400, "invalid_request"),
        ({"fee_micros": None}, 422, "invalid_fee_policy"),
        ({"price_share_ppm": 50_000}, 422, "invalid_fee_policy"),
        ({"fee_micros": None, "price_share_ppm": 1_000_001}, 400, "invalid_request"),
        ({"currency": "eur"}, 400, "invalid_request"),
        ({"currency": "XXX"}, 400, "invalid_request"),
        ({"currency": 978}, 400, "invalid_request"),
        ({"name": ""}, 400, "invalid_request"),
        ({"name": "x" * 121}, 400, "invalid_request"),
        ({"name": ["Writer"]}, 400, "invalid_request"),
        ({"name": "nul \x00"}, 400, "invalid_request"),
        ({"method": "magic"}, 400, "invalid_request"),
        ({"unattributed_policy": "keep"}, 400, "invalid_request"),
        ({"owner": "opr_x"}, 400, "invalid_request"),
    ],
)
def test_a_bad_model_is_refused_and_nothing_written(
    client: APIClient, said: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/v1/models", NEW | said, format="json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert not GenerativeModel.objects.exists()


@pytest.mark.parametrize(
    "body", ["NaN", '{"fee_micros": NaN}', "[]", "null", '"text"', "{", "\xff"]
)
def test_a_body_that_is_no_json_object_is_refused(client: APIClient, body: str) -> None:
    answer = client.post("/v1/models", body.encode("latin-1"), content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_a_version_is_registered_once(client: APIClient) -> None:
    client.post("/v1/models", NEW, format="json")

    answer = client.post("/v1/models", NEW, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "model_exists")
    assert GenerativeModel.objects.count() == 1


def test_other_operators_models_do_not_exist(writer: GenerativeModel) -> None:
    mallory = api_client(make_operator("mallory"))

    assert mallory.get("/v1/models").json()["items"] == []
    for model_id in (writer.pk, "mdl_00000000000000000000000000", "nonsense"):
        for path in (f"/v1/models/{model_id}", f"/v1/models/{model_id}/manifest/report"):
            answer = mallory.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        answer = mallory.put(f"/v1/models/{model_id}/manifest", {"rows": []}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_keys_without_the_scope_and_strangers_are_turned_away(acme: Operator) -> None:
    narrow = api_client(acme, scopes=["queries:write"])

    assert narrow.get("/v1/models").status_code == 403
    assert api_client().get("/v1/models").status_code == 401


def test_models_are_listed_with_the_same_number_of_statements(
    writer: GenerativeModel, django_assert_num_queries: Any
) -> None:
    client = api_client(writer.operator)
    client.get("/v1/models")
    for version in ("2", "3"):
        with django_assert_num_queries(1):
            answer = client.get("/v1/models")
        client.post("/v1/models", NEW | {"version": version}, format="json")

    assert [item["version"] for item in answer.json()["items"]] == ["2", "1"]


def rows(*works: Work) -> list[dict[str, str]]:
    return [
        {"sha256": work.identifiers.get(kind="sha256").canonical, "ingested_at": WHEN}
        for work in works
    ]


@pytest.mark.parametrize("form", ["json", "lines"])
def test_a_manifest_is_declared_as_json_or_as_lines(
    client: APIClient, chariot: Work, tyger: Work, form: str
) -> None:
    deny(tyger)
    model_id = client.post("/v1/models", NEW, format="json").json()["id"]
    said = [*rows(chariot, tyger), {"url": "https://elsewhere.example/", "ingested_at": WHEN}]
    path = f"/v1/models/{model_id}/manifest"

    if form == "json":
        answer = client.put(path, {"rows": said}, format="json")
    else:
        lines = "\n".join(json.dumps(row) for row in said).encode()
        answer = client.put(path, lines, content_type="application/x-ndjson")

    manifest = Manifest.objects.get()
    assert (answer.status_code, answer.json()["id"]) == (200, manifest.pk)
    assert answer.json()["status"] == "ready"
    report = client.get(f"{path}/report").json()
    violations = report.pop("violations")
    assert report == {
        "rows": 3,
        "matched": 2,
        "works": 2,
        "allowed": 1,
        "unknown": 1,
        "denied": 1,
        "duplicated": 0,
        "coverage_ppm": 666_666,
        "with_codes": 0,
        "near_duplicated": 0,
        "near_compared": 0,
        "repeated": [],
        "near": [],
    }
    assert [(v["row"], v["work"], v["decision"]) for v in violations] == [(2, tyger.pk, "deny")]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"rows": []}, 422, "empty_manifest"),
        ({"rows": "all of it"}, 400, "invalid_request"),
        ({"rows": [], "more": 1}, 400, "invalid_request"),
        ([], 400, "invalid_request"),
        ({"rows": ["https://a.example/"]}, 422, "invalid_manifest_row"),
        ({"rows": [{"ingested_at": WHEN}]}, 422, "invalid_manifest_row"),
        ({"rows": [{"url": 5, "ingested_at": WHEN}]}, 422, "invalid_manifest_row"),
        ({"rows": [{"url": "https://a.example/"}]}, 422, "invalid_manifest_row"),
        ({"rows": [{"sha256": "abc", "ingested_at": WHEN}]}, 422, "invalid_manifest_row"),
        (
            {"rows": [{"url": "https://a.example/", "ingested_at": "2999-01-01T00:00:00Z"}]},
            422,
            "invalid_manifest_row",
        ),
        (
            {"rows": [{"url": "https://a.example/", "ingested_at": "2026-01-01"}]},
            422,
            "invalid_manifest_row",
        ),
    ],
)
def test_a_bad_manifest_is_refused_and_nothing_written(
    client: APIClient, body: Any, status: int, code: str
) -> None:
    model_id = client.post("/v1/models", NEW, format="json").json()["id"]

    answer = client.put(f"/v1/models/{model_id}/manifest", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Manifest.objects.exists()


@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (b"{", 422, "invalid_manifest_row"),
        (b'{"url": "' + b"x" * 20_000 + b'"}', 422, "invalid_manifest_row"),
        (b'{"url": "https://a.example/"}', 422, "invalid_manifest_row"),
    ],
)
def test_bad_lines_are_refused_and_nothing_written(
    client: APIClient, line: bytes, status: int, code: str
) -> None:
    model_id = client.post("/v1/models", NEW, format="json").json()["id"]
    good = json.dumps({"url": "https://a.example/", "ingested_at": WHEN}).encode()

    answer = client.put(
        f"/v1/models/{model_id}/manifest",
        good + b"\n" + line,
        content_type="application/x-ndjson",
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Manifest.objects.exists()


def test_a_model_without_a_manifest_has_no_report(client: APIClient) -> None:
    model_id = client.post("/v1/models", NEW, format="json").json()["id"]

    answer = client.get(f"/v1/models/{model_id}/manifest/report")

    assert (answer.status_code, answer.json()["code"]) == (409, "manifest_missing")
