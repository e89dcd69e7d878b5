"""What happened in a claim conflict, step by step."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.models.people import Creator, User
from registry.models.works import ClaimConflict, Work


class DisputeEvent(models.Model):
    """One step of a claim conflict. Append-only: the database sees to it."""

    class Kind(models.TextChoices):
        """What happened."""

        OPENED = "opened"
        ANSWERED = "answered"
        DECIDED = "decided"

    class Reason(models.TextChoices):
        """What a party says for its side; codes only, so that the log of a quarrel holds no text."""

        MADE_IT = "made_it"
        MADE_INDEPENDENTLY = "made_independently"
        HAS_PERMISSION = "has_permission"
        SHARED_SOURCE = "shared_source"
        CONCEDES = "concedes"

    id = models.BigAutoField(primary_key=True)
    conflict = models.ForeignKey(ClaimConflict, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=8, choices=Kind)
    # Of an answer: who speaks, for which of the two works, and what is said.
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="dispute_answers")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="dispute_answers")
    reason = models.CharField(max_length=18, choices=Reason, blank=True)
    # Of a decision: what was found, and who found it, if a person did.
    outcome = models.CharField(max_length=12, choices=ClaimConflict.Outcome, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="disputes_decided")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(
                name="dispute_event_says_what_its_kind_says",
                condition=Q(kind="opened", creator=None, work=None, reason="", outcome="")
                & Q(decided_by=None)
                | Q(kind="answered", creator__isnull=False, work__isnull=False, outcome="")
                & Q(
                    decided_by=None,
                    reason__in=[
                        "made_it",
                        "made_independently",
                        "has_permission",
                        "shared_source",
                        "concedes",
                    ],
                )
                | Q(kind="decided", creator=None, work=None, reason="")
                & Q(outcome__in=["distinct", "work_upheld", "other_upheld"]),
            ),
            UniqueConstraint(
                name="dispute_reason_said_once_by_each",
                fields=["conflict", "creator", "reason"],
                condition=Q(kind="answered"),
            ),
            UniqueConstraint(
                name="dispute_opened_and_decided_once",
                fields=["conflict", "kind"],
                condition=Q(kind__in=["opened", "decided"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason or self.outcome}".strip()
