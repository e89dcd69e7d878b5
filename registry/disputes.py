"""Claim conflicts: two creators claim one thing. Open, answer and decide them.

No winner is picked here: a conflict is decided by a person, and each step of it is kept.

While a conflict is open the most restrictive of both sides' statements holds for both works.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from registry import clusters, decision_index, log, near_copies
from registry.errors import ConflictClosed, MayNotDecide, NotAParty
from registry.models import (
    ClaimConflict,
    Creator,
    DisputeEvent,
    Identifier,
    RightsShare,
    User,
    Work,
)
from registry.near_copies import PPM
from tribute.vocabulary import IdentifierKind


def open_conflicts(work: Work, *, at: datetime) -> list[ClaimConflict]:
    """Open a conflict with every other creator's work that has the same bytes, address or content.

    All of these, one's own included, are proposed as one cluster.

    Called in the transaction that registers ``work``, after its identifiers are written. Works of
    the same registering creator, and works that share a confirmed rightsholder, do not conflict.
    """
    found = _near(work) | _same(work)
    clusters.propose(work, found, at=at)
    strangers = _strangers(work, set(found))
    conflicts = [
        ClaimConflict(
            work=work,
            other_id=other,
            kind=ClaimConflict.Kind.NEAR if distance else ClaimConflict.Kind.EXACT,
            distance_ppm=round(distance * PPM),
            opened_at=at,
        )
        for other, distance in sorted(found.items())
        if other in strangers
    ]
    opened = ClaimConflict.objects.bulk_create(conflicts)
    DisputeEvent.objects.bulk_create(
        DisputeEvent(conflict=conflict, kind=DisputeEvent.Kind.OPENED, recorded_at=at)
        for conflict in opened
    )
    return opened


def concerning(creator: Creator) -> QuerySet[ClaimConflict]:
    """Return the conflicts in which a creator has a confirmed part in one of the two works."""
    mine = RightsShare.objects.filter(creator=creator).exclude(confirmed_at=None).values("work_id")
    return ClaimConflict.objects.filter(Q(work__in=mine) | Q(other__in=mine))


def decidable_by(user: User) -> QuerySet[ClaimConflict]:
    """Return the conflicts that a user may decide, those decided before included: staff's, all."""
    own = RightsShare.objects.filter(creator__members=user).values("work_id")
    conflicts = ClaimConflict.objects.exclude(Q(work__in=own) | Q(other__in=own))
    return conflicts if user.is_staff and user.is_active else conflicts.none()


@transaction.atomic
def answer(
    conflict: ClaimConflict, creator: Creator, *, reason: DisputeEvent.Reason, at: datetime
) -> DisputeEvent:
    """Record what a party says for its side. Saying the same again changes nothing.

    Raises NotAParty for a creator without a confirmed part in either work, ConflictClosed.
    """
    locked = ClaimConflict.objects.select_for_update(no_key=True).get(pk=conflict.pk)
    shares = RightsShare.objects.filter(creator=creator).exclude(confirmed_at=None)
    held = set(shares.filter(work__in=_sides(locked)).values_list("work_id", flat=True))
    side = next((work for work in _sides(locked) if work in held), None)
    if side is None:
        raise NotAParty(f"creator {creator.pk} has no part in conflict {conflict.pk}")
    if locked.resolved_at is not None:
        raise ConflictClosed(f"conflict {conflict.pk} was decided before")
    said, _ = DisputeEvent.objects.get_or_create(
        conflict=locked,
        kind=DisputeEvent.Kind.ANSWERED,
        creator=creator,
        reason=reason,
        defaults={"work_id": side, "recorded_at": at},
    )
    return said


def decide(
    conflict: ClaimConflict, *, by: User, outcome: ClaimConflict.Outcome, at: datetime
) -> ClaimConflict:
    """Close a conflict as a person for the parties. Raises MayNotDecide, ConflictClosed."""
    if not decidable_by(by).filter(pk=conflict.pk).exists():
        raise MayNotDecide(f"conflict {conflict.pk} is for somebody else to decide")
    return resolve(conflict, outcome=outcome, by=by, at=at)


@transaction.atomic
def resolve(
    conflict: ClaimConflict,
    *,
    outcome: ClaimConflict.Outcome,
    by: User | None = None,
    at: datetime,
) -> ClaimConflict:
    """Close a conflict; the loser's claim on the work ends at ``at``, and the log says so.

    by: the person who decided; None when nobody did. Raises ConflictClosed.
    """
    open_now = ClaimConflict.objects.filter(pk=conflict.pk, resolved_at=None)
    if open_now.update(resolved_at=at, outcome=outcome) == 0:
        raise ConflictClosed(f"conflict {conflict.pk} was decided before")
    conflict.refresh_from_db()
    DisputeEvent.objects.create(
        conflict=conflict,
        kind=DisputeEvent.Kind.DECIDED,
        outcome=outcome,
        decided_by=by,
        recorded_at=at,
    )
    leaf: dict[str, log.LeafValue] = {
        "t": "dispute.decided",
        "conflict": conflict.pk,
        "work": conflict.work_id,
        "other": conflict.other_id,
        "outcome": conflict.outcome,
    }
    log.append(leaf, at=at)
    decision_index.refresh(decision_index.keys_of_claims(_sides(conflict)), at=at)
    return conflict


def _sides(conflict: ClaimConflict) -> tuple[str, str]:
    return conflict.work_id, conflict.other_id


def _same(work: Work) -> dict[str, float]:
    """Return the works with an address or a hash of ``work``, at distance 0.

    Two registrations of one key take turns, so that the second sees the first.
    """
    keys = decision_index.keys_of_works([work.pk])
    decision_index.lock(keys)
    others = (
        Identifier.objects.filter(key__in=keys)
        .exclude(kind=IdentifierKind.ISCC)
        .exclude(work=work)
        .values_list("work_id", flat=True)
    )
    return dict.fromkeys(others, 0.0)


def _near(work: Work) -> dict[str, float]:
    """Return the works near ``work``'s content code, and how far they are.

    Registrations with a code take turns (migration 0011), so that the second sees the first.
    """
    if work.iscc is None or work.iscc_type is None:
        return {}
    code = near_copies.content_code(work.iscc)
    assert code is not None, "a work with a code type has a comparable code"
    # A millionth at least: equal content codes are near-copies, not the same bytes.
    return {
        other: max(distance, 1 / PPM)
        for other, distance in near_copies.find(code)
        if other != work.pk
    }


def _strangers(work: Work, others: set[str]) -> set[str]:
    """Return those of ``others`` in which nobody behind ``work`` has a confirmed part."""
    holders = RightsShare.objects.filter(work=work).exclude(confirmed_at=None).values("creator")
    friends = (
        RightsShare.objects.filter(work__in=others, creator__in=holders)
        .exclude(confirmed_at=None)
        .values_list("work_id", flat=True)
    )
    return others - set(friends)
