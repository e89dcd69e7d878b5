"""The outbox: canonical leaves of opaque words, and places without a gap."""

import json
from datetime import datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from registry import log
from registry.errors import InvalidLeaf, LeafTooLarge
from registry.models import LogEntry, LogOutbox
from tests.factories import DAY, NOON, allow, deny, make_creator, make_work

pytestmark = pytest.mark.django_db


def test_a_statement_puts_ids_words_times_and_hashes_into_the_log() -> None:
    ada = make_creator("ada")
    work = make_work(ada, title="April, a very recognisable title", url="https://ada.example/april")
    first = allow(work)
    second = deny(work, at=NOON + DAY)

    leaves = [bytes(row.leaf) for row in LogOutbox.objects.order_by("id")]

    assert json.loads(leaves[1]) == {
        "at": "2026-06-02T12:00:00.000000Z",
        "decision": "deny",
        "from": "2026-06-02T12:00:00.000000Z",
        "paid": False,
        "prev": bytes(first.leaf_hash).hex(),
        "purpose": "train-ai",
        "seq": 2,
        "statement": second.pk,
        "subj": json.loads(leaves[0])["subj"],
        "subject": work.pk,
        "t": "consent.set",
        "v": 1,
        "vocabulary": "tribute/1",
    }
    assert b"recognisable" not in b"".join(leaves)
    assert b"ada.example" not in b"".join(leaves)


@pytest.mark.parametrize(
    "leaf",
    [
        {"t": "consent.set", "title": "a title with spaces"},
        {"t": "consent.set", "title": "Ängström"},
        {"t": "consent.set", "title": ""},
        {"t": "consent.set", "names": ["ok", "not ok"]},
        {"t": "consent.set", "title": "\ud800"},
        {"t": "consent.set", "title": 'a"b'},
        {"t": "consent.set", "a title": "x"},
        {"t": "consent.set", "seq": 2**53},
        {"t": "consent.set", "seq": 2**64},
        {"t": "gossip"},
        {},
    ],
)
def test_append_refuses_free_text(leaf: dict[str, str]) -> None:
    with pytest.raises(InvalidLeaf):
        log.append(leaf, at=NOON)
    assert not LogOutbox.objects.exists()


words = st.from_regex(r"[A-Za-z0-9_.:/+\-]{1,20}", fullmatch=True)


@given(
    st.dictionaries(
        words.filter(lambda name: name not in {"t", "v", "at"}),
        words | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | st.lists(words, max_size=3),
        max_size=8,
    )
)
def test_a_leaf_is_canonical_json(leaf: dict[str, log.LeafValue]) -> None:
    whole = {"t": "ledger.head", **leaf, "v": 1, "at": "2026-05-04T12:00:00.000000Z"}

    at = datetime(2026, 5, 4, 14, tzinfo=timezone(timedelta(hours=2)))
    assert log.encoded({"t": "ledger.head", **leaf}, at=at) == rfc8785.dumps(whole)


def test_append_refuses_a_leaf_over_4_kib() -> None:
    with pytest.raises(LeafTooLarge):
        log.append({"t": "ledger.head", "heads": ["a" * 100] * 41}, at=NOON)


def test_sequence_takes_the_oldest_first_and_stops_at_its_limit() -> None:
    hashes = [log.append({"t": "ledger.head", "head": f"h{n}"}, at=NOON) for n in range(5)]

    assert [log.size(), log.sequence(limit=3), log.size()] == [0, 3, 3]
    assert [log.sequence(limit=3), log.sequence(limit=3), log.size()] == [2, 0, 5]
    placed = LogOutbox.objects.order_by("entry__index").values_list("leaf_hash", flat=True)
    assert [bytes(each) for each in placed] == hashes


def test_a_leaf_overtaken_by_very_many_waits_for_the_look_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(log, "LATECOMERS", 2)
    late, *rest = [{"t": "ledger.head", "head": f"h{n}"} for n in range(5)]
    hashes = [log.append(leaf, at=NOON) for leaf in [late, *rest]]
    newest = LogOutbox.objects.get(leaf_hash=hashes[-1])
    LogEntry.objects.create(index=0, leaf=newest)

    assert log.sequence(limit=9) == 1
    assert log.sequence(limit=9, latecomers=True) == 3
    assert log.placed(hashes) == 5
