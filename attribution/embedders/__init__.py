"""Turn works and outputs into vectors: what an embedder is, and which of them are installed.

Owns the choice. Each embedder is a module that reads its model from a package of files; none needs
a framework, and none is needed by the service. Storing vectors is ``attribution.spaces``'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from attribution.embedders import layout, minilm
from tribute.vocabulary import Medium

Floats = NDArray[np.float32]


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


DESCRIPTIONS = (
    Description(minilm.NAME, minilm.REVISION, minilm.PREPROCESSING, Medium.TEXT, minilm.DIMENSIONS),
    Description(
        layout.NAME, layout.REVISION, layout.PREPROCESSING, Medium.IMAGE, layout.DIMENSIONS
    ),
)


def installed() -> Sequence[Description]:
    """Return the spaces for which vectors can be made here."""
    return [each for each in DESCRIPTIONS if each.name != minilm.NAME or minilm.is_installed()]


@lru_cache(maxsize=1)
def _minilm() -> minilm.Embedder:
    """Keep the model in memory once it has been read: 90 MB, a second."""
    return minilm.Embedder()


def load(name: str, revision: str) -> Embedder | None:
    """Return the embedder of a space, with its model in memory; None when none is installed."""
    known = {(each.name, each.revision) for each in installed()}
    if (name, revision) not in known:
        return None
    return _minilm() if name == minilm.NAME else layout.Embedder()
