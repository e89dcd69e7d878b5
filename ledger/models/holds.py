"""Money that is held until something is settled."""

from django.db import models
from django.db.models import CheckConstraint, F, Q

from ledger.fields import CurrencyField
from ledger.models.books import Account
from ledger.money import Money
from ledger.vocabulary import HoldStatus


class Hold(models.Model):
    """One amount moved aside; ends once, by settling, release or expiry. Guarded by trigger.

    ``key`` is the caller's name for it. What was settled may be less than what was held; the
    rest went back. What is left lies on the reserved account.
    """

    key = models.UUIDField(unique=True)
    source = models.ForeignKey(Account, models.PROTECT, related_name="+")
    reserved = models.ForeignKey(Account, models.PROTECT, related_name="holds")
    amount_micros = models.BigIntegerField()
    currency = CurrencyField()
    status = models.CharField(
        max_length=10,
        choices=[(word.value, word.value) for word in HoldStatus],
        default=HoldStatus.RESERVED.value,
    )
    settled_micros = models.BigIntegerField(default=0)
    returned_micros = models.BigIntegerField(default=0, db_default=0)
    # Whether it is drawn on bit by bit (`ledger.drawing`), or ends whole (`ledger.holds`).
    in_parts = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            CheckConstraint(name="hold_amount_is_positive", condition=Q(amount_micros__gt=0)),
            CheckConstraint(
                name="hold_gives_nothing_below_zero",
                condition=Q(settled_micros__gte=0, returned_micros__gte=0),
            ),
            CheckConstraint(
                name="hold_goes_on_while_some_is_left",
                condition=Q(
                    status=HoldStatus.RESERVED.value,
                    amount_micros__gt=F("settled_micros") + F("returned_micros"),
                )
                | (
                    ~Q(status=HoldStatus.RESERVED.value)
                    & Q(amount_micros=F("settled_micros") + F("returned_micros"))
                ),
            ),
            CheckConstraint(
                name="hold_that_settled_paid_something",
                condition=~Q(status=HoldStatus.SETTLED.value) | Q(settled_micros__gt=0),
            ),
            CheckConstraint(
                name="hold_that_ended_says_when",
                condition=Q(status=HoldStatus.RESERVED.value, ended_at=None)
                | (~Q(status=HoldStatus.RESERVED.value) & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                name="hold_to_expire",
                fields=["expires_at"],
                condition=Q(status=HoldStatus.RESERVED.value),
            ),
            models.Index(
                name="hold_of_account",
                fields=["reserved"],
                condition=Q(status=HoldStatus.RESERVED.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.money} {self.status}"

    @property
    def money(self) -> Money:
        """What is or was held."""
        return Money(self.amount_micros, self.currency)

    @property
    def left_micros(self) -> int:
        """What is still held."""
        return self.amount_micros - self.settled_micros - self.returned_micros
