"""``tribute manifest`` and ``tribute revocations``: what they print, and how they exit."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from client.tests.manifest_registry import KEY, ManifestRegistry, taking_manifests
from tribute import cli
from tribute.ids import encode, new_uuid7

MODEL = "/v1/models/mdl_1/manifest"
COUNTS = {
    "rows": 12_000,
    "matched": 30,
    "coverage_ppm": 2_500,
    "works": 20,
    "allowed": 25,
    "unknown": 11_975,
    "denied": 0,
    "duplicated": 2,
    "near_duplicated": 1,
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ManifestRegistry]:
    with taking_manifests() as running:
        monkeypatch.setenv("TRIBUTE_REGISTRY", running.url)
        monkeypatch.setenv("TRIBUTE_API_KEY", KEY)
        running.replies["GET", f"{MODEL}/report"] = (200, {}, COUNTS)
        yield running


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(b'{"url":"https://a.example/"}\n')
    return path


def test_upload_shows_how_far_it_is_and_prints_the_counts(
    server: ManifestRegistry, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["manifest", "upload", "mdl_1", str(file)]) == 0

    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "12,000 rows",
        "  recognised: 30 (0.25 %), as 20 works",
        "  allowed when ingested: 25",
        "  unknown: 11,975",
        "  not allowed (violations): 0",
        "  repeated: 2; nearly repeated: 1",
    ]
    size = file.stat().st_size
    assert said.err.splitlines() == [
        f"reading: 100 % of {size} bytes",
        f"sending: 0 % of {size} bytes",
        f"sending: 100 % of {size} bytes",
        "matching: 1 rows",
    ]
    assert server.uploads == {"upl_1": file.read_bytes()}


def test_violations_exit_one_and_are_listed_in_full(
    server: ManifestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    server.replies["GET", f"{MODEL}/report"] = (200, {}, COUNTS | {"denied": 2})
    rows = [{"row": 1, "value": "a.example/ä"}, {"row": 7, "value": "b.example/"}]
    server.replies["GET", f"{MODEL}/violations?limit=200"] = (
        200,
        {},
        {"items": rows, "next": None},
    )

    assert cli.main(["manifest", "report", "mdl_1"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "all rows that were not allowed: tribute manifest violations mdl_1"
    assert cli.main(["manifest", "report", "mdl_1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["denied"] == 2
    assert cli.main(["manifest", "violations", "mdl_1"]) == 1
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows


@pytest.mark.parametrize(
    ("state", "status", "complaint"),
    [
        ({"status": "failed", "failure": "empty_manifest: no rows"}, 2, "no rows"),
        ({"id": "mft_other"}, 3, "another manifest was declared"),
        ({"status": "matching"}, 4, "the same command goes on waiting"),
    ],
)
def test_upload_says_why_there_is_no_report(  # noqa: PLR0917 - the cases, and where they happen
    server: ManifestRegistry,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    state: dict[str, Any],
    status: int,
    complaint: str,
) -> None:
    server.states = [state]

    assert cli.main(["manifest", "upload", "mdl_1", str(file), "--wait", "0"]) == status

    assert complaint in capsys.readouterr().err


def test_upload_of_what_is_no_manifest_exits_two(
    server: ManifestRegistry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.jsonl").touch()

    for name in ("empty.jsonl", "missing.jsonl"):
        assert cli.main(["manifest", "upload", "mdl_1", str(tmp_path / name)]) == 2

    assert "is empty: a manifest has a row or more" in capsys.readouterr().err
    assert server.asked == []


def test_upload_says_that_nothing_is_lost(
    server: ManifestRegistry, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.replies["HEAD", "/v1/uploads/upl_1"] = (200, {}, None)

    assert cli.main(["manifest", "upload", "mdl_1", str(file)]) == 3
    server.replies.clear()
    server.replies["GET", MODEL] = (403, {}, {"code": "not_allowed", "title": "No"})
    assert cli.main(["manifest", "upload", "mdl_1", str(file)]) == 3

    assert "(not_allowed)" in capsys.readouterr().err


def test_a_report_without_its_counts_is_not_taken_for_clean(server: ManifestRegistry) -> None:
    server.replies["GET", f"{MODEL}/report"] = (200, {}, {"rows": 1})

    assert cli.main(["manifest", "report", "mdl_1"]) == 3


@pytest.mark.parametrize("wait", ["-1", "inf", "nan", "soon"])
def test_bad_patience_exits_two(file: Path, wait: str) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["manifest", "upload", "mdl_1", str(file), "--wait", wait])

    assert caught.value.code == 2


def notice(acknowledged_at: str | None = None) -> dict[str, Any]:
    return {
        "id": encode("rvk", new_uuid7()),
        "work": "wrk_1",
        "manifest": "mft_1",
        "purpose": "train-ai",
        "decision": "deny",
        "statement": "stm_1",
        "acknowledge_by": "2026-07-01T00:00:00Z",
        "overdue_at": "2026-07-02T00:00:00Z",
        "acknowledged_at": acknowledged_at,
    }


def tell(server: ManifestRegistry, *notices: dict[str, Any]) -> None:
    page = {"items": list(notices), "next": None}
    server.replies["GET", "/v1/revocations?limit=200"] = (200, {}, page)


def test_revocations_are_listed_and_open_ones_exit_one(
    server: ManifestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    noted, waiting = notice("2026-06-09T00:00:00Z"), notice()
    tell(server, waiting, noted)
    said = "wrk_1\ttrain-ai: deny by stm_1, in mft_1;"

    assert cli.main(["revocations", "list"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{waiting['id']}\t{said} take note by 2026-07-01T00:00:00Z (overdue)",
        f"{noted['id']}\t{said} noted 2026-06-09T00:00:00Z",
    ]
    assert cli.main(["revocations", "list", "--open", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [waiting]
    tell(server, noted)
    assert cli.main(["revocations", "list"]) == 0


def test_revocations_are_acknowledged_and_one_that_fails_keeps_no_other(
    server: ManifestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    first, missing, last = notice(), notice(), notice()
    tell(server, first, missing, last)
    for each in (first, last):
        path = f"/v1/revocations/{each['id']}:acknowledge"
        server.replies["POST", path] = (200, {}, each | {"acknowledged_at": "now"})
    gone: tuple[int, dict[str, str], Any] = (404, {}, {"code": "not_found", "title": "Not found"})
    server.replies["POST", f"/v1/revocations/{missing['id']}:acknowledge"] = gone

    assert cli.main(["revocations", "acknowledge", "--all", "--json"]) == 3

    said = capsys.readouterr()
    assert [each["id"] for each in json.loads(said.out)] == [first["id"], last["id"]]
    assert f"tribute: {missing['id']}: Not found (not_found)" in said.err
    assert cli.main(["revocations", "acknowledge", first["id"], first["id"]]) == 0
    assert capsys.readouterr().out.count("noted now") == 1


@pytest.mark.parametrize("arguments", [[], ["--all", encode("rvk", new_uuid7())]])
def test_acknowledging_nothing_or_too_much_exits_two(
    server: ManifestRegistry, arguments: list[str]
) -> None:
    assert cli.main(["revocations", "acknowledge", *arguments]) == 2
    assert server.asked == []


def test_a_bad_id_acknowledges_none(
    server: ManifestRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["revocations", "acknowledge", notice()["id"], "wrk_1"])

    assert caught.value.code == 2
    assert "wrk_1 is no revocation's id" in capsys.readouterr().err
    assert server.asked == []


def test_a_notice_that_is_not_understood_is_not_taken_for_noted(server: ManifestRegistry) -> None:
    tell(server, {"id": "rvk_1"})

    assert cli.main(["revocations", "list"]) == 3


@pytest.mark.parametrize(
    "command",
    ["manifest", "manifest upload", "manifest report", "manifest violations", "revocations",
     "revocations list", "revocations acknowledge", "receipt"],
)  # fmt: skip
def test_help_says_how_each_exits(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*command.split(), "--help"])

    assert caught.value.code == 0
    assert "exit status:" in capsys.readouterr().out
