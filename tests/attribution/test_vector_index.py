"""An index proposes rows; what it lacks is compared all the same, or measured."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from attribution import neighbours, vector_index
from attribution.methods.similarity import BACKGROUND
from attribution.neighbours import Vectors

DIMENSION, CENTRES = 32, 60
Floats = NDArray[np.float32]


def drawn(count: int, *, seed: int, passages: int = 2) -> tuple[Floats, NDArray[np.int64]]:
    """Unit vectors about some centres, as embeddings lie; two a work."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(CENTRES, DIMENSION))
    found = (
        centres[chance.integers(CENTRES, size=count)] + chance.normal(size=(count, DIMENSION)) / 2
    )
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found.astype(np.float32), np.arange(0, count + 1, passages)


def known(matrix: Floats, starts: NDArray[np.int64], folder: Path) -> Vectors:
    works = np.arange(len(starts) - 1, dtype=">u8").repeat(2)
    names = np.frombuffer(works.tobytes(), np.uint8).reshape(-1, 16)
    digest = vector_index.build(matrix, folder / "index.faiss")
    index = vector_index.read(folder / "index.faiss", digest)
    return Vectors(matrix, starts, names, "", index)


def test_what_stands_out_is_the_same_as_by_comparing_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a tenth of the cells; the best works decide, and the tenth-best of all is the measure."""
    monkeypatch.setattr(vector_index, "PROBED", 16)
    monkeypatch.setattr(vector_index, "PROPOSED", 512)
    vectors = known(*drawn(8_000, seed=1), tmp_path)
    queries, _ = drawn(200, seed=2)

    exact, found = vectors._scan(queries), vectors.best(queries)

    kept = [
        len(set(list(ours)[:BACKGROUND]) & set(list(all_)[:BACKGROUND])) / BACKGROUND
        for ours, all_ in zip(found, exact, strict=True)
    ]
    assert float(np.mean(kept)) >= 0.97
    assert all(
        score == pytest.approx(all_[work], abs=2e-6)
        for ours, all_ in zip(found, exact, strict=True)
        for work, score in ours.items()
        if work in all_
    )


def test_when_one_work_fills_what_is_proposed_all_are_compared(tmp_path: Path) -> None:
    """Too few works would make the one stand out above nothing, and be paid for it."""
    matrix, _ = drawn(4_000, seed=3)
    matrix[:2_000] = matrix[0]
    starts = np.array([0, *range(2_000, 4_001)])
    vectors = known(matrix, starts, tmp_path)
    assert vectors.index is not None
    (rows,) = vectors.index.propose(matrix[:1])
    assert rows.max() < 2_000

    assert vectors.best(matrix[:1]) == vectors._scan(matrix[:1])
    assert len(vectors.best(matrix[:1])[0]) == neighbours.BEST


def test_the_same_vectors_make_the_same_index(tmp_path: Path) -> None:
    matrix, _ = drawn(3_000, seed=4)

    one, other = (vector_index.build(matrix, tmp_path / name) for name in "ab")

    assert one == other
