"""Later claims on what was registered before: who stands by one, and what it holds meanwhile.

Owns the rule of decision 0009: registering a near-copy holds nobody's money but one's own. The
earlier side's earnings are kept apart only while a later claimant who is proven stands by the
claim, for a limited time, or a person found it plausible, or the later side alone is proven.
"""

from collections import defaultdict
from collections.abc import Collection as CollectionOf
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from registry.disputes import decidable_by
from registry.errors import ClaimNotProven, ConflictClosed, MayNotDecide, NotAParty, TooManyClaims
from registry.models import (
    ClaimConflict,
    Collection,
    Creator,
    DisputeEvent,
    Identifier,
    RightsShare,
    Signer,
    User,
    WorkSignature,
)

HOLDS_FOR = timedelta(days=30)
"""How long a claim holds the earlier side's earnings that nobody has found plausible."""
MOST_OPEN = 3
"""So many claims of one creator, not found plausible yet, are open at a time."""
MOST_LOST = 3
"""A creator who lost so many claims within ``LOST_WITHIN`` holds nothing by claiming."""
LOST_WITHIN = timedelta(days=365)


@transaction.atomic
def stand_by(conflict: ClaimConflict, creator: Creator, *, at: datetime) -> ClaimConflict:
    """Say, for the later work, that the claim is meant; the earlier side's earnings are held now.

    Said again, nothing changes. Raises NotAParty for a creator without a confirmed part in the
    later work, ConflictClosed, ClaimNotProven, TooManyClaims.
    """
    # One claim of a creator at a time, so that two cannot both be the last one allowed.
    Creator.objects.select_for_update(no_key=True).get(pk=creator.pk)
    locked = ClaimConflict.objects.select_for_update(no_key=True).get(pk=conflict.pk)
    if not _holds(creator, locked.work_id):
        raise NotAParty(f"creator {creator.pk} has no part in work {locked.work_id}")
    if locked.resolved_at is not None:
        raise ConflictClosed(f"conflict {conflict.pk} was decided before")
    if locked.claimed_at is not None:
        return locked
    if locked.work_id not in proven({locked.work_id}, at=at, by=creator):
        raise ClaimNotProven("prove your identity, or control of the place where the work lies")
    _require_few(creator, at)
    locked.claimed_at = at
    locked.save(update_fields=["claimed_at"])
    DisputeEvent.objects.create(
        conflict=locked,
        kind=DisputeEvent.Kind.CLAIMED,
        creator=creator,
        work_id=locked.work_id,
        recorded_at=at,
    )
    return locked


@transaction.atomic
def admit(conflict: ClaimConflict, *, by: User, at: datetime) -> ClaimConflict:
    """Find a later claim plausible: it holds the earlier side's earnings until it is decided.

    Said again, nothing changes. Raises MayNotDecide, ConflictClosed.
    """
    if not decidable_by(by).filter(pk=conflict.pk).exists():
        raise MayNotDecide(f"conflict {conflict.pk} is for somebody else to decide")
    locked = ClaimConflict.objects.select_for_update(no_key=True).get(pk=conflict.pk)
    if locked.resolved_at is not None:
        raise ConflictClosed(f"conflict {conflict.pk} was decided before")
    if locked.admitted_at is None:
        locked.admitted_at = at
        locked.save(update_fields=["admitted_at"])
        DisputeEvent.objects.create(
            conflict=locked, kind=DisputeEvent.Kind.ADMITTED, decided_by=by, recorded_at=at
        )
    return locked


def held(works: CollectionOf[str], *, at: datetime) -> set[str]:
    """Return those of ``works`` whose earnings are kept apart at an instant.

    The later work's always are while a claim is open: it would earn by what may not be its own.
    """
    wanted = set(works)
    pairs = ClaimConflict.objects.filter(Q(work__in=wanted) | Q(other__in=wanted))
    conflicts = list(pairs.filter(resolved_at=None))
    if not conflicts:
        return set()
    shown = proven({side for c in conflicts for side in (c.work_id, c.other_id)}, at=at)
    found = {conflict.work_id for conflict in conflicts}
    found |= {c.other_id for c in conflicts if holds_earlier(c, shown, at=at)}
    return found & wanted


def holds_earlier(conflict: ClaimConflict, shown: CollectionOf[str], *, at: datetime) -> bool:
    """Whether an open claim holds the earlier side's earnings. shown: works that are proven."""
    if conflict.admitted_at is not None:
        return True
    if conflict.claimed_at is not None and at < conflict.claimed_at + HOLDS_FOR:
        return True
    return conflict.work_id in shown and conflict.other_id not in shown


def proven(works: CollectionOf[str], *, at: datetime, by: Creator | None = None) -> set[str]:
    """Return those of ``works`` that somebody proven holds a confirmed part in.

    Proven is whose identity is verified, or who shows control of a place where the work lies or of
    the certificate that its file is signed with. by: asks about this creator alone.
    """
    shares = RightsShare.objects.filter(work__in=set(works), confirmed_at__lte=at)
    if by is not None:
        shares = shares.filter(creator=by)
    holders: dict[str, set[str]] = defaultdict(set)
    found: set[str] = set()
    rows = shares.values_list("work_id", "creator_id", "creator__identity_verified_at")
    for work, creator, verified_at in rows:
        holders[work].add(creator)
        if verified_at is not None and verified_at <= at:
            found.add(work)
    return found | _in_control(holders, at) | _signed(holders, at)


def _in_control(holders: dict[str, set[str]], at: datetime) -> set[str]:
    """Return the works of which a holder controls a place that contains one of its addresses."""
    lies: dict[str, set[bytes]] = defaultdict(set)
    for work, scopes in Identifier.objects.filter(work__in=holders).values_list("work", "scopes"):
        lies[work] |= {bytes(scope) for scope in scopes}
    places = Collection.objects.filter(
        key__in=set().union(*lies.values()), control_proven_at__lte=at
    )
    controls: dict[str, set[bytes]] = defaultdict(set)
    for key, creator in places.values_list("key", "creator"):
        controls[creator].add(bytes(key))
    return {
        work
        for work, creators in holders.items()
        if any(lies[work] & controls[creator] for creator in creators)
    }


def _signed(holders: dict[str, set[str]], at: datetime) -> set[str]:
    """Return the works whose file is signed with a certificate that a holder controls."""
    rows = WorkSignature.objects.filter(work__in=holders).values_list("work", "certificate_sha256")
    signed_with = {work: bytes(certificate) for work, certificate in rows}
    if not signed_with:
        return set()
    signers = Signer.objects.filter(
        certificate_sha256__in=set(signed_with.values()), control_proven_at__lte=at
    )
    controls = {
        (creator, bytes(certificate))
        for creator, certificate in signers.values_list("creator", "certificate_sha256")
        if certificate is not None
    }
    return {
        work
        for work, certificate in signed_with.items()
        if any((creator, certificate) in controls for creator in holders[work])
    }


def _holds(creator: Creator, work: str) -> bool:
    shares = RightsShare.objects.filter(creator=creator, work=work)
    return shares.exclude(confirmed_at=None).exists()


def _require_few(creator: Creator, at: datetime) -> None:
    claimed = ClaimConflict.objects.filter(
        pk__in=DisputeEvent.objects.filter(creator=creator, kind=DisputeEvent.Kind.CLAIMED).values(
            "conflict"
        )
    )
    if claimed.filter(resolved_at=None, admitted_at=None).count() >= MOST_OPEN:
        raise TooManyClaims(f"{MOST_OPEN} of your claims wait for a person; one has to end first")
    lost = claimed.filter(
        outcome=ClaimConflict.Outcome.OTHER_UPHELD, resolved_at__gt=at - LOST_WITHIN
    )
    if lost.count() >= MOST_LOST:
        raise TooManyClaims("so many of your claims were lost that only a person can admit one")
