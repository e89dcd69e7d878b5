"""Clusters of works that are near-copies of each other: proposed by likeness, reviewed by people."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import User
from registry.models.works import Work


class Cluster(models.Model):
    """Works that count as one where money is divided."""

    id = TypedIdField(prefix="clu", primary_key=True)
    opened_at = models.DateTimeField(editable=False)

    def __str__(self) -> str:
        return self.id


class ClusterMember(models.Model):
    """A work in a cluster, and whether a person has looked at it."""

    class State(models.TextChoices):
        """What the work is to the rest."""

        PROPOSED = "proposed"
        MERGED = "merged"
        SEPARATED = "separated"

    id = models.BigAutoField(primary_key=True)
    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="members")
    work = models.ForeignKey(Work, models.CASCADE, related_name="cluster_memberships")
    state = models.CharField(max_length=9, choices=State)
    # The work that stood for the cluster when this one joined, and how far it is; 0: the same thing.
    near_to = models.ForeignKey(Work, models.CASCADE, null=True, related_name="near_members")
    distance_ppm = models.IntegerField(default=0)
    added_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            UniqueConstraint(name="cluster_member_once", fields=["cluster", "work"]),
            UniqueConstraint(
                name="work_is_in_one_cluster",
                fields=["work"],
                condition=Q(state__in=["proposed", "merged"]),
            ),
            CheckConstraint(
                name="cluster_member_state_is_known",
                condition=Q(state__in=["proposed", "merged", "separated"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.distance_ppm} ppm"


class ClusterEvent(models.Model):
    """One step in the life of a cluster. Append-only: the database sees to it."""

    class Kind(models.TextChoices):
        """What happened to a work, or with JOINED to the whole cluster."""

        PROPOSED = "proposed"
        MERGED = "merged"
        SEPARATED = "separated"
        JOINED = "joined"

    class Reason(models.TextChoices):
        """What a person found; codes only, so that nothing private is kept for good."""

        SAME_WORK = "same_work"
        EDITION = "edition"
        EXCERPT = "excerpt"
        INDEPENDENT = "independent"
        SHARED_SOURCE = "shared_source"
        BY_CHANCE = "by_chance"

    id = models.BigAutoField(primary_key=True)
    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=9, choices=Kind)
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="cluster_events")
    # Of JOINED: the cluster that took this one's works in.
    into = models.ForeignKey(Cluster, models.PROTECT, null=True, related_name="taken_in")
    reason = models.CharField(max_length=13, choices=Reason, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="cluster_events")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(
                name="cluster_event_says_what_its_kind_says",
                condition=Q(kind="proposed", work__isnull=False, into=None)
                & Q(reason="", decided_by=None)
                | Q(kind="merged", work__isnull=False, into=None, decided_by__isnull=False)
                & Q(reason__in=["same_work", "edition", "excerpt"])
                | Q(kind="separated", work__isnull=False, into=None, decided_by__isnull=False)
                & Q(reason__in=["independent", "shared_source", "by_chance"])
                | Q(kind="joined", work=None, into__isnull=False, decided_by__isnull=False)
                & Q(reason__in=["same_work", "edition", "excerpt"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason}".strip()
