"""Near pairs: the nearest earlier code, exactly while that is cheap, by samples beyond."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry import near_pairs
from registry.near_pairs import Codes

WORDS = 4


def codes(*rows: int) -> Codes:
    parts = [[(row >> (64 * word)) & (2**64 - 1) for word in range(WORDS)] for row in rows]
    return np.array(parts, np.uint64).reshape(len(rows), WORDS)


def by_hand(rows: list[int], limit: int) -> list[tuple[int, int]]:
    found = []
    for later, row in enumerate(rows):
        near = [((row ^ rows[n]).bit_count(), n) for n in range(later)]
        distance, earlier = min(near, default=(limit + 1, -1))
        found.append((earlier, distance) if distance <= limit else (-1, limit + 1))
    return found


@given(st.lists(st.integers(0, 2**256 - 1) | st.integers(0, 15), max_size=30))
def test_the_nearest_earlier_code_is_found(rows: list[int]) -> None:
    best, distance = near_pairs.nearest_before(codes(*rows), most=0.30)

    found = list(zip(best.tolist(), distance.tolist(), strict=True))
    assert found == by_hand(rows, 76)


def test_samples_find_nearly_all_that_differ_in_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_pairs, "EXACTLY", 10)
    chance = np.random.default_rng(1)
    first = chance.integers(0, 2**63, (500, WORDS)).astype(np.uint64)
    copies = first.copy()
    for row in copies:
        for bit in chance.choice(256, 26, replace=False):
            row[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)

    best, distance = near_pairs.nearest_before(np.concatenate([first, copies]), most=0.30)

    found = best[500:] == np.arange(500)
    assert found.mean() > 0.99
    assert set(distance[500:][found].tolist()) == {26}
    assert (best[:500] == -1).all()


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_have_no_pair(count: int) -> None:
    best, _ = near_pairs.nearest_before(codes(*range(count)), most=0.30)

    assert best.tolist() == [-1] * count
