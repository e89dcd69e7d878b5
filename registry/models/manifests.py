"""What a model was trained on, row by row."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.consent import Statement
from registry.models.people import Operator
from registry.models.uploads import Upload
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

    class Format(models.TextChoices):
        """How the file is written."""

        JSON_LINES = "jsonl"
        PARQUET = "parquet"

    id = TypedIdField(prefix="mft", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="manifests")
    # The file it is read from; rows that came with the request have none.
    upload = models.OneToOneField(Upload, models.PROTECT, null=True, related_name="manifest")
    format = models.CharField(max_length=7, choices=Format, default=Format.JSON_LINES)
    # Of the file: bytes (JSON Lines) or rows (Parquet) that were read, up to the end of a row.
    read_to = models.BigIntegerField(default=0)
    # Of the rows read so far: see registry.manifests.
    running_digest = models.BinaryField(max_length=32, default=bytes(32))
    # What the whole was refused for, with the row's number.
    failure = models.CharField(max_length=300, blank=True)
    # Counts of the report, once all rows are matched: see registry.manifest_reports.
    summary = models.JSONField(null=True)
    started_at = models.DateTimeField(null=True)
    # When the counts last changed.
    progressed_at = models.DateTimeField(null=True)
    # The running digest of the last row: null until all are received.
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
                condition=Q(status__in=["receiving", "matching", "failed"])
                | Q(digest__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                name="manifest_unfinished",
                condition=Q(status__in=["receiving", "matching"]),
            )
        ]

    def __str__(self) -> str:
        return self.id


class ManifestRow(models.Model):
    """One thing ingested, and whether that was allowed when it was."""

    id = models.BigAutoField(primary_key=True)
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="rows", db_index=False)
    row_number = models.BigIntegerField()
    kind = models.CharField(max_length=6)
    canonical = models.TextField()
    key = models.BinaryField(max_length=32)
    ingested_at = models.DateTimeField()
    work = models.ForeignKey(
        Work, models.PROTECT, null=True, db_index=False, related_name="manifest_rows"
    )
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
        # Few rows are of a work, and fewer were not allowed; the rest is in the first index alone.
        indexes = [
            models.Index(fields=["key"], name="manifest_row_key"),
            models.Index(
                fields=["work", "manifest"],
                name="manifest_row_work",
                condition=Q(work__isnull=False),
            ),
            models.Index(
                fields=["manifest", "work"],
                name="manifest_row_matched",
                condition=Q(work__isnull=False),
            ),
            models.Index(
                fields=["manifest", "row_number"],
                name="manifest_row_violation",
                condition=Q(decision__in=[Decision.DENY.value, Decision.LICENSE.value]),
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.row_number}"


class ManifestCode(models.Model):
    """The content code of a manifest row that has one: what its near-copies are found by."""

    id = models.BigAutoField(primary_key=True)
    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="codes")
    row_number = models.BigIntegerField()
    type = models.CharField(max_length=8)
    code = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"row {self.row_number}"
