"""What one key says, as one number per purpose: the rule of ``verdict``, prepared for millions.

An item is reached by several keys, and ``verdict.decide`` lets the first tier that speaks decide,
narrower collections first, the most restrictive answer inside. Numbers are built so that this is
the greatest of them: tier, then narrowness, then strictness. Whoever publishes a snapshot runs
``decide`` itself on what each key says; whoever reads one only takes maxima.

That is exact because what one claimant says on one subject is the same under every key that
leads there: which of his statements is current never depends on a second key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tribute.verdict import Statement, Tier, decide
from tribute.vocabulary import Decision, Purpose

PURPOSES = tuple(Purpose)
"""The order of the columns of scores."""

SILENCE = 0
MOST_SPECIFIC = 2**15 - 1

_BY_STRICTNESS = (Decision.UNKNOWN, Decision.ALLOW, Decision.LICENSE, Decision.DENY)
_STRICTNESS_BITS = 2
_TIER_SHIFT = 20
_ABOVE_EVERY_TIER = 7
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Segment:
    """What a key says from an instant on.

    since: microseconds since 1970, UTC; 0 for what holds already.
    scores: one for each of PURPOSES; 0 where it says nothing.
    """

    since: int
    scores: tuple[int, ...]


def timeline(statements: Iterable[Statement], *, at: datetime) -> tuple[Segment, ...]:
    """Return what the statements under one key say at ``at``, and whenever that changes later.

    Consecutive segments differ; there is none for a key that never says anything.
    """
    known = list(statements)
    instants = [at, *sorted({s.effective_from for s in known if s.effective_from > at})]
    segments: list[Segment] = []
    said = (SILENCE,) * len(PURPOSES)
    for instant in instants:
        scores = tuple(_score(known, purpose, instant) for purpose in PURPOSES)
        if scores != said:
            segments.append(Segment(0 if instant == at else micros(instant), scores))
            said = scores
    return tuple(segments)


def score(tier: Tier, specificity: int, decision: Decision) -> int:
    """Return the number of one answer: greater where it takes precedence. Unknown is 0."""
    if decision == Decision.UNKNOWN:
        return SILENCE
    if not 0 <= specificity <= MOST_SPECIFIC:
        raise ValueError(f"a specificity is from 0 to {MOST_SPECIFIC}, not {specificity}")
    narrowness = specificity if tier == Tier.COLLECTION else 0
    return (
        (_ABOVE_EVERY_TIER - tier) << _TIER_SHIFT
        | narrowness << _STRICTNESS_BITS
        | _BY_STRICTNESS.index(decision)
    )


def decision_of(number: int) -> Decision:
    """Return the decision in a score."""
    return _BY_STRICTNESS[number & 3]


def rule_of(number: int) -> str:
    """Return the rule in a score, as ``Verdict.rule`` names it."""
    if number == SILENCE:
        return "none.unknown"
    tier = Tier(_ABOVE_EVERY_TIER - (number >> _TIER_SHIFT))
    return f"{tier.name.lower()}.{decision_of(number).value}"


def micros(at: datetime) -> int:
    """Return an aware instant as microseconds since 1970, UTC."""
    return (at - _EPOCH) // _MICROSECOND


def _score(statements: Iterable[Statement], purpose: Purpose, at: datetime) -> int:
    verdict = decide(purpose, statements=statements, asker=None, at=at)
    if not verdict.deciding:
        return SILENCE
    first = verdict.deciding[0]
    assert isinstance(first, Statement), "nobody asked, so no grant decides"
    return score(first.tier, first.specificity, verdict.decision)
