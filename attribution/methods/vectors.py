"""Vectors of an embedding space: their form, and what is accepted as one.

Owns the check and the two forms, single precision for queries and half precision for works. Half a
vector's precision moves a cosine by less than 0.001.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attribution.errors import InvalidEvidence

LEAST_DIMENSION, MOST_DIMENSION = 2, 4_096
TOLERANCE = 0.01
"""How far a length may be from 1: what rounding makes of a unit vector, and no more."""

Floats = NDArray[np.float32]


def unit(values: Sequence[float] | Floats, *, dimension: int) -> Floats:
    """Return (dimension,) a vector of length 1, from one that nearly is.

    Raises InvalidEvidence for another dimension, a number that is not finite, or another length.
    """
    vector = np.asarray(values, np.float64)
    if vector.shape != (dimension,):
        raise InvalidEvidence(f"a vector of this space has {dimension} numbers")
    if not np.isfinite(vector).all():
        raise InvalidEvidence("a vector has a number that is not finite")
    length = float(np.linalg.norm(vector))
    if abs(length - 1) > TOLERANCE:
        raise InvalidEvidence(f"a vector has the length 1, not {length:.3f}")
    return np.asarray(vector / length, np.float32)


def to_half(vector: Floats) -> bytes:
    """Return the little-endian half-precision bytes, two for each number."""
    return vector.astype("<f2").tobytes()


def from_half(data: bytes) -> NDArray[np.float16]:
    """Read what ``to_half`` wrote."""
    return np.frombuffer(data, "<f2")
