"""The kernel's roots are those that receipts define, whatever lines there are."""

import random
from typing import Any

import numpy as np
import pytest

from tribute import merkle, receipts, sealing
from tribute.sealing import plain_root, salted_root

SALT = bytes(range(32))


def packed(lines: list[bytes]) -> tuple[memoryview, memoryview]:
    limits: Any = np.cumsum([0, *map(len, lines)]).astype("<i4")
    return memoryview(b"".join(lines)), memoryview(limits)


@pytest.mark.parametrize("count", [*range(1, 10), 63, 64, 65, 200])
def test_kernel_and_plain_python_agree(count: int) -> None:
    chance = random.Random(count)
    lines = [
        chance.randbytes(chance.choice([0, 1, 22, 23, 31, 86, 87, 88, 500])) for _ in range(count)
    ]
    data, limits = packed(lines)

    assert salted_root(SALT, data, limits) == plain_root(SALT, data, limits.tolist())


def test_the_root_is_that_of_rows_one_by_one() -> None:
    rows = [({"url": f"https://a.b/{n}"}, {"id": str(n)}) for n in range(5)]
    leaves = [
        receipts.row_digest(item, answer, salt=receipts.row_salt(SALT, position))
        for position, (item, answer) in enumerate(rows)
    ]
    lines = [receipts.canonical_json({"answer": a, "item": i}) for i, a in rows]

    assert salted_root(SALT, *packed(lines)) == merkle.merkle_root(leaves)


def test_without_a_kernel_plain_python_does(monkeypatch: pytest.MonkeyPatch) -> None:
    data, limits = packed([b"a", b"bc"])
    fast = salted_root(SALT, data, limits)
    monkeypatch.setattr(sealing, "KERNEL", None)

    assert salted_root(SALT, data, limits) == fast


@pytest.mark.parametrize(
    ("salt", "limits"),
    [(b"", [0, 1]), (SALT, [0]), (SALT, [0, 9]), (SALT, [2, 1]), (SALT, [-1, 1])],
)
def test_the_kernel_refuses_what_does_not_fit(salt: bytes, limits: list[int]) -> None:
    kernel = sealing.KERNEL
    if kernel is not None:
        with pytest.raises(ValueError, match="fit"):
            kernel.salted_root(salt, len(limits) - 1, ((b"abc", np.array(limits, "<i4"), None),))
