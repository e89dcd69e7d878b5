"""Hand over what claims held, once it is known whose it is.

Owns whom a work's set-aside earnings belong to; that they are moved once, and how, is
``ledger.disputed``'s part, and who claims what is the registry's to say.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import Q

from ledger import disputed
from ledger.accounts import AccountKind
from ledger.models import SetAside
from registry import appeals, claims
from registry.models import ClaimConflict, RightsShare


def release(*, at: datetime, holding: timedelta, limit: int) -> int:
    """Hand over what waits for up to ``limit`` works that nothing holds any more; return how many.

    A lapsed claim gives the earlier side its earnings back; a decision, once it can change no more,
    gives them to the side it found right. holding: see ``ledger.disputed.release``.
    """
    waiting = _waiting()
    free = waiting.keys() - bound(waiting, at=at)
    released = 0
    for work in sorted(free)[:limit]:
        owners = entitled(work, waiting[work])
        if owners and disputed.release(work, to=owners, holding=holding, at=at):
            released += 1
    return released


def _waiting() -> dict[str, dict[str, int]]:
    """Return by work what is set aside for it in whose name, in micros over all currencies."""
    rows = SetAside.objects.filter(
        released_at=None, account__kind=AccountKind.CREATOR_DISPUTED
    ).values_list("subject", "account__creator", "amount_micros")
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for work, creator, micros in rows:
        found[work][creator] += micros
    return {work: dict(parts) for work, parts in found.items()}


def entitled(work: str, earned: Mapping[str, int]) -> Mapping[str, int]:
    """Return whose a work's earnings are, with weights: the side found right, else who ``earned``."""
    winner = _upheld(work)
    return _owners(winner) if winner != work else earned


def bound(works: Collection[str], *, at: datetime) -> set[str]:
    """Return the works that a claim holds, or about which a decision may still be appealed."""
    wanted = set(works)
    decided = ClaimConflict.objects.filter(Q(work__in=wanted) | Q(other__in=wanted))
    unfinal = {
        side
        for conflict in decided.exclude(resolved_at=None)
        if not appeals.final(conflict, at=at)
        for side in (conflict.work_id, conflict.other_id)
    }
    return claims.held(wanted, at=at) | (unfinal & wanted)


def _upheld(work: str) -> str:
    """Return the work whose claim was found right against this one's; itself when none was."""
    seen: set[str] = set()
    while work not in seen:
        seen.add(work)
        about = ClaimConflict.objects.filter(Q(work=work) | Q(other=work)).order_by("resolved_at")
        lost = (c for c in about.exclude(resolved_at=None) if c.loser_id == work)
        work = next((c.other_id if c.work_id == work else c.work_id for c in lost), work)
    return work


def _owners(work: str) -> Mapping[str, int]:
    """Return the shares of those who confirmed theirs, in ppm."""
    shares: Collection[tuple[str, int]] = RightsShare.objects.filter(
        work=work, confirmed_at__isnull=False, creator__erased_at=None
    ).values_list("creator_id", "ppm")
    return dict(shares)
