"""What is said of works that resemble something: the evidence of near-copies, as rows of a check.

Finding them is ``near_copies``' part; that they may forbid or ask for a licence, and never allow, is the
verdict's. Not what is said of places: a copy elsewhere lies in other hands.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from registry import decision_index, near_copies
from registry.decision_index import Row
from registry.errors import InvalidIdentifier
from registry.models import Identifier
from registry.near_copies import ContentCode
from tribute import identifiers
from tribute.verdict import Tier
from tribute.vocabulary import IdentifierKind


def add(rows: dict[bytes, list[Row]], isccs: Iterable[str], as_of: datetime | None) -> None:
    """Put beside what is said about each ISCC what is said about works whose content is like it."""
    codes = {iscc: _code(iscc) for iscc in isccs}
    near = near_copies.find_many({code for code in codes.values() if code})
    works = {work for found in near.values() for work, _ in found}
    if not works:
        return
    said = _said_of_works(works, as_of)
    for iscc, code in codes.items():
        if code is None:
            continue
        digest = identifiers.key_of(IdentifierKind.ISCC, iscc).digest
        own = {row.subject for row in rows.get(digest, ())}
        for work, distance in near[code]:
            if work not in own:
                rows[digest] += [_marked(row, distance) for row in said.get(work, ())]


def near(iscc: str) -> dict[str, float]:
    """Return the works near an ISCC with their distances. Raises InvalidIdentifier."""
    code = near_copies.content_code(iscc)
    return dict(near_copies.find(code)) if code else {}


def rows_of(works: dict[str, float]) -> list[Row]:
    """Return what is said about near-copies, marked with their distance."""
    said = _said_of_works(works, None)
    return [_marked(row, works[work]) for work, rows in said.items() for row in rows]


def _code(iscc: str) -> ContentCode | None:
    """Return the comparable unit; None also for what is no ISCC, which has its own error."""
    try:
        return near_copies.content_code(iscc)
    except InvalidIdentifier:
        return None


def _said_of_works(works: Iterable[str], as_of: datetime | None) -> dict[str, list[Row]]:
    """Return what is said of each work and, by default, of all that its creators made."""
    wanted = set(works)
    keys = {
        work: bytes(key)
        for work, key in Identifier.objects.filter(work_id__in=wanted).values_list("work_id", "key")
    }
    digests = set(keys.values())
    rows = decision_index.read(digests) if as_of is None else decision_index.as_of(digests, as_of)
    return {
        work: [row for row in rows.get(key, ()) if row.subject == work or row.tier == Tier.CREATOR]
        for work, key in keys.items()
    }


def _marked(row: Row, distance: float) -> Row:
    return replace(row, statements=[{**s, "distance": distance} for s in row.statements])
