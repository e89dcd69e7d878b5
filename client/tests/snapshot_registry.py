"""A registry in a folder, for tests of snapshots: it publishes what it is told."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tribute.identifiers import Key, key_of
from tribute.snapshot import FolderSource, Snapshot, sync
from tribute.snapshot.changes import Changes, gate_of
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
