"""Weigh every work alike: the declared fallback for models whose outputs show no origin.

Owns the equal split and the window that keeps it affordable for large manifests.
"""

from collections.abc import Sequence
from hashlib import sha256

from attribution.methods.evidence import Weights, WorkWeight, weights

NAME = "uniform"
VERSION = "1"

MAX_WORKS = 500
"""An entry holds at most 4,096 legs; a window of 500 works leaves room for co-owners."""


def weigh(works: Sequence[str]) -> Weights:
    """Give each work the same weight; without works the whole is unattributed."""
    return weights({work: WorkWeight(work, 1) for work in works}, unattributed=0)


def window(count: int, *, seed: str, size: int = MAX_WORKS) -> tuple[int, int]:
    """Choose which of ``count`` works, in a fixed order, one query pays: (first, how many).

    The window begins at a place drawn from ``seed`` (the query's id) and wraps round the end, so
    that every work is as likely to be in it as any other, and anyone can draw it again.
    """
    if count <= size:
        return 0, count
    draw = int.from_bytes(sha256(seed.encode()).digest(), "big")
    return draw % count, size
