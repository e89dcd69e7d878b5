"""The chain's head in the public log."""

import json

import pytest

from ledger import heads, invariants
from ledger.gateway_paper import PaperGateway
from ledger.models import Batch, PublishedHead
from registry.models import Creator, LogOutbox, Operator
from tests.factories import NOON
from tests.ledger.cast import earn_available, tamper, top_up


@pytest.fixture
def newest(acme: Operator, ada: Creator) -> Batch:
    top_up(acme, 50, gateway=PaperGateway(clock=lambda: NOON))
    earn_available(ada, acme, 3_000_000)
    return Batch.objects.latest("seq")


def test_the_head_is_published_once(newest: Batch) -> None:
    published = heads.publish(at=NOON)
    assert published is not None
    assert heads.publish(at=NOON) is None
    leaf = json.loads(bytes(LogOutbox.objects.get(leaf_hash=published.leaf_hash).leaf))
    assert (leaf["t"], leaf["batch"], leaf["hash"]) == (
        "ledger.head",
        newest.seq,
        bytes(newest.hash).hex(),
    )
    assert invariants.findings() == []


def test_without_a_batch_there_is_nothing_to_publish(db: None) -> None:
    assert heads.publish(at=NOON) is None
    assert not PublishedHead.objects.exists()


def test_books_rewritten_hashes_and_all_are_found_by_the_published_head(newest: Batch) -> None:
    heads.publish(at=NOON)
    tamper(
        "ledger_batch",
        "UPDATE ledger_batch b SET posted_at = posted_at + interval '1 hour' WHERE seq = %s",
        newest.seq,
    )
    tamper(
        "ledger_batch",
        "UPDATE ledger_batch b SET hash = ledger_batch_digest(b) WHERE seq = %s",
        newest.seq,
    )
    assert {finding.invariant for finding in invariants.findings()} == {"heads"}
