"""What a key says is packed for snapshots without losing what the verdict looks at."""

import random
import uuid
from typing import Any

import orjson
import pytest

from registry import snapshot_rows
from registry.decision_index import EPOCH, MICROSECOND, Row
from tests.factories import DAY, NOON
from tribute import ids
from tribute.snapshot.scores import timeline
from tribute.verdict import Tier
from tribute.vocabulary import IdentifierKind, Purpose

NOW = (NOON - EPOCH) // MICROSECOND
KEY = bytes(32)


def statement(chance: random.Random, sequence: int, *, near: bool) -> dict[str, Any]:
    said = {
        "id": ids.encode("stm", uuid.UUID(int=chance.getrandbits(128))),
        "claimant": chance.choice(["ada", "ben"]),
        "purpose": chance.choice(list(Purpose)[:2]),
        "decision": chance.choice(["allow", "deny", "license", "unknown"]),
        "paid": False,
        "terms": None,
        "from": NOW + chance.choice([-1, 0, 1, 2]) * (DAY // MICROSECOND),
        "sequence": sequence,
        "proven": chance.random() < 0.6,
        "disputed": chance.random() < 0.4,
    }
    return said | {"distance": 0.1} if near else said


@pytest.mark.parametrize("kind", [IdentifierKind.URL, IdentifierKind.ISCC])
def test_a_packed_key_says_what_its_rows_say(kind: IdentifierKind) -> None:
    chance = random.Random(5)
    different = set()
    for _ in range(500):
        rows = []
        for _ in range(chance.randint(1, 3)):
            near = chance.random() < 0.2
            said = [statement(chance, n, near=near) for n in range(1, chance.randint(2, 5))]
            tier = chance.choice([Tier.WORK, Tier.COLLECTION, Tier.CREATOR])
            rows.append((uuid.UUID(int=chance.getrandbits(128)), tier, chance.randint(0, 3), said))
        matched = [
            s for subject, tier, narrowness, said in rows
            for s in Row(KEY, ids.encode("wrk", subject), tier, narrowness, said).matched(kind)
        ]  # fmt: skip

        packed = [(r[0], "work", *r[1:3], orjson.dumps(r[3]).decode()) for r in rows]
        spoken = snapshot_rows.spoken(KEY, kind, "", packed, NOON)

        assert spoken.timeline == (timeline(matched, at=NOON) or snapshot_rows.NOTHING_SAID)
        different.add(spoken.timeline)
    assert len(different) > 50
