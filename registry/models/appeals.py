"""Appeals against matches by likeness: "this is no copy of that work", and what was found."""

from django.db import models
from django.db.models import CheckConstraint, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator, Operator, User
from registry.models.works import Work


class MatchAppeal(models.Model):
    """Somebody says that a content code is not that of a copy. Append-only."""

    class Reason(models.TextChoices):
        """Why."""

        MADE_INDEPENDENTLY = "made_independently"
        SHARED_SOURCE = "shared_source"
        BY_CHANCE = "by_chance"

    id = TypedIdField(prefix="apl", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, null=True, related_name="match_appeals")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="match_appeals")
    iscc = models.CharField(max_length=80)
    # SHA-256 of the content code's type and bits: what the finding is about.
    code_key = models.BinaryField(max_length=32)
    work = models.ForeignKey(Work, models.PROTECT, related_name="match_appeals")
    distance_ppm = models.IntegerField()
    reason = models.CharField(max_length=18, choices=Reason)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            UniqueConstraint(name="match_is_appealed_once", fields=["code_key", "work"]),
            CheckConstraint(
                name="match_appeal_is_one_partys",
                condition=Q(operator__isnull=False, creator=None)
                | Q(operator=None, creator__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.distance_ppm} ppm"


class MatchFinding(models.Model):
    """What a person found about an appeal. Append-only."""

    appeal = models.OneToOneField(
        MatchAppeal, models.PROTECT, primary_key=True, related_name="finding"
    )
    lifted = models.BooleanField()
    decided_by = models.ForeignKey(User, models.PROTECT, related_name="match_findings")
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return "lifted" if self.lifted else "upheld"
