"""Works, how they are recognised, who holds rights in them, and collections that contain them."""

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator
from tribute.vocabulary import IdentifierKind, Medium

WHOLE_PPM = 1_000_000
COLLECTION_KINDS = (IdentifierKind.HOST, IdentifierKind.DOMAIN, IdentifierKind.PATH)
WORK_KINDS = (IdentifierKind.URL, IdentifierKind.SHA256, IdentifierKind.ISCC)


if TYPE_CHECKING:
    _TextOrNone = models.Field[str | None, str | None]
else:
    _TextOrNone = models.Field


class BitStringField(_TextOrNone):
    """A ``bit varying`` column, ``"0101…"`` in Python, for Hamming distances in SQL."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """Name PostgreSQL's type."""
        del connection
        return "bit varying(256)"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        """Say that the text is bits."""
        del value, compiler, connection
        return "%s::bit varying"


class Work(models.Model):
    """A thing somebody made."""

    class Status(models.TextChoices):
        """Whether its creator still shows the work; what was said about it stands either way."""

        ACTIVE = "active"
        WITHDRAWN = "withdrawn"

    id = TypedIdField(prefix="wrk", primary_key=True)
    title = models.CharField(max_length=300)
    medium = models.CharField(max_length=8, choices=[(m.value, m.value) for m in Medium])
    registered_by = models.ForeignKey(Creator, models.PROTECT, related_name="registered_works")
    registered_at = models.DateTimeField(editable=False)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    rightsholders = models.ManyToManyField(Creator, through="RightsShare", related_name="works")
    # Of the bytes registered; the bytes themselves are not kept.
    sha256 = models.BinaryField(max_length=32, null=True, editable=False)
    iscc = models.CharField(max_length=80, null=True, editable=False)  # noqa: DJ001 - no ISCC differs from an empty one
    # Main type of the content code (text, image …) and its bits: what near-copies are found by.
    iscc_type = models.CharField(max_length=8, null=True, editable=False)  # noqa: DJ001 - as above
    iscc_bits = BitStringField(null=True, editable=False)

    class Meta:
        constraints = [
            CheckConstraint(
                name="work_medium_is_known", condition=Q(medium__in=[m.value for m in Medium])
            ),
            CheckConstraint(
                name="work_status_is_known", condition=Q(status__in=["active", "withdrawn"])
            ),
            CheckConstraint(
                name="work_iscc_bits_have_a_type",
                condition=Q(iscc_bits=None, iscc_type=None)
                | Q(iscc_bits__isnull=False, iscc_type__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Identifier(models.Model):
    """One way to recognise a work."""

    id = models.BigAutoField(primary_key=True)
    work = models.ForeignKey(Work, models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=6, choices=[(k.value, k.value) for k in WORK_KINDS])
    canonical = models.TextField()
    key = models.BinaryField(max_length=32)
    # Keys of the path prefixes, host and domains that contain a URL: whose site it lies on.
    scopes = ArrayField(models.BinaryField(max_length=32), default=list, blank=True)
    added_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            UniqueConstraint(name="identifier_once_per_work", fields=["work", "key"]),
            CheckConstraint(
                name="identifier_kind_fits_a_work",
                condition=Q(kind__in=[k.value for k in WORK_KINDS]),
            ),
        ]
        indexes = [
            models.Index(fields=["key"], name="identifier_key"),
            GinIndex(fields=["scopes"], name="identifier_scopes"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.canonical}"


class RightsShare(models.Model):
    """What part of a work's earnings is a creator's; a work's shares sum to a whole."""

    id = models.BigAutoField(primary_key=True)
    work = models.ForeignKey(Work, models.CASCADE, related_name="shares")
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="shares")
    ppm = models.IntegerField()
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            UniqueConstraint(name="share_once_per_work_and_creator", fields=["work", "creator"]),
            CheckConstraint(
                name="share_is_a_part_of_the_whole", condition=Q(ppm__gt=0, ppm__lte=WHOLE_PPM)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ppm} ppm"


class WorkFeatures(models.Model):
    """A registered text, reduced to features by which its passages are found in outputs."""

    work = models.OneToOneField(Work, models.CASCADE, primary_key=True, related_name="features")
    features = models.BinaryField()
    ngrams = models.IntegerField()
    indexed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "work features"

    def __str__(self) -> str:
        return f"{self.ngrams} n-grams"


class Collection(models.Model):
    """A host, a domain or a path prefix that a creator claims to control."""

    id = TypedIdField(prefix="col", primary_key=True)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="collections")
    kind = models.CharField(max_length=6, choices=[(k.value, k.value) for k in COLLECTION_KINDS])
    canonical = models.TextField()
    key = models.BinaryField(max_length=32)
    challenge_token = models.CharField(max_length=43, unique=True)
    claimed_at = models.DateTimeField(editable=False)
    control_proven_at = models.DateTimeField(null=True, blank=True)
    method = models.CharField(max_length=16, blank=True)
    evidence_sha256 = models.BinaryField(max_length=32, null=True, editable=False)
    recheck_at = models.DateTimeField(null=True, blank=True)
    # Looks in a row that found nothing; the proof ends with the third.
    recheck_failures = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [
            UniqueConstraint(name="collection_once_per_creator", fields=["creator", "key"]),
            CheckConstraint(
                name="collection_kind_is_a_place",
                condition=Q(kind__in=[k.value for k in COLLECTION_KINDS]),
            ),
            CheckConstraint(
                name="collection_proof_is_whole",
                condition=Q(control_proven_at=None, method="", evidence_sha256=None)
                | Q(control_proven_at__isnull=False, evidence_sha256__isnull=False) & ~Q(method=""),
            ),
        ]
        indexes = [
            models.Index(fields=["key"], name="collection_key"),
            models.Index(fields=["recheck_at"], name="collection_recheck_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.canonical}"


class PastControl(models.Model):
    """A proof of control that ended, kept because it held until then. Append-only."""

    id = models.BigAutoField(primary_key=True)
    # Of one of the two.
    collection = models.ForeignKey(
        Collection, models.PROTECT, null=True, related_name="past_control"
    )
    signer = models.ForeignKey(
        "registry.Signer", models.PROTECT, null=True, related_name="past_control"
    )
    method = models.CharField(max_length=16)
    evidence_sha256 = models.BinaryField(max_length=32)
    proven_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "past control"
        constraints = [
            CheckConstraint(
                name="control_ended_after_it_was_proven", condition=Q(ended_at__gt=F("proven_at"))
            ),
            CheckConstraint(
                name="past_control_is_of_one_thing",
                condition=Q(collection=None, signer__isnull=False)
                | Q(collection__isnull=False, signer=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} until {self.ended_at:%Y-%m-%d}"


class ClaimConflict(models.Model):
    """Two creators claim the same thing: the later work and the one registered before it."""

    class Kind(models.TextChoices):
        """How alike the two works are."""

        EXACT = "exact"
        NEAR = "near"

    class Outcome(models.TextChoices):
        """What the parties, or a person for them, found."""

        DISTINCT = "distinct"
        WORK_UPHELD = "work_upheld"
        OTHER_UPHELD = "other_upheld"

    id = TypedIdField(prefix="clm", primary_key=True)
    work = models.ForeignKey(Work, models.CASCADE, related_name="conflicts")
    other = models.ForeignKey(Work, models.CASCADE, related_name="conflicts_as_other")
    kind = models.CharField(max_length=5, choices=Kind)
    # Share of the content codes' bits that differ; 0 for the same bytes.
    distance_ppm = models.IntegerField(default=0)
    opened_at = models.DateTimeField(editable=False)
    # Since when the later side stands by its claim, with proof; and since when a person finds that
    # plausible. What it holds meanwhile: registry.claims.
    claimed_at = models.DateTimeField(null=True, blank=True)
    admitted_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    # In force; before ``overturned_at``, if an appeal changed it, ``first_outcome`` was.
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    first_outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    appealed_at = models.DateTimeField(null=True, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    overturned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            UniqueConstraint(name="conflict_once_per_pair", fields=["work", "other"]),
            CheckConstraint(name="conflict_has_two_sides", condition=~Q(work=F("other"))),
            CheckConstraint(
                name="conflict_is_resolved_with_an_outcome",
                condition=Q(resolved_at=None, outcome="")
                | Q(resolved_at__isnull=False) & ~Q(outcome=""),
            ),
            CheckConstraint(
                name="conflict_is_appealed_after_it_is_decided",
                condition=Q(appealed_at=None, reviewed_at=None)
                | Q(appealed_at__gte=F("resolved_at")),
            ),
            CheckConstraint(
                name="conflict_is_overturned_by_a_review",
                condition=Q(overturned_at=None, first_outcome="")
                | Q(overturned_at=F("reviewed_at")) & ~Q(first_outcome__in=["", F("outcome")]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.distance_ppm} ppm"

    @property
    def loser_id(self) -> str | None:
        """Return the work whose claim was found wrong, if one was."""
        return self.loser_by(self.outcome)

    def loser_by(self, outcome: str) -> str | None:
        """Return the work whose claim an outcome finds wrong, if it does."""
        return {
            self.Outcome.WORK_UPHELD.value: self.other_id,
            self.Outcome.OTHER_UPHELD.value: self.work_id,
        }.get(outcome)
