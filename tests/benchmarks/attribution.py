"""How good attribution is: ``make bench NAME=attribution``, figures into docs/attribution-quality.md.

Owns the order of the sections, the record in ``.tribute/bench/attribution.json`` and the tables in
the document. Only files of the packages in requirements/bench-data.in are read; sections whose
package is missing are left out and say so.
"""

import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from attribution import calibrations
from tests.benchmarks.attribution_sections import (
    deployed,
    digits,
    ngram,
    pictures,
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
    with deployed.deploy(world.chapters) as deployment:
        figures["cascade"] = retrieval.run(retrieval.Bench(world, deployment))
    _say("retrieval, as deployed", began)
    figures["sybil"] = sybil.run(world, calibrations.SIMILARITY)
    _say("copies", began)
    figures["ngram"] = ngram.run(ngram.Bench(outputs=OUTPUTS_OF_THE_MODEL, seed=SEED))
    _say("retraining", began)
    if digits.is_installed():
        with tempfile.TemporaryDirectory() as folder:
            figures["digits"] = digits.run(Path(folder))
        _say("imported scores", began)
    if pictures.is_installed():
        figures["pictures"] = pictures.run()
        _say("pictures", began)
    figures["seconds"] = round(monotonic() - began)
    _record(figures)


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
