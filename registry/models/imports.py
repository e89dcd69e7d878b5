"""Many works registered from one file: how far it has come, and what became of each row."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator
from registry.models.uploads import Upload
from registry.models.works import Work

_OUTCOMES = ["", "registered", "duplicate", "error"]


class Import(models.Model):
    """A file of works that a creator registers, or asks what registering it would do."""

    class Status(models.TextChoices):
        """Where the import is on its way; each step can be killed and goes on."""

        RECEIVING = "receiving"
        READING = "reading"
        REGISTERING = "registering"
        READY = "ready"
        FAILED = "failed"

    class Format(models.TextChoices):
        """How the file is written."""

        CSV = "csv"
        JSON_LINES = "jsonl"

    id = TypedIdField(prefix="imp", primary_key=True)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="imports")
    upload = models.OneToOneField(Upload, models.PROTECT, related_name="works_import")
    format = models.CharField(max_length=5, choices=Format)
    dry_run = models.BooleanField(default=False)
    status = models.CharField(max_length=11, choices=Status, default=Status.RECEIVING)
    # What the whole file was refused for: a stable code and a sentence.
    failure = models.CharField(max_length=300, blank=True)
    # Bytes of the file that were read, up to the end of a record.
    read_to = models.BigIntegerField(default=0)
    # Of CSV: the delimiter and the names in the first line.
    columns = models.JSONField(null=True)
    rows_count = models.BigIntegerField(default=0)
    processed_count = models.BigIntegerField(default=0)
    registered_count = models.BigIntegerField(default=0)
    duplicate_count = models.BigIntegerField(default=0)
    error_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    # When the counts above last changed.
    progressed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            CheckConstraint(
                name="import_status_is_known",
                condition=Q(status__in=["receiving", "reading", "registering", "ready", "failed"]),
            ),
            CheckConstraint(
                name="import_fails_for_a_reason",
                condition=Q(status="failed") & ~Q(failure="") | ~Q(status="failed", failure=""),
            ),
            CheckConstraint(
                name="import_counts_every_row_once",
                condition=Q(
                    processed_count=models.F("registered_count")
                    + models.F("duplicate_count")
                    + models.F("error_count"),
                    processed_count__lte=models.F("rows_count"),
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="import_unfinished",
                condition=Q(status__in=["receiving", "reading", "registering"]),
            )
        ]

    def __str__(self) -> str:
        return self.id


class ImportRow(models.Model):
    """One row of an import, as it was read, and then what became of it."""

    id = models.BigAutoField(primary_key=True)
    works_import = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False)
    row_number = models.BigIntegerField()
    # The work described, until it is registered; then nothing of it is kept here.
    body = models.JSONField(null=True)
    outcome = models.CharField(max_length=10, blank=True)
    # Of a registered row its work, of a duplicate the one that was there before.
    work = models.ForeignKey(Work, models.SET_NULL, null=True, related_name="import_rows")
    # Of an error: the column and the reason.
    field = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            UniqueConstraint(name="import_row_number_once", fields=["works_import", "row_number"]),
            CheckConstraint(name="import_row_outcome_is_known", condition=Q(outcome__in=_OUTCOMES)),
        ]

    def __str__(self) -> str:
        return f"row {self.row_number}"


class ImportKey(models.Model):
    """What an earlier row of a dry run would have registered."""

    pk = models.CompositePrimaryKey("works_import", "key")
    works_import = models.ForeignKey(Import, models.CASCADE, related_name="keys", db_index=False)
    key = models.BinaryField(max_length=32)
    row_number = models.BigIntegerField()

    def __str__(self) -> str:
        return bytes(self.key).hex()


class WorkReference(models.Model):
    """A creator's own name for a work, by which importing it again changes nothing."""

    id = models.BigAutoField(primary_key=True)
    creator = models.ForeignKey(
        Creator, models.CASCADE, related_name="work_references", db_index=False
    )
    reference = models.CharField(max_length=200)
    work = models.ForeignKey(Work, models.CASCADE, related_name="references")
    # SHA-256 of the row that registered it.
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="work_reference_once_per_creator", fields=["creator", "reference"]
            ),
        ]

    def __str__(self) -> str:
        return self.reference
