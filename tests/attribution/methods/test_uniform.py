"""The fallback pays every work alike."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from attribution.methods import uniform
from attribution.methods.evidence import Weights, WorkWeight


def test_weigh_gives_every_work_the_same() -> None:
    assert uniform.weigh(["ben", "ada"]) == Weights((WorkWeight("ada", 1), WorkWeight("ben", 1)), 0)


def test_weigh_leaves_the_whole_unattributed_without_works() -> None:
    assert uniform.weigh([]) == Weights((), 1)


@given(count=st.integers(0, 10_000), seed=st.text(max_size=20), size=st.integers(1, 600))
def test_window_lies_inside_the_works(count: int, seed: str, size: int) -> None:
    first, many = uniform.window(count, seed=seed, size=size)

    assert many == min(count, size)
    assert 0 <= first < max(1, count)
    assert uniform.window(count, seed=seed, size=size) == (first, many)


def test_windows_choose_every_work_about_equally_often() -> None:
    chosen: Counter[int] = Counter()
    for query in range(2_000):
        first, many = uniform.window(20, seed=f"qry_{query}", size=5)
        chosen.update((first + step) % 20 for step in range(many))

    assert sum(chosen.values()) == 2_000 * 5
    assert all(400 <= chosen[work] <= 600 for work in range(20))
