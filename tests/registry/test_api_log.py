"""The log over HTTP: its files below /log/, proofs below /v1/log/, and receipts that carry them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from registry import log, log_files, log_signing, log_tree
from tests.described import DescribedClient
from tests.factories import NOON, allow, make_creator, make_key, make_operator, make_work
from tribute.log import checkpoints, proofs
from tribute.log.tiles import Tile, hashes, unpack
from tribute.merkle import leaf_hash, verify_consistency, verify_hash_inclusion
from tribute.receipts import InvalidReceipt, verify_receipt

pytestmark = pytest.mark.django_db


@pytest.fixture
def grown(log_home: Path) -> Path:
    add(300)
    log_tree.grow(limit=1_000)
    return log_home


def add(count: int, name: str = "h") -> None:
    leaves = [
        log.encoded({"t": "ledger.head", "head": f"{name}{n}"}, at=NOON) for n in range(count)
    ]
    log.append_many(leaves, at=NOON)


def get(path: str, **query: str | int) -> Any:
    return DescribedClient().get(path, query)


def test_the_files_are_served_as_c2sp_says(grown: Path, client: Client) -> None:
    head = client.get("/log/checkpoint")
    assert head.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert head.headers["Cache-Control"] == "public, max-age=5"
    assert checkpoints.verify(head.content, log_signing.verifier()).size == 300

    for tile in (Tile(0, 0), Tile(0, 1, 44), Tile(1, 0, 1)):
        answer = client.get(f"/log/{tile.path}")
        assert len(hashes(tile, answer.content)) == tile.width
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"

    bundle = Tile("entries", 1, 44)
    answer = client.get(f"/log/{bundle.path}", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    plain = client.get(f"/log/{bundle.path}").content
    assert b"h299" in unpack(bundle, plain)[43]


@pytest.mark.parametrize(
    "path",
    [
        "/log/tile/0/001", "/log/tile/0/000.p/7", "/log/tile/0/../../checkpoint", "/log/.checkpoint.new",
        "/log/tile/0/000.p/256", "/log/tile/entries/009", "/log/nothing",
    ],
)  # fmt: skip
def test_what_is_no_tile_is_not_found(grown: Path, client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post("/log/checkpoint").status_code == 405


def test_before_the_log_begins_there_is_nothing_to_read(log_home: Path, client: Client) -> None:
    assert client.get("/log/checkpoint").status_code == 404
    for path in ("checkpoint", "entries", "consistency?from=0"):
        answer = get(f"/v1/log/{path}")
        assert (answer.status_code, answer.json()["code"]) == (503, "log_not_begun")


def test_the_checkpoint_is_printed_with_the_key_that_verifies_it(grown: Path) -> None:
    told = get("/v1/log/checkpoint").json()
    assert told["verifier_key"] == str(log_signing.verifier())
    assert told["note"].encode() == log_files.checkpoint()
    assert (told["origin"], told["size"]) == ("registry.example/log", 300)


def test_a_leaf_is_proven(grown: Path) -> None:
    digest = log.hash_of(log.leaves(257, 258)[0])

    told = get("/v1/log/proof", leaf=digest.hex()).json()

    assert (told["index"], told["content"]["head"]) == (257, "h257")
    assert leaf_hash(told["leaf"].encode()) == digest
    assert verify_hash_inclusion(
        digest,
        index=257,
        size=told["checkpoint"]["size"],
        path=[bytes.fromhex(step) for step in told["path"]],
        root=bytes.fromhex(told["checkpoint"]["root_hash"]),
    )
    file = get(f"/v1/log/proofs/{digest.hex()}.tlog-proof")
    assert file.content == told["proof"].encode()
    assert ".tlog-proof" in file.headers["Content-Disposition"]
    assert proofs.verify(proofs.parse(file.content), log_signing.verifier()).index == 257


def test_a_leaf_that_waits_or_does_not_exist_has_no_proof(grown: Path) -> None:
    waiting = log.append({"t": "ledger.head", "head": "new"}, at=NOON).hex()
    assert "waits" in get("/v1/log/proof", leaf=waiting).json()["detail"]
    log.sequence(limit=1)
    for leaf in (waiting, "0" * 64):
        answer = get("/v1/log/proof", leaf=leaf)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_yet_logged")
    for leaf in ("", "xyz", "A" * 64):
        assert get("/v1/log/proof", leaf=leaf).status_code == 400


def test_growth_is_proven(grown: Path) -> None:
    for old, new in ((0, 300), (1, 256), (256, 300), (300, 300), (44, 299)):
        told = get("/v1/log/consistency", **{"from": old, "to": new}).json()
        assert verify_consistency(
            old=told["old_size"],
            old_root=bytes.fromhex(told["old_root"]),
            new=told["new_size"],
            new_root=bytes.fromhex(told["new_root"]),
            path=[bytes.fromhex(step) for step in told["path"]],
        )
    assert get("/v1/log/consistency", **{"from": 5}).json()["new_size"] == 300


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "invalid_request"), ({"from": "x"}, "invalid_request"), ({"from": -1}, "invalid_request"),
        ({"from": 301}, "size_out_of_range"), ({"from": 9, "to": 8}, "size_out_of_range"),
        ({"from": 1, "to": 301}, "size_out_of_range"), ({"from": 1, "to": ""}, "invalid_request"),
    ],
)  # fmt: skip
def test_sizes_that_are_none_are_refused(
    grown: Path, query: dict[str, str | int], code: str
) -> None:
    answer = get("/v1/log/consistency", **query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_entries_are_read_in_order(grown: Path) -> None:
    told = get("/v1/log/entries", start=250, limit=20).json()
    assert [entry["index"] for entry in told["entries"]] == list(range(250, 270))
    assert (told["size"], told["next"], told["entries"][0]["content"]["head"]) == (300, 270, "h250")
    last = get("/v1/log/entries", start=290).json()
    assert (len(last["entries"]), last["next"]) == (10, None)
    assert get("/v1/log/entries", start=10_000).json()["entries"] == []
    assert get("/v1/log/entries", limit=257).status_code == 400


def test_tiles_that_were_touched_prove_nothing(grown: Path) -> None:
    digest = log.hash_of(log.leaves(290, 291)[0]).hex()
    tile = grown / "tile/0/001.p/44"
    tile.write_bytes(bytes(44 * 32))
    for answer in (get("/v1/log/proof", leaf=digest), get("/v1/log/consistency", **{"from": 1})):
        assert (answer.status_code, answer.json()["code"]) == (503, "log_damaged")


def test_a_receipt_carries_its_proof_once_the_check_is_logged(log_home: Path) -> None:
    allow(make_work(make_creator("ada"), url="https://ada.example/april"))
    api = DescribedClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {make_key(make_operator('acme'))[1]}")
    asked = {"items": [{"id": "a", "url": "https://ada.example/april"}], "purposes": ["train-ai"]}
    check = api.post("/v1/checks", asked, format="json").json()["check"]
    key = bytes.fromhex(get("/v1/transparency").json()["receipt_key"])
    vkey = log_signing.verifier()

    early = api.get(f"/v1/checks/{check}/receipt").json()
    log_tree.grow(limit=10)
    late = api.get(f"/v1/checks/{check}/receipt").json()

    assert early["log"]["proof"] is None
    assert verify_receipt(early, public_key=key, log_key=vkey).logged is None
    proven = verify_receipt(late, public_key=key, log_key=vkey).logged
    assert proven is not None
    assert json.loads(proven.leaf or b"")["check"] == check
    assert {name: late[name] for name in late if name != "log"} == {
        name: early[name] for name in early if name != "log"
    }

    other = api.post("/v1/checks", asked, format="json").json()["check"]
    log_tree.grow(limit=10)
    exchanged = api.get(f"/v1/checks/{other}/receipt").json() | {"log": late["log"]}
    with pytest.raises(InvalidReceipt, match="another check"):
        verify_receipt(exchanged, public_key=key, log_key=vkey)
    touched = late["log"]["proof"].replace("index 1", "index 0")
    with pytest.raises(InvalidReceipt, match="does not hold"):
        verify_receipt(late | {"log": {"proof": touched}}, public_key=key, log_key=vkey)


def test_a_damaged_log_takes_no_receipt_away(log_home: Path) -> None:
    api = DescribedClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {make_key(make_operator('acme'))[1]}")
    asked = {"items": [{"id": "a", "url": "https://ada.example/"}], "purposes": ["train-ai"]}
    check = api.post("/v1/checks", asked, format="json").json()["check"]
    log_tree.grow(limit=10)
    (log_home / "checkpoint").write_bytes(b"nonsense")
    assert api.get(f"/v1/checks/{check}/receipt").json()["log"]["proof"] is None


def test_readiness_says_how_the_log_does(grown: Path, client: Client) -> None:
    told = client.get("/readyz").json()["log"]
    assert told == {"size": 300, "signed": 300, "oldest_waiting_seconds": 0}
    add(1, "more")
    assert client.get("/readyz").json()["log"]["oldest_waiting_seconds"] > 0
    log_files.last_signed_path().unlink()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["log"]["trouble"]) == (200, "log_not_begun")
