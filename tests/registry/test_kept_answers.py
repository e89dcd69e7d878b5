"""Answers are kept by the column and come back byte for byte; those kept before can still be read."""

import random
import zlib

import numpy as np
import orjson
import pytest

from registry.asked import Asked, CheckItem
from registry.filled_answers import Answers
from registry.kept_answers import Answered, body_of, pack, unpack
from tribute import receipts

TEXTS = ["https://a.b/", 'quote"', "back\\slash", "\x00\x1f\x7f", "é 日本 😀", "", "\u2028\ud7ff"]


def some(chance: random.Random, rows: int) -> Answered:
    """Items with any of the fields, some with none."""
    items = [
        CheckItem(*(chance.choice([None, chance.choice(TEXTS)]) for _ in range(4)))
        for _ in range(rows)
    ]
    answers = [
        body_of({"id": "", "decisions": {"search": {"rule": text, "statements": [text]}}})
        for text in TEXTS
    ]
    which = np.array([chance.randrange(len(TEXTS)) for _ in items], np.int32)
    return Answered(Asked.of(items), Answers.of(answers), which)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_kept_comes_back_byte_for_byte(seed: int) -> None:
    chance = random.Random(seed)
    answered = some(chance, chance.choice([1, 2, 50]))
    lines = answered.lines.to_pylist()

    again = unpack(pack(answered))

    assert again.lines.to_pylist() == lines
    assert again.printed.equals(answered.printed)
    assert again.asked.digest() == answered.asked.digest()
    for row, line in enumerate(lines):
        assert receipts.canonical_json(orjson.loads(line)) == line.encode()
        assert orjson.loads(line)["item"] == answered.asked.item(row).as_sent()
    sent = [orjson.loads(line)["item"] for line in lines]
    assert answered.asked.digest().hex() == receipts.request_digest(sent)


@pytest.mark.parametrize("seed", range(5))
def test_checks_kept_as_lines_are_read_as_ever(seed: int) -> None:
    answered = some(random.Random(seed), 30)
    kept = zlib.compress("\n".join(answered.lines.to_pylist()).encode(), level=6)

    assert unpack(kept).lines.to_pylist() == answered.lines.to_pylist()


def test_repeated_names_are_found_whoever_gave_them() -> None:
    asked = Asked.of(
        [CheckItem(id="1"), CheckItem(), CheckItem(), CheckItem(id="2"), CheckItem(id="x")]
    )

    assert asked.public_ids.to_pylist() == ["1", "1", "2", "2", "x"]
    assert asked.repeated() == [1, 3]
    assert Asked.of([CheckItem(), CheckItem()]).repeated() == []
