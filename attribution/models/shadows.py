"""Evidence kept by consent, what another method would have paid by it, and what that changed."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from attribution.models.queries import GenerativeModel, Query
from registry.ids import TypedIdField
from registry.models import Creator, User, Work


class KeptEvidence(models.Model):
    """A settled query's evidence, still encrypted, by its operator's consent and for a time."""

    query = models.OneToOneField(
        Query, models.PROTECT, primary_key=True, related_name="kept_evidence"
    )
    box = models.BinaryField()
    key_id = models.CharField(max_length=16)
    delete_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "kept evidence"

    def __str__(self) -> str:
        return f"{self.query_id} until {self.delete_at:%Y-%m-%d}"


class ShadowRun(models.Model):
    """A method, run again over a model's past queries; books nothing until two people say so."""

    class State(models.TextChoices):
        """How far it has come; dismissed and posted are final."""

        RUNNING = "running"
        READY = "ready"
        PROPOSED = "proposed"
        ACCEPTED = "accepted"
        POSTED = "posted"
        DISMISSED = "dismissed"

    id = TypedIdField(prefix="shr", primary_key=True)
    model = models.ForeignKey(GenerativeModel, models.PROTECT, related_name="shadow_runs")
    method = models.CharField(max_length=12)
    method_version = models.CharField(max_length=12)
    settled_from = models.DateTimeField()
    settled_until = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    asked_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    proposed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=400, blank=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            CheckConstraint(
                name="shadow_run_is_accepted_by_another",
                condition=Q(accepted_by=None)
                | Q(proposed_by__isnull=False) & ~Q(accepted_by=F("proposed_by")),
            ),
            CheckConstraint(
                name="shadow_run_state_follows_from_who_said_so",
                condition=Q(
                    state__in=["running", "ready", "dismissed"],
                    accepted_by=None,
                )
                | Q(state="proposed", proposed_by__isnull=False, accepted_by=None) & ~Q(reason="")
                | Q(state__in=["accepted", "posted"], accepted_by__isnull=False),
            ),
            CheckConstraint(
                name="shadow_run_covers_a_time",
                condition=Q(settled_until__gt=F("settled_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method}/{self.method_version} over {self.model_id}"


class ShadowResult(models.Model):
    """What a shadow run found for one query."""

    class State(models.TextChoices):
        """Skipped ones say why; the same are not posted, since nothing changes."""

        SAME = "same"
        DIFFERS = "differs"
        SKIPPED = "skipped"
        POSTED = "posted"

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ShadowRun, models.PROTECT, db_index=False, related_name="results")
    query = models.ForeignKey(Query, models.PROTECT, related_name="shadow_results")
    state = models.CharField(max_length=7, choices=State)
    reason = models.CharField(max_length=60, blank=True)
    parameters = models.JSONField(default=dict)
    record = models.JSONField(null=True)
    # Of what had been paid when this was found: changes are to that and to nothing else.
    paid_digest = models.BinaryField(max_length=32)
    entry_key = models.UUIDField(null=True, unique=True)

    class Meta:
        constraints = [
            UniqueConstraint(name="shadow_result_once_per_run_and_query", fields=["run", "query"]),
            CheckConstraint(
                name="shadow_result_posted_has_its_entry",
                condition=Q(state="posted", entry_key__isnull=False)
                | Q(state__in=["same", "differs", "skipped"], entry_key=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.query_id}: {self.state}"


class ShadowChange(models.Model):
    """New minus old, for one creator of one work of a query; without both, the remainder's."""

    id = models.BigAutoField(primary_key=True)
    result = models.ForeignKey(ShadowResult, models.PROTECT, related_name="changes")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="+")
    micros = models.BigIntegerField()

    class Meta:
        constraints = [
            UniqueConstraint(
                name="shadow_change_once_per_result_work_and_creator",
                fields=["result", "work", "creator"],
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.micros:+} micros"


class Adjustment(models.Model):
    """What a posted correction changed of a query's contributions. Append-only, by trigger.

    ``borne_micros`` of a decrease was left to the creator, since the platform bore it.
    """

    id = models.BigAutoField(primary_key=True)
    result = models.ForeignKey(ShadowResult, models.PROTECT, related_name="adjustments")
    query = models.ForeignKey(Query, models.PROTECT, related_name="adjustments")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="adjustments")
    micros = models.BigIntegerField()
    borne_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="adjustment_once_per_result_work_and_creator",
                fields=["result", "work", "creator"],
                nulls_distinct=False,
            ),
            CheckConstraint(
                name="adjustment_bears_part_of_a_decrease",
                condition=Q(borne_micros=0)
                | Q(borne_micros__gt=0, micros__lte=-1 * F("borne_micros")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.micros:+} micros of {self.query_id}"
