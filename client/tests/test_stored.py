"""What a registry's rows say is read alike by the kernel and by plain Python, and nonsense by neither."""

import json
import random
import struct
import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tribute import ids
from tribute.identifiers import key_of_canonical
from tribute.snapshot import stored
from tribute.snapshot.changes import gate_of
from tribute.snapshot.errors import Corrupt
from tribute.snapshot.sayings import ODD_RECORD, parts_of
from tribute.snapshot.tables import KEY_TABLES, split_keys
from tribute.vocabulary import Decision, IdentifierKind, Purpose

ROWS = 400


def copied(*fields: bytes | None) -> bytes:
    """Return a row as COPY writes it."""
    sizes = [-1 if field is None else len(field) for field in fields]
    written = zip(sizes, fields, strict=True)
    return struct.pack(">h", len(fields)) + b"".join(
        struct.pack(">i", size) + (field or b"") for size, field in written
    )


def said(key: bytes, row: stored.Row, statements: str) -> bytes:
    numbers = [struct.pack(">i", number) for number in row[2:4]]
    return copied(key, row[0].bytes, row[1].encode(), *numbers, statements.encode())


def place(kind: IdentifierKind, canonical: str) -> bytes:
    key = key_of_canonical(kind, canonical).digest
    return copied(key, None, kind.value.encode(), None, None, canonical.encode())


def statement(chance: random.Random, **more: Any) -> dict[str, Any]:
    """Return a statement as the decision index keeps it, its keys in PostgreSQL's order."""
    fields = {
        "id": an_id(chance, "stm"),
        "from": chance.choice([0, -5, 1_748_736_000_000_000]),
        "paid": chance.random() < 0.5,
        "terms": an_id(chance, "trm") if chance.random() < 0.3 else None,
        "proven": chance.random() < 0.5,
        "purpose": chance.choice(list(Purpose)).value,
        "claimant": an_id(chance, "cre"),
        "decision": chance.choice(list(Decision)).value,
        "disputed": chance.random() < 0.5,
        "sequence": chance.choice([1, 7, 2**32 - 1]),
    } | more
    return dict(sorted(fields.items(), key=lambda item: (len(item[0]), item[0])))


def an_id(chance: random.Random, prefix: str) -> str:
    return ids.encode(prefix, uuid.UUID(int=chance.getrandbits(128)))


def a_row(chance: random.Random, statements: Sequence[dict[str, Any]]) -> stored.Row:
    subject = uuid.UUID(int=chance.getrandbits(128))
    word = chance.choice(list(stored.SUBJECT_WORDS))
    return subject, word, chance.choice([2, 3, 4]), chance.randint(-3, 9), statements


def read_plainly(data: bytes, monkeypatch: pytest.MonkeyPatch) -> stored.Stored:
    with monkeypatch.context() as patched:
        patched.setattr(stored, "KERNEL", None)
        return stored.read(data)


def assert_alike(one: stored.Stored, other: stored.Stored) -> None:
    assert sorted(parts(one)) == sorted(parts(other))
    assert np.array_equal(np.sort(one.places), np.sort(other.places))


def parts(read: stored.Stored) -> list[tuple[Any, bytes]]:
    found, at = [], 0
    for head in read.said:
        stop = at + int(head["units"])
        found.append((head.tolist(), read.parts[at:stop].tobytes()))
        at = stop
    assert at == len(read.parts)
    return found


def test_rows_come_back_as_they_were_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    odd: list[dict[str, Any]] = [
        {"distance": 0.1}, {"claimant": "ada"}, {"id": "stm_" + "8" + "0" * 25}, {"sequence": 2**32},
        {"sequence": -1}, {"from": 2**70}, {"id": "stm_0"},
    ]  # fmt: skip
    rows = [
        a_row(chance, [statement(chance, **chance.choice([{}] * 20 + odd)) for _ in range(count)])
        for count in [0, 1, 1, 1, 2, 5] * (ROWS // 6)
    ]
    keys = [chance.randbytes(32) for _ in rows]
    data = b"".join(said(key, row, json.dumps(row[4])) for key, row in zip(keys, rows, strict=True))

    read = stored.read(data)

    assert_alike(read, read_plainly(data, monkeypatch))
    again = {head: (part, stored.row_of(part, odd=bool(head[3]))) for head, part in parts(read)}
    assert len(again) == len(rows)
    by_key = {head[:2]: (head[3], part, row) for head, (part, row) in again.items()}
    for key, row in zip(keys, rows, strict=True):
        high, low = split_keys(key[:16], 1)
        is_odd, part, found = by_key[int(high[0]), int(low[0])]
        plain = stored.record([row])
        assert bool(is_odd) == (plain == ODD_RECORD)
        assert is_odd or parts_of(plain) == part
        assert found[:4] == row[:4]
        kept = [{k: v for k, v in s.items() if k != "paid" or is_odd} for s in row[4]]
        assert [dict(s) for s in found[4]] == kept
    assert 20 < int(read.said["odd"].sum()) < ROWS


def test_places_open_the_gates_of_their_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    places = [
        (IdentifierKind.URL, "a.example/b?c/d"),
        (IdentifierKind.URL, "a.example:8080/"),
        (IdentifierKind.URL, f"b.example/{'x' * 8000}"),
        (IdentifierKind.URL, f"b.example/{'x' * 8170}"),
        (IdentifierKind.PATH, "a.example/"),
        (IdentifierKind.PATH, "a.example/b/c/"),
        (IdentifierKind.PATH, f"a.example/{'b/' * 14}"),
        (IdentifierKind.URL, f"erased:{'0a' * 32}"),
        (IdentifierKind.PATH, f"erased:{'0b' * 32}/x/x/"),
        (IdentifierKind.HOST, "a.example"),
        (IdentifierKind.DOMAIN, "example"),
        (IdentifierKind.SHA256, "0" * 64),
        (IdentifierKind.ISCC, "KACT4EBWK27737D2"),
    ]
    data = b"".join(place(*each) for each in places)

    read = stored.read(data)

    assert_alike(read, read_plainly(data, monkeypatch))
    found = {(int(p["high"]), int(p["low"])): p for p in read.places}
    for kind, canonical in places:
        high, low = split_keys(key_of_canonical(kind, canonical).digest[:16], 1)
        row = found[int(high[0]), int(low[0])]
        assert KEY_TABLES[int(row["kind"])] == kind
        host, gate = gate_of(kind, canonical) or (bytes(16), 0)
        expected = split_keys(host, 1)
        assert (row["host_high"], row["host_low"], row["gate"]) == (*expected, gate)


@pytest.mark.parametrize("plain", [True, False])
def test_rows_that_are_not_whole_are_refused(
    monkeypatch: pytest.MonkeyPatch, *, plain: bool
) -> None:
    if plain:
        monkeypatch.setattr(stored, "KERNEL", None)
    row = place(IdentifierKind.HOST, "a.example")
    assert len(stored.read(row * 2).places) == 2
    for wrong in (row[:-1], row[:7], row + b"\0", row[2:], copied(b"1", b"2"), row + b"\xff\xff"):
        with pytest.raises(Corrupt):
            stored.read(wrong)


def test_what_is_mangled_is_read_alike_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(2)
    alike = 0
    for _ in range(3_000):
        row = a_row(chance, [statement(chance) for _ in range(chance.randint(0, 2))])
        text = bytearray(json.dumps(row[4]).encode())
        for _ in range(chance.randint(0, 2)):
            text[chance.randrange(len(text))] = chance.choice(b'0179aiz"[]{},: -.\\e')
        try:
            json.loads(text)
        except ValueError:
            continue  # PostgreSQL stores no such thing
        data = said(bytes(32), row, text.decode())
        try:
            plain = read_plainly(data, monkeypatch)
        except (KeyError, TypeError, AttributeError):
            continue
        assert_alike(stored.read(data), plain)
        alike += 1
    assert alike > 1_000
