"""Long manifests over HTTP: taken in as they come or in pieces, matched later, then in force."""

import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pytest
from django.utils import timezone
from pyarrow import parquet
from rest_framework.test import APIClient

from attribution import generative_models
from attribution.api import manifest_views
from registry import collections, manifests
from registry.models import Manifest, UploadPart
from tests.factories import DAY, NOON, api_client, deny, make_creator, make_operator, make_work
from tribute.vocabulary import IdentifierKind

pytestmark = pytest.mark.django_db

NEW = {"name": "Muse", "version": "1", "currency": "EUR", "fee_micros": 10_000}
WHEN = "2026-05-01T00:00:00Z"
ROWS = [{"url": f"https://a.example/{n}", "ingested_at": WHEN} for n in range(40)]
LINES = b"".join(json.dumps(row).encode() + b"\n" for row in ROWS)
QUERIES_A_LIST = 2
TUS = {"HTTP_TUS_RESUMABLE": "1.0.0"}


@pytest.fixture
def client() -> APIClient:
    return api_client(make_operator("acme"))


@pytest.fixture
def path(client: APIClient) -> str:
    model = client.post("/v1/models", NEW, format="json").json()["id"]
    return f"/v1/models/{model}/manifest"


def matched() -> int:
    until = timezone.now() + timedelta(minutes=1)
    manifests.work_off(clock=timezone.now, until=until)
    return generative_models.adopt_manifests()


def as_parquet() -> bytes:
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(ROWS), file)
    return file.getvalue()


@pytest.mark.parametrize("form", ["application/x-ndjson", "application/vnd.apache.parquet"])
def test_a_long_body_is_matched_later_and_then_in_force(
    client: APIClient, path: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_views, "MATCHED_AT_ONCE_BYTES", 100)
    client.put(path, {"rows": ROWS[:1]}, format="json")
    before = client.get(path).json()
    body = LINES if form == "application/x-ndjson" else as_parquet()

    answer = client.put(path, body, content_type=form)

    waiting = client.get(path).json()
    assert (answer.status_code, answer.json()["status"]) == (202, "receiving")
    assert waiting["current"] == before["current"]
    assert waiting["next"]["id"] == answer.json()["id"]
    assert matched() == 1
    done = client.get(path).json()
    assert (done["current"]["id"], done["next"]) == (answer.json()["id"], None)
    assert (done["current"]["status"], done["current"]["rows_count"]) == ("ready", 40)
    assert client.get(f"{path}/report").json()["rows"] == 40


def test_a_manifest_is_sent_in_pieces(client: APIClient, path: str) -> None:
    body = {"format": "jsonl", "size": len(LINES), "sha256": hashlib.sha256(LINES).hexdigest()}
    answer = client.post(f"{path}:upload", body, format="json")
    url = answer.headers["Location"]
    assert (answer.status_code, answer.json()["upload"]["url"]) == (201, url)

    for start in range(0, len(LINES), 1_000):
        piece: dict[str, Any] = {"HTTP_UPLOAD_OFFSET": str(start), **TUS}
        sent = client.patch(
            url,
            LINES[start : start + 1_000],
            content_type="application/offset+octet-stream",
            **piece,
        )
        assert sent.status_code == 204
    assert client.get(path).json()["next"]["upload"]["received"] == len(LINES)

    assert matched() == 1
    assert client.get(path).json()["current"]["rows_count"] == 40


def test_a_refused_manifest_leaves_the_one_before_in_force(
    client: APIClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_views, "MATCHED_AT_ONCE_BYTES", 100)
    client.put(path, {"rows": ROWS[:1]}, format="json")
    client.put(path, LINES + b"{", content_type="application/x-ndjson")

    assert matched() == 0

    state = client.get(path).json()
    assert (state["current"]["rows_count"], state["next"]["status"]) == (1, "failed")
    assert "row 41" in state["next"]["failure"]


def test_more_than_the_limit_is_refused_and_nothing_kept(
    client: APIClient, path: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest_views, "MATCHED_AT_ONCE_BYTES", 100)
    settings.INTAKE_MAX_BYTES = 1_000

    answer = client.put(path, LINES, content_type="application/x-ndjson")

    assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
    assert (Manifest.objects.count(), UploadPart.objects.count()) == (0, 0)


def test_all_violations_are_listed_page_by_page(
    client: APIClient, path: str, django_assert_num_queries: Any
) -> None:
    ben = make_creator("ben")
    work = make_work(ben, url="https://a.example/7")
    statement = deny(work)
    place = collections.claim(ben, kind=IdentifierKind.HOST, value="b.example", at=NOON)
    deny(place)
    when = (NOON + DAY).isoformat()
    addresses = ["https://a.example/7", *(f"https://b.example/{n}" for n in range(120))]
    rows = [{"url": url, "ingested_at": when} for url in ["https://c.example/", *addresses]]
    missing = client.get(f"{path}/violations")
    client.put(path, {"rows": rows}, format="json")

    pages = [client.get(f"{path}/violations?limit=60").json()]
    while pages[-1]["next"]:
        pages.append(client.get(pages[-1]["next"]).json())

    assert (missing.status_code, missing.json()["code"]) == (409, "manifest_missing")
    listed = [row for page in pages for row in page["items"]]
    assert [row["row"] for row in listed] == list(range(2, 123))
    assert len(client.get(f"{path}/report").json()["violations"]) == 100
    assert listed[0] == {
        "row": 2,
        "kind": "url",
        "value": "a.example/7",
        "ingested_at": "2026-06-02T12:00:00Z",
        "decision": "deny",
        "work": work.pk,
        "statement": statement.pk,
    }
    for limit in (1, 3):
        with django_assert_num_queries(QUERIES_A_LIST):
            client.get(f"{path}/violations?limit={limit}")


def test_a_manifest_is_its_operators_alone(path: str) -> None:
    mallory = api_client(make_operator("mallory"))
    assert mallory.get(f"{path}/violations").status_code == 404

    assert mallory.get(path).status_code == 404
    body = {"format": "jsonl", "size": 1}
    assert mallory.post(f"{path}:upload", body, format="json").status_code == 404
