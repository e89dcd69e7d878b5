"""Batches of payouts, the payouts in them, and everything that ever happened to one."""

from django.conf import settings
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from ledger.fields import CurrencyField
from ledger.money import Money, minor_unit_micros
from ledger.vocabulary import BatchStatus, PayoutStatus
from registry.ids import TypedIdField

_OPEN = [BatchStatus.DRAFT.value, BatchStatus.SUBMITTED.value]
_APPROVED = [BatchStatus.APPROVED.value, BatchStatus.SENDING.value, BatchStatus.CLOSED.value]
_TRANSFERRED = [
    PayoutStatus.TRANSFERRED.value,
    PayoutStatus.IN_TRANSIT.value,
    PayoutStatus.PAID.value,
    PayoutStatus.BANK_FAILED.value,
    PayoutStatus.REVERSED.value,
]


def _choices(words: type[BatchStatus] | type[PayoutStatus]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


class PayoutBatch(models.Model):
    """Payouts in one currency that one admin draws up and another approves, exactly as they are.

    ``lines_digest`` is the SHA-256 of the lines at submission; the approval is for that digest.
    """

    id = TypedIdField(prefix="bat", primary_key=True)
    currency = CurrencyField()
    status = models.CharField(
        max_length=10, choices=_choices(BatchStatus), default=BatchStatus.DRAFT.value
    )
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField()
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    submitted_at = models.DateTimeField(null=True)
    lines_digest = models.BinaryField(max_length=32, null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approved_at = models.DateTimeField(null=True)
    canceled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    waits_for = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = "payout batch"
        constraints = [
            UniqueConstraint(
                name="payout_batch_one_open_per_currency",
                fields=["currency"],
                condition=Q(status__in=_OPEN),
            ),
            CheckConstraint(
                name="payout_batch_maker_is_not_checker",
                condition=Q(approved_by=None)
                | (~Q(approved_by=F("prepared_by")) & ~Q(approved_by=F("submitted_by"))),
            ),
            CheckConstraint(
                name="payout_batch_submitted_is_frozen",
                condition=Q(status__in=[BatchStatus.DRAFT.value, BatchStatus.CANCELED.value])
                | Q(
                    lines_digest__isnull=False,
                    submitted_by__isnull=False,
                    submitted_at__isnull=False,
                ),
            ),
            CheckConstraint(
                name="payout_batch_approved_by_somebody",
                condition=~Q(status__in=_APPROVED)
                | Q(approved_by__isnull=False, approved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.prepared_at:%Y-%m-%d} {self.status}"


class PaymentFile(models.Model):
    """What a bank was given: the file itself, once and for good. Append-only, by trigger.

    ``message_id`` is how the bank knows it, and by which it refuses the same file a second time.
    """

    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="payment_files")
    number = models.PositiveSmallIntegerField()
    message_id = models.CharField(max_length=35, unique=True)
    content = models.BinaryField()
    payouts_count = models.PositiveIntegerField()
    issued_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()

    class Meta:
        verbose_name = "payment file"
        constraints = [
            UniqueConstraint(name="payment_file_numbered_once", fields=["batch", "number"]),
            CheckConstraint(name="payment_file_pays_somebody", condition=Q(payouts_count__gt=0)),
        ]

    def __str__(self) -> str:
        return self.message_id


class Payout(models.Model):
    """What one batch pays one creator. Whom, where and how much are frozen at submission."""

    id = TypedIdField(prefix="pay", primary_key=True)
    batch = models.ForeignKey(PayoutBatch, models.PROTECT, related_name="payouts")
    creator = models.ForeignKey("registry.Creator", models.PROTECT, related_name="payouts")
    gateway = models.CharField(max_length=20)
    account = models.CharField(max_length=120)
    amount_micros = models.BigIntegerField()
    currency = CurrencyField()
    status = models.CharField(
        max_length=12, choices=_choices(PayoutStatus), default=PayoutStatus.PLANNED.value
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    first_asked_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    try_after = models.DateTimeField(null=True)
    transfer_id = models.CharField(max_length=200, blank=True)
    reversed_micros = models.BigIntegerField(default=0)
    payment_file = models.ForeignKey(PaymentFile, models.PROTECT, null=True, related_name="payouts")
    bank_payout_id = models.CharField(max_length=200, blank=True)
    bank_arrives_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            UniqueConstraint(name="payout_one_per_creator_and_batch", fields=["batch", "creator"]),
            UniqueConstraint(
                name="payout_transfer_is_one_payouts",
                fields=["gateway", "transfer_id"],
                condition=~Q(transfer_id=""),
            ),
            CheckConstraint(name="payout_amount_is_positive", condition=Q(amount_micros__gt=0)),
            CheckConstraint(
                name="payout_reversed_at_most_whole",
                condition=Q(reversed_micros__gte=0, reversed_micros__lte=F("amount_micros")),
            ),
            CheckConstraint(
                name="payout_transferred_names_its_transfer",
                condition=~Q(status__in=_TRANSFERRED) | ~Q(transfer_id=""),
            ),
            CheckConstraint(
                name="payout_reversed_is_whole",
                condition=Q(reversed_micros=F("amount_micros"))
                | ~Q(status=PayoutStatus.REVERSED.value),
            ),
        ]
        indexes = [
            models.Index(
                name="payout_to_send",
                fields=["try_after"],
                condition=Q(status=PayoutStatus.RESERVED.value),
            ),
            models.Index(
                name="payout_to_resolve",
                fields=["asked_at"],
                condition=Q(status__in=[PayoutStatus.SENDING.value, PayoutStatus.UNKNOWN.value]),
            ),
            models.Index(
                name="payout_doubled",
                fields=["id"],
                condition=Q(trouble="transfers_doubled"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.creator_id} {self.amount} {self.status}"

    @property
    def amount(self) -> Money:
        """What is paid, whole minor units."""
        return Money(self.amount_micros, self.currency)

    @property
    def amount_minor(self) -> int:
        """The amount as the provider counts."""
        return self.amount_micros // minor_unit_micros(self.currency)

    @property
    def group(self) -> str:
        """What the provider files its transfers under, for look-ups."""
        return f"payout:{self.pk}"

    @property
    def transfer_key(self) -> str:
        """What the provider is to do once; a new attempt is a new intent."""
        return f"payout:{self.pk}:transfer:{self.attempt}"


class PayoutEvent(models.Model):
    """One step of one payout; append-only, by trigger."""

    payout = models.ForeignKey(Payout, models.PROTECT, related_name="events")
    from_status = models.CharField(max_length=12, choices=_choices(PayoutStatus), blank=True)
    to_status = models.CharField(max_length=12, choices=_choices(PayoutStatus))
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = "payout event"
        indexes = [models.Index(name="payout_event_history", fields=["payout", "id"])]

    def __str__(self) -> str:
        return f"{self.payout_id} {self.from_status} → {self.to_status}"
