"""Clusters of near-copies: proposed as works are registered, merged and separated by people.

Owns which works count as one where money is divided, as far as a person has looked or content
codes say. What else makes works alike, and who stands for a cluster, is attribution's.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from registry import log
from registry.errors import ClusterTooLarge, MayNotDecide, NotClustered
from registry.models import Cluster, ClusterEvent, ClusterMember, RightsShare, User, Work
from registry.near_copies import PPM

State, Kind, Reason = ClusterMember.State, ClusterEvent.Kind, ClusterEvent.Reason
LIVE = (State.PROPOSED, State.MERGED)
MERGE_REASONS = (Reason.SAME_WORK, Reason.EDITION, Reason.EXCERPT)
SEPARATE_REASONS = (Reason.INDEPENDENT, Reason.SHARED_SOURCE, Reason.BY_CHANCE)
MOST_WORKS = 100

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """What clusters say of some works, two by two.

    proposed: alike by their content codes, nobody looked. merged: a person found them one.
    apart: a person found them not alike.
    """

    proposed: frozenset[Pair]
    merged: frozenset[Pair]
    apart: frozenset[Pair]

    def corrected(self, pairs: Collection[Pair]) -> set[Pair]:
        """Return pairs found by likeness as people left them: their word goes before it."""
        return (set(pairs) - self.apart) | self.merged


@transaction.atomic
def propose(work: Work, near: Mapping[str, float], *, at: datetime) -> ClusterMember | None:
    """Put a new work into the cluster of what it is near to; None when it is near to nothing.

    near: earlier works and their distances (0.0 to 1.0). It joins the earliest of them that stands
    for a cluster or is in none; being near to a mere follower joins nobody, so that no chain of
    small changes makes one of works that are not alike. Called in the registering transaction.
    """
    # Locked, so that two who find the same work unclustered do not both open a cluster for it.
    earlier = list(
        Work.objects.filter(pk__in=near)
        .order_by("registered_at", "pk")
        .select_for_update(no_key=True)
    )
    rows = ClusterMember.objects.filter(work__in=earlier, state__in=LIVE)
    home = {row.work_id: row.cluster_id for row in rows}
    leaders = _leaders(set(home.values()))
    chosen = next((w for w in earlier if w.pk not in home or leaders[home[w.pk]] == w.pk), None)
    if chosen is None:
        return None
    cluster_id = home.get(chosen.pk)
    if cluster_id is None:
        cluster_id = Cluster.objects.create(opened_at=at).pk
        _add(cluster_id, chosen.pk, None, 0.0, at)
    return _add(cluster_id, work.pk, chosen.pk, near[chosen.pk], at)


def decidable_by(user: User) -> QuerySet[Cluster]:
    """Return the clusters that a user may review: for staff, those without works of their own."""
    own = RightsShare.objects.filter(creator__members=user).values("work_id")
    clusters = Cluster.objects.exclude(members__work__in=own)
    return clusters if user.is_staff and user.is_active else clusters.none()


def waiting(clusters: QuerySet[Cluster]) -> QuerySet[Cluster]:
    """Return those in which works wait for somebody to look at them, the largest first."""
    live = Count("members", filter=Q(members__state__in=LIVE))
    unseen = Count("members", filter=Q(members__state=State.PROPOSED))
    found = clusters.annotate(live=live, unseen=unseen).filter(unseen__gt=0, live__gt=1)
    return found.order_by("-live", "pk")


@transaction.atomic
def merge(works: Sequence[Work], *, by: User, reason: ClusterEvent.Reason, at: datetime) -> Cluster:
    """Find works to be one, with all that is in their clusters; return the cluster.

    Raises NotClustered for fewer than two works, MayNotDecide, ClusterTooLarge.
    """
    assert reason in MERGE_REASONS, "the form offers no other"
    named = {work.pk for work in works}
    members = _locked(named)
    clusters = sorted({member.cluster_id for member in members})
    everybody = named | {member.work_id for member in members}
    if len(everybody) < 2:  # noqa: PLR2004 - one work alone is no cluster
        raise NotClustered("a cluster is of at least two works")
    if len(everybody) > MOST_WORKS:
        raise ClusterTooLarge(f"{len(everybody)} works are more than {MOST_WORKS}")
    _require_uninvolved(by, everybody)
    home = Cluster.objects.get(pk=clusters[0]) if clusters else Cluster.objects.create(opened_at=at)
    ClusterMember.objects.filter(cluster=home, work__in=everybody, state=State.SEPARATED).delete()
    _move(members, home)
    settled = {member.work_id for member in members}
    ClusterMember.objects.bulk_create(
        ClusterMember(cluster=home, work_id=work, state=State.MERGED, added_at=at)
        for work in sorted(named - settled)
    )
    ClusterMember.objects.filter(cluster=home, work__in=everybody).update(state=State.MERGED)
    ClusterEvent.objects.bulk_create(
        [
            *(
                ClusterEvent(cluster=home, kind=Kind.MERGED, work_id=work, reason=reason,
                             decided_by=by, recorded_at=at)
                for work in sorted(everybody)
            ),
            *(
                ClusterEvent(cluster_id=taken, kind=Kind.JOINED, into=home, reason=reason,
                             decided_by=by, recorded_at=at)
                for taken in clusters[1:]
            ),
        ]
    )  # fmt: skip
    _log(home, Kind.MERGED, sorted(everybody), at)
    return home


@transaction.atomic
def separate(
    cluster: Cluster, work: Work, *, by: User, reason: ClusterEvent.Reason, at: datetime
) -> Cluster:
    """Find a work not to be alike to the rest of its cluster, whatever codes or words say.

    Raises NotClustered when it is not in the cluster, MayNotDecide.
    """
    assert reason in SEPARATE_REASONS, "the form offers no other"
    members = _locked({work.pk})
    if not any(m.work_id == work.pk and m.cluster_id == cluster.pk for m in members):
        raise NotClustered(f"work {work.pk} is not in cluster {cluster.pk}")
    _require_uninvolved(by, {member.work_id for member in members})
    ClusterMember.objects.filter(cluster=cluster, work=work).update(state=State.SEPARATED)
    ClusterEvent.objects.create(
        cluster=cluster,
        kind=Kind.SEPARATED,
        work=work,
        reason=reason,
        decided_by=by,
        recorded_at=at,
    )
    _log(cluster, Kind.SEPARATED, [work.pk], at)
    return cluster


def pairs_of(works: Collection[str] | QuerySet[Work]) -> Pairs:
    """Return what clusters say of works, and of those that share a cluster with them."""
    involved = ClusterMember.objects.filter(work__in=works).values("cluster")
    rows = ClusterMember.objects.filter(cluster__in=involved)
    members: dict[str, list[ClusterMember]] = defaultdict(list)
    for row in rows:
        members[row.cluster_id].append(row)
    proposed: set[Pair] = set()
    merged: set[Pair] = set()
    apart: set[Pair] = set()
    for cluster in members.values():
        live = {row.work_id for row in cluster if row.state in LIVE}
        together = [row.work_id for row in cluster if row.state == State.MERGED]
        merged |= {frozenset(pair) for pair in combinations(together, 2)}
        for row in cluster:
            if row.state == State.SEPARATED:
                apart |= {frozenset((row.work_id, other)) for other in live}
            elif row.state == State.PROPOSED and row.near_to_id in live:
                proposed.add(frozenset((row.work_id, str(row.near_to_id))))
    return Pairs(frozenset(proposed), frozenset(merged), frozenset(apart))


def _leaders(clusters: Collection[str]) -> dict[str, str]:
    """Return the earliest live work of each cluster."""
    rows = ClusterMember.objects.filter(cluster__in=clusters, state__in=LIVE)
    rows = rows.order_by("cluster", "work__registered_at", "work").distinct("cluster")
    return dict(rows.values_list("cluster_id", "work_id"))


def _add(
    cluster_id: str, work: str, near_to: str | None, distance: float, at: datetime
) -> ClusterMember:
    member = ClusterMember.objects.create(
        cluster_id=cluster_id,
        work_id=work,
        near_to_id=near_to,
        state=State.PROPOSED,
        distance_ppm=round(distance * PPM),
        added_at=at,
    )
    ClusterEvent.objects.create(
        cluster_id=cluster_id, kind=Kind.PROPOSED, work_id=work, recorded_at=at
    )
    return member


def _locked(works: set[str]) -> list[ClusterMember]:
    """Lock works and return all live members of their clusters."""
    list(Work.objects.filter(pk__in=works).order_by("pk").select_for_update(no_key=True))
    homes = ClusterMember.objects.filter(work__in=works, state__in=LIVE).values("cluster")
    rows = ClusterMember.objects.filter(cluster__in=homes, state__in=LIVE)
    return list(rows.order_by("pk").select_for_update(no_key=True, of=("self",)))


def _move(members: Sequence[ClusterMember], home: Cluster) -> None:
    moving = [member.pk for member in members if member.cluster_id != home.pk]
    ClusterMember.objects.filter(pk__in=moving).update(cluster=home)


def _require_uninvolved(by: User, works: Collection[str]) -> None:
    own = RightsShare.objects.filter(creator__members=by, work__in=works)
    if not (by.is_staff and by.is_active) or own.exists():
        raise MayNotDecide("clusters are reviewed by staff who have no part in their works")


def _log(cluster: Cluster, kind: ClusterEvent.Kind, works: Sequence[str], at: datetime) -> None:
    log.append(
        {"t": "cluster.decided", "cluster": cluster.pk, "kind": kind.value, "works": works}, at=at
    )
