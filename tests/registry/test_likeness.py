"""Comparing content codes: against counting bits one by one."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import likeness

LENGTHS = (32, 64, 96, 128, 192, 256)


def codes(bits: int, most: int = 6) -> st.SearchStrategy[list[str]]:
    numbers = st.lists(st.integers(0, 2**bits - 1), min_size=1, max_size=most)
    return numbers.map(lambda found: [f"{number:0{bits}b}" for number in found])


def slowly(asked: list[str], stored: list[str], farthest: float) -> set[tuple[int, int, float]]:
    bits = min(len(asked[0]), len(stored[0]))
    return {
        (one, other, differing / bits)
        for one, left in enumerate(asked)
        for other, right in enumerate(stored)
        if (differing := sum(a != b for a, b in zip(left[:bits], right[:bits], strict=True)))
        <= farthest * bits
    }


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("other_length", LENGTHS)
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_every_pair_within_the_bound_is_found_and_no_other(
    length: int, other_length: int, data: st.DataObject
) -> None:
    asked, stored = data.draw(codes(length)), data.draw(codes(other_length))
    farthest = data.draw(st.sampled_from([0.0, 0.2, 0.3, 0.5, 1.0]))

    found = list(likeness.near(likeness.packed(asked), likeness.packed(stored), farthest=farthest))

    assert len(found) == len(set(found))
    assert set(found) == slowly(asked, stored, farthest)


@pytest.mark.parametrize("differing", [0, 1, 76, 77, 255, 256])
def test_the_bound_is_exact_to_the_bit(differing: int) -> None:
    code = "01" * 128
    other = "".join(str(1 - int(bit)) for bit in code[:differing]) + code[differing:]

    found = list(likeness.near(likeness.packed([code]), likeness.packed([other]), farthest=0.30))

    assert found == ([(0, 0, differing / 256)] if differing <= 76 else [])


@pytest.mark.parametrize("turn", [lambda pair: pair, lambda pair: pair[::-1]])
def test_which_side_has_more_codes_makes_no_difference(
    turn: Callable[[list[list[str]]], list[list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(likeness, "BLOCK", 4)
    many = [f"{number * 0x9E3779B97F4A7C15 % 2**64:064b}" for number in range(50)]
    asked, stored = turn([many, many[7:9]])

    found = set(likeness.near(likeness.packed(asked), likeness.packed(stored), farthest=0.45))

    assert found == slowly(asked, stored, 0.45)
