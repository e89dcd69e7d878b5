"""Who can be paid, what operators pay in, and what the payment provider tells us."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ledger.fields import CurrencyField
from ledger.money import Money
from registry.ids import TypedIdField


class Payee(models.Model):
    """A creator's account at the payment provider. What it asks of the creator stays there.

    ``changed_at``: since when another account stands in for an earlier one; None for the first.
    """

    creator = models.OneToOneField(
        "registry.Creator", models.PROTECT, primary_key=True, related_name="payee"
    )
    gateway = models.CharField(max_length=20)
    account = models.CharField(max_length=120)
    holder = models.CharField(max_length=70, blank=True, default="")
    country = models.CharField(max_length=2)
    can_receive = models.BooleanField(default=False)
    requirements = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    created_at = models.DateTimeField()
    refreshed_at = models.DateTimeField()
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(name="payee_account_is_one_creators", fields=["gateway", "account"]),
            CheckConstraint(
                name="payee_country_is_two_letters", condition=Q(country__regex=r"^[A-Z]{2}$")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.creator_id} at {self.gateway}"


class TopUp(models.Model):
    """An operator's payment into its prepaid balance, through a page the provider hosts."""

    class Status(models.TextChoices):
        """``open`` until the provider says that it was paid."""

        OPEN = "open"
        PAID = "paid"
        REFUSED = "refused"

    id = TypedIdField(prefix="top", primary_key=True)
    operator = models.ForeignKey("registry.Operator", models.PROTECT, related_name="topups")
    amount_micros = models.BigIntegerField()
    currency = CurrencyField()
    gateway = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    session_id = models.CharField(max_length=200, null=True, unique=True)  # noqa: DJ001 - unique, and absent until the provider answers
    url = models.URLField(max_length=2000, blank=True)
    payment_id = models.CharField(max_length=200, blank=True)
    settled_micros = models.BigIntegerField(null=True)
    entry_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "top-up"
        constraints = [
            CheckConstraint(name="topup_amount_is_positive", condition=Q(amount_micros__gt=0)),
            CheckConstraint(
                name="topup_paid_has_an_entry",
                condition=Q(
                    status="paid",
                    settled_micros__gt=0,
                    entry_id__isnull=False,
                    paid_at__isnull=False,
                )
                | (~Q(status="paid") & Q(settled_micros=None, entry_id=None, paid_at=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.status}"

    @property
    def amount(self) -> Money:
        """What was asked for; ``settled_micros`` is what came."""
        return Money(self.amount_micros, self.currency)


class PaymentReturn(models.Model):
    """A payer got part of a top-up back, or (below zero) the provider gave it to us again.

    Who bore it: the parts add up to ``amount_micros``. Append-only, by trigger.
    """

    topup = models.ForeignKey(TopUp, models.PROTECT, related_name="returns")
    number = models.PositiveSmallIntegerField()
    amount_micros = models.BigIntegerField()
    prepaid_micros = models.BigIntegerField()
    pending_micros = models.BigIntegerField()
    debt_micros = models.BigIntegerField()
    platform_micros = models.BigIntegerField()
    entry_ids = ArrayField(models.BigIntegerField())
    at = models.DateTimeField()

    class Meta:
        verbose_name = "payment return"
        constraints = [
            UniqueConstraint(name="payment_return_numbered_once", fields=["topup", "number"]),
            CheckConstraint(name="payment_return_moves_money", condition=~Q(amount_micros=0)),
            CheckConstraint(
                name="payment_return_parts_add_up",
                condition=Q(
                    amount_micros=F("prepaid_micros")
                    + F("pending_micros")
                    + F("debt_micros")
                    + F("platform_micros")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.topup_id} {Money(self.amount_micros, self.topup.currency)}"


class ProviderEvent(models.Model):
    """One webhook, kept as it came; written once, then worked through as often as needed.

    ``fetched``: it never came, and was found in the provider's list of events.
    """

    class Outcome(models.TextChoices):
        """What became of it; empty while it waits."""

        APPLIED = "applied"
        IGNORED = "ignored"
        ABANDONED = "abandoned"

    id = TypedIdField(prefix="evt", primary_key=True)
    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    type = models.CharField(max_length=120)
    object_id = models.CharField(max_length=200, blank=True)
    account = models.CharField(max_length=120, blank=True)
    livemode = models.BooleanField()
    payload = models.JSONField()
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()
    fetched = models.BooleanField(default=False, db_default=False)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    processed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    try_after = models.DateTimeField()
    trouble = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = "provider event"
        constraints = [
            UniqueConstraint(name="provider_event_stored_once", fields=["gateway", "event_id"]),
            CheckConstraint(
                name="provider_event_processed_has_an_outcome",
                condition=Q(outcome="", processed_at=None)
                | (~Q(outcome="") & Q(processed_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(
                name="provider_event_waiting", fields=["try_after"], condition=Q(processed_at=None)
            ),
            models.Index(
                name="provider_event_fetched", fields=["received_at"], condition=Q(fetched=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class EventListing(models.Model):
    """How far the provider's list of events was read, of the platform (``account`` empty) or a payee.

    ``trouble``: why the last reading failed; empty when it did not.
    """

    gateway = models.CharField(max_length=20)
    account = models.CharField(max_length=120, blank=True)
    listed_until = models.DateTimeField(null=True)
    listed_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "event listing"
        constraints = [
            UniqueConstraint(name="event_listing_one_per_account", fields=["gateway", "account"]),
        ]
        indexes = [models.Index(name="event_listing_next", fields=["gateway", "listed_at"])]

    def __str__(self) -> str:
        return f"{self.gateway} {self.account or 'platform'} until {self.listed_until}"


class ProviderTransaction(models.Model):
    """One movement of our balance at the provider, as it told us, and what it belongs to."""

    gateway = models.CharField(max_length=20)
    transaction_id = models.CharField(max_length=200)
    kind = models.CharField(max_length=60)
    amount_micros = models.BigIntegerField()
    fee_micros = models.BigIntegerField()
    currency = CurrencyField()
    source_id = models.CharField(max_length=200, blank=True)
    happened_at = models.DateTimeField()
    available_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            UniqueConstraint(
                name="provider_transaction_recorded_once", fields=["gateway", "transaction_id"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.transaction_id}"


class Reconciliation(models.Model):
    """One comparison of our clearing account with the provider's list, in one currency.

    ``ledger_micros`` is what our books say lies at the provider, ``provider_micros`` what its
    transactions add up to, ``balance_micros`` what it says the balance is.
    """

    gateway = models.CharField(max_length=20)
    currency = CurrencyField()
    ledger_micros = models.BigIntegerField()
    provider_micros = models.BigIntegerField()
    balance_micros = models.BigIntegerField()
    agrees = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(ledger_micros=F("provider_micros"), provider_micros=F("balance_micros")),
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    compared_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(name="reconciliation_latest", fields=["currency", "-compared_at"]),
        ]

    def __str__(self) -> str:
        verdict = "agrees" if self.agrees else "differs"
        return f"{self.currency} {self.compared_at:%Y-%m-%d %H:%M} {verdict}"
