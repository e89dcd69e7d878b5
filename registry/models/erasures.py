"""People who leave: what they asked for, until when they may think again, and how far it has come."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator, User


class Erasure(models.Model):
    """One person's wish to be forgotten, or that one creator of theirs be.

    It is carried out once ``due_at`` is past, in steps of which each may be killed and said again.
    """

    class Refusals(models.TextChoices):
        """What becomes of the denials that stand."""

        KEEP = "keep"
        WITHDRAW = "withdraw"

    id = TypedIdField(prefix="ers", primary_key=True)
    user = models.ForeignKey(User, models.PROTECT, related_name="erasures")
    # That creator alone; NULL: the person, with every creator of which nobody else is a member.
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="erasures")
    refusals = models.CharField(max_length=8, choices=Refusals)
    # Whether money that is left may go to the unclaimed account.
    leaves_money = models.BooleanField()
    # SHA-256 of the code with which that money is claimed by whoever left.
    claim_digest = models.BinaryField(max_length=32)
    language = models.CharField(max_length=10)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField()
    reminded_at = models.DateTimeField(null=True)
    canceled_at = models.DateTimeField(null=True)
    # What stood in the way when it was last due, by the words of attribution.departures.
    blocked_by = ArrayField(models.CharField(max_length=20), default=list)
    # From here on there is no way back; the creators it is about are fixed.
    begun_at = models.DateTimeField(null=True)
    creators = ArrayField(models.CharField(max_length=40), default=list)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="one_erasure_of_a_person_is_open",
                fields=["user"],
                condition=Q(canceled_at=None, finished_at=None),
            ),
            CheckConstraint(
                name="erasure_keeps_or_withdraws_refusals",
                condition=Q(refusals__in=["keep", "withdraw"]),
            ),
            CheckConstraint(
                name="erasure_is_due_after_it_is_asked_for",
                condition=Q(due_at__gte=F("requested_at")),
            ),
            CheckConstraint(
                name="erasure_is_canceled_or_begun",
                condition=Q(canceled_at=None) | Q(begun_at=None),
            ),
            CheckConstraint(
                name="erasure_finishes_what_was_begun",
                condition=Q(finished_at=None) | Q(begun_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="erasure_open",
                condition=Q(canceled_at=None, finished_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.id
