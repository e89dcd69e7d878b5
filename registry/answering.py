"""Answer the items of a check: by the million a minute from the snapshot, or one by one from PostgreSQL.

Both ways give the same answers, byte for byte. The snapshot tells which keys lead anywhere; for most
items none does, and that is the answer. What is said under the others is read from the decision
index, once for items that are reached by the same keys, and remembered while it holds. ISCCs, the past,
and whatever is malformed always go the long way.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from registry import answers, decision_index, forms, kept_answers, likenesses, prepared
from registry.answers import Question
from registry.asked import Asked
from registry.decision_index import EPOCH, MICROSECOND, Row
from registry.filled_answers import Answers
from registry.kept_answers import Answered
from registry.models import Operator
from registry.remembered import Memory
from registry.served import View
from tribute import ids, verdict
from tribute.identifiers import TAGS
from tribute.snapshot.presence import TAGGED_BYTES, untagged
from tribute.snapshot.sayings import Sayings
from tribute.snapshot.telling import ODD, firsts, tell
from tribute.vocabulary import IdentifierKind, Purpose

READ_GRANTS = (Path(__file__).parent / "sql" / "read_grants.sql").read_text()
_SHA256_TAG = TAGS[IdentifierKind.SHA256]
_OPEN = -1
_IS_SHA256 = r"\A[0-9A-Fa-f]{64}\z"

Rows = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Asking:
    """Who asks, for which purposes, and when.

    as_of: the instant asked about, when it is in the past; else None.
    """

    operator: Operator
    purposes: Sequence[Purpose]
    at: datetime
    as_of: datetime | None = None

    @property
    def then(self) -> datetime:
        """The instant asked about."""
        return self.at if self.as_of is None else self.as_of

    @cached_property
    def granted(self) -> answers.Grants:
        """The operator's grants by subject, as far as they were known at the instant asked about."""
        operator = ids.decode("opr", self.operator.pk)
        known = prepared.run(READ_GRANTS, operator=operator, known=self.then)
        return answers.by_subject(_grant(self.operator.pk, *row) for row in known)


def _grant(  # noqa: PLR0913, PLR0917 - the columns of read_grants
    operator: str,
    grant: UUID,
    work: UUID | None,
    collection: UUID | None,
    creator: UUID | None,
    purpose: str,
    since: datetime,
    until: datetime | None,
) -> verdict.Grant:
    subjects = {"wrk": work, "col": collection, "cre": creator}
    (subject,) = (ids.encode(kind, each) for kind, each in subjects.items() if each is not None)
    return verdict.Grant(
        id=ids.encode("grt", grant),
        operator=operator,
        subject=subject,
        purpose=Purpose(purpose),
        effective_from=since,
        effective_until=until,
    )


def answer(asked: Asked, asking: Asking, view: View | None) -> Answered:
    """Return the answer to each item. view: what to answer from; None: PostgreSQL alone."""
    if view is None:
        return _by_the_long_way(asked, asking)
    return _from(view, asked, asking)


def _by_the_long_way(asked: Asked, asking: Asking) -> Answered:
    numbers: dict[bytes, int] = {}
    bodies = _bodies(asked, range(asked.rows), asking)
    which = [numbers.setdefault(body, len(numbers)) for body in bodies]
    return Answered(asked, Answers.of(numbers), np.array(which, np.int32))


def _from(view: View, asked: Asked, asking: Asking) -> Answered:
    which = np.full(asked.rows, _OPEN, np.int32)
    answers = Answers.of(())
    addressed = _addressed(asked)
    if view.said is not None and addressed.any():
        which[addressed], answers = _from_what_is_said(asked, addressed, view, view.said, asking)
    which[asked.repeated()] = _OPEN
    rest = np.flatnonzero(which == _OPEN)
    if len(rest):
        numbers, bodies = _by_keys(asked, rest, view, asking)
        which[rest] = numbers + len(answers.numbers)
        answers = answers.with_more(bodies)
    return Answered(asked, answers, which)


def _addressed(asked: Asked) -> Rows:
    """Tell which items are known by their URL alone."""
    addressed = np.zeros(asked.rows, bool)
    if "url" in asked.columns:
        addressed[:] = asked.columns["url"].is_valid()
    for other in asked.columns.keys() & {"sha256", "iscc"}:
        addressed &= np.asarray(asked.columns[other].is_null())
    return addressed


def _from_what_is_said(
    asked: Asked, addressed: Rows, view: View, said: Sayings, asking: Asking
) -> tuple[Rows, Answers]:
    """Return which answer each addressed item has, _OPEN where it is not found here, and the answers."""
    urls = asked.columns["url"]
    granted = [ids.decode(ids.prefix_of(s), s).bytes[8:] for s in asking.granted]
    told = tell(
        urls if addressed.all() else urls.filter(pa.array(addressed)),
        view.presence,
        said,
        now=(asking.at - EPOCH) // MICROSECOND,
        purposes=asking.purposes,
        changed=view.changed_firsts,
        granted=firsts(granted),
    )
    purposes = tuple(asking.purposes)
    fit = [forms.form(case, purposes) for case in told.cases]
    own = np.arange(len(told.numbers), dtype=np.int32)
    own[told.numbers == ODD] = _OPEN
    found = Answers(fit, told.numbers, told.names, np.frombuffer(told.limits, "<i4"))
    return np.append(own, np.int32(_OPEN))[told.which], found


def _by_keys(asked: Asked, rows: Rows, view: View, asking: Asking) -> tuple[Rows, Sequence[bytes]]:
    """Return which answer each of some items has, and the answers, from the decision index."""
    keys = _keys(asked.take(rows), view)
    for place in np.flatnonzero(np.isin(rows, asked.repeated())):
        keys[place] = None
    numbers: dict[bytes | None, int] = {}
    which = np.array([numbers.setdefault(each, len(numbers)) for each in keys], np.int32)
    told = _told([each for each in numbers if each is not None], view, asking)
    bodies = [b"" if each is None else told[each] for each in numbers]
    long_way = [place for place, each in enumerate(keys) if each is None]
    if long_way:
        which[long_way] = np.arange(len(bodies), len(bodies) + len(long_way))
        bodies += _bodies(asked, rows[long_way].tolist(), asking)
    return which, bodies


def _keys(asked: Asked, view: View) -> list[bytes | None]:
    """Return each item's keys that lead somewhere, the closest first; None: it goes the long way."""
    found: list[bytes | None] = [None] * asked.rows
    if (urls := asked.columns.get("url")) is not None:
        if urls.null_count == 0:
            found = view.presence.of_urls(urls)
        else:
            present = np.flatnonzero(urls.is_valid())
            for row, keys in zip(present, view.presence.of_urls(urls.drop_null()), strict=True):
                found[row] = keys
    if "sha256" in asked.columns:
        _add_hashes(found, asked, view)
    if (iscc := asked.columns.get("iscc")) is not None:
        for row in np.flatnonzero(iscc.is_valid()):
            found[row] = None
    return found


def _add_hashes(found: list[bytes | None], asked: Asked, view: View) -> None:
    """Put the hash of an item's bytes before the keys of its URL."""
    column = asked.columns["sha256"]
    fine = pc.match_substring_regex(column, _IS_SHA256).to_pylist()
    digests = {
        row: hashlib.sha256(_SHA256_TAG + text.lower().encode()).digest()
        for row, (text, matches) in enumerate(zip(column.to_pylist(), fine, strict=True))
        if matches
    }
    there = view.presence.of_digests(IdentifierKind.SHA256, list(digests.values()))
    urls = asked.columns.get("url")
    lone = set(range(asked.rows) if urls is None else np.flatnonzero(urls.is_null()))
    for (row, digest), known in zip(digests.items(), there, strict=True):
        before = b"" if row in lone else found[row]
        if before is not None:
            found[row] = (_SHA256_TAG + digest if known else b"") + before
    for row, matches in enumerate(fine):
        if matches is False:
            found[row] = None


def _told(combinations: Sequence[bytes], view: View, asking: Asking) -> dict[bytes, bytes]:
    """Return the answer to whatever is reached by each combination of keys."""
    granted = asking.granted
    now = (asking.at - EPOCH) // MICROSECOND
    words = ",".join(asking.purposes).encode() + b"|"
    told: dict[bytes, bytes] = {}
    fresh = []
    for each in combinations:
        known = view.remembered.get(words + each)
        usable = known and known.holds(now) and granted.keys().isdisjoint(known.subjects)
        if known and usable and not (view.changed and _touched(each, view)):
            told[each] = known.body
        else:
            fresh.append(each)
    if not fresh:
        return told
    questions = {each: Question("", untagged(each)) for each in fresh}
    rows = decision_index.read({key.digest for q in questions.values() for key in q.keys})
    for each, question in questions.items():
        memory = _memory(question, rows, granted, asking, now)
        told[each] = memory.body
        if granted.keys().isdisjoint(memory.subjects) and not _touched(each, view):
            view.remembered.put(words + each, memory)
    return told


def _touched(combination: bytes, view: View) -> bool:
    """Whether anything under these keys changed since the snapshot."""
    starts = range(1, len(combination), TAGGED_BYTES)
    return any(combination[start : start + TAGGED_BYTES - 1] in view.changed for start in starts)


def _memory(
    question: Question,
    rows: Mapping[bytes, Sequence[Row]],
    granted: answers.Grants,
    asking: Asking,
    now: int,
) -> Memory:
    found = [(key.kind, row) for key in question.keys for row in rows.get(key.digest, ())]
    instants = [statement["from"] for _, row in found for statement in row.statements]
    subjects = [row.subject for _, row in found]
    if found and granted.keys().isdisjoint(subjects):
        body = forms.body(found, tuple(asking.purposes), now)
    else:
        body = _body(question, rows, granted, asking)
    return Memory(
        body=body,
        subjects=subjects,
        since=max((each for each in instants if each <= now), default=0),
        until=min((each for each in instants if each > now), default=None),
    )


def _bodies(asked: Asked, wanted: Iterable[int], asking: Asking) -> list[bytes]:
    """Answer some items one by one, everything about them read from PostgreSQL."""
    again = set(asked.repeated())
    items = [(row, asked.item(row)) for row in wanted]
    questions = [
        answers.REPEATED if row in again else answers.question(item) for row, item in items
    ]
    keys = {key.digest for question in questions for key in question.keys}
    rows = (
        decision_index.read(keys)
        if asking.as_of is None
        else decision_index.as_of(keys, asking.as_of)
    )
    isccs = [item.iscc for _, item in items if item.iscc is not None]
    likenesses.add(rows, isccs, asking.as_of)
    granted = asking.granted
    return [_body(question, rows, granted, asking) for question in questions]


def _body(
    question: Question,
    rows: Mapping[bytes, Sequence[Row]],
    granted: answers.Grants,
    asking: Asking,
) -> bytes:
    found = answers.answer(
        question,
        rows,
        granted,
        purposes=asking.purposes,
        asker=asking.operator.pk,
        at=asking.then,
    )
    return kept_answers.body_of(found.to_json())
