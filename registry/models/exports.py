"""What people take with them: all that is kept of them in one file, made piece by piece."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator, User


class DataExport(models.Model):
    """One archive of a person's data, or of one creator's, and how far it has come.

    ``place`` is where its making goes on after a kill: chapter, page and the last key read.
    """

    class Status(models.TextChoices):
        """Made by a worker, kept for a while, then removed with its bytes."""

        WAITING = "waiting"
        MAKING = "making"
        READY = "ready"

    id = TypedIdField(prefix="exp", primary_key=True)
    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="exports")
    creator = models.ForeignKey(Creator, models.CASCADE, null=True, related_name="exports")
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    # Rows in all, as counted at the beginning; more may have come since.
    rows_count = models.BigIntegerField(default=0)
    done_count = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    place = models.JSONField(default=dict)
    # Of each file in the archive: name, CRC-32, sizes and where it begins.
    files = models.JSONField(default=list)
    requested_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            CheckConstraint(
                name="export_is_of_a_person_or_a_creator",
                condition=Q(user__isnull=False, creator=None) | Q(user=None, creator__isnull=False),
            ),
            CheckConstraint(
                name="export_status_is_known",
                condition=Q(status__in=["waiting", "making"], ready_at=None, expires_at=None)
                | Q(status="ready", ready_at__isnull=False, expires_at__gt=F("ready_at")),
            ),
            UniqueConstraint(
                name="one_export_of_a_person_is_made",
                fields=["user", "creator"],
                condition=~Q(status="ready"),
                nulls_distinct=False,
            ),
        ]
        indexes = [
            models.Index(
                fields=["requested_at"], name="export_unfinished", condition=~Q(status="ready")
            ),
            models.Index(fields=["expires_at"], name="export_expires_at"),
        ]

    def __str__(self) -> str:
        return self.id


class DataExportPart(models.Model):
    """Consecutive bytes of an archive."""

    id = models.BigAutoField(primary_key=True)
    export = models.ForeignKey(DataExport, models.CASCADE, related_name="parts", db_index=False)
    start = models.BigIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            UniqueConstraint(name="export_part_starts_once", fields=["export", "start"]),
        ]

    def __str__(self) -> str:
        return f"from {self.start}"
