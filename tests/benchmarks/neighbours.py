"""How long and how large the exact scan of vectors is, and what an index does to it.

    VECTORS=2000000 INDEXED=300000 make bench NAME=neighbours

Unit vectors of 384 numbers, drawn at random and mapped from a file as a worker maps them, four to a
work; 64 queries at once. For the index they lie about centres, ten works each, as embeddings do
(drawn at random alone nothing is near anything); queries are near a work. Time is CPU time. Figures
are kept in ``.tribute/bench/neighbours.json``.
"""

import json
import os
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from attribution import vector_index
from attribution.methods.similarity import BACKGROUND
from attribution.neighbours import Vectors
from tests.benchmarks.machine import RESULTS

DIMENSION = 384
PASSAGES = 4
QUERIES = 64
WORKS_A_CENTRE = 10
INDEXED = tuple(int(each) for each in os.environ.get("INDEXED", "100000 300000").split())
SIZES = tuple(int(each) for each in os.environ.get("VECTORS", "100000 500000 2000000").split())


def main() -> None:
    """Measure, print, keep."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            found.append(_measure(size, Path(folder) / "matrix.npy"))
            print(found[-1])  # noqa: T201 - a benchmark prints
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "neighbours.json"
    indexed = []
    for size in INDEXED:
        with tempfile.TemporaryDirectory() as folder:
            indexed.append(_index(size, Path(folder)))
            print(indexed[-1])  # noqa: T201 - as above
    figures = {"scan": found, "index": indexed, "dimension": DIMENSION}
    path.write_text(json.dumps(figures, indent=2) + "\n")
    print(path)  # noqa: T201 - as above


def _measure(size: int, file: Path) -> dict[str, float]:
    chance = np.random.default_rng(0)
    matrix = np.lib.format.open_memmap(file, "w+", np.float32, (size, DIMENSION))
    for first in range(0, size, 100_000):
        drawn = chance.standard_normal((min(100_000, size - first), DIMENSION), np.float32)
        matrix[first : first + len(drawn)] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    works = size // PASSAGES
    starts = np.arange(0, size + 1, PASSAGES)
    names = np.frombuffer(np.arange(works, dtype="<u8").repeat(2).tobytes(), np.uint8)
    known = Vectors(matrix, starts, names.reshape(-1, 16), "")
    queries = np.array(matrix[:: size // QUERIES][:QUERIES])
    known.best(queries[:1])
    began = process_time()
    found = known.best(queries)
    seconds = process_time() - began
    # Each query is a work's own vector: the exact scan finds it, always.
    assert all(max(each.values()) > 0.999 for each in found)
    return {
        "vectors": size,
        "file_mb": round(file.stat().st_size / 2**20),
        "cpu_ms_per_query": round(seconds * 1_000 / QUERIES, 2),
        "cpu_ms_for_one_alone": round(_alone(known, queries) * 1_000, 1),
    }


def _index(size: int, folder: Path) -> dict[str, float]:
    """Build an index, and compare what it finds with the scan of everything."""
    chance = np.random.default_rng(1)
    works = size // PASSAGES
    centres = chance.standard_normal((works // WORKS_A_CENTRE, DIMENSION), np.float32)
    of_works = centres[np.arange(works) % len(centres)]
    of_works += 0.7 * chance.standard_normal(of_works.shape, np.float32)
    matrix = np.lib.format.open_memmap(folder / "m.npy", "w+", np.float32, (size, DIMENSION))
    for at in range(PASSAGES):
        near = of_works + 0.7 * chance.standard_normal(of_works.shape, np.float32)
        matrix[at::PASSAGES] = near / np.linalg.norm(near, axis=1, keepdims=True)
    queries = of_works[:: works // QUERIES][:QUERIES]
    queries = queries + 0.7 * chance.standard_normal(queries.shape, np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    began = process_time()
    digest = vector_index.build(matrix, folder / "index.faiss")
    built = process_time() - began
    starts = np.arange(0, size + 1, PASSAGES)
    names = np.frombuffer(np.arange(works, dtype="<u8").repeat(2).tobytes(), np.uint8)
    index = vector_index.read(folder / "index.faiss", digest)
    known = Vectors(matrix, starts, names.reshape(-1, 16), "", index)
    known.best(queries[:1])
    began = process_time()
    found = known.best(queries)
    seconds = process_time() - began
    exact = Vectors(matrix, starts, names.reshape(-1, 16), "").best(queries)
    first, ten = [], []
    for ours, all_ in zip(found, exact, strict=True):
        first.append(next(iter(ours)) == next(iter(all_)))
        ten.append(len({*list(ours)[:BACKGROUND]} & {*list(all_)[:BACKGROUND]}) / BACKGROUND)
    return {
        "vectors": size,
        "index_mb": round((folder / "index.faiss").stat().st_size / 2**20),
        "build_cpu_s": round(built, 1),
        "cpu_ms_per_query": round(seconds * 1_000 / QUERIES, 2),
        "first_is_the_same": round(float(np.mean(first)), 3),
        "of_the_best_ten": round(float(np.mean(ten)), 3),
    }


def _alone(known: Vectors, queries: NDArray[np.float32]) -> float:
    began = process_time()
    known.best(queries[:1])
    return process_time() - began


if __name__ == "__main__":
    main()
