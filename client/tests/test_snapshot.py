"""The offline copy answers as the verdict does, and refuses whatever is not whole and genuine."""

import hashlib
import json
import random
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tribute.identifiers import Key, candidate_keys, key_of
from tribute.snapshot import FolderSource, Snapshot, sync
from tribute.snapshot.changes import Changes, gate_of
from tribute.snapshot.errors import (
    BadSignature,
    BrokenChain,
    Corrupt,
    InvalidManifest,
    NoSnapshot,
    Rollback,
    SourceUnavailable,
    StaleSnapshot,
    SwappedShard,
    Truncated,
    WrongKey,
)
from tribute.snapshot.manifest import Manifest, verify
from tribute.snapshot.publishing import (
    CodeBook,
    Edition,
    Publisher,
    Signer,
    files_folder,
    signed,
    state_folder,
)
from tribute.snapshot.scores import PURPOSES, timeline
from tribute.snapshot.tables import CODES, load, to_arrow
from tribute.verdict import Statement, Tier, decide
from tribute.vocabulary import Decision, IdentifierKind, Purpose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
SIGNER = Signer(PUBLIC, PRIVATE.sign)

Said = Mapping[Key, Iterable[Statement]]


class Registry:
    """Publishes what it is told, as a registry does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.publisher = Publisher(root, SIGNER)
        self.newest: Manifest | None = None

    @property
    def source(self) -> FolderSource:
        return FolderSource(files_folder(self.root))

    def base(self, said: Said, at: datetime = NOON) -> Manifest:
        codes, rows = CodeBook(), Changes()
        _put(rows, codes, said, at)
        tables = rows.columns()
        sizes = {table: len(columns["code"]) for table, columns in tables.items()}
        edition = Edition(self.newest, at, at + WEEK, 7)
        data = self.publisher.base(tables.items(), codes, edition, sizes=sizes)
        return self._offer(data)

    def delta(self, said: Said, at: datetime = NOON) -> Manifest:
        assert self.newest is not None
        old = load(state_folder(self.root, self.newest.seq))
        codes, rows = CodeBook.of(old[CODES]), Changes(old)
        _put(rows, codes, said, at)
        edition = Edition(self.newest, at, at + WEEK, 7)
        data = self.publisher.delta(rows.columns(), codes, edition, old=old)
        return self._offer(data)

    def _offer(self, data: bytes) -> Manifest:
        (files_folder(self.root) / "manifest.json").write_bytes(data)
        self.newest = verify(data, public_key=PUBLIC)
        return self.newest


def _put(rows: Changes, codes: CodeBook, said: Said, at: datetime) -> None:
    for key, statements in said.items():
        rows.put(key.kind, key.digest, codes.number(timeline(statements, at=at)))
        if gate := gate_of(key.kind, key.canonical):
            rows.open_gate(*gate)


def key(kind: str, value: str) -> Key:
    return key_of(IdentifierKind(kind), value)


def says(decision: str = "deny", tier: Tier = Tier.COLLECTION, **changes: Any) -> Statement:
    facts: dict[str, Any] = {
        "id": "stm_1",
        "subject": "col_1",
        "tier": tier,
        "specificity": 0,
        "claimant": "ada",
        "purpose": Purpose.TRAIN_AI,
        "decision": Decision(decision),
        "effective_from": NOON - HOUR,
        "sequence": 1,
        "proven": True,
    }
    return Statement(**facts | changes)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mine"


def fetch(registry: Registry, folder: Path, at: datetime = NOON, **options: Any) -> Snapshot:
    sync(registry.source, folder, public_key=PUBLIC, at=at)
    return Snapshot.open(folder, public_key=PUBLIC, at=at, **options)


def words(snapshot: Snapshot, *urls: str, at: datetime = NOON) -> list[str]:
    answers = snapshot.check(urls, at=at)
    return [answers.decision(row, Purpose.TRAIN_AI).value for row in range(len(urls))]


EXAMPLE = {
    key("domain", "example.com"): [says("deny")],
    key("host", "blog.example.com"): [says("allow", specificity=102)],
    key("path", "https://blog.example.com/~ben/"): [says("license", specificity=202)],
    key("url", "https://example.com/a?b=1"): [says("allow", Tier.WORK)],
    key("sha256", "ab" * 32): [says("deny", Tier.WORK)],
}


def test_the_narrowest_word_decides(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)

    snapshot = fetch(registry, folder)

    assert words(
        snapshot,
        "http://deep.example.com/",
        "https://www.blog.example.com/x",
        "https://blog.example.com/./%7Eben/poem?x#y",
        "https://example.com:443/a?b=1",
        "https://example.com/a",
        "https://example.org/",
        "no address",
    ) == ["deny", "allow", "license", "allow", "deny", "unknown", "unknown"]


def test_an_answer_names_its_rule(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)

    answers = fetch(registry, folder).check(
        ["https://example.com/a?b=1", "no address"], [Purpose.SEARCH, Purpose.TRAIN_AI], at=NOON
    )

    assert answers.rule(0, Purpose.TRAIN_AI) == "work.allow"
    assert answers.rule(0, Purpose.SEARCH) == "none.unknown"
    assert answers.understood.tolist() == [True, False]
    assert answers.allowed.tolist() == [False, False]
    assert answers.unknown.tolist() == [True, True]


def test_bytes_and_addresses_are_asked_together(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    snapshot = fetch(registry, folder)

    answers = snapshot.check(
        ["https://blog.example.com/", None, "https://blog.example.com/", None],
        sha256=pa.array(["AB" * 32, "ab" * 32, "malformed", None]),
        at=NOON,
    )

    assert answers.codes.ravel().tolist() == [3, 3, 0, 0]
    assert answers.understood.tolist() == [True, True, False, True]
    with pytest.raises(ValueError, match="one length"):
        snapshot.check(["https://example.com/"], sha256=[], at=NOON)


def test_an_iscc_never_allows(registry: Registry, folder: Path) -> None:
    iscc = key("iscc", "ISCC:EAAQMDU72LV7AFWE")
    near: dict[str, Any] = {"tier": Tier.WORK, "matched_by": "iscc"}
    registry.base({iscc: [says("allow", **near), says("deny", **near, purpose=Purpose.SEARCH)]})

    answers = fetch(registry, folder).check(
        iscc=[iscc.canonical], purposes=[Purpose.TRAIN_AI, Purpose.SEARCH], at=NOON
    )

    assert answers.codes.tolist() == [[0, 3]]


def test_a_statement_takes_effect_offline(registry: Registry, folder: Path) -> None:
    later = says("deny", sequence=2, effective_from=NOON + HOUR)
    registry.base({key("domain", "example.com"): [says("allow"), later]})
    snapshot = fetch(registry, folder)
    moment = timedelta(microseconds=1)

    def ask(at: datetime) -> list[str]:
        return words(snapshot, "https://example.com/", at=at)

    assert ask(NOON) == ask(NOON + HOUR - moment) == ask(NOON - WEEK) == ["allow"]
    assert ask(NOON + HOUR) == ["deny"]
    assert ask(NOON) == ["allow"]


def test_deltas_add_change_and_remove(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    registry.delta({key("domain", "example.com"): [says("allow")]})
    registry.delta({key("host", "blog.example.com"): [], key("domain", "new.org"): [says("deny")]})
    last = registry.delta({key("url", "https://new.org/page"): [says("allow", Tier.WORK)]})

    snapshot = fetch(registry, folder)
    afresh = fetch(registry, folder.with_name("afresh"))

    asked = (
        "https://a.example.com/", "https://blog.example.com/",
        "https://blog.example.com/~ben/", "https://new.org/page", "https://new.org/other",
    )  # fmt: skip
    assert words(snapshot, *asked) == ["allow", "allow", "license", "allow", "deny"]
    assert words(afresh, *asked) == words(snapshot, *asked)
    assert (snapshot.manifest.seq, last.kind, len(last.chain)) == (3, "delta", 3)


def test_a_base_replaces_what_came_before(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    fetch(registry, folder)
    registry.delta({key("domain", "example.com"): [says("allow")]})
    base = registry.base({key("domain", "example.org"): [says("deny")]})

    snapshot = fetch(registry, folder)

    assert (base.seq, base.chain) == (2, ())
    assert words(snapshot, "https://example.com/", "https://example.org/") == ["unknown", "deny"]
    assert sorted(path.name for path in folder.iterdir()) == ["2", "current", "highest"]


def test_nothing_new_is_nothing_to_fetch(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    first = sync(registry.source, folder, public_key=PUBLIC, at=NOON)

    second = sync(registry.source, folder, public_key=PUBLIC, at=NOON)

    assert (first.keys, first.bytes > 0, second.bytes) == (6, True, 0)


def test_an_empty_registry_knows_nothing(registry: Registry, folder: Path) -> None:
    registry.base({})

    snapshot = fetch(registry, folder)

    assert words(snapshot, "https://example.com/") == ["unknown"]
    assert snapshot.check([], at=NOON).allowed.tolist() == []


def test_a_synchronisation_goes_on_where_it_stopped(registry: Registry, folder: Path) -> None:
    registry.base(EXAMPLE)
    starts: list[int] = []

    class Breaking(FolderSource):
        """Breaks off in the middle of the first file."""

        def read(self, name: str, *, start: int) -> Any:
            data = b"".join(super().read(name, start=start))
            if not name.endswith(".arrow"):
                yield data
                return
            starts.append(start)
            yield data[: len(data) // 2] if len(starts) == 1 else data

    source = Breaking(files_folder(registry.root))
    with pytest.raises(Truncated):
        sync(source, folder, public_key=PUBLIC, at=NOON)
    with pytest.raises(NoSnapshot):
        Snapshot.open(folder, public_key=PUBLIC, at=NOON)
    done: list[tuple[int, int]] = []

    sync(source, folder, public_key=PUBLIC, at=NOON, report=lambda *here: done.append(here))

    assert starts[1] > 0
    assert done[-1][0] == done[-1][1] > 0
    assert words(Snapshot.open(folder, public_key=PUBLIC, at=NOON), "https://example.com/") == [
        "deny"
    ]


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


HOSTS = ["example.com", "a.example.com", "b.a.example.com", "example.org:8080", "127.0.0.1"]
PATHS = ["/", "/x", "/x/", "/x/y?z=1", "/x/y/", "/%C3%A9"]
URLS = [f"https://{host}{path}" for host in HOSTS for path in PATHS]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[Key, list[Statement]], datetime]:
    """Subjects with what was said of them, and the keys that lead there.

    As in a registry, a subject's statements are the same under each of its keys; only whether
    the claim is proven may differ from key to key.
    """
    chance = random.Random(draw(st.integers(0, 2**32)))
    keys = sorted({k for url in URLS for k in candidate_keys(url)}, key=lambda k: k.digest)
    said: dict[Key, list[Statement]] = defaultdict(list)
    for number in range(chance.randint(0, 12)):
        tier = chance.choice([Tier.WORK, Tier.COLLECTION, Tier.CREATOR, Tier.LOCATION])
        facts: dict[str, Any] = {
            "subject": f"s{number}",
            "tier": tier,
            "specificity": chance.randint(0, 3) if tier == Tier.COLLECTION else 0,
        }
        disputed = chance.random() < 0.3
        spoken: list[dict[str, Any]] = [
            facts
            | {
                "id": f"stm_{number}_{sequence}",
                "claimant": chance.choice(["ada", "ben"]),
                "purpose": chance.choice(PURPOSES[:2]),
                "decision": chance.choice(list(Decision)),
                "sequence": sequence,
                "effective_from": NOON + HOUR * chance.randint(-2, 2),
                "disputed": disputed,
            }
            for sequence in range(chance.randint(1, 4))
        ]
        for where in chance.sample(keys, chance.randint(1, 3)):
            proven = chance.random() < 0.7
            said[where] += [says(proven=proven, **one) for one in spoken]
    return said, NOON + HOUR * chance.randint(0, 3)


@settings(deadline=None, max_examples=40)  # each publishes and fetches a snapshot
@given(worlds())
def test_a_snapshot_answers_as_the_verdict_does(
    tmp_path_factory: pytest.TempPathFactory,
    world: tuple[dict[Key, list[Statement]], datetime],
) -> None:
    said, at = world
    place = tmp_path_factory.mktemp("world")
    registry = Registry(place / "registry")
    registry.base(said)
    fast = fetch(registry, place / "mine", at)
    plain = Snapshot.open(place / "mine", public_key=PUBLIC, at=at, plain=True)

    answers = [snapshot.check(URLS, PURPOSES[:2], at=at) for snapshot in (fast, plain)]

    for row, url in enumerate(URLS):
        statements = [s for key in candidate_keys(url) for s in said.get(key, [])]
        for purpose in PURPOSES[:2]:
            verdict = decide(purpose, statements=statements, asker=None, at=at)
            for answer in answers:
                assert answer.decision(row, purpose) == verdict.decision
                assert answer.rule(row, purpose) == verdict.rule
    shutil.rmtree(place)
