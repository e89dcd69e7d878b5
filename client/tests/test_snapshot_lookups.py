"""Private look-ups: the answers of the whole copy out of a few files, and no tampering passes."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute.cli import main
from tribute.identifiers import key_of
from tribute.snapshot import FolderSource, LookedUp, Snapshot, look_up, sync
from tribute.snapshot.changes import Changes, gate_of
from tribute.snapshot.errors import (
    BrokenChain,
    Corrupt,
    Rollback,
    SourceUnavailable,
    StaleSnapshot,
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
    state_folder,
)
from tribute.snapshot.scores import timeline
from tribute.snapshot.tables import CODES, load
from tribute.verdict import Statement, Tier
from tribute.vocabulary import Decision, IdentifierKind, Purpose

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()
KEY = f"--key={PUBLIC.hex()}"
NOW = datetime.now(UTC)
WEEK = timedelta(days=7)
URL, SHA256 = IdentifierKind.URL, IdentifierKind.SHA256
POEM = "ab" * 32
MANY = 70_000  # addresses; a file holds 65,536

Said = Mapping[tuple[str, str], str | None]


class Recorder(FolderSource):
    """A registry's folder that remembers which files were asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.asked: list[str] = []

    def read(self, name: str, *, start: int) -> Iterator[bytes]:
        self.asked.append(name)
        return super().read(name, start=start)


class Registry:
    """Publishes what it is told of train-ai, a base first and then deltas."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.publisher = Publisher(root, Signer(PUBLIC, PRIVATE.sign))
        self.newest: Manifest | None = None

    @property
    def source(self) -> Recorder:
        return Recorder(files_folder(self.root))

    def publish(self, said: Said) -> Manifest:
        last = self.newest
        old = load(state_folder(self.root, last.seq)) if last else None
        codes, rows = CodeBook.of(old[CODES]) if old else CodeBook(), Changes(old)
        for (kind, value), decision in said.items():
            key = key_of(IdentifierKind(kind), value)
            rows.put(
                key.kind, key.digest, codes.number(timeline(_statements(kind, decision), at=NOW))
            )
            if gate := gate_of(key.kind, key.canonical):
                rows.open_gate(*gate)
        tables, edition = rows.columns(), Edition(last, NOW, NOW + WEEK, 7)
        if old is None:
            sizes = {table: len(columns["code"]) for table, columns in tables.items()}
            data = self.publisher.base(tables.items(), codes, edition, sizes=sizes)
        else:
            data = self.publisher.delta(tables, codes, edition, old=old)
        (files_folder(self.root) / "manifest.json").write_bytes(data)
        self.newest = verify(data, public_key=PUBLIC)
        return self.newest


def _statements(kind: str, decision: str | None) -> list[Statement]:
    if decision is None:
        return []
    tier = Tier.WORK if kind in {"url", "sha256"} else Tier.COLLECTION
    about = ("stm_1", "s", tier, 0, "ada", Purpose.TRAIN_AI)
    return [Statement(*about, Decision(decision), NOW - WEEK, 1, proven=True)]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    made = Registry(tmp_path / "registry")
    made.publish(
        {
            ("domain", "closed.example.com"): "deny",
            ("host", "open.example.com"): "allow",
            ("path", "https://web.example/~ada/"): "license",
            ("url", "https://web.example/~ada/1"): "allow",
            ("sha256", POEM): "deny",
        }
    )
    return made


def asked(registry: Registry, url: str) -> str:
    return answer(look_up(registry.source, {URL: url}, public_key=PUBLIC, at=NOW))


def answer(found: LookedUp) -> str:
    return found.decisions.decision(0, Purpose.TRAIN_AI).value


URLS = [
    "https://a.closed.example.com/x",
    "http://www.open.example.com:80/y",
    "https://web.example/~ada/1",
    "https://web.example/~ada/2",
    "https://nobody.example/",
    "https://ada:pass@web.example/%7Eada/./1#top",
]


def test_a_look_up_answers_as_the_whole_copy_does(registry: Registry, tmp_path: Path) -> None:
    registry.publish({("url", "https://web.example/~ada/2"): "deny", ("sha256", POEM): "allow"})
    registry.publish({("host", "open.example.com"): None, ("domain", "new.example"): "deny"})
    sync(registry.source, tmp_path / "mine", public_key=PUBLIC, at=NOW)
    whole = Snapshot.open(tmp_path / "mine", public_key=PUBLIC, at=NOW)
    copied = whole.check(URLS, [Purpose.TRAIN_AI], at=NOW)

    assert [asked(registry, url) for url in URLS] == [
        copied.decision(row, Purpose.TRAIN_AI).value for row in range(len(URLS))
    ]
    assert [asked(registry, url) for url in URLS[:4]] == ["deny", "unknown", "allow", "deny"]


def test_several_ways_to_know_an_item_count_together(registry: Registry) -> None:
    item = {URL: "https://open.example.com/", SHA256: POEM}

    assert answer(look_up(registry.source, item, public_key=PUBLIC, at=NOW)) == "deny"


def test_only_the_files_with_an_items_prefixes_are_fetched(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "large")
    registry.publish({("sha256", f"{number:064x}"): "deny" for number in range(MANY)})
    source = registry.source

    found = look_up(source, {SHA256: f"{7:064x}"}, public_key=PUBLIC, at=NOW)

    assert registry.newest is not None
    shards = {file.name: file for file in registry.newest.files}
    prefix = key_of(SHA256, f"{7:064x}").digest.hex()[:1]
    (revealed,) = found.revealed
    assert (shards[revealed].table, shards[revealed].prefix) == ("sha256", prefix)
    assert answer(found) == "deny"
    tables = [shards[name].table for name in source.asked if name in shards]
    assert sorted(tables) == ["codes", "sha256"]
    assert len(shards) > 10


def test_an_item_needs_something_to_be_known_by(registry: Registry) -> None:
    with pytest.raises(ValueError, match="URL"):
        look_up(registry.source, {}, public_key=PUBLIC, at=NOW)


def test_tampering_is_refused_each_with_its_own_error(registry: Registry) -> None:
    base = registry.newest
    assert base is not None
    folder = files_folder(registry.root)
    shard = next(folder / file.name for file in base.files if file.table == "domain")
    whole = shard.read_bytes()
    url = URLS[0]

    with pytest.raises(StaleSnapshot):
        look_up(registry.source, {URL: url}, public_key=PUBLIC, at=NOW + WEEK)
    with pytest.raises(Rollback):
        look_up(registry.source, {URL: url}, public_key=PUBLIC, at=NOW, not_before=1)
    with pytest.raises(WrongKey):
        look_up(registry.source, {URL: url}, public_key=bytes(32), at=NOW)
    shard.write_bytes(whole[:-1])
    with pytest.raises(Truncated):
        asked(registry, url)
    for wrong in (whole + b"x", bytes([whole[0] ^ 1]) + whole[1:]):
        shard.write_bytes(wrong)
        with pytest.raises(Corrupt):
            asked(registry, url)
    shard.unlink()
    with pytest.raises(SourceUnavailable):
        asked(registry, url)
    shard.write_bytes(whole)
    registry.publish({("domain", "new.example"): "deny"})
    (folder / "0.json").write_bytes((folder / "1.json").read_bytes())
    with pytest.raises(BrokenChain):
        asked(registry, url)


def test_the_command_says_the_answer_and_what_was_told(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(files_folder(registry.root))

    def status(*arguments: str) -> int:
        return main(["lookup", folder, KEY, *arguments])

    assert status("--url", URLS[2], "--purpose", "train-ai") == 0
    said = capsys.readouterr().out
    assert said.startswith("train-ai: allow (work.allow)\nby snapshot 0 (")
    assert "0-url-" in said
    assert status("--url", URLS[0], "--sha256", POEM) == 1
    assert "train-ai: deny (work.deny)\n" in capsys.readouterr().out
    assert status("--url", "nonsense") == 2
    assert status() == 2
    assert "an item is known by" in capsys.readouterr().err
    assert main(["lookup", folder, "--key", "00" * 32, "--url", URLS[0]]) == 1
