"""Turn works and outputs into vectors: what an embedder is, and which of them are installed.

Owns the choice. Each embedder is a module that reads its model from a package of files, offline;
none needs a framework (``tribute[embed]`` is NumPy and Pillow), and none is needed by the service.
The registry makes works' vectors by the same code, from the files that were registered.

    embedder = embedders.load("all-MiniLM-L6-v2", "1")
    vector = embedders.of_output(embedder, text.encode())   # leaves the house; the text does not
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tribute.embedders import layout, lite0, minilm
from tribute.vocabulary import Medium

Floats = NDArray[np.float32]

_FAINTEST = 1e-6


@dataclass(frozen=True, slots=True)
class Description:
    """What a space's vectors mean: the model, its revision, and how its input is prepared."""

    name: str
    revision: str
    preprocessing: str
    modality: Medium
    dimension: int


class Embedder(Protocol):
    """Something that makes vectors of one space."""

    def of_file(self, content: bytes) -> Floats:
        """Return (n, dimension) unit vectors, one for each passage of a work's file.

        Raises ValueError when the file cannot be read.
        """
        ...


DESCRIPTIONS = tuple(
    Description(each.NAME, each.REVISION, each.PREPROCESSING, modality, each.DIMENSIONS)
    for each, modality in (
        (minilm, Medium.TEXT),
        (lite0, Medium.IMAGE),
        (layout, Medium.IMAGE),
    )
)
_NEED_PACKAGES = {minilm.NAME: minilm.is_installed, lite0.NAME: lite0.is_installed}


def installed() -> Sequence[Description]:
    """Return the spaces for which vectors can be made here."""
    return [each for each in DESCRIPTIONS if _NEED_PACKAGES.get(each.name, lambda: True)()]


def of_output(embedder: Embedder, content: bytes) -> Floats:
    """Return (dimension,) the vector of a whole output: the mean of its passages', of length 1.

    Raises ValueError for what the embedder cannot read, or whose passages cancel out.
    """
    mean = embedder.of_file(content).mean(axis=0)
    length = float(np.linalg.norm(mean))
    if length < _FAINTEST:
        raise ValueError("the output's passages have no direction in common")
    return np.asarray(mean / length, np.float32)


@lru_cache(maxsize=len(DESCRIPTIONS))
def _embedder(name: str) -> Embedder:
    """Keep a model in memory once it has been read: up to 90 MB, a second."""
    modules: Mapping[str, Callable[[], Embedder]] = {
        minilm.NAME: minilm.Embedder,
        lite0.NAME: lite0.Embedder,
        layout.NAME: layout.Embedder,
    }
    return modules[name]()


def load(name: str, revision: str) -> Embedder | None:
    """Return the embedder of a space, with its model in memory; None when none is installed."""
    if (name, revision) not in {(each.name, each.revision) for each in installed()}:
        return None
    return _embedder(name)
