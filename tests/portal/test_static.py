"""What is served as files: others' work unchanged, ours free of anything from elsewhere."""

import hashlib
import re
from pathlib import Path

from django.test import Client

STATIC = Path(__file__).resolve().parents[2] / "portal" / "static" / "portal"
VENDOR = STATIC / "vendor"
ROW = re.compile(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)


def test_vendored_files_are_those_that_are_listed() -> None:
    listed = dict(ROW.findall((VENDOR / "README.md").read_text()))
    present = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.suffix in {".css", ".js", ".woff2"}
    }

    assert present == listed


def test_licences_lie_beside_what_they_license() -> None:
    assert "MIT" in (VENDOR / "pico.LICENSE.md").read_text()
    assert "SIL Open Font License" in (VENDOR / "newsreader" / "OFL.txt").read_text()


def test_own_files_load_nothing_from_elsewhere() -> None:
    own = [p for p in STATIC.rglob("*") if p.suffix in {".css", ".js"} and VENDOR not in p.parents]

    assert [p.name for p in own if re.search(r"https?://", p.read_text())] == []
    assert len(own) >= 8


def test_a_browser_that_was_named_no_icon_finds_the_mark(client: Client) -> None:
    answer = client.get("/favicon.ico")

    assert (answer.status_code, answer["Location"]) == (302, "/static/portal/mark.svg")
