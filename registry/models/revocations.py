"""What operators were told about works they had used, and that they took note."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.consent import Statement
from registry.models.manifests import Manifest
from registry.models.people import Operator
from registry.models.works import Work


class RevocationNotice(models.Model):
    """A work in an operator's manifest, allowed when it was ingested, is allowed no more.

    Append-only: the database sees to it.
    """

    id = TypedIdField(prefix="rvk", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="revocations")
    work = models.ForeignKey(Work, models.PROTECT, related_name="revocations")
    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="revocations")
    purpose = models.CharField(max_length=12)
    # What a check answered when the notice was written, and the statement that decided, if any.
    decision = models.CharField(max_length=8)
    statement = models.ForeignKey(
        Statement, models.PROTECT, null=True, related_name="revocation_notices"
    )
    noticed_at = models.DateTimeField()
    acknowledge_by = models.DateTimeField()

    class Meta:
        constraints = [
            UniqueConstraint(
                name="revocation_noticed_once_per_manifest_and_work", fields=["manifest", "work"]
            ),
            CheckConstraint(
                name="revocation_is_of_what_is_not_allowed",
                condition=Q(decision__in=["deny", "license", "unknown"]),
            ),
            CheckConstraint(
                name="revocation_deadline_lies_ahead",
                condition=Q(acknowledge_by__gt=F("noticed_at")),
            ),
        ]

    def __str__(self) -> str:
        return self.id


class RevocationAcknowledgement(models.Model):
    """An operator took note. Append-only: the database sees to it."""

    notice = models.OneToOneField(
        RevocationNotice, models.PROTECT, primary_key=True, related_name="acknowledgement"
    )
    acknowledged_at = models.DateTimeField()

    class Meta:
        verbose_name = "revocation acknowledgement"

    def __str__(self) -> str:
        return self.notice_id


class RevocationLapse(models.Model):
    """An operator did not take note in time. Append-only: the database sees to it."""

    notice = models.OneToOneField(
        RevocationNotice, models.PROTECT, primary_key=True, related_name="lapse"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = "revocation lapse"

    def __str__(self) -> str:
        return self.notice_id
