"""The vectors of a manifest's works, on disk, and which works an output's vector is like.

Owns the files, one folder for each manifest and space below ``settings.HOME``, and the comparison.
Up to ``SCANNED`` vectors, every one of every allowed work is compared, in blocks. Beyond, an index
proposes works, all of whose vectors are then compared exactly as in the scan. A folder holds the
vectors of one manifest's allowed works and no others, so that no filter comes after a cut. They
are derived from ``WorkEmbedding`` and may be deleted while no worker runs.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db.models import QuerySet
from numpy.typing import NDArray

from attribution import rosters, vector_index
from attribution.methods import similarity, vectors
from attribution.models import EmbeddingSpace, WorkEmbedding
from attribution.vector_index import VectorIndex
from registry.manifests import allowed_works
from registry.models import Manifest
from tribute import ids

BEST = 64
"""Works that are kept of a scan: more than ``similarity.BACKGROUND``."""

SCANNED = 2_000_000
"""Vectors up to which all are compared: two million take 3 GB and a fifth of a second each query."""

BLOCK_ROWS = 32_768
MAPPED = 8
_DECIMALS = 6
"""Cosines are rounded: their last bits depend on how many are computed at once."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """Vectors of n_works works, those of one work in a row. digest: of all, in hexadecimal.

    matrix: (n, dimension) of length 1, in single precision: to convert halves at each scan takes three
    times as long as to compare them. starts: (n_works + 1,) int64 into its rows.
    works: (n_works, 16) uint8, UUIDs, earliest registration first. index: what proposes works where
    there are too many vectors to compare all.
    """

    matrix: Floats
    starts: NDArray[np.int64]
    works: NDArray[np.uint8]
    digest: str
    index: VectorIndex | None = None

    def parameters(self) -> dict[str, str]:
        """Return what is recorded with each query: the digests of what it was compared with."""
        if self.index is None:
            return {"vectors": self.digest}
        return {"vectors": self.digest, "vectors_index": self.index.digest}

    def best(self, queries: Floats) -> list[dict[str, float]]:
        """Return, for each of (n, dimension) queries, the best works' largest cosines."""
        if self.index is None:
            return self._scan(queries)
        return [
            self._among(query, rows)
            for query, rows in zip(queries, self.index.propose(queries), strict=True)
        ]

    def _among(self, query: Floats, rows: NDArray[np.int64]) -> dict[str, float]:
        """Compare every vector of the works that proposed rows belong to.

        When they are too few to tell what stands out, all works are compared after all.
        """
        works = np.unique(np.searchsorted(self.starts, rows, side="right") - 1)
        if len(works) < min(BEST, len(self.works)):
            return self._scan(query[None, :])[0]
        counts = self.starts[works + 1] - self.starts[works]
        ends = np.cumsum(counts)
        of_works = np.arange(ends[-1]) + np.repeat(self.starts[works] - (ends - counts), counts)
        cosines = self.matrix[of_works] @ query
        scores = np.round(np.maximum.reduceat(cosines, ends - counts), _DECIMALS)
        order = np.argsort(-scores, kind="stable")[:BEST]
        return {self._work(int(works[at])): _bounded(scores[at]) for at in order}

    def _scan(self, queries: Floats) -> list[dict[str, float]]:
        count = len(queries)
        scores = np.zeros((0, count), np.float32)
        works = np.zeros((0, count), np.int64)
        for first, last in self._blocks():
            low, high = self.starts[first], self.starts[last]
            cosines = self.matrix[low:high] @ queries.T
            of_works = np.maximum.reduceat(cosines, self.starts[first:last] - low, axis=0)
            numbers = np.broadcast_to(np.arange(first, last)[:, None], of_works.shape)
            scores = np.concatenate([scores, np.round(of_works, _DECIMALS)])
            works = np.concatenate([works, numbers])
            # The earlier work wins a tie, so that the same output always gets the same answer.
            order = np.argsort(-scores, axis=0, kind="stable")[:BEST]
            scores = np.take_along_axis(scores, order, axis=0)
            works = np.take_along_axis(works, order, axis=0)
        return [
            {
                self._work(int(work)): _bounded(score)
                for work, score in zip(works[:, at], scores[:, at], strict=True)
            }
            for at in range(count)
        ]

    def _blocks(self) -> Iterator[tuple[int, int]]:
        """Yield first and last of works whose vectors fit a block; a large work is one alone."""
        first = 0
        while first < len(self.works):
            limit = self.starts[first] + BLOCK_ROWS
            last = int(np.searchsorted(self.starts, limit, side="right")) - 1
            last = max(first + 1, last)
            yield first, last
            first = last

    def _work(self, number: int) -> str:
        return ids.encode("wrk", UUID(bytes=self.works[number].tobytes()))


def _bounded(cosine: np.float32) -> float:
    return min(1.0, max(-1.0, float(cosine)))


def of_manifest(manifest: Manifest, space: EmbeddingSpace) -> Vectors:
    """Return the vectors of a manifest's works, written anew when some have come since."""
    folders = Path(settings.HOME) / "vectors" / f"{manifest.pk}-{space.pk}"
    newest = max((int(each.name) for each in folders.glob("[0-9]*")), default=-1)
    rows = _rows(manifest, space)
    if newest < 0 or rows.filter(pk__gt=newest).exists():
        last = rows.order_by("-pk").values_list("pk", flat=True).first()
        newest = last or 0
        _write(manifest, space, folders / str(newest))
        # The one before stays, for a worker that was about to read it.
        for stale in sorted(folders.glob("[0-9]*"), key=lambda each: int(each.name))[:-2]:
            shutil.rmtree(stale, ignore_errors=True)
    return _map(str(folders / str(newest)))


def heights(
    asked: Mapping[str, Floats], manifest: Manifest, space: EmbeddingSpace
) -> dict[str, dict[str, float]]:
    """Return which works stand out for each output's vector, by the same keys.

    Among fewer works than ``similarity.BACKGROUND`` nothing can be told to stand out.
    """
    known = of_manifest(manifest, space)
    if not asked or len(known.works) < similarity.BACKGROUND:
        return {key: {} for key in asked}
    found = known.best(np.stack(list(asked.values())))
    return {key: _standing_out(best) for key, best in zip(asked, found, strict=True)}


def _standing_out(best: Mapping[str, float]) -> dict[str, float]:
    rising = similarity.stand_out([max(0.0, each) for each in best.values()])
    return {work: height for work, height in zip(best, rising, strict=True) if height}


def _rows(manifest: Manifest, space: EmbeddingSpace) -> QuerySet[WorkEmbedding]:
    return WorkEmbedding.objects.filter(space=space, work__in=allowed_works(manifest))


@lru_cache(maxsize=MAPPED)
def _map(folder: str) -> Vectors:
    matrix, starts, works = (
        np.load(Path(folder) / f"{name}.npy", mmap_mode="r")
        for name in ("matrix", "starts", "works")
    )
    said = json.loads((Path(folder) / "vectors.json").read_text())
    index = None
    if "index_sha256" in said:
        index = vector_index.read(Path(folder) / "index.faiss", said["index_sha256"])
    return Vectors(matrix, starts, works, said["sha256"], index)


def _write(manifest: Manifest, space: EmbeddingSpace, folder: Path) -> None:
    """Write the files beside their place and move them there at once; copies are left out."""
    copies = rosters.of_manifest(manifest).followers()
    rows = _rows(manifest, space).exclude(work__in=copies)
    in_order = rows.order_by("work__registered_at", "work_id", "passage")
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix="new-"))
    shape = (rows.count(), space.dimension)
    matrix = np.lib.format.open_memmap(beside / "matrix.npy", "w+", np.float32, shape)
    works: list[bytes] = []
    starts: list[int] = []
    digest = sha256()
    pairs = in_order.values_list("work_id", "vector")
    for number, (work, vector) in enumerate(pairs.iterator(chunk_size=10_000)):
        uuid = ids.decode("wrk", work).bytes
        if not works or works[-1] != uuid:
            works.append(uuid)
            starts.append(number)
            digest.update(uuid)
        matrix[number] = vectors.from_half(bytes(vector))
        digest.update(bytes(vector))
    matrix.flush()
    np.save(beside / "starts.npy", np.array([*starts, len(matrix)], np.int64))
    np.save(beside / "works.npy", np.frombuffer(b"".join(works), np.uint8).reshape(-1, 16))
    said = {"sha256": digest.hexdigest()}
    if len(matrix) > SCANNED:
        said["index_sha256"] = vector_index.build(matrix, beside / "index.faiss")
    (beside / "vectors.json").write_text(json.dumps(said))
    try:
        beside.rename(folder)
    except OSError:
        # Another worker was faster; it wrote the same.
        shutil.rmtree(beside)
        if not folder.exists():
            raise
