"""Where operators and creators are told of events, and what became of each telling."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator, Operator

_ONE_OWNER = Q(creator__isnull=False, operator=None) | Q(creator=None, operator__isnull=False)


class WebhookEndpoint(models.Model):
    """An address that is told of its owner's events. Its secrets are derived, never stored."""

    class Reason(models.TextChoices):
        """Why nothing is sent there."""

        BY_OWNER = "by_owner"
        FAILING = "failing"
        GONE = "gone"

    id = TypedIdField(prefix="whk", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="webhooks")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="webhooks")
    url = models.URLField(max_length=500)
    events = ArrayField(models.CharField(max_length=40))
    # The secret in use is the one of this number; the one before it signs too, until it expires.
    secret_number = models.IntegerField(default=1)
    previous_secret_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    # Since when nothing arrived; NULL after a success.
    failing_since = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    disabled_reason = models.CharField(max_length=8, choices=Reason, blank=True)

    class Meta:
        constraints = [
            CheckConstraint(name="webhook_has_exactly_one_owner", condition=_ONE_OWNER),
            CheckConstraint(
                name="webhook_is_disabled_for_a_reason",
                condition=Q(disabled_at=None, disabled_reason="")
                | Q(disabled_at__isnull=False) & ~Q(disabled_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return self.url


class WebhookEvent(models.Model):
    """Something that happened and whom it concerns. Append-only: the database sees to it."""

    id = TypedIdField(prefix="msg", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="events")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="events")
    type = models.CharField(max_length=40)
    # What it is about: saying the same twice makes one event.
    subject = models.CharField(max_length=60)
    # Exactly the bytes that are signed and sent.
    body = models.BinaryField()
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(name="webhook_event_concerns_exactly_one", condition=_ONE_OWNER),
            UniqueConstraint(
                name="webhook_event_once_per_owner_and_subject",
                fields=["operator", "creator", "type", "subject"],
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint: the queue of record."""

    class Status(models.TextChoices):
        """Whether it arrived."""

        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = TypedIdField(prefix="dlv", primary_key=True)
    endpoint = models.ForeignKey(WebhookEndpoint, models.PROTECT, related_name="deliveries")
    event = models.ForeignKey(WebhookEvent, models.PROTECT, related_name="deliveries")
    status = models.CharField(max_length=9, choices=Status, default=Status.PENDING)
    attempts_count = models.IntegerField(default=0)
    # When to try; while somebody tries, when to take it that he died.
    due_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            UniqueConstraint(
                name="webhook_delivery_once_per_endpoint_and_event", fields=["endpoint", "event"]
            ),
            CheckConstraint(
                name="webhook_delivery_status_is_known",
                condition=Q(status__in=["pending", "failed"], delivered_at=None)
                | Q(status="delivered", delivered_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="webhook_delivery_due", condition=Q(status="pending")
            )
        ]

    def __str__(self) -> str:
        return self.id


class WebhookAttempt(models.Model):
    """One try to deliver, and what came of it. Append-only: the database sees to it."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, models.PROTECT, related_name="attempts")
    tried_at = models.DateTimeField()
    # The HTTP status; none came: NULL, and why.
    answered = models.SmallIntegerField(null=True)
    trouble = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            CheckConstraint(
                name="webhook_attempt_says_what_came",
                condition=Q(answered__isnull=False) | ~Q(trouble=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answered or self.trouble}"
