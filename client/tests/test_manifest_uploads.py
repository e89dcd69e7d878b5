"""Manifests go to the registry piece by piece; what arrived once is not sent again."""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from client.tests.manifest_registry import KEY, ManifestRegistry, taking_manifests
from tribute import tus
from tribute.async_transport import AsyncRegistry
from tribute.manifest_uploads import (
    InvalidManifestFile,
    ManifestRefused,
    ManifestReplaced,
    ManifestUnfinished,
    Progress,
    Stage,
)
from tribute.transport import Registry, RegistryError

PIECE = 100
ROW = {"url": "https://a.example/1", "ingested_at": "2026-05-01T00:00:00Z"}
LINES = b"".join(json.dumps(ROW).encode() + b"\n" for _ in range(5))
REPORT = {"rows": 1}


@pytest.fixture
def server() -> Iterator[ManifestRegistry]:
    with taking_manifests() as running:
        yield running


@pytest.fixture(autouse=True)
def _small_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tus, "PIECE_BYTES", PIECE)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(LINES)
    return path


def upload(server: ManifestRegistry, file: Path, **rest: Any) -> dict[str, Any]:
    return Registry(server.url, KEY).upload_manifest("mdl_1", file, **rest)


def notes(folder: Path) -> list[Path]:
    return list(folder.glob("*.tribute-upload*"))


def test_a_file_is_announced_sent_in_pieces_and_reported(
    server: ManifestRegistry, file: Path
) -> None:
    server.states = [{"status": "matching", "rows_count": 3}]
    said: list[Progress] = []

    assert upload(server, file, progress=said.append) == REPORT

    digest = hashlib.sha256(LINES).hexdigest()
    assert server.announced == [{"format": "jsonl", "size": len(LINES), "sha256": digest}]
    assert server.uploads == {"upl_1": LINES}
    assert server.sent_from == list(range(0, len(LINES), PIECE))
    assert list(dict.fromkeys(each.stage for each in said)) == list(Stage)
    assert said[-2:] == [Progress(Stage.MATCHING, 3, None), Progress(Stage.MATCHING, 1, 1)]
    assert notes(file.parent) == []


def test_parquet_is_recognised_by_what_is_in_it(server: ManifestRegistry, tmp_path: Path) -> None:
    file = tmp_path / "corpus"
    parquet.write_table(pa.Table.from_pylist([ROW]), file)

    upload(server, file)

    assert server.announced[0]["format"] == "parquet"
    assert server.uploads == {"upl_1": file.read_bytes()}


def test_a_line_that_breaks_costs_what_did_not_arrive(server: ManifestRegistry, file: Path) -> None:
    server.break_after = [30, 0]

    upload(server, file)

    assert server.uploads == {"upl_1": LINES}
    assert server.sent_from[:4] == [0, 30, 30, 130]


def test_a_lost_answer_costs_nothing(server: ManifestRegistry, file: Path) -> None:
    server.lose_answers = 2

    upload(server, file)

    assert server.uploads == {"upl_1": LINES}
    assert server.sent_from == list(range(0, len(LINES), PIECE))


def test_the_next_call_goes_on_where_the_last_gave_up(
    server: ManifestRegistry, file: Path, tmp_path: Path
) -> None:
    server.break_after = [40, *[0] * 10]
    folder = tmp_path / "not" / "yet"
    with pytest.raises(RegistryError) as caught:
        upload(server, file, notes=folder)
    assert caught.value.code == "unreachable"
    server.break_after, server.sent_from = [], []
    [note] = notes(folder)
    assert KEY not in note.read_text()

    upload(server, file, notes=folder)

    assert server.sent_from[0] == 40
    assert len(server.announced) == 1
    assert server.uploads == {"upl_1": LINES}
    assert notes(folder) == notes(file.parent) == []


def given_up(server: ManifestRegistry, file: Path) -> Path:
    """The note of an upload that was given up after forty bytes."""
    server.break_after = [40, *[0] * 10]
    with pytest.raises(RegistryError):
        upload(server, file)
    server.break_after = []
    return notes(file.parent)[0]


@pytest.mark.parametrize("content", ["", "[]", "{}", '"x"', "[" * 100_000])
def test_a_spoilt_note_costs_a_new_upload(
    server: ManifestRegistry, file: Path, content: str
) -> None:
    given_up(server, file).write_text(content)

    assert upload(server, file) == REPORT

    assert server.uploads["upl_2"] == LINES


def test_another_file_of_the_name_is_another_upload(server: ManifestRegistry, file: Path) -> None:
    given_up(server, file)
    file.write_bytes(LINES.replace(b"/1", b"/2"))

    upload(server, file)

    assert server.uploads["upl_2"] == file.read_bytes()


def test_an_upload_that_the_registry_forgot_begins_again(
    server: ManifestRegistry, file: Path
) -> None:
    given_up(server, file)
    del server.uploads["upl_1"]

    upload(server, file)

    assert server.uploads == {"upl_2": LINES}


def test_refused_rows_are_said_and_the_next_call_begins_again(
    server: ManifestRegistry, file: Path
) -> None:
    server.states = [{"status": "failed", "failure": "invalid_manifest_row: row 2: not JSON"}]

    with pytest.raises(ManifestRefused, match="row 2: not JSON"):
        upload(server, file)

    assert notes(file.parent) == []


def test_another_manifest_takes_the_place(server: ManifestRegistry, file: Path) -> None:
    server.states = [{"id": "mft_other"}]

    with pytest.raises(ManifestReplaced, match="mdl_1"):
        upload(server, file)


def test_waiting_ends_and_can_go_on(server: ManifestRegistry, file: Path) -> None:
    server.states = [{"status": "receiving"}]
    with pytest.raises(ManifestUnfinished, match="mft_1"):
        upload(server, file, wait=0)

    assert upload(server, file, wait=0) == REPORT

    assert (len(server.announced), len(server.sent_from)) == (1, -(-len(LINES) // PIECE))


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.jsonl", b"", "is empty"),
        ("a.txt", b"url,ingested_at\n", "neither Parquet nor JSON Lines"),
        ("a.parquet", LINES, "named like .parquet"),
        ("a.jsonl", b"PAR1....PAR1", "named like .jsonl"),
    ],
)
def test_what_is_no_manifest_is_not_announced(
    server: ManifestRegistry, tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)

    with pytest.raises(InvalidManifestFile, match=complaint):
        upload(server, file)

    assert server.asked == []


def test_a_file_that_becomes_shorter_is_not_sent_on(
    server: ManifestRegistry, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Beyond what Python reads ahead.
    piece = 100_000
    monkeypatch.setattr(tus, "PIECE_BYTES", piece)
    file.write_bytes(LINES * 1_000)

    def shorten(progress: Progress) -> None:
        if progress.stage == Stage.SENDING and progress.done == piece:
            os.truncate(file, piece + 1)

    with pytest.raises(InvalidManifestFile, match="became shorter"):
        upload(server, file, progress=shorten)


UPLOAD, MANIFEST = "/v1/uploads/upl_1", "/v1/models/mdl_1/manifest"


@pytest.mark.parametrize(
    ("asked", "headers", "body"),
    [
        (("HEAD", UPLOAD), {}, None),
        (("HEAD", UPLOAD), {"Upload-Offset": "-1"}, None),
        (("HEAD", UPLOAD), {"Upload-Offset": "1" * 30}, None),
        (("HEAD", UPLOAD), {"Upload-Offset": "100000"}, None),
        (("HEAD", UPLOAD), {"Upload-Offset": "0", "Upload-Length": "7"}, None),
        (("PATCH", UPLOAD), {"Upload-Offset": "0"}, None),
        (("POST", f"{MANIFEST}:upload"), {}, {}),
        (("POST", f"{MANIFEST}:upload"), {}, {"id": "mft_1", "upload": {"url": "http://x/upl_"}}),
        (("GET", MANIFEST), {}, {"current": 1}),
        (("GET", MANIFEST), {}, {"current": {"id": "mft_1"}, "next": None}),
    ],
)
def test_answers_that_make_no_sense_are_refused(
    server: ManifestRegistry, file: Path, asked: tuple[str, str], headers: Any, body: Any
) -> None:
    server.replies[asked] = (200, headers, body)

    with pytest.raises(RegistryError) as caught:
        upload(server, file)

    assert caught.value.code == "malformed_answer"


def test_what_the_registry_refuses_is_said(server: ManifestRegistry, file: Path) -> None:
    problem = {"code": "upload_too_large", "title": "Too large"}
    server.replies["POST", f"{MANIFEST}:upload"] = (413, {}, problem)

    with pytest.raises(RegistryError) as caught:
        upload(server, file)

    assert (caught.value.code, notes(file.parent)) == ("upload_too_large", [])


def test_lists_are_read_page_by_page(server: ManifestRegistry) -> None:
    first, second = "/v1/revocations?limit=200", "/v1/revocations?limit=200&cursor=c%3D1"
    following = "https://elsewhere.example/v1/revocations?cursor=c%3D1&limit=200"
    server.replies["GET", first] = (200, {}, {"items": [{"id": "rvk_2"}], "next": following})
    server.replies["GET", second] = (200, {}, {"items": [{"id": "rvk_1"}], "next": None})
    listed = [{"id": "rvk_2"}, {"id": "rvk_1"}]

    async def asynchronously() -> list[dict[str, Any]]:
        async with AsyncRegistry(server.url, KEY) as registry:
            return [notice async for notice in registry.revocations()]

    assert list(Registry(server.url, KEY).revocations()) == listed
    assert asyncio.run(asynchronously()) == listed


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"items": [], "next": "x"},
        {"items": [1], "next": None},
        {"items": []},
        {"items": [], "next": "http://x/?cursor=c%3D1"},
    ],
)
def test_lists_that_make_no_sense_are_refused(server: ManifestRegistry, page: Any) -> None:
    path = f"{MANIFEST}/violations?limit=200"
    for address in (path, f"{path}&cursor=c%3D1"):
        server.replies["GET", address] = (200, {}, page)

    with pytest.raises(RegistryError) as caught:
        list(Registry(server.url, KEY).violations("mdl_1"))

    assert caught.value.code == "malformed_answer"


def test_the_same_with_asyncio(server: ManifestRegistry, file: Path) -> None:
    server.replies["POST", "/v1/revocations/rvk_1:acknowledge"] = (200, {}, {"id": "rvk_1"})
    server.replies["GET", f"{MANIFEST}/violations?limit=200"] = (
        200,
        {},
        {"items": [{"row": 1}], "next": None},
    )

    async def story() -> tuple[Any, ...]:
        async with AsyncRegistry(server.url, KEY) as registry:
            return (
                await registry.upload_manifest("mdl_1", file),
                await registry.manifest_report("mdl_1"),
                [row async for row in registry.violations("mdl_1")],
                await registry.acknowledge_revocation("rvk_1"),
            )

    assert asyncio.run(story()) == (REPORT, REPORT, [{"row": 1}], {"id": "rvk_1"})
    assert server.uploads == {"upl_1": LINES}
