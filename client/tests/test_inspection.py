import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tribute.inspection import Findings, inspect_file
from tribute.vocabulary import Decision, Purpose

DENIED = {"train-ai": "deny"}
MANIFESTS = {
    "active_manifest": "a",
    "manifests": {
        "a": {
            "assertions": [
                {
                    "label": "cawg.training-mining",
                    "data": {"entries": {"cawg.ai_generative_training": {"use": "notAllowed"}}},
                }
            ]
        }
    },
}
RSL = (
    '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>'
    '<prohibits type="usage">ai-train</prohibits></license></content></rsl>'
)
FEED = (
    '<rss xmlns:r="https://rslstandard.org/rsl"><channel><item><link>https://ada.example/a</link>'
    '<r:content url="https://ada.example/a"><r:license><r:prohibits type="usage">all</r:prohibits>'
    "</r:license></r:content></item></channel></rss>"
)
PACKET = (
    '<?xpacket begin=""?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:tdm="http://www.w3.org/ns/tdmrep/" tdm:reservation="1"/></rdf:RDF>'
    '<?xpacket end="w"?>'
)


def epub() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("META-INF/container.xml", '<c><rootfile full-path="p.opf"/></c>')
        archive.writestr("p.opf", '<package><meta name="tdm:reservation" content="1"/></package>')
    return stream.getvalue()


def inspect(folder: Path, name: str, data: bytes | str, at: str = "/") -> Findings:
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return inspect_file(path, at=at)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("robots.txt", "User-agent: *\nContent-Usage: train-ai=n"),
        ("ada-robots.txt", "User-agent: GPTBot\nDisallow: /"),
        ("ai.txt", "Disallow: /"),
        ("tdmrep.json", '[{"location": "/", "tdm-reservation": 1}]'),
        ("declaration.json", '{"iscc": "ISCC:KAA", "train-genai": "false"}'),
        ("manifest.json", json.dumps(MANIFESTS)),
        ("license.xml", RSL),
        ("feed.rss", FEED),
        ("feed.xml", FEED),
        ("page.html", "<meta name=robots content=noai>"),
        ("page.HTM", '<meta name="tdm-reservation" content="1">'),
        ("inline.html", f'<script type="application/rsl+xml">{RSL}</script>'),
        ("book.epub", epub()),
        ("paper.pdf", "%PDF-1.7\n" + PACKET),
    ],
)
def test_each_kind_of_file_is_read_by_its_standard(
    tmp_path: Path, name: str, data: bytes | str
) -> None:
    findings = inspect(tmp_path, name, data)

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.DENY
    assert findings.combined[Purpose.TRAIN_AI].deciding != ()
    assert findings.complete


def test_a_feed_is_asked_about_an_item(tmp_path: Path) -> None:
    free = FEED.replace("prohibits", "permits")

    whole = inspect(tmp_path, "feed.rss", free)
    item = inspect(tmp_path, "feed.rss", free, at="https://ada.example/a")
    other = inspect(tmp_path, "feed.rss", free, at="https://ada.example/b")

    found = [f.combined[Purpose.TRAIN_AI].decision for f in (whole, item, other)]
    assert found == [Decision.UNKNOWN, Decision.ALLOW, Decision.UNKNOWN]


def test_a_licence_in_a_picture_is_read(tmp_path: Path) -> None:
    packet = PACKET.replace("</rdf:RDF>", f"{RSL}</rdf:RDF>").encode()

    findings = inspect(tmp_path, "a.jpg", b"\xff\xd8\xff\xe1" + packet + b"\xff\xd9")

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.DENY


def test_a_file_for_a_host_is_asked_about_an_address(tmp_path: Path) -> None:
    rules = '[{"location": "/art/", "tdm-reservation": 1}]'

    there = inspect(tmp_path, "tdmrep.json", rules, at="https://ada.example/art/1")
    elsewhere = inspect(tmp_path, "tdmrep.json", rules)

    assert there.parsed.decisions[Purpose.TRAIN_AI] == Decision.DENY
    assert elsewhere.parsed.statements == ()


def test_an_image_is_read_through_the_manifest_store_beside_it(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg.c2pa.json").write_text(json.dumps(MANIFESTS))

    findings = inspect(tmp_path, "cat.jpg", b"\xff\xd8\xff")

    assert findings.parsed.decisions == DENIED
    assert findings.parsed.statements[0].source == "cat.jpg.c2pa.json:cawg.training-mining"


@pytest.mark.parametrize(
    ("name", "data"),
    [("notes.txt", "hello"), ("x.json", "{"), ("x.xml", "<"), ("cat.png", "x"), ("x.epub", "PK")],
)
def test_what_cannot_be_read_permits_nothing(tmp_path: Path, name: str, data: str) -> None:
    findings = inspect(tmp_path, name, data)

    assert not findings.complete
    assert {found.decision for found in findings.combined.values()} == {Decision.UNKNOWN}


def test_a_policy_offer_is_described(tmp_path: Path) -> None:
    offer = {
        "@type": "Offer",
        "profile": "http://www.w3.org/ns/tdmrep",
        "assigner": {"vcard:hasEmail": "mailto:ada@ada.example"},
        "permission": [{"action": "tdm:mine", "duty": [{"action": "compensate"}]}],
    }

    findings = inspect(tmp_path, "policy.json", json.dumps(offer))

    (problem,) = findings.parsed.problems
    assert problem.message == "an offer that asks for compensate; contact: mailto:ada@ada.example"
    assert findings.parsed.statements == ()


NAMES = ["robots.txt", "ai.txt", "a.json", "a.xml", "a.html", "a.epub", "a.pdf", "a.png.c2pa.json"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(NAMES), data=st.binary(max_size=100))
def test_any_file_is_read_without_raising(tmp_path: Path, name: str, data: bytes) -> None:
    findings = inspect(tmp_path, name, data)

    assert Decision.ALLOW not in {f.decision for f in findings.combined.values()} or b"y" in data
