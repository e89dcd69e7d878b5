"""From identifiers and the rows they lead to, to explained answers: no database in here.

Used alike by online checks, look-ups and the matching of manifests. A malformed item gets an
``unknown`` with its error; it never spoils its neighbours.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from registry.asked import CheckItem
from registry.decision_index import Row
from tribute import identifiers, verdict
from tribute.identifiers import Key
from tribute.verdict import Tier, Verdict
from tribute.vocabulary import Decision, IdentifierKind, Purpose

__all__ = [
    "REPEATED",
    "Answer",
    "CheckItem",
    "Problem",
    "Question",
    "answer",
    "by_subject",
    "is_work",
    "question",
    "questions",
]

Rows = Mapping[bytes, Sequence[Row]]
Grants = Mapping[str, Sequence[verdict.Grant]]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an item was not understood; ``code`` is stable API."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Question:
    """An item's keys, the closest first, or what is wrong with it."""

    id: str
    keys: tuple[Key, ...] = ()
    problem: Problem | None = None


REPEATED = Question("", problem=Problem("duplicate_id", "An earlier item has this id."))
"""What an item asks whose id an earlier one has."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The verdicts on one item, and the works it was recognised as."""

    id: str
    verdicts: Mapping[Purpose, Verdict]
    works: tuple[str, ...] = ()
    matched_by: str | None = None
    problem: Problem | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the answer as the API prints it and receipts prove it."""
        printed: dict[str, Any] = {
            "id": self.id,
            "decisions": {
                purpose.value: {
                    "decision": found.decision.value,
                    "rule": found.rule,
                    "statements": [reason.id for reason in found.deciding],
                    "considered": sorted({reason.id for reason in found.considered}),
                    "matched_by": self._led_by(found),
                    "explanation": found.explanation,
                }
                for purpose, found in self.verdicts.items()
            },
        }
        if self.problem is not None:
            printed["error"] = {"code": self.problem.code, "detail": self.problem.detail}
        return printed

    def _led_by(self, found: Verdict) -> str | None:
        reason = found.deciding[0] if found.deciding else None
        return reason.matched_by if isinstance(reason, verdict.Statement) else self.matched_by


def questions(items: Sequence[CheckItem]) -> list[Question]:
    """Return the question each item asks; the second item of one id gets a problem."""
    seen: set[str] = set()
    asked = []
    for position, item in enumerate(items):
        public_id = str(position) if item.id is None else item.id
        each = replace(REPEATED if public_id in seen else question(item), id=public_id)
        seen.add(public_id)
        asked.append(each)
    return asked


def question(item: CheckItem) -> Question:
    """Return the question one item asks by itself; its id is empty when the item has none."""
    public_id = item.id or ""
    keys: list[Key] = []
    try:
        if item.sha256 is not None:
            keys.append(identifiers.key_of(IdentifierKind.SHA256, item.sha256))
        if item.url is not None:
            keys.extend(identifiers.candidate_keys(item.url))
        if item.iscc is not None:
            keys.append(identifiers.key_of(IdentifierKind.ISCC, item.iscc))
    except identifiers.InvalidIdentifier as error:
        return Question(public_id, problem=Problem("invalid_identifier", str(error)))
    if not keys:
        detail = "The item has none of url, sha256, iscc."
        return Question(public_id, problem=Problem("identifier_required", detail))
    return Question(public_id, tuple(keys))


def answer(  # noqa: PLR0913 - a question is put in full, each part by name
    question: Question,
    rows: Rows,
    grants: Grants,
    *,
    purposes: Sequence[Purpose],
    asker: str | None,
    at: datetime,
) -> Answer:
    """Answer one question from the rows of its keys and the asker's grants on their subjects."""
    if question.problem is not None:
        nothing = _unanswerable(question.problem)
        return Answer(question.id, dict.fromkeys(purposes, nothing), problem=question.problem)
    found = [(key.kind, row) for key in question.keys for row in rows.get(key.digest, ())]
    if not found:
        return Answer(question.id, {purpose: _SILENCE[purpose] for purpose in purposes})
    statements = [s for kind, row in found for s in row.matched(kind)]
    # A grant on a work opens that work, never something that merely resembles it.
    itself = {row.subject for kind, row in found if not _is_likeness(kind, row)}
    granted = [grant for subject in itself for grant in grants.get(subject, ())]
    verdicts = {
        purpose: verdict.decide(purpose, statements=statements, grants=granted, asker=asker, at=at)
        for purpose in purposes
    }
    works = tuple(dict.fromkeys(row.subject for _, row in found if is_work(row)))
    return Answer(question.id, verdicts, works, found[0][0].value)


def is_work(row: Row) -> bool:
    """Whether a row is about the very work that its key recognises, not a near-copy of it."""
    return row.tier == Tier.WORK and not _is_near_copy(row)


def _is_likeness(kind: IdentifierKind, row: Row) -> bool:
    return kind == IdentifierKind.ISCC or _is_near_copy(row)


def _is_near_copy(row: Row) -> bool:
    return any("distance" in statement for statement in row.statements)


def by_subject(grants: Iterable[verdict.Grant]) -> Grants:
    """Return grants by what they are about."""
    grouped: dict[str, list[verdict.Grant]] = defaultdict(list)
    for grant in grants:
        grouped[grant.subject].append(grant)
    return grouped


def _unanswerable(problem: Problem) -> Verdict:
    explanation = f"The item was not understood: {problem.detail}"
    return Verdict(Decision.UNKNOWN, "none.unknown", (), (), explanation)


_ANY_INSTANT = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
_SILENCE = {
    purpose: verdict.decide(purpose, statements=(), asker=None, at=_ANY_INSTANT)
    for purpose in Purpose
}
