"""What a model was trained on, row by row."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.consent import Statement
from registry.models.people import Operator
from registry.models.works import Work
from tribute.vocabulary import Decision


class Manifest(models.Model):
    """One operator's list of what it ingested."""

    class Status(models.TextChoices):
        """Where the manifest is on its way; matching runs row by row and can be resumed."""

        RECEIVING = "receiving"
        MATCHING = "matching"
        READY = "ready"
        FAILED = "failed"

    id = TypedIdField(prefix="mft", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="manifests")
    # SHA-256 of the rows in canonical JSON, one a line: null until all are received.
    digest = models.BinaryField(max_length=32, null=True)
    rows_count = models.BigIntegerField(default=0)
    status = models.CharField(max_length=9, choices=Status, default=Status.RECEIVING)
    matched_count = models.BigIntegerField(default=0)
    violations_count = models.BigIntegerField(default=0)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(
                name="manifest_is_digested_once_received",
                condition=Q(status__in=["receiving", "failed"]) | Q(digest__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.id


class ManifestRow(models.Model):
    """One thing ingested, and whether that was allowed when it was."""

    id = models.BigAutoField(primary_key=True)
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="rows")
    row_number = models.BigIntegerField()
    kind = models.CharField(max_length=6)
    canonical = models.TextField()
    key = models.BinaryField(max_length=32)
    ingested_at = models.DateTimeField()
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="manifest_rows")
    # Empty until matched.
    decision = models.CharField(max_length=8, blank=True)
    statement = models.ForeignKey(
        Statement, models.PROTECT, null=True, db_index=False, related_name="manifest_rows"
    )

    class Meta:
        constraints = [
            UniqueConstraint(name="manifest_row_number_once", fields=["manifest", "row_number"]),
            CheckConstraint(
                name="manifest_row_decision_is_known",
                condition=Q(decision__in=["", *(d.value for d in Decision)]),
            ),
        ]
        indexes = [models.Index(fields=["key"], name="manifest_row_key")]

    def __str__(self) -> str:
        return f"row {self.row_number}"
