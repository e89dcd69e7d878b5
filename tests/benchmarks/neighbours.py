"""How long and how large the exact scan of vectors is: ``make bench NAME=neighbours``.

    VECTORS=2000000 make bench NAME=neighbours

Unit vectors of 384 numbers, drawn at random and mapped from a file as a worker maps them, four to a
work; 64 queries at once. Time is CPU time. Figures are kept in ``.tribute/bench/neighbours.json``.
"""

import json
import os
import tempfile
from pathlib import Path
from time import process_time

import numpy as np
from numpy.typing import NDArray

from attribution.neighbours import Vectors
from tests.benchmarks.machine import RESULTS

DIMENSION = 384
PASSAGES = 4
QUERIES = 64
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
    path.write_text(json.dumps({"scan": found, "dimension": DIMENSION}, indent=2) + "\n")
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


def _alone(known: Vectors, queries: NDArray[np.float32]) -> float:
    began = process_time()
    known.best(queries[:1])
    return process_time() - began


if __name__ == "__main__":
    main()
