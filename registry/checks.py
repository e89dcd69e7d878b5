"""Consent checks: "may these be used for this, now or then?", and the public look-up of one thing.

Every check is kept whole, with the root of its salted answers in the transparency log, so that
its receipt can be had for as long as the registry lives.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import orjson

from registry import (
    answering,
    answers,
    decision_index,
    kept_answers,
    likenesses,
    log,
    prepared,
    served,
)
from registry.answering import Asking
from registry.answers import Answer
from registry.asked import Asked, CheckItem
from registry.errors import AsOfInFuture, InvalidIdentifier, TooManyItems
from registry.kept_answers import Answered
from registry.models import Check, Operator, Work
from tribute import ids
from tribute.vocabulary import IdentifierKind, Purpose

__all__ = ["MOST_ITEMS", "CheckItem", "LookUp", "check", "look_up"]

MOST_ITEMS = 10_000
INSERT_CHECK = (Path(__file__).parent / "sql" / "insert_check.sql").read_text()


@dataclass(frozen=True, slots=True)
class LookUp:
    """What the public may know of one thing.

    works: those it is, oldest first; near: those it is like, with the share of differing bits.
    """

    answer: Answer
    works: Sequence[Work]
    near: Sequence[tuple[Work, float]]


def check(
    operator: Operator,
    items: Sequence[CheckItem] | Asked,
    purposes: Sequence[Purpose],
    *,
    as_of: datetime | None = None,
    at: datetime,
) -> Check:
    """Answer 1 to 10,000 items, in order; the check kept has the ``results``.

    as_of: answer as the registry would have at that instant, from what was known then.
    Raises TooManyItems, AsOfInFuture. Malformed items and repeated ids are answered ``unknown``
    with an error of their own.
    """
    asked = items if isinstance(items, Asked) else Asked.of(items)
    if not 1 <= asked.rows <= MOST_ITEMS:
        raise TooManyItems(f"a check is about 1 to {MOST_ITEMS} items, not {asked.rows}")
    if as_of is not None and as_of > at:
        raise AsOfInFuture(f"{as_of.isoformat()} is still to come")
    asking = Asking(operator, list(dict.fromkeys(purposes)), at, as_of)
    view = served.view(at=at) if as_of is None else None
    # Before the answers: they take into account at least what stood in the log by then.
    log_size = log.size() if view is None else view.log_size
    return _keep(answering.answer(asked, asking, view), asking, log_size)


def look_up(kind: IdentifierKind, value: str, *, at: datetime) -> LookUp:
    """Answer anybody about one URL, SHA-256 or ISCC, for every purpose.

    Near-copies of an ISCC may forbid or ask for a licence here too. Raises InvalidIdentifier.
    """
    question = answers.question(CheckItem(**{kind.value: value}))
    if question.problem is not None:
        raise InvalidIdentifier(question.problem.detail)
    rows = decision_index.read(key.digest for key in question.keys)
    near = likenesses.near(value) if kind == IdentifierKind.ISCC else {}
    own = {row.subject for found in rows.values() for row in found}
    near = {work: distance for work, distance in near.items() if work not in own}
    rows[question.keys[-1].digest] += likenesses.rows_of(near)
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


def _keep(answered: Answered, asking: Asking, log_size: int) -> Check:
    salt = secrets.token_bytes(32)
    kept = Check(
        operator=asking.operator,
        purposes=[purpose.value for purpose in asking.purposes],
        asked_at=asking.at,
        as_of=asking.then,
        items_count=answered.asked.rows,
        request_digest=answered.asked.digest(),
        answers_root=answered.root(salt),
        salt=salt,
        answers=kept_answers.pack(answered),
        log_size=log_size,
    )
    kept.answered = answered
    leaf: dict[str, log.LeafValue] = {
        "t": "check.batch",
        "check": kept.pk,
        "root": bytes(kept.answers_root).hex(),
        "items": kept.items_count,
        "as_of": log.instant(asking.then),
    }
    data = log.encoded(leaf, at=asking.at)
    kept.leaf_hash = log.hash_of(data)
    insert_check(kept, data)
    return kept


def insert_check(check: Check, leaf: bytes) -> None:
    """Write a check into its table and its leaf into the log's outbox: one statement, both or none."""
    fields = {
        "id": ids.decode("chk", check.pk),
        "operator": ids.decode("opr", check.operator_id),
        "purposes": check.purposes,
        "asked_at": check.asked_at,
        "as_of": check.as_of,
        "items_count": check.items_count,
        "request_digest": check.request_digest,
        "answers_root": check.answers_root,
        "salt": check.salt,
        "answers": check.answers,
        "log_size": check.log_size,
        "leaf_hash": check.leaf_hash,
        "leaf": leaf,
    }
    prepared.run(INSERT_CHECK, **fields)
