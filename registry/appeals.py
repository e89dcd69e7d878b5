"""Appeals: against how a claim conflict was decided, and against a match by likeness.

Owns the rule that each outcome is appealed once, in time, and looked at by another person. The
outcome stays in force meanwhile.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from registry import decision_index, log, near_copies
from registry.disputes import decidable_by
from registry.errors import (
    ConflictClosed,
    MayNotDecide,
    NotAMatch,
    NotAParty,
    NotAppealable,
    NothingToReview,
    SameReviewer,
)
from registry.models import (
    ClaimConflict,
    Creator,
    DisputeEvent,
    MatchAppeal,
    MatchFinding,
    Operator,
    RightsShare,
    User,
    Work,
)
from registry.near_copies import PPM
from tribute import identifiers
from tribute.vocabulary import IdentifierKind

APPEAL_WITHIN = timedelta(days=30)


@transaction.atomic
def appeal(
    conflict: ClaimConflict, creator: Creator, *, ground: DisputeEvent.Ground, at: datetime
) -> ClaimConflict:
    """Ask for another person's look at an outcome, for a side whose claim it did not uphold.

    Raises NotAParty, NotAppealable for the side that was upheld, for an outcome appealed before,
    and after ``APPEAL_WITHIN``.
    """
    locked = ClaimConflict.objects.select_for_update(no_key=True).get(pk=conflict.pk)
    sides = sides_of(locked, creator)
    if not sides:
        raise NotAParty(f"creator {creator.pk} has no part in conflict {conflict.pk}")
    if not appealable(locked, at=at):
        raise NotAppealable("it is not decided, was appealed before, or the time has passed")
    unheard = [side for side in sides if side in _may_appeal(locked)]
    if not unheard:
        raise NotAppealable("your claim was upheld")
    locked.appealed_at = at
    locked.save(update_fields=["appealed_at"])
    DisputeEvent.objects.create(
        conflict=locked,
        kind=DisputeEvent.Kind.APPEALED,
        creator=creator,
        work_id=unheard[0],
        reason=ground,
        recorded_at=at,
    )
    return locked


@transaction.atomic
def review(
    conflict: ClaimConflict, *, by: User, outcome: ClaimConflict.Outcome, at: datetime
) -> ClaimConflict:
    """Answer an appeal for good; another outcome is in force from ``at`` on, and never before.

    Raises MayNotDecide, NothingToReview, SameReviewer.
    """
    if not decidable_by(by).filter(pk=conflict.pk).exists():
        raise MayNotDecide(f"conflict {conflict.pk} is for somebody else to decide")
    locked = ClaimConflict.objects.select_for_update(no_key=True).get(pk=conflict.pk)
    if locked.appealed_at is None or locked.reviewed_at is not None:
        raise NothingToReview(f"conflict {conflict.pk} has no open appeal")
    decided = DisputeEvent.objects.get(conflict=locked, kind=DisputeEvent.Kind.DECIDED)
    if decided.decided_by_id == by.pk:
        raise SameReviewer("somebody else decides about your decision")
    locked.reviewed_at = at
    if outcome != locked.outcome:
        locked.first_outcome, locked.outcome, locked.overturned_at = locked.outcome, outcome, at
    locked.save()
    DisputeEvent.objects.create(
        conflict=locked,
        kind=DisputeEvent.Kind.REVIEWED,
        outcome=outcome,
        decided_by=by,
        recorded_at=at,
    )
    leaf: dict[str, log.LeafValue] = {
        "t": "dispute.decided",
        "conflict": locked.pk,
        "work": locked.work_id,
        "other": locked.other_id,
        "outcome": outcome.value,
        "appeal": True,
    }
    log.append(leaf, at=at)
    both = (locked.work_id, locked.other_id)
    decision_index.refresh(decision_index.keys_of_claims(both), at=at)
    return locked


def appealable(conflict: ClaimConflict, *, at: datetime) -> bool:
    """Whether an appeal against the outcome would be heard at an instant."""
    decided = conflict.resolved_at
    return decided is not None and conflict.appealed_at is None and at < decided + APPEAL_WITHIN


def final(conflict: ClaimConflict, *, at: datetime) -> bool:
    """Whether the outcome can change no more."""
    if conflict.resolved_at is None:
        return False
    if conflict.appealed_at is not None:
        return conflict.reviewed_at is not None
    return not appealable(conflict, at=at)


def sides_of(conflict: ClaimConflict, creator: Creator) -> list[str]:
    """Return those of the two works in which a creator has a confirmed part, the later one first."""
    both = (conflict.work_id, conflict.other_id)
    shares = RightsShare.objects.filter(creator=creator, work__in=both).exclude(confirmed_at=None)
    held = set(shares.values_list("work_id", flat=True))
    return [side for side in both if side in held]


def may_appeal(conflict: ClaimConflict, creator: Creator, *, at: datetime) -> bool:
    """Whether this creator's appeal would be heard now."""
    if not appealable(conflict, at=at):
        return False
    return bool(set(sides_of(conflict, creator)) & _may_appeal(conflict))


@transaction.atomic
def appeal_match(
    asker: Operator | Creator,
    *,
    iscc: str,
    work: Work,
    reason: MatchAppeal.Reason,
    at: datetime,
) -> MatchAppeal:
    """Say that an ISCC which counts as a near-copy of ``work`` is not that of a copy.

    A pair is appealed once: whoever comes later gets the appeal there is. Raises
    InvalidIdentifier, NotAMatch when the two are not alike.
    """
    code = near_copies.content_code(iscc)
    if code is None:
        raise NotAMatch("the ISCC has no unit by which contents compare")
    key = near_copies.code_key(code)
    before = MatchAppeal.objects.filter(code_key=key, work=work).first()
    if before is not None:
        return before
    distance = dict(near_copies.find(code)).get(work.pk)
    if distance is None:
        raise NotAMatch(f"the ISCC is not like that of work {work.pk}")
    return MatchAppeal.objects.create(
        operator=asker if isinstance(asker, Operator) else None,
        creator=asker if isinstance(asker, Creator) else None,
        iscc=identifiers.key_of(IdentifierKind.ISCC, iscc).canonical,
        code_key=key,
        work=work,
        distance_ppm=round(distance * PPM),
        reason=reason,
        made_at=at,
    )


def matches_decidable_by(user: User) -> QuerySet[MatchAppeal]:
    """Return the appeals against matches that a user may decide, decided ones included."""
    own = RightsShare.objects.filter(creator__members=user).values("work_id")
    appeals = MatchAppeal.objects.exclude(work__in=own).exclude(operator__members=user)
    appeals = appeals.exclude(creator__members=user)
    return appeals if user.is_staff and user.is_active else appeals.none()


@transaction.atomic
def decide_match(appeal: MatchAppeal, *, by: User, lifted: bool, at: datetime) -> MatchFinding:
    """Find whether a match is one. Lifted, the work says nothing about that code any more.

    Raises MayNotDecide, ConflictClosed when it was decided before.
    """
    if not matches_decidable_by(by).filter(pk=appeal.pk).exists():
        raise MayNotDecide(f"appeal {appeal.pk} is for somebody else to decide")
    found, new = MatchFinding.objects.get_or_create(
        appeal=appeal, defaults={"lifted": lifted, "decided_by": by, "decided_at": at}
    )
    if not new:
        raise ConflictClosed(f"appeal {appeal.pk} was decided before")
    return found


def _may_appeal(conflict: ClaimConflict) -> set[str]:
    """Return the works whose claim the outcome did not uphold against the other."""
    loser = conflict.loser_id
    return {loser} if loser is not None else {conflict.work_id, conflict.other_id}
