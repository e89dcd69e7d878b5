"""What creators say about their works, what licences ask, and the index that answers checks."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from registry.ids import TypedIdField
from registry.models.people import Creator, Operator
from registry.models.works import Collection, Work
from tribute.vocabulary import Decision, Purpose

_ONE_SUBJECT = (
    Q(work__isnull=False, collection=None, creator=None)
    | Q(work=None, collection__isnull=False, creator=None)
    | Q(work=None, collection=None, creator__isnull=False)
)
_PURPOSES = [p.value for p in Purpose]
_DECISIONS = [d.value for d in Decision]


class Terms(models.Model):
    """What a licence asks: a price, attribution, a text."""

    id = TypedIdField(prefix="trm", primary_key=True)
    creator = models.ForeignKey(Creator, models.PROTECT, related_name="terms")
    price_micros = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    attribution_required = models.BooleanField(default=False)
    text_sha256 = models.BinaryField(max_length=32, null=True, editable=False)
    uri = models.URLField(max_length=500, blank=True)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name_plural = "terms"
        constraints = [
            CheckConstraint(
                name="terms_price_has_its_currency",
                condition=Q(price_micros=None, currency="")
                | Q(price_micros__gte=0, currency__regex=r"^[A-Z]{3}$"),
            ),
        ]

    def __str__(self) -> str:
        return self.uri or self.id


class Statement(models.Model):
    """One act of will about one subject and purpose. Append-only: the database sees to it."""

    id = TypedIdField(prefix="stm", primary_key=True)
    subject_type = models.CharField(
        max_length=10, choices=[(t, t) for t in ("work", "collection", "creator")]
    )
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="statements")
    collection = models.ForeignKey(Collection, models.PROTECT, null=True, related_name="statements")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="statements")
    claimant = models.ForeignKey(Creator, models.PROTECT, related_name="statements_made")
    purpose = models.CharField(max_length=12, choices=[(p, p) for p in _PURPOSES])
    decision = models.CharField(max_length=8, choices=[(d, d) for d in _DECISIONS])
    # Whether the claimant wants to be paid; says something only beside allow and license.
    paid = models.BooleanField(default=False)
    terms = models.ForeignKey(Terms, models.PROTECT, null=True, related_name="statements")
    vocabulary_version = models.CharField(max_length=20)
    # Counts the statements of one subject: 1, 2, 3 …
    sequence = models.IntegerField()
    effective_from = models.DateTimeField()
    recorded_at = models.DateTimeField()
    # Of its leaf in the transparency log: what the next statement on the subject points back to.
    leaf_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            CheckConstraint(
                name="statement_has_exactly_one_subject",
                condition=(
                    Q(subject_type="work", work__isnull=False, collection=None, creator=None)
                    | Q(subject_type="collection", work=None, collection__isnull=False)
                    & Q(creator=None)
                    | Q(subject_type="creator", work=None, collection=None)
                    & Q(creator__isnull=False)
                ),
            ),
            CheckConstraint(
                name="statement_creator_default_is_own",
                condition=Q(creator=None) | Q(creator=F("claimant")),
            ),
            CheckConstraint(name="statement_purpose_is_known", condition=Q(purpose__in=_PURPOSES)),
            CheckConstraint(
                name="statement_decision_is_known", condition=Q(decision__in=_DECISIONS)
            ),
            CheckConstraint(
                name="statement_license_names_its_terms",
                condition=Q(decision="license", terms__isnull=False)
                | ~Q(decision="license") & Q(terms=None),
            ),
            CheckConstraint(
                name="statement_pays_only_for_use",
                condition=Q(paid=False) | Q(decision__in=["allow", "license"]),
            ),
            CheckConstraint(name="statement_sequence_is_positive", condition=Q(sequence__gt=0)),
            UniqueConstraint(name="statement_sequence_of_work", fields=["work", "sequence"]),
            UniqueConstraint(
                name="statement_sequence_of_collection", fields=["collection", "sequence"]
            ),
            UniqueConstraint(name="statement_sequence_of_creator", fields=["creator", "sequence"]),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.decision}"

    @property
    def subject_id(self) -> str:
        """Return the typed id of the work, collection or creator spoken about."""
        subject_id = self.work_id or self.collection_id or self.creator_id
        assert subject_id is not None, "statement_has_exactly_one_subject"
        return subject_id


class Grant(models.Model):
    """An operator's accepted terms for one subject and purpose."""

    id = TypedIdField(prefix="grt", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="grants")
    terms = models.ForeignKey(Terms, models.PROTECT, related_name="grants")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="grants")
    collection = models.ForeignKey(Collection, models.PROTECT, null=True, related_name="grants")
    creator = models.ForeignKey(Creator, models.PROTECT, null=True, related_name="grants")
    purpose = models.CharField(max_length=12, choices=[(p, p) for p in _PURPOSES])
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            CheckConstraint(name="grant_has_exactly_one_subject", condition=_ONE_SUBJECT),
            CheckConstraint(name="grant_purpose_is_known", condition=Q(purpose__in=_PURPOSES)),
            CheckConstraint(
                name="grant_ends_after_it_begins",
                condition=Q(effective_until=None) | Q(effective_until__gt=F("effective_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def subject_id(self) -> str:
        """Return the typed id of the work, collection or creator granted."""
        subject_id = self.work_id or self.collection_id or self.creator_id
        assert subject_id is not None, "grant_has_exactly_one_subject"
        return subject_id


class DecisionIndex(models.Model):
    """What matters to a check, per identifier key and subject; derived, and audited as such."""

    pk = models.CompositePrimaryKey("key", "subject")
    key = models.BinaryField(max_length=32)
    subject = models.UUIDField()
    subject_type = models.CharField(max_length=10)
    # 2 the work, 3 a collection, 4 the default of a creator: tribute.verdict.Tier.
    tier = models.SmallIntegerField()
    # Narrower is greater among collections: path over host over domain; 0 elsewhere.
    specificity = models.SmallIntegerField()
    statements = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "decision index"
        indexes = [models.Index(fields=["subject"], name="decision_index_subject")]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.subject}"
