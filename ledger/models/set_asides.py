"""Money set aside until it is known whose it is."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from ledger.fields import CurrencyField
from ledger.models.books import Account


class SetAside(models.Model):
    """What one entry credited to a disputed or the unclaimed account, and for what.

    ``subject`` is the typed id of the work or creator that it was earned by. Released once.
    Guarded by trigger.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+")
    subject = models.CharField(max_length=40)
    amount_micros = models.BigIntegerField()
    currency = CurrencyField()
    entry_id = models.BigIntegerField()
    set_aside_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "set-aside"
        constraints = [
            UniqueConstraint(
                name="set_aside_recorded_once", fields=["entry_id", "account", "subject"]
            ),
            CheckConstraint(name="set_aside_amount_is_positive", condition=Q(amount_micros__gt=0)),
        ]
        indexes = [
            models.Index(
                name="set_aside_waiting", fields=["subject"], condition=Q(released_at=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_micros} for {self.subject}"
