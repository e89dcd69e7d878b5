"""Imports over HTTP: announce, send in pieces, follow, download the report; nobody else's."""

import csv
import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from registry import imports
from registry.models import Upload, UploadPart, Work
from tests.factories import api_client, make_creator, make_operator

pytestmark = pytest.mark.django_db

CONTENT = b"title,medium,url,train-ai\nApril,text,https://ada.example/a,deny\nMay,poem,x,\n"
TUS: dict[str, Any] = {"HTTP_TUS_RESUMABLE": "1.0.0"}


def announce(client: APIClient, content: bytes = CONTENT, path: str = "/v1/works:import") -> Any:
    body = {
        "format": "csv",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    answer = client.post(path, body, format="json")
    assert answer.status_code == 201, answer.data
    return answer


def send(client: APIClient, url: str, content: bytes, offset: int) -> Any:
    return client.patch(
        url,
        data=content,
        content_type="application/offset+octet-stream",
        HTTP_UPLOAD_OFFSET=str(offset),
        **TUS,
    )


def work_off() -> None:
    now = timezone.now()
    imports.work_off(clock=timezone.now, until=now + timedelta(minutes=1))


def test_a_file_is_sent_in_pieces_and_its_works_registered() -> None:
    client = api_client(make_creator("ada"))
    answer = announce(client)
    made, url = answer.data["id"], answer.headers["Location"]
    assert answer.data["upload"] == {"url": url, "size": len(CONTENT), "received": 0}

    first = send(client, url, CONTENT[:30], 0)
    asked = client.head(url, **TUS)
    wrong = send(client, url, CONTENT[20:], 20)
    second = send(client, url, CONTENT[30:], 30)
    work_off()

    assert (first.status_code, first.headers["Upload-Offset"]) == (204, "30")
    assert asked.headers["Upload-Offset"] == "30"
    assert asked.headers["Upload-Length"] == str(len(CONTENT))
    assert asked.headers["Cache-Control"] == "no-store"
    assert asked.headers["Tus-Resumable"] == "1.0.0"
    assert (wrong.status_code, wrong.data["code"]) == (409, "upload_offset_differs")
    assert (second.status_code, second.headers["Upload-Offset"]) == (204, str(len(CONTENT)))
    state = client.get(f"/v1/imports/{made}").data
    assert (state["status"], state["rows"], state["registered"], state["failed"]) == (
        "ready",
        2,
        1,
        1,
    )
    assert state["rows_per_second"] is None or state["rows_per_second"] > 0
    assert client.get("/v1/imports").data["items"][0] == state


def test_the_report_is_a_download_of_two_forms() -> None:
    client = api_client(make_creator("ada"))
    answer = announce(client)
    send(client, answer.headers["Location"], CONTENT, 0)
    work_off()
    path = f"/v1/imports/{answer.data['id']}/report"

    as_csv = client.get(f"{path}.csv")
    as_lines = client.get(f"{path}.jsonl?outcome=error")

    rows = list(csv.DictReader(io.StringIO(b"".join(as_csv).decode())))
    assert [(row["row"], row["outcome"], row["work"]) for row in rows] == [
        ("1", "registered", Work.objects.get().pk),
        ("2", "error", ""),
    ]
    (line,) = b"".join(as_lines).splitlines()
    assert json.loads(line)["field"] == "medium"
    assert client.get(f"{path}.csv?outcome=none").status_code == 400
    assert client.get(f"{path}.xml").status_code == 404


def test_a_dry_run_registers_nothing() -> None:
    client = api_client(make_creator("ada"))
    answer = announce(client, path="/v1/works:import?dry_run=true")
    send(client, answer.headers["Location"], CONTENT, 0)
    work_off()

    state = client.get(f"/v1/imports/{answer.data['id']}").data
    assert (state["dry_run"], state["registered"], Work.objects.count()) == (True, 1, 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 412),
        ({"HTTP_TUS_RESUMABLE": "0.2.2"}, 412),
        (TUS, 409),
        ({**TUS, "HTTP_UPLOAD_OFFSET": "-1"}, 409),
        ({**TUS, "HTTP_UPLOAD_OFFSET": "9" * 30}, 409),
    ],
)
def test_a_piece_says_where_it_belongs(headers: dict[str, Any], status: int) -> None:
    client = api_client(make_creator("ada"))
    url = announce(client).headers["Location"]

    answer = client.patch(url, data=b"x", content_type="application/offset+octet-stream", **headers)

    assert answer.status_code == status
    assert not UploadPart.objects.exists()


def test_every_answer_names_the_protocols_version() -> None:
    """tus 1.0.0, "Tus-Resumable": in every answer, and with a 412 what versions there are."""
    client = api_client(make_creator("ada"))
    url = announce(client).headers["Location"]

    other = client.head(url, HTTP_TUS_RESUMABLE="0.2.2")
    wrong = send(client, url, CONTENT, 5)
    unknown = client.patch(url, data="x", content_type="text/plain", HTTP_UPLOAD_OFFSET="0", **TUS)
    missing = client.head("/v1/uploads/upl_00000000000000000000000000", **TUS)

    answers = [other, wrong, unknown, missing]
    assert [a.status_code for a in answers] == [412, 409, 415, 404]
    assert {a.headers["Tus-Resumable"] for a in answers} == {"1.0.0"}
    assert other.headers["Tus-Version"] == "1.0.0"
    assert not any("Upload-Offset" in a.headers for a in answers)


def test_options_say_what_is_spoken(settings: Any) -> None:
    settings.INTAKE_MAX_BYTES = 1000
    client = api_client(make_creator("ada"))
    url = announce(client).headers["Location"]

    answer = client.options(url)

    assert answer.status_code == 204
    assert (answer.headers["Tus-Version"], answer.headers["Tus-Max-Size"]) == ("1.0.0", "1000")
    assert "Tus-Extension" not in answer.headers


def test_a_network_without_patch_sends_by_post() -> None:
    """tus 1.0.0, "X-HTTP-Method-Override"."""
    client = api_client(make_creator("ada"))
    url = announce(client).headers["Location"]
    sent: dict[str, Any] = {
        "data": CONTENT,
        "content_type": "application/offset+octet-stream",
        "HTTP_UPLOAD_OFFSET": "0",
        **TUS,
    }

    plain = client.post(url, **sent)
    named = client.post(url, HTTP_X_HTTP_METHOD_OVERRIDE="PATCH", **sent)

    assert plain.status_code == 405
    assert (named.status_code, named.headers["Upload-Offset"]) == (204, str(len(CONTENT)))


def test_more_than_was_announced_is_refused(settings: Any) -> None:
    client = api_client(make_creator("ada"))
    url = announce(client).headers["Location"]

    assert send(client, url, CONTENT + b"x", 0).status_code == 413
    settings.INTAKE_MAX_BYTES = 10
    body = {"format": "csv", "size": 11}
    assert client.post("/v1/works:import", body, format="json").status_code == 413


def test_a_piece_of_another_media_type_is_refused() -> None:
    client = api_client(make_creator("ada"))
    url = announce(client).headers["Location"]

    answer = client.patch(url, data=b"x", content_type="text/csv", HTTP_UPLOAD_OFFSET="0", **TUS)

    assert answer.status_code == 415


def test_uploads_and_imports_are_their_owners_alone() -> None:
    made = announce(api_client(make_creator("ada")))
    url = made.headers["Location"]
    strangers = [api_client(make_creator("mallory")), api_client(make_operator("acme"))]

    for client in strangers:
        assert client.head(url, **TUS).status_code == 404
        assert send(client, url, CONTENT, 0).status_code == 404
    path = f"/v1/imports/{made.data['id']}"
    assert strangers[0].get(path).status_code == 404
    assert strangers[0].get(f"{path}/report.csv").status_code == 404
    assert strangers[1].get(path).status_code == 403
    assert Upload.objects.get().received == 0
