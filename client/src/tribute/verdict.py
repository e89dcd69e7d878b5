"""Turn statements into one explained decision: the published precedence rule.

One pure function, ``decide``, answers for one item, one purpose, one asker and one instant; a
registry and its clients run this same code. It does not find the statements that concern an item,
nor judge whether a claim is proven: whoever calls it has done both.

The rule, in order:

1. a grant in force to the asker allows;
2. statements on the work;
3. statements on the narrowest matching collection that says anything, then on the creator;
4. signals found at the location;
5. otherwise ``unknown``, which is not a permission.

The first tier that says anything decides, and inside it the most restrictive answer wins: deny,
then license, then allow. Evidence is asymmetric: a deny counts from anybody at once, an allow, a
license or a grant only once the claim behind it is proven. Near-duplicate matching adds a deny or a
license; it never allows, and never loosens what is said about the item itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from tribute.vocabulary import Decision, IdentifierKind, Purpose

_STRICTNESS = {Decision.ALLOW: 1, Decision.LICENSE: 2, Decision.DENY: 3}
_VERBS = {Decision.ALLOW: "allows", Decision.LICENSE: "licenses", Decision.DENY: "denies"}


class Tier(IntEnum):
    """How closely a source speaks for an item; the lowest tier that says anything decides."""

    GRANT = 1
    WORK = 2
    COLLECTION = 3
    CREATOR = 4
    LOCATION = 5


@dataclass(frozen=True, slots=True)
class Statement:
    """One act of will that was matched to the item in question.

    subject: id of the work, collection, creator or location it is about.
    specificity: within COLLECTION, larger is narrower (path prefix above host above domain);
        0 elsewhere.
    sequence: position among the statements on this subject; a later one replaces an earlier one
        of the same claimant.
    proven: whether the claimant's right to speak for the subject is established.
    matched_by: value of the IdentifierKind that led to the subject.
    distance: for near-duplicates, the share of differing bits; else None.
    disputed: whether several claimants contend for the subject.
    Raises ValueError for a naive ``effective_from``, and for words outside the vocabulary.
    """

    id: str
    subject: str
    tier: Tier
    specificity: int
    claimant: str
    purpose: Purpose
    decision: Decision
    effective_from: datetime
    sequence: int
    proven: bool
    matched_by: str = IdentifierKind.URL.value
    distance: float | None = None
    terms: str | None = None
    disputed: bool = False

    def __post_init__(self) -> None:
        _require_aware(self.effective_from)
        Purpose(self.purpose)
        Decision(self.decision)
        IdentifierKind(self.matched_by)
        if self.tier not in _SPEAKING_TIERS:
            raise ValueError(f"no statement is made in tier {self.tier!r}")


@dataclass(frozen=True, slots=True)
class Grant:
    """An operator's accepted terms for one purpose.

    In force from ``effective_from`` until just before ``effective_until`` (None: no end).
    proven: whether the right of whoever granted it to speak for the subject is established;
        otherwise the grant says nothing, like an unproven allow.
    Raises ValueError for naive instants, and for words outside the vocabulary.
    """

    id: str
    operator: str
    subject: str
    purpose: Purpose
    effective_from: datetime
    effective_until: datetime | None = None
    proven: bool = True

    def __post_init__(self) -> None:
        _require_aware(self.effective_from)
        if self.effective_until is not None:
            _require_aware(self.effective_until)
        Purpose(self.purpose)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decision with its reasons.

    rule: stable machine code, ``<tier>.<decision>`` or ``none.unknown``.
    deciding: what carried the decision, in a stable order; empty when nobody spoke.
    considered: every statement of this purpose in effect, and every grant in force to the asker,
        also those that said nothing.
    explanation: one plain English sentence.
    """

    decision: Decision
    rule: str
    deciding: tuple[Statement | Grant, ...]
    considered: tuple[Statement | Grant, ...]
    explanation: str


def decide(
    purpose: Purpose,
    *,
    statements: Iterable[Statement],
    grants: Iterable[Grant] = (),
    asker: str | None,
    at: datetime,
) -> Verdict:
    """Decide whether ``asker`` may use the item for ``purpose`` at the instant ``at``.

    statements, grants: all that concern the item, in any order; other purposes, later instants
        and grants to others are ignored. Not among them are grants on subjects to which only a
        near-duplicate led, since near-duplicates never allow.
    asker: the operator's id as it stands in grants, or None for an unnamed asker.
    Raises ValueError when ``at`` is naive or ``purpose`` is not in the vocabulary.
    """
    _require_aware(at)
    purpose = Purpose(purpose)
    in_force = _grants_in_force(grants, purpose, asker, at)
    in_effect = _by_closest_match(
        s for s in statements if s.purpose == purpose and s.effective_from <= at
    )
    considered: list[Statement | Grant] = [*in_force, *in_effect]
    if proven := [grant for grant in in_force if grant.proven]:
        return _verdict(Decision.ALLOW, Tier.GRANT, proven, considered, purpose)
    speaking = _speaking(in_effect)
    if not speaking:
        return _nobody_spoke(purpose, considered)
    deciding = _deciding(speaking)
    of_itself = _deciding([s for s in speaking if s.matched_by != IdentifierKind.ISCC])
    if of_itself and _strictness(of_itself) > _strictness(deciding):
        deciding = of_itself
    decision = Decision(deciding[0].decision)
    return _verdict(decision, deciding[0].tier, deciding, considered, purpose)


def _deciding(speaking: Sequence[Statement]) -> list[Statement]:
    """Return the most restrictive statements of the first tier that says anything."""
    first = min(map(_precedence, speaking), default=None)
    tier = [s for s in speaking if _precedence(s) == first]
    return [s for s in tier if _STRICTNESS[s.decision] == _strictness(tier)]


def _strictness(statements: Sequence[Statement]) -> int:
    return max(_STRICTNESS[s.decision] for s in statements)


def _by_closest_match(statements: Iterable[Statement]) -> list[Statement]:
    """Return each statement once, in a stable order.

    Bytes and content often lead to the same statement; it is then about the thing itself, and
    neither a near-duplicate's nor said twice.
    """
    closest: dict[Statement, Statement] = {}
    for s in statements:
        said = replace(s, matched_by=IdentifierKind.URL.value, distance=None)
        closest[said] = min(closest.get(said, s), s, key=_likeness)
    return sorted(closest.values(), key=_statement_order)


def _likeness(statement: Statement) -> tuple[bool, float, str]:
    near = statement.matched_by == IdentifierKind.ISCC
    return near, statement.distance or 0.0, statement.matched_by


def _grants_in_force(
    grants: Iterable[Grant], purpose: Purpose, asker: str | None, at: datetime
) -> list[Grant]:
    if asker is None:
        return []
    return sorted(
        (
            grant
            for grant in grants
            if grant.operator == asker
            and grant.purpose == purpose
            and grant.effective_from <= at
            and (grant.effective_until is None or at < grant.effective_until)
        ),
        key=lambda grant: (grant.id, grant.subject, grant.effective_from, grant.proven),
    )


def _speaking(in_effect: Sequence[Statement]) -> list[Statement]:
    """Return the statements that say something: current, entitled, and not withdrawals.

    While a subject is disputed, what a claimant said earlier still restricts (else one side could
    loosen a work that is not known to be his), but it never allows.
    """
    latest: dict[tuple[str, str], int] = defaultdict(lambda: -1)
    for s in in_effect:
        speaker = (s.claimant, s.subject)
        latest[speaker] = max(latest[speaker], s.sequence)
    disputed = {s.subject for s in in_effect if s.disputed}
    return [
        s
        for s in in_effect
        if _says_something(s)
        and (
            s.sequence == latest[s.claimant, s.subject]
            or (s.subject in disputed and s.decision != Decision.ALLOW)
        )
    ]


def _says_something(statement: Statement) -> bool:
    match statement.decision:
        case Decision.DENY:
            return True
        case Decision.LICENSE:
            return statement.proven
        case Decision.ALLOW:
            return statement.proven and statement.matched_by != IdentifierKind.ISCC
    return False


def _precedence(statement: Statement) -> tuple[int, int]:
    narrowness = statement.specificity if statement.tier == Tier.COLLECTION else 0
    return statement.tier, -narrowness


def _statement_order(statement: Statement) -> tuple[object, ...]:
    return (
        *_precedence(statement),
        statement.subject,
        statement.claimant,
        -statement.sequence,
        statement.id,
        statement.matched_by,
        # What follows only tells apart statements that should not have shared an id.
        statement.decision,
        statement.effective_from,
        statement.proven,
        statement.disputed,
        -1.0 if statement.distance is None else statement.distance,
        statement.terms or "",
    )


def _verdict(
    decision: Decision,
    tier: Tier,
    deciding: Sequence[Statement | Grant],
    considered: Sequence[Statement | Grant],
    purpose: Purpose,
) -> Verdict:
    return Verdict(
        decision=decision,
        rule=f"{tier.name.lower()}.{decision.value}",
        deciding=tuple(deciding),
        considered=tuple(considered),
        explanation=_explain(decision, deciding[0], len(deciding) - 1, purpose),
    )


def _explain(decision: Decision, first: Statement | Grant, others: int, purpose: Purpose) -> str:
    others_too = f", and so do {others} more" if others > 1 else ", and so does one more"
    also = others_too if others else ""
    if isinstance(first, Grant):
        return f"Grant {first.id}, in force for this operator, allows {purpose.value}{also}."
    near = ""
    if first.matched_by == IdentifierKind.ISCC:
        near = " of which this is a near-duplicate"
    doubt = " while its ownership is disputed" if first.disputed else ""
    place = _PLACES[first.tier]
    return f"Statement {first.id} on {place}{near} {_VERBS[decision]} {purpose.value}{doubt}{also}."


def _nobody_spoke(purpose: Purpose, considered: Sequence[Statement | Grant]) -> Verdict:
    explanation = (
        f"Of what was said here ({len(considered)} found), nothing is a current and proven answer"
        f" for {purpose.value}."
        if considered
        else f"Nobody has said anything about {purpose.value} for this item."
    )
    return Verdict(Decision.UNKNOWN, "none.unknown", (), tuple(considered), explanation)


def _require_aware(instant: datetime) -> None:
    if instant.utcoffset() is None:
        raise ValueError(f"{instant!r} has no time zone")


_SPEAKING_TIERS = (Tier.WORK, Tier.COLLECTION, Tier.CREATOR, Tier.LOCATION)
_PLACES = {
    Tier.WORK: "the work",
    Tier.COLLECTION: "the narrowest collection",
    Tier.CREATOR: "the creator",
    Tier.LOCATION: "the location",
}
