"""Rows put by in piles come back, all of them, each pile before the next in the order of keys."""

from pathlib import Path

import numpy as np
import pytest

from tribute.snapshot import piles
from tribute.snapshot.piles import Piles, Scratch, bits_for

ROW = np.dtype([("high", "<u8"), ("units", "<u4")])


@pytest.mark.parametrize("bits", [0, 1, 5])
@pytest.mark.parametrize("most", [1, 4])
def test_piles_in_turn_are_in_the_order_of_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bits: int, most: int
) -> None:
    monkeypatch.setattr(piles, "_AT_ONCE", 2_000)
    monkeypatch.setattr(piles, "_SHARE", 16)
    chance = np.random.default_rng(bits)
    expected: dict[int, tuple[int, ...]] = {}
    with Piles(tmp_path, ROW, bits=bits) as put:
        for _ in range(20):
            rows = np.zeros(30, ROW)
            rows["high"] = chance.integers(0, 2**64, 30, dtype="u8")
            rows["units"] = chance.integers(1, 1 + most, 30)
            parts = chance.integers(0, 2**64, rows["units"].sum(), dtype="u8")
            put.add(rows, parts)
            ends = np.cumsum(rows["units"])
            for row, end in zip(rows, ends, strict=True):
                expected[int(row["high"])] = tuple(parts[end - row["units"] : end].tolist())
        found: list[list[int]] = []
        for number in range(put.count):
            rows, parts = put.pile(number)
            starts = np.cumsum(rows["units"]) - rows["units"]
            for row, start in zip(rows, starts, strict=True):
                part = tuple(parts[start : start + row["units"]].tolist())
                assert expected[int(row["high"])] == part
            found.append(sorted(rows["high"].tolist()))

    assert [high for pile in found for high in pile] == sorted(expected)
    assert list(tmp_path.iterdir()) == []


def test_nothing_put_by_is_nothing_read(tmp_path: Path) -> None:
    with Piles(tmp_path, ROW, bits=2) as put:
        assert [len(part) for number in range(4) for part in put.pile(number)] == [0] * 8


def test_a_file_without_a_name_is_read_in_any_order(tmp_path: Path) -> None:
    with Scratch(tmp_path, np.dtype("<u8")) as scratch:
        starts = [scratch.append(np.arange(count, dtype="<u8")) for count in (3, 0, 2)]
        assert (starts, scratch.rows) == ([0, 3, 3], 5)
        assert scratch.read(2, 5).tolist() == [2, 0, 1]
        assert scratch.read(5, 5).tolist() == []


def test_large_registries_are_parted_into_piles_that_fit_in_memory() -> None:
    assert [bits_for(size) for size in (0, 1 << 23, 1 << 24, 3 * 10**9, 10**12, 10**15)] == [
        0, 0, 1, 9, 12, 12,
    ]  # fmt: skip
