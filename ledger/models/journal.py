"""What people decided about money, and what every audit found; both for good."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q

from ledger.models.payouts import Payout, PayoutBatch
from ledger.models.proposals import Proposal
from ledger.vocabulary import TAKES_TWO, Deed

_TAKE_TWO = sorted(deed.value for deed in TAKES_TWO)


class AdminAction(models.Model):
    """One thing a payout admin did: what, to which batch, line or subject, why. Append-only.

    ``facts`` holds figures as they were then: how many lines, micros, a digest, the second factor.
    ``alone``: from the time before some deeds took two people; nothing new is so.
    """

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    deed = models.CharField(max_length=24, choices=[(deed.value, deed.value) for deed in Deed])
    batch = models.ForeignKey(PayoutBatch, models.PROTECT, null=True, related_name="actions")
    payout = models.ForeignKey(Payout, models.PROTECT, null=True, related_name="actions")
    proposal = models.ForeignKey(Proposal, models.PROTECT, null=True, related_name="actions")
    alone = models.BooleanField(default=False, db_default=False)
    subject = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "admin action"
        indexes = [
            models.Index(name="admin_action_of_batch", fields=["batch", "-id"]),
            models.Index(name="admin_action_of_payout", fields=["payout", "-id"]),
        ]
        constraints = [
            CheckConstraint(
                name="admin_action_on_a_line_names_its_batch",
                condition=Q(payout=None) | Q(batch__isnull=False),
            ),
            CheckConstraint(
                name="admin_action_that_takes_two_names_its_proposal",
                condition=~Q(deed__in=_TAKE_TWO) | Q(proposal__isnull=False) | Q(alone=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} {self.deed} {self.payout_id or self.batch_id or self.subject}"


class AuditRun(models.Model):
    """One whole audit, and what it found; append-only.

    ``seq`` is the newest batch when it began, ``findings`` the first of them in words.
    """

    seq = models.BigIntegerField(null=True)
    findings_count = models.IntegerField()
    findings = ArrayField(models.TextField(), default=list)
    ran_at = models.DateTimeField()

    class Meta:
        verbose_name = "audit run"
        constraints = [
            CheckConstraint(
                name="audit_run_counts_its_findings", condition=Q(findings_count__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ran_at:%Y-%m-%d %H:%M}: {self.findings_count} findings"
