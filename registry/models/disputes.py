"""What happened in a claim conflict, step by step."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.models.people import Creator, User
from registry.models.works import ClaimConflict, Work

_NOBODY = {"creator": None, "work": None, "reason": ""}
_A_PARTY = {"creator__isnull": False, "work__isnull": False}
_NO_FINDING = {"outcome": "", "decided_by": None}
_OUTCOMES = [outcome.value for outcome in ClaimConflict.Outcome]
_REASONS = [
    "made_it",
    "made_independently",
    "has_permission",
    "shared_source",
    "concedes",
]
_GROUNDS = ["new_evidence", "wrong_on_facts", "not_heard"]


class DisputeEvent(models.Model):
    """One step of a claim conflict. Append-only: the database sees to it."""

    class Kind(models.TextChoices):
        """What happened."""

        OPENED = "opened"
        ANSWERED = "answered"
        CLAIMED = "claimed"
        ADMITTED = "admitted"
        DECIDED = "decided"
        APPEALED = "appealed"
        REVIEWED = "reviewed"

    class Reason(models.TextChoices):
        """What a party says for its side; codes only, so that the log of a quarrel holds no text."""

        MADE_IT = "made_it"
        MADE_INDEPENDENTLY = "made_independently"
        HAS_PERMISSION = "has_permission"
        SHARED_SOURCE = "shared_source"
        CONCEDES = "concedes"

    class Ground(models.TextChoices):
        """Why a party appeals."""

        NEW_EVIDENCE = "new_evidence"
        WRONG_ON_FACTS = "wrong_on_facts"
        NOT_HEARD = "not_heard"

    id = models.BigAutoField(primary_key=True)
    conflict = models.ForeignKey(ClaimConflict, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=8, choices=Kind)
    # Of an answer: who speaks, for which of the two works, and what is said.
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="dispute_answers")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="dispute_answers")
    reason = models.CharField(max_length=18, choices=[*Reason.choices, *Ground.choices], blank=True)
    # Of a decision: what was found, and who found it, if a person did.
    outcome = models.CharField(max_length=12, choices=ClaimConflict.Outcome, blank=True)
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="disputes_decided")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(
                name="dispute_event_says_what_its_kind_says",
                condition=Q(kind="opened", **_NOBODY, **_NO_FINDING)
                | Q(kind="claimed", **_A_PARTY, reason="", **_NO_FINDING)
                | Q(kind="answered", **_A_PARTY, reason__in=_REASONS, **_NO_FINDING)
                | Q(kind="appealed", **_A_PARTY, reason__in=_GROUNDS, **_NO_FINDING)
                | Q(kind="admitted", **_NOBODY, outcome="", decided_by__isnull=False)
                | Q(kind="decided", **_NOBODY, outcome__in=_OUTCOMES)
                | Q(kind="reviewed", **_NOBODY, outcome__in=_OUTCOMES, decided_by__isnull=False),
            ),
            UniqueConstraint(
                name="dispute_reason_said_once_by_each",
                fields=["conflict", "creator", "reason"],
                condition=Q(kind="answered"),
            ),
            UniqueConstraint(
                name="dispute_takes_each_other_step_once",
                fields=["conflict", "kind"],
                condition=~Q(kind="answered"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason or self.outcome}".strip()
