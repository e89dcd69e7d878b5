"""An index over millions of vectors that only proposes rows; comparing them is ``neighbours``'.

Owns the file and the search: FAISS's inverted lists (k-means cells, one byte a number), built over
exactly the rows of one manifest and space. The manifest decided before which rows there are, so no
filter comes after a cut, and none is lost to one. The library is loaded where it is first needed.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import file_digest
from importlib import import_module
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CELLS_A_ROOT = 2
"""Cells for each root of the number of rows."""

TRAINED_ON = 40
"""Rows for each cell that the cells are found from, evenly spread; ten rounds of k-means."""

PROBED = 64
PROPOSED = 1_024
"""Rows a query; of works with many passages the best may fill it, see ``neighbours.Vectors``."""

AT_ONCE = 100_000

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class VectorIndex:
    """A built index. digest: SHA-256 of its file, in hexadecimal."""

    faiss: Any
    digest: str

    def propose(self, queries: Floats) -> list[NDArray[np.int64]]:
        """Return, for each of (n, dimension) queries, numbers of rows that may be near it."""
        _, rows = self.faiss.search(np.ascontiguousarray(queries, np.float32), PROPOSED)
        return [np.unique(each[each >= 0]) for each in rows]


def build(matrix: Floats, path: Path) -> str:
    """Write the index of (n, dimension) unit vectors to ``path``; return its digest.

    The same vectors give the same index on the same machine: rows and seeds are fixed.
    """
    faiss = _library()
    count, dimension = matrix.shape
    cells = max(1, CELLS_A_ROOT * isqrt(count))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimension),
        dimension,
        cells,
        faiss.ScalarQuantizer.QT_8bit,
        faiss.METRIC_INNER_PRODUCT,
    )
    index.cp.niter, index.cp.min_points_per_centroid = 10, 1
    spread = np.linspace(0, count - 1, min(count, TRAINED_ON * cells)).astype(np.int64)
    index.train(np.ascontiguousarray(matrix[spread], np.float32))
    for first in range(0, count, AT_ONCE):
        index.add(np.ascontiguousarray(matrix[first : first + AT_ONCE], np.float32))
    faiss.write_index(index, str(path))
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def read(path: Path, digest: str) -> VectorIndex:
    """Map the index at ``path``, of which ``digest`` was written down when it was built."""
    faiss = _library()
    index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
    index.nprobe = PROBED
    return VectorIndex(index, digest)


@cache
def _library() -> Any:
    """Import it late: few processes ever have so many vectors, and it brings threads of its own."""
    return import_module("faiss")
