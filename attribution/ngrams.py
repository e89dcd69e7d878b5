"""Sorted arrays that say which texts contain an n-gram (pure).

Owns their form, how they are made and merged, and the search in several of them at once. A segment
holds consecutive texts, numbered in the order in which they were indexed; 12 bytes a posting. Where
segments lie, and which texts have which number, is ``ngram_index``'s.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The n-grams of ``count`` texts from number ``first`` on.

    hashes: (n,) uint64, rising. texts: (n,) uint32 numbers, rising where hashes are equal; a text
    has an n-gram once.
    """

    first: int
    count: int
    hashes: NDArray[np.uint64]
    texts: NDArray[np.uint32]


def build(texts: Sequence[bytes], *, first: int) -> Segment:
    """Index texts by the hash section of their features (``tribute.features.sections``)."""
    hashes = np.frombuffer(b"".join(texts), ">u8").astype(np.uint64)
    sizes = [len(text) // 8 for text in texts]
    numbers = np.repeat(np.arange(first, first + len(texts), dtype=np.uint32), sizes)
    order = np.argsort(hashes, kind="stable")
    hashes, numbers = hashes[order], numbers[order]
    fresh = np.ones(len(hashes), np.bool_)
    fresh[1:] = (hashes[1:] != hashes[:-1]) | (numbers[1:] != numbers[:-1])
    return Segment(first, len(texts), hashes[fresh], numbers[fresh])


def merge(segments: Sequence[Segment]) -> Segment:
    """Join segments that follow each other into one."""
    hashes = np.concatenate([each.hashes for each in segments])
    # Stable, so that earlier texts stay in front where hashes are equal.
    order = np.argsort(hashes, kind="stable")
    texts = np.concatenate([each.texts for each in segments])[order]
    return Segment(
        segments[0].first, sum(each.count for each in segments), hashes[order], texts
    )  # fmt: skip


def find(
    segments: Iterable[Segment], wanted: NDArray[np.uint64], *, most: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
    """Return pairs: the place in ``wanted`` of an n-gram, and the number of a text that has it.

    wanted: (k,) rising, each once. segments: in the order of their texts. most: an n-gram is looked
    for in the first so many texts that have it, so that a flood of later copies hides nobody.
    """
    left = np.full(len(wanted), np.iinfo(np.int64).max if most is None else most)
    places: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
    texts: list[NDArray[np.uint32]] = [np.zeros(0, np.uint32)]
    for segment in segments:
        if not len(segment.hashes):
            continue
        starts = np.searchsorted(segment.hashes, wanted)
        inside = np.minimum(starts, len(segment.hashes) - 1)
        hits = np.flatnonzero(segment.hashes[inside] == wanted)
        first = starts[hits]
        sizes = np.searchsorted(segment.hashes, wanted[hits], side="right") - first
        sizes = np.minimum(sizes, left[hits])
        left[hits] -= sizes
        skipped = np.cumsum(sizes) - sizes
        at = np.arange(int(sizes.sum())) + np.repeat(first - skipped, sizes)
        places.append(np.repeat(hits, sizes))
        texts.append(segment.texts[at])
    return np.concatenate(places), np.concatenate(texts)
