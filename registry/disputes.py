"""Claim conflicts: two creators claim one thing. Open them, decide them; never pick a winner here.

While a conflict is open the most restrictive of both sides' statements holds for both works.
"""

from datetime import datetime

from django.db import connection, transaction

from registry import decision_index, near_copies
from registry.errors import ConflictClosed
from registry.models import ClaimConflict, Identifier, RightsShare, Work
from tribute.vocabulary import IdentifierKind

NEAR_COPIES_LOCK = 0x7472_6962_6E65_6172
PPM = 1_000_000


def open_conflicts(work: Work, *, at: datetime) -> list[ClaimConflict]:
    """Open a conflict with every other creator's work that has the same bytes, address or content.

    Called in the transaction that registers ``work``, after its identifiers are written. Works of
    the same registering creator, and works that share a confirmed rightsholder, do not conflict.
    """
    found = _near(work) | _same(work)
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
    return ClaimConflict.objects.bulk_create(conflicts)


@transaction.atomic
def resolve(
    conflict: ClaimConflict, *, outcome: ClaimConflict.Outcome, at: datetime
) -> ClaimConflict:
    """Close a conflict; the loser's claim on the work ends at ``at``. Raises ConflictClosed."""
    open_now = ClaimConflict.objects.filter(pk=conflict.pk, resolved_at=None)
    if open_now.update(resolved_at=at, outcome=outcome) == 0:
        raise ConflictClosed(f"conflict {conflict.pk} was decided before")
    conflict.refresh_from_db()
    works = (conflict.work_id, conflict.other_id)
    decision_index.refresh(decision_index.keys_of_claims(works), at=at)
    return conflict


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
    """Return the works near ``work``'s content code, and how far they are."""
    if work.iscc is None or work.iscc_type is None:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [NEAR_COPIES_LOCK])
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
