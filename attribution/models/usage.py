"""What operators sign when they report queries, and what about it deserves a person's look."""

from typing import Self

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models import Operator, User


class ReportKey(models.Model):
    """An Ed25519 key with which an operator signs and numbers its reports, from 1 on."""

    id = TypedIdField(prefix="rky", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="report_keys")
    name = models.CharField(max_length=80)
    public_key = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="report_key_once_per_operator", fields=["operator", "public_key"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class ReportPolicy(models.Model):
    """Whether an operator's unsigned reports are refused; no row means that they are taken."""

    operator = models.OneToOneField(
        Operator, models.PROTECT, primary_key=True, related_name="report_policy"
    )
    signature_required = models.BooleanField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "report policies"

    def __str__(self) -> str:
        return f"{self.operator_id}: {'signed' if self.signature_required else 'any'}"


class UsageReport(models.Model):
    """One signed report as it came: its number, what its bytes hash to, and the signature.

    A number that comes again with other bytes is another row. Append-only, by trigger.
    """

    key = models.ForeignKey(ReportKey, models.PROTECT, db_index=False, related_name="reports")
    sequence = models.BigIntegerField()
    digest = models.BinaryField(max_length=32)
    signature = models.CharField(max_length=1_000)
    queries_count = models.IntegerField()
    first_occurred_at = models.DateTimeField()
    last_occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            UniqueConstraint(
                name="usage_report_once_per_key_number_and_content",
                fields=["key", "sequence", "digest"],
            ),
            CheckConstraint(name="usage_report_numbers_begin_at_one", condition=Q(sequence__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.key_id} no. {self.sequence}"


class UsageFlagQuerySet(models.QuerySet["UsageFlag"]):
    """Flags by whether somebody has looked."""

    def open(self) -> Self:
        """Those that nothing and nobody has resolved."""
        return self.filter(resolved_at=None)


class UsageFlag(models.Model):
    """Something about reported usage that a person should look at; nothing was dropped for it.

    first, last: the numbers it is about; without a number, both are null.
    """

    class Kind(models.TextChoices):
        """What is odd."""

        GAP = "gap", "numbers are missing"
        REUSED = "reused", "a number came again with other content"
        BACKDATED = "backdated", "a query happened before those already reported"
        LATE = "late", "a query was reported long after it happened"

    id = TypedIdField(prefix="ufl", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="usage_flags")
    kind = models.CharField(max_length=9, choices=Kind)
    key = models.ForeignKey(ReportKey, models.PROTECT, null=True, related_name="flags")
    first = models.BigIntegerField(null=True)
    last = models.BigIntegerField(null=True)
    detail = models.CharField(max_length=400)
    found_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    # Nobody, when what was missing came after all.
    resolved_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    resolution = models.CharField(max_length=400, blank=True)

    objects = UsageFlagQuerySet.as_manager()

    class Meta:
        constraints = [
            CheckConstraint(
                name="usage_flag_kind_is_known",
                condition=Q(kind__in=["gap", "reused", "backdated", "late"]),
            ),
            CheckConstraint(
                name="usage_flag_resolved_says_how",
                condition=Q(resolved_at=None, resolved_by=None, resolution="")
                | Q(resolved_at__isnull=False) & ~Q(resolution=""),
            ),
        ]
        indexes = [
            models.Index(fields=["operator", "-id"], name="usage_flag_of_operator"),
            models.Index(
                fields=["found_at"], name="usage_flag_open", condition=Q(resolved_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.detail}"
