"""A base, sorted on disk, says of every key what is said of it when it is asked for alone."""

import random
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from registry import snapshot_base, snapshot_rows
from registry.decision_index import EPOCH, MICROSECOND
from registry.models import Collection, DecisionIndex, Identifier
from tests.factories import DAY, NOON, make_creator, make_work
from tests.registry.lives import place
from tribute import ids
from tribute.snapshot import piles
from tribute.snapshot.changes import Changes, gate_of
from tribute.snapshot.publishing import CodeBook
from tribute.snapshot.sayings import ODD_RECORD, UNIT, SayingsWriter, Subject, parts_of, unpacked
from tribute.snapshot.scores import Segment
from tribute.snapshot.tables import KEY_TABLES, Numbers, columns_of
from tribute.verdict import Tier
from tribute.vocabulary import Purpose

NOW = (NOON - EPOCH) // MICROSECOND
CLAIMANTS = [ids.encode("cre", uuid.UUID(int=number)) for number in (7, 9)]
WORKS = 80
Told = dict[tuple[int, int], tuple[tuple[Segment, ...], int, list[Subject] | None]]


class Kept(SayingsWriter):
    """Remembers the record of each key, too."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.records: dict[tuple[int, int], bytes] = {}

    def put_all(
        self, kinds: Numbers, high: Numbers, low: Numbers, sizes: Numbers, data: bytes
    ) -> None:
        super().put_all(kinds, high, low, sizes, data)
        ends = np.cumsum(sizes).tolist()
        for key, size, end in zip(
            zip(high.tolist(), low.tolist(), strict=True), sizes.tolist(), ends, strict=True
        ):
            self.records[key] = data[end - size : end]


def statement(chance: random.Random, sequence: int) -> dict[str, Any]:
    near = {"distance": 0.1} if chance.random() < 0.05 else {}
    return near | {
        "id": ids.encode("stm", uuid.UUID(int=chance.getrandbits(128))),
        "claimant": chance.choice(CLAIMANTS),
        "purpose": chance.choice(list(Purpose)),
        "decision": chance.choice(["allow", "deny", "license", "unknown"]),
        "paid": False,
        "terms": None,
        "from": NOW + chance.choice([-1, -1, 0, 1]) * (DAY // MICROSECOND),
        "sequence": sequence,
        "proven": chance.random() < 0.6,
        "disputed": chance.random() < 0.3,
    }


def a_registry(chance: random.Random) -> list[bytes]:
    """Make works and places, and let anything be said of them; return all keys that lead there."""
    ada, ben = make_creator("ada"), make_creator("ben")
    for number in range(WORKS):
        host = f"{chance.randrange(20)}.example"
        make_work(
            ada, url=f"https://{host}/{number}", text=f"{number}" if number % 4 == 0 else None
        )
        if number % 10 == 0:
            make_work(ben, url=f"https://{host}/{number}")
            place(ada, chance.choice(["host", "domain"]), f"{number}.example", proven=False)
            place(ada, "path", f"https://{host}/{number}/{'x/' * (number % 3)}", proven=False)
    keys = {
        bytes(key)
        for model in (Identifier, Collection)
        for (key,) in model.objects.values_list("key")
    }
    DecisionIndex.objects.all().delete()
    spoken = [key for key in sorted(keys) if chance.random() < 0.9] + [chance.randbytes(32)]
    DecisionIndex.objects.bulk_create(
        DecisionIndex(
            key=key,
            subject=uuid.UUID(int=chance.getrandbits(128)),
            subject_type=chance.choice(["work", "collection", "creator"]),
            tier=chance.choice([Tier.WORK, Tier.COLLECTION, Tier.CREATOR]),
            specificity=chance.randint(0, 3),
            statements=[statement(chance, n) for n in range(1, chance.randint(1, 4))],
        )
        for key in spoken
        for _ in range(chance.choice([1, 1, 1, 2, 3]))
    )
    return sorted(keys)


def sorted_base(folder: Path) -> Told:
    """Return of each key what a base says of it, its gate, and its record."""
    folder.mkdir()
    codes, told = CodeBook(), {}
    with (
        Kept(folder / "said") as said,
        snapshot_base.everything(folder, codes, at=NOON, said=said) as rows,
    ):
        pieces = list(rows.pieces())
    timelines = {number: timeline for timeline, number in codes.numbers.items()}
    assert sorted(timelines) == list(range(1, len(timelines) + 1))
    assert {table: rows.sizes[table] for table, _ in pieces} == {
        table: len(columns["code"]) for table, columns in pieces
    }
    for _, columns in pieces:
        keys = list(zip(columns["high"].tolist(), columns["low"].tolist(), strict=True))
        assert keys == sorted(set(keys))
        for key, code in zip(keys, columns["code"].tolist(), strict=True):
            gate, number = divmod(code, 1 << 27)
            told[key] = (timelines.get(number, ()), gate, _subjects(said.records.get(key)))
    assert list(folder.iterdir()) == [folder / "said"]
    return told


def one_by_one(keys: list[bytes]) -> Told:
    """Return the same from the rows of each key, as a delta reads them."""
    changes, codes, records = Changes(), CodeBook(), {}
    for each in snapshot_rows.some(keys, at=NOON):
        changes.put(each.kind, each.key, codes.number(each.timeline))
        if each.kind not in {"sha256", "iscc"}:
            records[each.key[:16]] = each.record
        if gate := gate_of(each.kind, each.canonical):
            changes.open_gate(*gate)
    timelines = {number: timeline for timeline, number in codes.numbers.items()}
    told: Told = {}
    for columns in changes.columns().values():
        for high, low, code in zip(*(columns[c].tolist() for c in columns_of("url")), strict=True):
            key = high.to_bytes(8) + low.to_bytes(8)
            gate, number = divmod(code, 1 << 27)
            told[high, low] = (timelines.get(number, ()), gate, _subjects(records.get(key)))
    return told


def _subjects(record: bytes | None) -> list[Subject] | None:
    if record is None or record == ODD_RECORD:
        return None if record is None else []
    assert len(record) % UNIT == 0
    return sorted(unpacked(parts_of(record)), key=lambda subject: subject.id)


@pytest.mark.django_db
@pytest.mark.parametrize("pile_bytes", [1 << 23, 1 << 13])
def test_a_base_says_what_each_key_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pile_bytes: int
) -> None:
    monkeypatch.setattr(piles, "_PILE_BYTES", pile_bytes)
    monkeypatch.setattr(piles, "_AT_ONCE", 4_000)
    monkeypatch.setattr(piles, "_SHARE", 1)
    monkeypatch.setattr(snapshot_base, "ROWS_AT_ONCE", 13)
    keys = a_registry(random.Random(pile_bytes))

    base = sorted_base(tmp_path / "base")

    assert base == one_by_one(keys)
    assert len({timeline for timeline, _, _ in base.values()}) > 50
    assert len([1 for _, _, subjects in base.values() if subjects == []]) > 3
    assert 10 < len([1 for _, gate, _ in base.values() if gate]) <= 20


@pytest.mark.django_db
def test_more_cases_than_are_remembered_get_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_registry(random.Random(3))
    expected = sorted_base(tmp_path / "all")

    monkeypatch.setattr(snapshot_rows, "CASES_REMEMBERED", 2)

    assert sorted_base(tmp_path / "few") == expected


@pytest.mark.django_db
def test_an_empty_registry_has_empty_tables(tmp_path: Path) -> None:
    assert sorted_base(tmp_path / "base") == {}
    assert len(KEY_TABLES) == 6
