"""The offline copy refuses whatever is not whole, genuine and current, and mends what it can."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.tests.snapshot_registry import (
    EXAMPLE,
    NOON,
    PUBLIC,
    SIGNER,
    WEEK,
    Registry,
    fetch,
    key,
    says,
    words,
)
from tribute.snapshot import FolderSource, Snapshot, sync
from tribute.snapshot.errors import (
    BadSignature,
    BrokenChain,
    Corrupt,
    InvalidManifest,
    Rollback,
    SourceUnavailable,
    StaleSnapshot,
    SwappedShard,
    Truncated,
    WrongKey,
)
from tribute.snapshot.manifest import verify
from tribute.snapshot.publishing import (
    CodeBook,
    files_folder,
    signed,
)
from tribute.snapshot.tables import CODES, to_arrow


def test_stale_is_refused_by_all(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    snapshot = fetch(registry, folder)

    with pytest.raises(StaleSnapshot):
        snapshot.check(["https://example.com/"], at=NOON + WEEK)
    with pytest.raises(StaleSnapshot):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON + WEEK)
    with pytest.raises(StaleSnapshot):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON + WEEK)


def test_another_key_is_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()

    with pytest.raises(WrongKey):
        sync(registry.source, folder, public_key=other, at=NOON)
    with pytest.raises(WrongKey):
        Snapshot.open(folder, public_key=other, at=NOON)


def _rewrite(path: Path, change: Callable[[dict[str, Any]], Any], *, sign: bool) -> None:
    page = json.loads(path.read_bytes())
    change(page)
    data = signed({k: v for k, v in page.items() if k != "signature"}, SIGNER)
    path.write_bytes(data if sign else json.dumps(page).encode())


@pytest.mark.parametrize("field", ["seq", "expires", "state_root", "log_size", "signature"])
def test_a_changed_manifest_is_refused(registry: Registry, folder: Path, field: str) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)

    def tamper(page: dict[str, Any]) -> None:
        if field == "signature":
            page[field]["value"] = "AAAA"
        else:
            page[field] = 9 if isinstance(page[field], int) else "2099-01-01T00:00:00Z"

    _rewrite(folder / "0" / "manifest.json", tamper, sign=False)

    with pytest.raises(BadSignature):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "tribute-snapshot/2"},
        {"ckey": "ckey/2"},
        {"purposes": ["train-ai"]},
        {"kind": "delta"},
        {"seq": -1},
        {"seq": True},
        {"created": "2026-03-01T12:00:00"},
        {"extra": 1},
        {"prev": "ab"},
        {"state_root": "0" * 64},
        {"tables": {}},
        {"files": [{"name": "../x"}]},
        {"chain": [{"seq": 0}]},
    ],
    ids=str,
)
def test_a_manifest_of_another_shape_is_refused(registry: Registry, change: dict[str, Any]) -> None:
    registry.base(EXAMPLE)
    path = files_folder(registry.root) / "manifest.json"
    _rewrite(path, lambda page: page.update(change), sign=True)

    with pytest.raises(InvalidManifest):
        verify(path.read_bytes(), public_key=PUBLIC)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_nonsense_is_no_manifest(data: bytes) -> None:
    with pytest.raises(InvalidManifest):
        verify(data, public_key=PUBLIC)


def test_an_older_snapshot_is_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    old = (files_folder(registry.root) / "manifest.json").read_bytes()
    fetch(registry, folder)
    before = folder.with_name("before")
    shutil.copytree(folder, before)
    registry.delta({key("domain", "example.com"): [says("allow")]})
    fetch(registry, folder)

    (files_folder(registry.root) / "manifest.json").write_bytes(old)
    with pytest.raises(Rollback):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)
    shutil.copytree(before / "0", folder / "0")
    (folder / "current").write_text("0")
    with pytest.raises(Rollback):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON)


def test_a_second_history_is_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    fork = Registry(registry.root.with_name("fork"))
    fork.base({})

    with pytest.raises(BrokenChain):
        sync(fork.source, folder, public_key=PUBLIC, at=NOON)
    fork.delta(EXAMPLE)
    with pytest.raises(BrokenChain):
        sync(fork.source, folder, public_key=PUBLIC, at=NOON)


def test_a_changed_link_of_the_chain_is_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    registry.delta({})
    link = files_folder(registry.root) / "0.json"
    _rewrite(link, lambda page: page.update(log_size=8), sign=True)

    with pytest.raises(BrokenChain):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)
    link.unlink()
    with pytest.raises(SourceUnavailable):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)


def _shards(registry: Registry) -> dict[str, Path]:
    assert registry.newest is not None
    return {f.table: files_folder(registry.root) / f.name for f in registry.newest.files}


def test_a_truncated_file_is_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    shard = _shards(registry)["url"]
    shard.write_bytes(shard.read_bytes()[:-1])

    with pytest.raises(Truncated):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)


@pytest.mark.parametrize("longer", [False, True])
def test_a_changed_file_is_refused(registry: Registry, folder: Path, *, longer: bool) -> None:
    registry.base(EXAMPLE)
    shard = _shards(registry)["url"]
    data = shard.read_bytes()
    shard.write_bytes(data + b"x" if longer else data[:-1] + bytes([data[-1] ^ 1]))

    with pytest.raises(Corrupt):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)


def test_a_file_under_another_name_is_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    shards = _shards(registry)
    shards["sha256"].write_bytes(shards["url"].read_bytes())

    with pytest.raises(SwappedShard):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)


def _replace_shard(registry: Registry, table: str, data: bytes, **fields: Any) -> None:
    """Offer another file, and sign for it: what a registry gone wrong might do."""
    shard = _shards(registry)[table]
    shard.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()

    def change(page: dict[str, Any]) -> None:
        (file,) = (f for f in page["files"] if f["name"] == shard.name)
        file.update({"bytes": len(data), "sha256": digest} | fields)

    _rewrite(files_folder(registry.root) / "manifest.json", change, sign=True)


def test_keys_outside_of_their_prefix_are_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    digest = key("url", "https://example.com/a?b=1").digest
    wrong = f"{(digest[0] >> 4) ^ 1:x}"
    _replace_shard(registry, "url", _shards(registry)["url"].read_bytes(), prefix=wrong)

    with pytest.raises(SwappedShard):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"no arrow", {}),
        (to_arrow(CODES, CodeBook().fresh_rows()), {}),
        (None, {"rows": 2}),
    ],
)
def test_a_signed_but_senseless_shard_is_refused(
    registry: Registry, folder: Path, data: bytes | None, fields: dict[str, Any]
) -> None:
    registry.base(EXAMPLE)
    _replace_shard(registry, "url", data or _shards(registry)["url"].read_bytes(), **fields)

    with pytest.raises(Corrupt):
        sync(registry.source, folder, public_key=PUBLIC, at=NOON)


def test_tables_that_do_not_add_up_are_refused(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    column = folder / "0" / "url.code"
    for spoilt in (bytes([9, 0, 0, 0]), b"", b"123"):
        column.write_bytes(spoilt)
        with pytest.raises(Corrupt):
            Snapshot.open(folder, public_key=PUBLIC, at=NOON)
    column.unlink()
    with pytest.raises(Corrupt):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON)


def test_a_spoilt_folder_is_fetched_anew(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    (folder / "0" / "manifest.json").write_bytes(b"")
    with pytest.raises(InvalidManifest):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON)

    assert words(fetch(registry, folder), "https://example.com/") == ["deny"]

    (folder / "current").write_text("x")
    with pytest.raises(Corrupt):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON)
    assert words(fetch(registry, folder), "https://example.com/") == ["deny"]


@pytest.mark.parametrize("column", ["url.code", "domain.high", "codes.train-ai"])
def test_spoilt_tables_are_fetched_anew(registry: Registry, folder: Path, column: str) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    path = folder / "0" / column
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))

    assert words(fetch(registry, folder), "https://example.com/") == ["deny"]


def test_nothing_is_built_upon_spoilt_tables(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    path = folder / "0" / "domain.high"
    path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
    registry.delta({key("domain", "example.org"): [says("deny")]})

    snapshot = fetch(registry, folder)

    assert words(snapshot, "https://example.com/", "https://example.org/") == ["deny", "deny"]


class Slowly(FolderSource):
    """A source that lets others go first, and says when somebody else came in between."""

    under_way = 0
    most = 0

    def read(self, name: str, *, start: int) -> Iterator[bytes]:
        Slowly.under_way += 1
        Slowly.most = max(Slowly.most, Slowly.under_way)
        time.sleep(0.01)
        yield from super().read(name, start=start)
        Slowly.under_way -= 1


def test_who_synchronises_one_folder_takes_turns(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    source = Slowly(files_folder(registry.root))

    with ThreadPoolExecutor(4) as threads:
        tried = [threads.submit(sync, source, folder, public_key=PUBLIC, at=NOON) for _ in range(4)]
        done = [each.result() for each in tried]

    assert Slowly.most == 1
    assert sorted(each.bytes > 0 for each in done) == [False, False, False, True]
