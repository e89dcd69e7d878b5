"""How good attribution is: ``make bench NAME=attribution``, figures into docs/attribution-quality.md.

Owns the order of the sections, the record in ``.tribute/bench/attribution.json`` and the tables in
the document. With ``EMBEDDINGS=1`` in the environment the retrieval section runs a second time
with sentence embeddings, which takes several minutes the first time (they are kept beside the
record). Only files of the packages in requirements/bench-data.in are read; sections whose package is
missing are left out and say so.
"""

import hashlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.methods.similarity import Calibration
from tests.benchmarks.attribution_sections import (
    digits,
    embedding,
    ngram,
    retrieval,
    retrieval_world,
    sybil,
    tables,
)
from tests.benchmarks.machine import RESULTS

SEED = 0
OUTPUTS_A_KIND = 60
OUTPUTS_OF_THE_MODEL = 60


def main() -> None:
    """Run every section, print and record what was found."""
    began = monotonic()
    figures: dict[str, Any] = {"seed": SEED}
    world = retrieval_world.build(outputs=OUTPUTS_A_KIND, seed=SEED)
    figures["cascade"] = retrieval.run(retrieval.Bench(world))
    _say("retrieval", began)
    if os.environ.get("EMBEDDINGS") == "1" and embedding.is_installed():
        bench = retrieval.Bench(world, embed=_embed)
        figures["cascade_with_embeddings"] = retrieval.run(bench, space=embedding.SPACE)
        _say("retrieval with embeddings", began)
    figures["sybil"] = sybil.run(world, _calibration(figures["cascade"]["calibration_alone"]))
    _say("copies", began)
    figures["ngram"] = ngram.run(ngram.Bench(outputs=OUTPUTS_OF_THE_MODEL, seed=SEED))
    _say("retraining", began)
    if digits.is_installed():
        with tempfile.TemporaryDirectory() as folder:
            figures["digits"] = digits.run(Path(folder))
        _say("imported scores", began)
    figures["seconds"] = round(monotonic() - began)
    _record(figures)


def _calibration(parameters: dict[str, Any]) -> Calibration:
    return Calibration(
        parameters["space"],
        parameters["cosine_ppm"],
        parameters["bm25_ppm"],
        parameters["coverage_ppm"],
        parameters["outside_ppm"],
    )


def _embed(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts, once: embeddings are kept by the digest of space and texts."""
    digest = hashlib.sha256("\0".join([embedding.SPACE, *texts]).encode()).hexdigest()[:16]
    kept = RESULTS / f"embeddings-{digest}.npy"
    if not kept.exists():
        RESULTS.mkdir(parents=True, exist_ok=True)
        np.save(kept, embedding.Embedder().embed(texts))
    found: NDArray[np.float32] = np.load(kept, allow_pickle=False)
    return found


def _record(figures: dict[str, Any]) -> None:
    figures["measured_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    figures["machine"] = {
        "processor": f"{os.cpu_count()} × {platform.processor() or platform.machine()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / "attribution.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    written = tables.written(figures)
    tables.put_into_document(written)
    sys.stdout.write(f"\n{written}\n{path}\n")


def _say(section: str, began: float) -> None:
    sys.stdout.write(f"{monotonic() - began:6.0f} s  {section}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
