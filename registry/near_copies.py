"""Find works whose content is like another's, by the Hamming distance of their ISCC units."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.db import connection
from iscc_lib import MT, iscc_decode, iscc_decompose

from registry.errors import InvalidIdentifier
from tribute import identifiers, ids
from tribute.vocabulary import IdentifierKind

# Measured on 256-bit text codes: 10 % of the words changed moves 0.23, strangers 0.49 of the bits.
FARTHEST = 0.30
# A 64-bit code carries less: by chance 1 pair of strangers in 1,280 lies within 0.30, one in
# four million within 0.20, and a picture cropped by 5 % still does (0.19).
FARTHEST_SHORT = 0.20
SHORT_BITS = 64
CELLS_AT_ONCE = 2_000_000
"""Cells of the matrix of distances held in memory at a time; a cell takes 8 bytes a 64-bit word."""
FIND_NEAR_COPIES = (Path(__file__).parent / "sql" / "find_near_copies.sql").read_text()


@dataclass(frozen=True, slots=True)
class ContentCode:
    """The unit of an ISCC by which contents compare.

    type: main type, subtype and version; codes of other types do not compare.
    bits: text of 0 and 1, 64 to 256 of them.
    """

    type: str
    bits: str

    @property
    def farthest(self) -> float:
        """Return the share of differing bits up to which another work counts as a near-copy."""
        return FARTHEST_SHORT if len(self.bits) <= SHORT_BITS else FARTHEST


def content_code(iscc: str) -> ContentCode | None:
    """Return the comparable unit of an ISCC, content before data; None when it has none.

    Raises InvalidIdentifier for what is not an ISCC.
    """
    try:
        canonical = identifiers.key_of(IdentifierKind.ISCC, iscc).canonical
    except identifiers.InvalidIdentifier as error:
        raise InvalidIdentifier(str(error)) from error
    units = [iscc_decode(unit) for unit in iscc_decompose(canonical)]
    for wanted in (MT.CONTENT, MT.SEMANTIC, MT.DATA):
        for main_type, subtype, version, _, digest in units:
            if main_type == wanted:
                kind = f"{int(main_type)}.{int(subtype)}.{int(version)}"
                return ContentCode(kind, "".join(f"{byte:08b}" for byte in digest))
    return None


def find(code: ContentCode) -> list[tuple[str, float]]:
    """Return the ids of works near ``code`` and their distances (0.0 to 1.0), nearest first."""
    parameters: dict[str, str | float] = {
        "iscc_type": code.type,
        "bits": code.bits,
        "most": code.farthest,
    }
    with connection.cursor() as cursor:
        cursor.execute(FIND_NEAR_COPIES, parameters)
        return [(ids.encode("wrk", work), distance) for work, distance in cursor.fetchall()]


def find_many(codes: Collection[ContentCode]) -> dict[ContentCode, list[tuple[str, float]]]:
    """Return for each code what ``find`` returns, comparing all in memory.

    The work grows with codes times works: 10,000 codes against 10,000 works take under a second,
    where PostgreSQL would take a minute.
    """
    found: dict[ContentCode, list[tuple[str, float]]] = {code: [] for code in codes}
    asked: dict[tuple[str, int], list[ContentCode]] = defaultdict(list)
    for code in found:
        asked[code.type, len(code.bits)].append(code)
    for (iscc_type, length), group in asked.items():
        for works, bits in _stored(iscc_type):
            common = min(length, len(bits[0]))
            _compare(group, works, [text[:common] for text in bits], found)
    for near in found.values():
        near.sort(key=lambda pair: (pair[1], pair[0]))
    return found


def _stored(iscc_type: str) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the ids and bits of all works with a code of one type, those of a length together."""
    by_length: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, iscc_bits::text FROM registry_work WHERE iscc_type = %s", [iscc_type]
        )
        for work, bits in cursor.fetchall():
            works, texts = by_length[len(bits)]
            works.append(ids.encode("wrk", work))
            texts.append(bits)
    yield from by_length.values()


def _compare(
    codes: list[ContentCode],
    works: list[str],
    bits: list[str],
    found: dict[ContentCode, list[tuple[str, float]]],
) -> None:
    """Add to ``found`` each work whose bits differ little from a code's first as many."""
    common = len(bits[0])
    stored = _words(bits)
    step = max(1, CELLS_AT_ONCE // len(works))
    for start in range(0, len(codes), step):
        block = codes[start : start + step]
        asked = _words(code.bits[:common] for code in block)
        differing = np.bitwise_count(asked[:, None, :] ^ stored[None, :, :]).sum(axis=2)
        near = differing <= block[0].farthest * common
        for row, column in zip(*np.nonzero(near), strict=True):
            distance = int(differing[row, column]) / common
            found[block[row]].append((works[column], distance))


def _words(bits: Iterable[str]) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    """Pack equally long texts of 0 and 1, a multiple of 64 each: (n_texts, n_words) uint64."""
    texts = list(bits)
    digits = np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1)
    return np.packbits(digits - ord("0"), axis=1).view(np.uint64)
