"""A registry in a folder: rules published as a snapshot, synchronised, and a gate that asks it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client.tests.snapshot_registry import Registry
from tribute.adapters.gate import Gate
from tribute.identifiers import key_of
from tribute.snapshot import FolderSource, sync
from tribute.snapshot.changes import Changes
from tribute.snapshot.publishing import CodeBook, Edition, Publisher, Signer, files_folder
from tribute.snapshot.scores import timeline
from tribute.verdict import Statement, Tier
from tribute.vocabulary import Decision, IdentifierKind, Purpose

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = PRIVATE.public_key().public_bytes_raw()

Rules = Mapping[tuple[str, str], Decision]
"""(kind of identifier, value) and what its rightsholder says about train-ai, proven."""

Synchronise = Callable[[Rules], Gate]


@pytest.fixture
def synchronise(tmp_path: Path) -> Synchronise:
    """Publish rules, bring the snapshot to ``tmp_path / "mine"``, and ask it by address."""

    def synchronised(rules: Rules) -> Gate:
        at = datetime.now(UTC)
        publish(tmp_path / "registry", rules, at=at)
        source = FolderSource(files_folder(tmp_path / "registry"))
        sync(source, tmp_path / "mine", public_key=PUBLIC, at=at)
        return Gate(str(tmp_path / "mine"), PUBLIC)

    return synchronised


def publish(root: Path, rules: Rules, *, at: datetime) -> None:
    """Publish a first snapshot of some rules, valid for a day."""
    codes, rows = CodeBook(), Changes()
    for (kind, value), decision in rules.items():
        key = key_of(IdentifierKind(kind), value)
        tier = Tier.WORK if kind == "sha256" else Tier.COLLECTION
        said = Statement(
            "stm_1", "s", tier, 0, "ada", Purpose.TRAIN_AI, decision, at, 1, proven=True
        )
        rows.put(key.kind, key.digest, codes.number(timeline([said], at=at)))
    tables = rows.columns()
    edition = Edition(None, at, at + timedelta(days=1), 0)
    data = Publisher(root, Signer(PUBLIC, PRIVATE.sign)).base(
        tables.items(), codes, edition, sizes=dict.fromkeys(tables, 1)
    )
    (files_folder(root) / "manifest.json").write_bytes(data)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry that has published nothing yet."""
    return Registry(tmp_path / "registry")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a copy is to be; it does not exist yet."""
    return tmp_path / "mine"
