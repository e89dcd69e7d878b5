"""Who may be the same people on both sides of a payment."""

from typing import Self

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models import Creator, Operator, User


class RelatedPartyQuerySet(models.QuerySet["RelatedParty"]):
    """Relations by what became of them."""

    def open(self) -> Self:
        """Those that nobody has looked at."""
        return self.filter(state=RelatedParty.State.OPEN)

    def confirmed(self) -> Self:
        """Those for which nothing is earned."""
        return self.filter(state=RelatedParty.State.CONFIRMED)


class RelatedParty(models.Model):
    """One sign that an operator and a creator belong together, and what a person made of it."""

    class Kind(models.TextChoices):
        """What the sign is."""

        MEMBERS = "members", "a member in common"
        PAYEE = "payee", "the same name at the bank"
        DOMAIN = "domain", "the same domain"
        DECLARED = "declared", "one of them said so"

    class State(models.TextChoices):
        """Open until a person looked; confirmed, the creator earns nothing from the operator."""

        OPEN = "open"
        CLEARED = "cleared"
        CONFIRMED = "confirmed"

    id = TypedIdField(prefix="rel", primary_key=True)
    operator = models.ForeignKey(
        Operator, models.PROTECT, db_index=False, related_name="related_parties"
    )
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="related_parties")
    kind = models.CharField(max_length=8, choices=Kind)
    evidence = models.CharField(max_length=400)
    found_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    reviewed_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=400, blank=True)

    objects = RelatedPartyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "related parties"
        constraints = [
            UniqueConstraint(
                name="related_party_once_per_pair_and_kind",
                fields=["operator", "creator", "kind"],
            ),
            CheckConstraint(
                name="related_party_kind_is_known",
                condition=Q(kind__in=["members", "payee", "domain", "declared"]),
            ),
            CheckConstraint(
                name="related_party_reviewed_says_who_and_why",
                condition=Q(state="open", reviewed_by=None, reviewed_at=None, reason="")
                | Q(
                    state__in=["cleared", "confirmed"],
                    reviewed_by__isnull=False,
                    reviewed_at__isnull=False,
                )
                & ~Q(reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operator_id} and {self.creator_id}: {self.kind}"
