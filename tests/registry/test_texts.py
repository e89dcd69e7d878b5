"""Texts are joined and quoted alike with the kernel and without it."""

import random

import numpy as np
import orjson
import pyarrow as pa
import pytest

from registry import texts
from registry.texts import Chosen, joined, json_texts, plain_json_texts

ODD = ["", 'quote"', "back\\slash", "é 日本 😀", "\u2028\ud7ff", *map(chr, range(0x20)), "\x7f"]


def some(chance: random.Random, rows: int) -> pa.Array:
    longer = pa.array(
        ["".join(chance.choices(ODD, k=chance.randrange(4))) for _ in range(rows + 3)]
    )
    return longer.slice(chance.randrange(4), rows)


@pytest.mark.parametrize("seed", range(20))
def test_texts_become_json_strings_as_orjson_writes_them(seed: int) -> None:
    column = some(random.Random(seed), 50)

    expected = [orjson.dumps(text).decode() for text in column.to_pylist()]

    assert json_texts(column).to_pylist() == expected
    assert plain_json_texts(column).to_pylist() == expected


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_texts_are_joined_by_the_row(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(rows)
    one, few = some(chance, rows), some(chance, 3)
    which = np.array([chance.randrange(3) for _ in range(rows)], np.int32)
    parts = ["<", one, "é", Chosen(few, which), ">"]

    expected = [f"<{a}é{few[b].as_py()}>" for a, b in zip(one.to_pylist(), which, strict=True)]

    assert joined(parts).to_pylist() == expected
    monkeypatch.setattr(texts, "KERNEL", None)
    assert joined(parts).to_pylist() == expected


def test_a_gap_stays_a_gap() -> None:
    column = pa.array(["a", None, '"'])

    assert json_texts(column).to_pylist() == ['"a"', None, '"\\""']
    assert joined([column, "!"]).to_pylist() == ["a!", None, '"!']


def test_what_does_not_fit_together_is_refused() -> None:
    few = pa.array(["a", "b"])

    for which in ([2], [-1]):
        with pytest.raises(ValueError, match="fit"):
            joined([Chosen(few, np.array(which, np.int32))])
    with pytest.raises(ValueError, match="fit"):
        joined([pa.array(["a", "b", "c"]), few])
