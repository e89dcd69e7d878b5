"""What people decided about money that passed a cap."""

from django.db import models
from django.db.models import CheckConstraint, Q

from ledger.fields import CurrencyField
from registry.ids import TypedIdField
from registry.models import User, Work


class CapReview(models.Model):
    """One decision about what waited for a work in one currency. Append-only, by trigger."""

    class Decision(models.TextChoices):
        """Where the money went."""

        RELEASED = "released", "to the work's creators"
        REDIRECTED = "redirected", "to the pool"

    id = TypedIdField(prefix="crv", primary_key=True)
    work = models.ForeignKey(Work, models.PROTECT, related_name="cap_reviews")
    decision = models.CharField(max_length=10, choices=Decision)
    amount_micros = models.BigIntegerField()
    currency = CurrencyField()
    reason = models.CharField(max_length=400)
    reviewed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    reviewed_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(
                name="cap_review_decides_about_money_with_a_reason",
                condition=Q(decision__in=["released", "redirected"], amount_micros__gt=0)
                & ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.work_id} {self.decision}"
