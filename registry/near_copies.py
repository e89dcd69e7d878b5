"""Find works whose content is like another's, by the Hamming distance of their ISCC units."""

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from iscc_lib import MT, iscc_decode, iscc_decompose

from registry import likeness
from registry.code_files import Group, Kind
from registry.code_memory import CodeMemory
from registry.errors import InvalidIdentifier
from registry.models import MatchAppeal, Work
from tribute import identifiers, ids
from tribute.vocabulary import IdentifierKind

# Measured on 256-bit text codes: 10 % of the words changed moves 0.23, strangers 0.49 of the bits.
FARTHEST = 0.30
# A 64-bit code carries less: by chance 1 pair of strangers in 1,280 lies within 0.30, one in
# four million within 0.20, and a picture cropped by 5 % still does (0.19).
FARTHEST_SHORT = 0.20
SHORT_BITS = 64
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class ContentCode:
    """The unit of an ISCC by which contents compare.

    type: main type, subtype and version; codes of other types do not compare.
    bits: text of 0 and 1, 64 to 256 of them.
    """

    type: str
    bits: str

    @property
    def kind(self) -> Kind:
        """Return type and length as the codes in memory are grouped by."""
        main, subtype, version = map(int, self.type.split("."))
        return Kind(main << 16 | subtype << 8 | version, len(self.bits))


def content_code(iscc: str) -> ContentCode | None:
    """Return the comparable unit of an ISCC, content before data; None when it has none.

    Raises InvalidIdentifier for what is not an ISCC.
    """
    try:
        canonical = identifiers.key_of(IdentifierKind.ISCC, iscc).canonical
    except identifiers.InvalidIdentifier as error:
        raise InvalidIdentifier(str(error)) from error
    return content_code_of_canonical(canonical)


def content_code_of_canonical(canonical: str) -> ContentCode | None:
    """Return what ``content_code`` does of an ISCC that is in canonical form already."""
    units = [iscc_decode(unit) for unit in iscc_decompose(canonical)]
    for wanted in (MT.CONTENT, MT.SEMANTIC, MT.DATA):
        for main_type, subtype, version, _, digest in units:
            if main_type == wanted:
                kind = f"{int(main_type)}.{int(subtype)}.{int(version)}"
                return ContentCode(kind, f"{int.from_bytes(digest):0{8 * len(digest)}b}")
    return None


def find(code: ContentCode) -> list[tuple[str, float]]:
    """Return the ids of works near ``code`` and their distances (0.0 to 1.0), nearest first."""
    return find_many([code])[code]


def find_many(codes: Collection[ContentCode]) -> dict[ContentCode, list[tuple[str, float]]]:
    """Return for each code what ``find`` returns.

    Every pair is compared, so none is missed: a code and a million works take some 5 ms.
    """
    found: dict[ContentCode, list[tuple[str, float]]] = {code: [] for code in codes}
    if not found:
        return found
    asked: dict[Kind, list[ContentCode]] = defaultdict(list)
    for code in found:
        asked[code.kind].append(code)
    stored = _memory().groups()
    for wanted, alike in asked.items():
        for kind, groups in stored.items():
            if kind.type == wanted.type:
                for group in groups:
                    _compare(alike, group, found)
    _keep_known(found)
    for near in found.values():
        near.sort(key=lambda pair: (pair[1], pair[0]))
    return found


def code_key(code: ContentCode) -> bytes:
    """Return 32 bytes that name a code, by which it is remembered what people found about it."""
    return hashlib.sha256(f"{code.type}:{code.bits}".encode()).digest()


def farthest(bits: int) -> float:
    """Return the share of differing bits, of those that both have, up to which works are alike."""
    return FARTHEST_SHORT if bits <= SHORT_BITS else FARTHEST


@cache
def _memory() -> CodeMemory:
    """Return what this process knows; its file lies in the project's home."""
    return CodeMemory(Path(settings.HOME) / "near_copies")


def _compare(
    codes: Sequence[ContentCode], group: Group, found: dict[ContentCode, list[tuple[str, float]]]
) -> None:
    asked = likeness.packed([code.bits for code in codes])
    bound = farthest(min(asked.bits, group.codes.bits))
    for place, row, distance in likeness.near(asked, group.codes, farthest=bound):
        work = ids.encode("wrk", uuid.UUID(bytes=group.works[row].tobytes()))
        found[codes[place]].append((work, distance))


def _keep_known(found: dict[ContentCode, list[tuple[str, float]]]) -> None:
    """Leave out works and codes that are gone, which memory may still hold, and matches found to be none."""
    alike = {code: near for code, near in found.items() if near}
    if not alike:
        return
    wanted = {work for near in alike.values() for work, _ in near}
    there = Work.objects.filter(pk__in=wanted).exclude(iscc_bits=None)
    known = set(there.values_list("pk", flat=True))
    names = {code: code_key(code) for code in alike}
    lifted = MatchAppeal.objects.filter(
        code_key__in=list(names.values()), work__in=known, finding__lifted=True
    )
    none = {(bytes(key), work) for key, work in lifted.values_list("code_key", "work_id")}
    for code, near in alike.items():
        found[code] = [
            pair for pair in near if pair[0] in known and (names[code], pair[0]) not in none
        ]
