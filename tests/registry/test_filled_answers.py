"""Answers are forms with names: kernel and plain Python fill them alike, and they are kept whole."""

import random
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest

from registry.filled_answers import Answers
from tribute.ids import encode
from tribute.snapshot.probing import KERNEL
from tribute.snapshot.telling import Form

FORMS: list[Form] = [
    ([b'"a":"', b'","b":"', b'"'], [1, 0]),
    ([b'"\xc3\xa9":"<0> @1@"'], []),
    ([b"", b""], [0]),
    ([b"", b"", b""], [1, 1]),
    ([b""], []),
]


def some(chance: random.Random) -> Answers:
    count = chance.choice([0, 1, 30])
    numbers = np.array([chance.randrange(-1, len(FORMS)) for _ in range(count)], np.int32)
    names = [chance.randrange(2, 4) for _ in range(count)]
    return Answers(
        FORMS, numbers, chance.randbytes(16 * sum(names)), np.cumsum([0, *names]).astype(np.int32)
    )


def by_hand(answers: Answers, number: int) -> str:
    form = answers.numbers[number]
    if form < 0:
        return ""
    fixed, blanks = answers.forms[form]
    text = str(fixed[0], "utf-8")
    for blank, part in zip(blanks, fixed[1:], strict=True):
        text += name_of(answers, number, blank) + str(part, "utf-8")
    return text


def listed_by_hand(
    answers: Answers, lists: Sequence[Sequence[bytes | int]], number: int
) -> list[str]:
    form = answers.numbers[number]
    return [
        entry.decode() if isinstance(entry, bytes) else name_of(answers, number, entry)
        for entry in (lists[form] if form >= 0 else ())
    ]


def name_of(answers: Answers, number: int, blank: int) -> str:
    start = 16 * (int(answers.limits[number]) + blank)
    return encode("stm", UUID(bytes=answers.names[start : start + 16]))


@pytest.mark.parametrize("seed", range(20))
def test_blanks_are_filled_with_and_without_the_kernel(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    answers = some(chance)
    count = len(answers.numbers)
    which = np.array([chance.randrange(count) for _ in range(50 if count else 0)], np.int32)
    expected = [by_hand(answers, number) for number in range(count)]

    for kernel in (KERNEL, None):
        monkeypatch.setattr("registry.filled_answers.KERNEL", kernel)
        assert answers.filled(FORMS).to_pylist() == expected
        assert answers.filled(FORMS, which).to_pylist() == [expected[row] for row in which]


@pytest.mark.parametrize("seed", range(20))
def test_lists_are_filled_with_and_without_the_kernel(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    answers = some(chance)
    count = len(answers.numbers)
    which = np.array([chance.randrange(count) for _ in range(50 if count else 0)], np.int32)
    lists: list[list[bytes | int]] = [[1, 0], [], [b"\xc3\xa9", b""], [0, b"<0>", 0], [b"a"]]
    expected = [listed_by_hand(answers, lists, number) for number in range(count)]

    for kernel in (KERNEL, None):
        monkeypatch.setattr("registry.filled_answers.KERNEL", kernel)
        assert answers.lists(lists).to_pylist() == expected
        assert answers.lists(lists, which).to_pylist() == [expected[row] for row in which]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_kept_is_read_back(seed: int) -> None:
    answers = some(random.Random(seed)).with_more([b'"x":1', b'"y":"\\u0000"'])

    again = Answers.of_kept(answers.kept())

    assert again.texts.to_pylist() == answers.texts.to_pylist()
    assert again.texts.to_pylist()[-2:] == ['"x":1', '"y":"\\u0000"']
    assert (again.names, list(again.limits)) == (answers.names, list(answers.limits))


def test_answers_that_are_not_there_are_refused() -> None:
    one = Answers(FORMS[2:], np.zeros(1, np.int32), bytes(16), np.array([0, 1], np.int32))

    with pytest.raises(ValueError, match="fit"):
        one.filled(FORMS[2:], np.array([1], np.int32))
    with pytest.raises(ValueError, match="fit"):
        one.filled(FORMS[2:], np.array([-1], np.int32))
    with pytest.raises(ValueError, match="fit"):
        one.lists([[0]], np.array([1], np.int32))
