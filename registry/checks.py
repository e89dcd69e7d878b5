"""Consent checks: "may these be used for this, now or then?", and the public look-up of one thing.

Every check is kept whole, with the root of its salted answers in the transparency log, so that
its receipt can be had for as long as the registry lives.
"""

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import orjson
from django.db import transaction

from registry import answers, decision_index, log, near_copies
from registry.answers import Answer, CheckItem
from registry.decision_index import Row
from registry.errors import AsOfInFuture, InvalidIdentifier, TooManyItems
from registry.models import Check, Grant, Identifier, Operator, Work
from registry.near_copies import ContentCode
from tribute import identifiers, receipts, verdict
from tribute.verdict import Tier
from tribute.vocabulary import IdentifierKind, Purpose

__all__ = ["MOST_ITEMS", "CheckItem", "LookUp", "check", "look_up"]

MOST_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class LookUp:
    """What the public may know of one thing.

    works: those it is, oldest first; near: those it is like, with the share of differing bits.
    """

    answer: Answer
    works: Sequence[Work]
    near: Sequence[tuple[Work, float]]


@transaction.atomic
def check(
    operator: Operator,
    items: Sequence[CheckItem],
    purposes: Sequence[Purpose],
    *,
    as_of: datetime | None = None,
    at: datetime,
) -> Check:
    """Answer 1 to 10,000 items, in order, in one query of the index; the check kept has the ``results``.

    as_of: answer as the registry would have at that instant, from what was known then.
    Raises TooManyItems, AsOfInFuture. Malformed items and repeated ids are answered ``unknown``
    with an error of their own.
    """
    if not 1 <= len(items) <= MOST_ITEMS:
        raise TooManyItems(f"a check is about 1 to {MOST_ITEMS} items, not {len(items)}")
    if as_of is not None and as_of > at:
        raise AsOfInFuture(f"{as_of.isoformat()} is still to come")
    then = at if as_of is None else as_of
    asked = answers.questions(items)
    keys = {key.digest for question in asked for key in question.keys}
    rows = decision_index.read(keys) if as_of is None else decision_index.as_of(keys, then)
    _add_near_copies(rows, items, None if as_of is None else then)
    grants = answers.by_subject(_grants(operator, rows, then))
    wanted = list(dict.fromkeys(purposes))
    results = [
        answers.answer(q, rows, grants, purposes=wanted, asker=operator.pk, at=then) for q in asked
    ]
    return _keep(operator, items, results, wanted, as_of=then, at=at)


def look_up(kind: IdentifierKind, value: str, *, at: datetime) -> LookUp:
    """Answer anybody about one URL, SHA-256 or ISCC, for every purpose.

    Near-copies of an ISCC may forbid or ask for a licence here too. Raises InvalidIdentifier.
    """
    (question,) = answers.questions([CheckItem(**{kind.value: value})])
    if question.problem is not None:
        raise InvalidIdentifier(question.problem.detail)
    rows = decision_index.read(key.digest for key in question.keys)
    near = _near(value) if kind == IdentifierKind.ISCC else {}
    own = {row.subject for found in rows.values() for row in found}
    near = {work: distance for work, distance in near.items() if work not in own}
    rows[question.keys[-1].digest] += _rows_of_near_copies(near)
    found = answers.answer(question, rows, {}, purposes=list(Purpose), asker=None, at=at)
    known = Work.objects.prefetch_related("rightsholders").in_bulk([*found.works, *near])
    works = tuple(work for work in found.works if work not in near)
    return LookUp(
        answer=replace(found, works=works),
        works=[known[work] for work in works],
        near=[(known[work], distance) for work, distance in near.items()],
    )


def canonical_json(value: object) -> bytes:
    """Return the canonical JSON (RFC 8785) of texts, whole numbers, lists and ASCII-named objects.

    For these the order of keys is that of their bytes, so orjson writes what
    ``tribute.receipts.canonical_json`` does, many times faster.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _keep(  # noqa: PLR0913 - what was asked, by whom and when, and what was answered
    operator: Operator,
    items: Sequence[CheckItem],
    results: Sequence[Answer],
    purposes: Sequence[Purpose],
    *,
    as_of: datetime,
    at: datetime,
) -> Check:
    sent = [item.as_sent() for item in items]
    printed = [result.to_json() for result in results]
    salt = secrets.token_bytes(32)
    lines = [
        canonical_json({"item": item, "answer": answer})
        for item, answer in zip(sent, printed, strict=True)
    ]
    leaves = [
        hashlib.sha256(receipts.row_salt(salt, position) + line).digest()
        for position, line in enumerate(lines)
    ]
    kept = Check(
        operator=operator,
        purposes=[purpose.value for purpose in purposes],
        asked_at=at,
        as_of=as_of,
        items_count=len(items),
        request_digest=hashlib.sha256(canonical_json(sent)).digest(),
        answers_root=receipts.merkle_root(leaves),
        salt=salt,
        answers=zlib.compress(b"\n".join(lines), level=6),
        log_size=log.size(),
    )
    leaf: dict[str, log.LeafValue] = {
        "t": "check.batch",
        "check": kept.pk,
        "root": bytes(kept.answers_root).hex(),
        "items": kept.items_count,
        "as_of": log.instant(as_of),
    }
    kept.leaf_hash = log.append(leaf, at=at)
    kept.save(force_insert=True)
    return kept


def _grants(operator: Operator, rows: answers.Rows, at: datetime) -> Iterable[verdict.Grant]:
    """Return the operator's grants on what was matched, as far as they were known at ``at``."""
    subjects = {row.subject for found in rows.values() for row in found}
    if not subjects:
        return []
    known = Grant.objects.filter(operator=operator, recorded_at__lte=at)
    return [
        verdict.Grant(
            id=grant.pk,
            operator=operator.pk,
            subject=grant.subject_id,
            purpose=Purpose(grant.purpose),
            effective_from=grant.effective_from,
            effective_until=grant.effective_until,
        )
        for grant in known
        if grant.subject_id in subjects
    ]


def _add_near_copies(
    rows: dict[bytes, list[Row]], items: Iterable[CheckItem], as_of: datetime | None
) -> None:
    """Put beside what is said about each ISCC what is said about works whose content is like it."""
    codes = {item.iscc: _code(item.iscc) for item in items if item.iscc is not None}
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


def _code(iscc: str) -> ContentCode | None:
    """Return the comparable unit; None also for what is no ISCC, which has its own error."""
    try:
        return near_copies.content_code(iscc)
    except InvalidIdentifier:
        return None


def _near(iscc: str) -> dict[str, float]:
    code = near_copies.content_code(iscc)
    return dict(near_copies.find(code)) if code else {}


def _rows_of_near_copies(near: dict[str, float]) -> list[Row]:
    """Return what was said about near-copies, marked with their distance."""
    said = _said_of_works(near, None)
    return [_marked(row, near[work]) for work, rows in said.items() for row in rows]


def _said_of_works(works: Iterable[str], as_of: datetime | None) -> dict[str, list[Row]]:
    """Return what is said of each work and, by default, of all that its creators made.

    Not what is said of places: a copy elsewhere lies in other hands.
    """
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
