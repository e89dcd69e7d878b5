"""Attribution's facts, and what the database refuses about them.

Owns models that generate, the queries they answered, what each query paid to whom, and the index
by which passages of registered texts are found. A query's output is never kept: only what the
method needs of it, encrypted, until it is settled.
"""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import CheckConstraint, Exists, F, OuterRef, Q, UniqueConstraint

from ledger.fields import CurrencyField
from ledger.models import Hold
from ledger.money import WHOLE_PPM, Money
from registry.ids import TypedIdField
from registry.models import Creator, Manifest, Operator, Work, WorkFeatures
from tribute.vocabulary import Medium


class EmbeddingSpace(models.Model):
    """What vectors mean: a model, its revision and its preprocessing. Vectors of two never meet."""

    id = TypedIdField(prefix="spc", primary_key=True)
    name = models.CharField(max_length=120)
    revision = models.CharField(max_length=80)
    preprocessing = models.CharField(max_length=300)
    modality = models.CharField(max_length=8, choices=[(m.value, m.value) for m in Medium])
    dimension = models.IntegerField()
    # Coefficients by method, as ``Calibration.parameters`` writes them; without them nobody is paid.
    calibrations = models.JSONField(default=dict, blank=True)
    registered_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="space_once_per_model_and_preparation",
                fields=["name", "revision", "preprocessing"],
            ),
            CheckConstraint(
                name="space_modality_is_known",
                condition=Q(modality__in=[m.value for m in Medium]),
            ),
            CheckConstraint(
                name="space_dimension_is_within_limits",
                condition=Q(dimension__gte=2, dimension__lte=4_096),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.revision}"


class WorkEmbedding(models.Model):
    """A passage of a registered work as a vector: half-precision numbers, little-endian."""

    id = models.BigAutoField(primary_key=True)
    work = models.ForeignKey(Work, models.CASCADE, db_index=False, related_name="embeddings")
    space = models.ForeignKey(
        EmbeddingSpace, models.PROTECT, db_index=False, related_name="embeddings"
    )
    passage = models.IntegerField()
    vector = models.BinaryField()
    embedded_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="embedding_once_per_passage", fields=["work", "space", "passage"]
            ),
            CheckConstraint(name="embedding_passages_are_counted", condition=Q(passage__gte=0)),
        ]
        indexes = [models.Index(fields=["space", "id"], name="embedding_of_space")]

    def __str__(self) -> str:
        return f"passage {self.passage}"


class GenerativeModel(models.Model):
    """Something that generates, what it learned from, and what it owes for each answer."""

    class Method(models.TextChoices):
        """How a query's contributing works are found."""

        CASCADE = "cascade", "words found in registered texts, then resemblance"
        VERBATIM = "verbatim", "words of the output found in registered texts"
        SIMILARITY = "similarity", "resemblance to registered texts"
        SHAPLEY = "shapley", "resemblance of each passage, by Shapley values"
        REPORTED = "reported", "the operator's own scores"
        UNIFORM = "uniform", "every work of the manifest alike"

    class UnattributedPolicy(models.TextChoices):
        """Where money goes that no work earns."""

        POOL = "pool"
        UNATTRIBUTED = "unattributed"

    id = TypedIdField(prefix="mdl", primary_key=True)
    operator = models.ForeignKey(Operator, models.PROTECT, related_name="generative_models")
    name = models.CharField(max_length=120)
    version = models.CharField(max_length=60)
    manifest = models.ForeignKey(Manifest, models.PROTECT, null=True, blank=True, related_name="+")
    # One that is still being read; it takes the other's place when it is ready.
    next_manifest = models.ForeignKey(
        Manifest, models.PROTECT, null=True, blank=True, related_name="+"
    )
    currency = CurrencyField()
    # The published policy: a fixed fee for each query, or a share of its price.
    fee_micros = models.BigIntegerField(null=True, blank=True)
    price_share_ppm = models.IntegerField(null=True, blank=True)
    method = models.CharField(max_length=12, choices=Method, default=Method.CASCADE)
    # Where the vectors come from that queries may bring.
    space = models.ForeignKey(
        EmbeddingSpace, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # What one work earns of the operator's queries in a UTC day before a person looks at it.
    work_cap_micros = models.BigIntegerField(null=True, blank=True)
    # How long evidence is kept after settlement, by the operator's consent; see retention.
    keep_evidence_days = models.IntegerField(null=True, blank=True)
    # What scores that the operator reports leave unattributed in any case.
    floor_ppm = models.IntegerField(default=0)
    unattributed_policy = models.CharField(
        max_length=12, choices=UnattributedPolicy, default=UnattributedPolicy.POOL
    )
    created_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            UniqueConstraint(
                name="model_version_once_per_operator", fields=["operator", "name", "version"]
            ),
            CheckConstraint(
                name="model_fee_is_fixed_or_a_share",
                condition=Q(fee_micros__gt=0, price_share_ppm=None)
                | Q(fee_micros=None, price_share_ppm__gt=0, price_share_ppm__lte=WHOLE_PPM),
            ),
            CheckConstraint(
                name="model_method_is_known",
                condition=Q(
                    method__in=[
                        "cascade",
                        "verbatim",
                        "similarity",
                        "shapley",
                        "reported",
                        "uniform",
                    ]
                ),
            ),
            CheckConstraint(
                name="model_work_cap_is_above_zero",
                condition=Q(work_cap_micros=None) | Q(work_cap_micros__gt=0),
            ),
            CheckConstraint(
                name="model_keeps_evidence_for_days",
                condition=Q(keep_evidence_days=None) | Q(keep_evidence_days__gte=1),
            ),
            CheckConstraint(
                name="model_floor_is_a_part_of_the_whole",
                condition=Q(floor_ppm__gte=0, floor_ppm__lte=WHOLE_PPM),
            ),
            CheckConstraint(
                name="model_unattributed_policy_is_known",
                condition=Q(unattributed_policy__in=["pool", "unattributed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class QueryQuerySet(models.QuerySet["Query"]):
    """Queries by where they are on their way."""

    def of(self, operator: Operator) -> Self:
        """Those that this operator reported."""
        return self.filter(operator=operator)

    def paying(self, creator: Creator) -> Self:
        """Settled ones to which this creator's works contributed, also where nothing was paid."""
        return self.filter(
            Exists(Contribution.objects.filter(query=OuterRef("pk"), creator=creator))
        )

    def waiting(self) -> Self:
        """Those that are still to be settled."""
        return self.filter(state=Query.State.RECEIVED)

    def due(self, at: datetime) -> Self:
        """Waiting ones whose time has come, their manifest matched and its texts indexed."""
        unindexed = WorkFeatures.objects.filter(
            indexed_at=None, work__manifest_rows__manifest=OuterRef("model__manifest")
        )
        return self.waiting().filter(
            ~Exists(unindexed), due_at__lte=at, model__manifest__status=Manifest.Status.READY
        )


class Query(models.Model):
    """One paid generation request. It holds no prompt and no output."""

    class State(models.TextChoices):
        """How far a query has come; settled and refused are final."""

        RECEIVED = "received"
        SETTLED = "settled"
        REFUSED = "refused"
        PARKED = "parked"

    id = TypedIdField(prefix="qry", primary_key=True)
    model = models.ForeignKey(GenerativeModel, models.PROTECT, related_name="queries")
    operator = models.ForeignKey(Operator, models.PROTECT, db_index=False, related_name="queries")
    external_id = models.CharField(max_length=200)
    # Keyed, so that nobody can confirm a guessed output by it.
    payload_digest = models.BinaryField(max_length=32)
    fee_micros = models.BigIntegerField()
    currency = CurrencyField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State, default=State.RECEIVED)
    # Why it was refused or parked, or what went wrong at the last attempt.
    reason = models.CharField(max_length=200, blank=True)
    attempts = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField()
    # Encrypted, and gone with settlement or refusal.
    evidence = models.BinaryField(null=True)
    evidence_key_id = models.CharField(max_length=16, blank=True)
    # Recorded at settlement: what found the weights, and everything needed to do it again.
    manifest = models.ForeignKey(
        Manifest, models.PROTECT, null=True, db_index=False, related_name="+"
    )
    method = models.CharField(max_length=12, blank=True)
    method_version = models.CharField(max_length=12, blank=True)
    parameters = models.JSONField(default=dict)
    # What the method read, who owned it, and what rounding owed them: see attribution.records.
    record = models.BinaryField(null=True)
    words = models.IntegerField(null=True)
    weight = models.BigIntegerField(null=True)
    platform_micros = models.BigIntegerField(null=True)
    entry_key = models.UUIDField(null=True, unique=True)
    settled_at = models.DateTimeField(null=True)
    # What keeps its fee aside; none when it was refused at the door, or is parked.
    hold = models.ForeignKey(
        Hold, models.PROTECT, to_field="key", null=True, db_index=False, related_name="+"
    )

    objects = QueryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "queries"
        constraints = [
            UniqueConstraint(
                name="query_external_id_once_per_operator", fields=["operator", "external_id"]
            ),
            CheckConstraint(
                name="query_state_is_known",
                condition=Q(state__in=["received", "settled", "refused", "parked"]),
            ),
            CheckConstraint(name="query_fee_is_above_zero", condition=Q(fee_micros__gt=0)),
            CheckConstraint(
                name="query_keeps_evidence_only_while_it_waits",
                condition=Q(state__in=["received", "parked"], evidence__isnull=False)
                & ~Q(evidence_key_id="")
                | Q(state__in=["settled", "refused"], evidence=None, evidence_key_id=""),
            ),
            CheckConstraint(
                name="query_settled_has_its_entry",
                condition=Q(
                    state="settled",
                    entry_key__isnull=False,
                    settled_at__isnull=False,
                    weight__gt=0,
                    platform_micros__gte=0,
                )
                & ~Q(method="")
                | ~Q(state="settled") & Q(entry_key=None, settled_at=None, weight=None),
            ),
            CheckConstraint(
                name="query_refused_or_parked_says_why",
                condition=~Q(state__in=["refused", "parked"]) | ~Q(reason=""),
            ),
            CheckConstraint(name="query_attempts_are_counted", condition=Q(attempts__gte=0)),
        ]
        indexes = [
            models.Index("due_at", "id", name="query_due", condition=Q(state="received")),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def fee(self) -> Money:
        """What the operator owes for it."""
        return Money(self.fee_micros, self.currency)


class Contribution(models.Model):
    """What one query paid to one creator for one work. Append-only: the database sees to it.

    A row without a work is the remainder: what no work earned and what was withheld. ``weight``
    is the part of the query's ``weight`` that this row stands for, a withheld one once more in
    the remainder; ``words`` are the output's words that the work was found in.
    """

    id = models.BigAutoField(primary_key=True)
    # That these rows exist is asked by a trigger, for a whole batch at once.
    query = models.ForeignKey(
        Query, models.PROTECT, db_index=False, db_constraint=False, related_name="contributions"
    )
    work = models.ForeignKey(
        Work,
        models.PROTECT,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="contributions",
    )
    creator = models.ForeignKey(
        Creator,
        models.PROTECT,
        null=True,
        db_index=False,
        db_constraint=False,
        related_name="contributions",
    )
    weight = models.BigIntegerField()
    words = models.IntegerField(default=0)
    micros = models.BigIntegerField()
    # Why the creator got nothing for a weight; its money is in the remainder.
    withheld = models.CharField(max_length=16, blank=True)
    # Why the money is kept apart until somebody has decided; see attribution.eligibility.
    escrow = models.CharField(max_length=16, blank=True, default="")

    class Meta:
        constraints = [
            UniqueConstraint(
                name="contribution_once_per_query_work_and_creator",
                fields=["query", "work", "creator"],
                nulls_distinct=False,
            ),
            CheckConstraint(
                name="contribution_names_work_and_creator_or_neither",
                condition=Q(work=None, creator=None, withheld="")
                | Q(work__isnull=False, creator__isnull=False),
            ),
            CheckConstraint(
                name="contribution_is_never_negative",
                condition=Q(micros__gte=0, weight__gte=0, words__gte=0),
            ),
            CheckConstraint(
                name="contribution_withheld_pays_nothing",
                condition=Q(withheld="") | Q(micros=0),
            ),
            CheckConstraint(
                name="contribution_escrow_is_known",
                condition=Q(escrow="") | Q(escrow__in=["claim", "cap"], work__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["creator", "-id"], name="contribution_of_creator"),
            # By work only what waits is looked for; an index of all rows would take a fifth of the
            # time that writing them does.
            models.Index(fields=["work"], name="contribution_kept_apart", condition=~Q(escrow="")),
        ]

    def __str__(self) -> str:
        return f"{self.micros} micros of {self.query_id}"


class RoundingCarry(models.Model):
    """What rounding of a model's tiny fees still owes a payee, in 10^-12 of a micro.

    Without work and creator it is the remainder's. A model's carries add up to zero.
    """

    id = models.BigAutoField(primary_key=True)
    # These rows exist: a carry is written beside a contribution of the same work and creator, and a
    # query of the model, in one transaction; and what those name can never be removed.
    model = models.ForeignKey(
        GenerativeModel,
        models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="carries",
    )
    work = models.ForeignKey(
        Work, models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    creator = models.ForeignKey(
        Creator, models.PROTECT, null=True, db_index=False, db_constraint=False, related_name="+"
    )
    parts = models.BigIntegerField()

    class Meta:
        constraints = [
            UniqueConstraint(
                name="carry_once_per_model_work_and_creator",
                fields=["model", "work", "creator"],
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.parts} parts"


class IndexedText(models.Model):
    """A registered text that can be found in outputs, with its place in the index of n-grams.

    Numbers begin at 0 and have no gaps; a text keeps its own, even when its work is removed.
    """

    number = models.BigIntegerField(primary_key=True)
    work = models.OneToOneField(
        Work, models.DO_NOTHING, db_constraint=False, related_name="indexed_text"
    )

    def __str__(self) -> str:
        return f"text {self.number}"


class NearDuplicate(models.Model):
    """Two registered texts that share most of their n-grams, found when the later was indexed."""

    id = models.BigAutoField(primary_key=True)
    work = models.ForeignKey(Work, models.CASCADE, db_index=False, related_name="near_duplicates")
    other = models.ForeignKey(Work, models.CASCADE, related_name="near_duplicates_as_other")
    # Shared n-grams against all n-grams of the two.
    overlap_ppm = models.IntegerField()

    class Meta:
        constraints = [
            UniqueConstraint(name="near_duplicate_once_per_pair", fields=["work", "other"]),
            CheckConstraint(name="near_duplicate_has_two_sides", condition=~Q(work=F("other"))),
        ]

    def __str__(self) -> str:
        return f"{self.work_id} is like {self.other_id}"
