"""The form of what comes in and goes out; what is allowed is the domain's to say."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attribution import spot_checks
from attribution.api.fields import FeaturesField, ReportsField, ScoresField
from attribution.api.manifest_serializers import ManifestStateSerializer
from attribution.generative_models import LARGEST_FEE_MICROS
from attribution.methods.vectors import LEAST_DIMENSION, MOST_DIMENSION
from attribution.models import Contribution, GenerativeModel, Query
from attribution.queries import MOST_REPORTS
from ledger.api.serializers import CURRENCIES, MoneySerializer, NewAmountSerializer
from ledger.money import WHOLE_PPM, Money
from registry.api.fields import InstantField, TextField, WholeNumberField
from registry.api.serializers import StrictSerializer


class NewModelSerializer(StrictSerializer):
    """A model to register. Name either ``fee_micros`` or ``price_share_ppm``."""

    name = TextField(max_length=120)
    version = TextField(max_length=60)
    currency = serializers.ChoiceField(choices=CURRENCIES)
    fee_micros = WholeNumberField(
        required=False, allow_null=True, min_value=1, max_value=LARGEST_FEE_MICROS
    )
    price_share_ppm = WholeNumberField(
        required=False, allow_null=True, min_value=1, max_value=WHOLE_PPM
    )
    method = serializers.ChoiceField(GenerativeModel.Method.choices, default="cascade")
    space = TextField(
        required=False,
        max_length=60,
        help_text="The embedding space of the vectors that queries may bring.",
    )
    floor_ppm = WholeNumberField(
        default=0,
        min_value=0,
        max_value=WHOLE_PPM,
        help_text="What reported scores leave unattributed in any case.",
    )
    work_cap_micros = WholeNumberField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=LARGEST_FEE_MICROS,
        help_text="What a work earns in a UTC day before a person looks at it.",
    )
    unattributed_policy = serializers.ChoiceField(
        GenerativeModel.UnattributedPolicy.choices, default="pool"
    )


class SpotCheckSerializer(serializers.Serializer[Any]):
    """How far a model's reported scores lie from the registry's own evidence (total variation)."""

    queries = serializers.IntegerField()
    mean_ppm = serializers.IntegerField()
    worst_ppm = serializers.IntegerField()
    diverging = serializers.IntegerField(help_text="Queries beyond the tolerance by themselves.")
    tolerance_ppm = serializers.IntegerField()
    flagged = serializers.BooleanField(help_text="The mean is beyond the tolerance: look closer.")


class ModelSerializer(serializers.Serializer[GenerativeModel]):
    """A registered model."""

    id = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    currency = serializers.CharField()
    fee_micros = serializers.IntegerField(allow_null=True)
    price_share_ppm = serializers.IntegerField(allow_null=True)
    method = serializers.CharField()
    space = serializers.CharField(source="space_id", allow_null=True)
    floor_ppm = serializers.IntegerField()
    work_cap_micros = serializers.IntegerField(allow_null=True)
    unattributed_policy = serializers.CharField()
    keep_evidence_days = serializers.IntegerField(allow_null=True)
    manifest = ManifestStateSerializer(allow_null=True)
    created_at = serializers.DateTimeField()


class OneModelSerializer(ModelSerializer):
    """A registered model, and what its reported scores were found to be like."""

    spot_check = serializers.SerializerMethodField()

    @extend_schema_field(SpotCheckSerializer(allow_null=True))
    def get_spot_check(self, model: GenerativeModel) -> dict[str, Any] | None:
        """Print how far reports lie from the registry's evidence, once there is anything."""
        found = spot_checks.of_model(model)
        return None if found is None else SpotCheckSerializer(found).data


class VectorSerializer(StrictSerializer):
    """An output as a vector of length 1, in the space that its model declared."""

    space = TextField(max_length=60)
    vector = serializers.ListField(
        child=serializers.FloatField(), min_length=LEAST_DIMENSION, max_length=MOST_DIMENSION
    )


class QueryReportSerializer(StrictSerializer):
    """One paid generation request. There is no place for a prompt."""

    model = TextField(max_length=60)
    external_id = serializers.RegexField(
        r"^[!-~]{1,200}$", help_text="Your own id for it: printable ASCII without spaces."
    )
    occurred_at = InstantField()
    price = NewAmountSerializer(
        required=False, help_text="What your customer paid, when the fee is a share of it."
    )
    output = TextField(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="The generated text, at most 64 KiB in UTF-8; reduced to features on receipt and never kept.",
    )
    features = FeaturesField(
        required=False, help_text="The output as the client library reduces it."
    )
    scores = ScoresField(
        required=False,
        help_text="Scores of manifest rows, for a model whose method is `reported`.",
    )
    embedding = VectorSerializer(
        required=False,
        help_text="The output's vector; enough by itself for a model whose method is `similarity`.",
    )


class QueryReportsSerializer(StrictSerializer):
    """1 to 1,000 reports, taken all or none."""

    queries = ReportsField(child=QueryReportSerializer(), min_length=1, max_length=MOST_REPORTS)


class ReceivedSerializer(serializers.Serializer[Any]):
    """What became of one report."""

    id = serializers.CharField(source="query_id")
    external_id = serializers.CharField()
    state = serializers.ChoiceField(Query.State.choices)
    duplicate = serializers.BooleanField()
    reason = serializers.CharField(
        help_text="Why it is refused or parked, such as `insufficient_funds`; else empty."
    )


class ReceivedListSerializer(serializers.Serializer[Any]):
    """What became of each report, in their order."""

    queries = ReceivedSerializer(many=True)


class QuerySerializer(serializers.Serializer[Query]):
    """A reported query."""

    id = serializers.CharField()
    model = serializers.CharField(source="model_id")
    external_id = serializers.CharField()
    state = serializers.ChoiceField(Query.State.choices)
    reason = serializers.CharField()
    fee = MoneySerializer()
    occurred_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class ExplainedPartSerializer(serializers.Serializer[Any]):
    """One owner's part of a query."""

    work = serializers.CharField(source="work_id")
    title = serializers.CharField()
    creator = serializers.CharField(source="creator_id")
    creator_name = serializers.CharField(source="creator")
    words = serializers.IntegerField()
    share_ppm = serializers.IntegerField()
    amount = MoneySerializer()
    reason = serializers.CharField()


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why a query paid whom, and where it is booked."""

    rule = serializers.CharField()
    method = serializers.CharField()
    parameters = serializers.DictField()
    output_words = serializers.IntegerField(allow_null=True)
    platform_fee = MoneySerializer()
    contributions = ExplainedPartSerializer(source="rows", many=True)
    remainder = MoneySerializer()
    remainder_share_ppm = serializers.IntegerField()
    entry = serializers.IntegerField(source="entry_id")
    batch = serializers.IntegerField(source="batch_seq")


class ExplainedQuerySerializer(QuerySerializer):
    """A reported query, explained once it is settled."""

    explanation = ExplanationSerializer(allow_null=True)


class CreditLineSerializer(serializers.Serializer[Any]):
    """One work to name."""

    work = serializers.CharField(source="work_id")
    title = serializers.CharField()
    creators = serializers.ListField(child=serializers.CharField())
    share_ppm = serializers.IntegerField()


class CreditsSerializer(serializers.Serializer[Any]):
    """Credit lines in forms ready to show."""

    lines = CreditLineSerializer(many=True)
    text = serializers.CharField()
    html = serializers.CharField()
    json_ld = serializers.DictField()
    c2pa = serializers.DictField(help_text="A C2PA manifest definition with ingredients.")


class EarnedSerializer(serializers.Serializer[Contribution]):
    """What one query paid the creator for one work."""

    query = serializers.CharField(source="query_id")
    model = serializers.CharField(source="query.model_id")
    work = serializers.CharField(source="work_id")
    title = serializers.CharField(source="work.title")
    amount = serializers.SerializerMethodField()
    words = serializers.IntegerField()
    share_ppm = serializers.SerializerMethodField()
    withheld = serializers.CharField()
    occurred_at = serializers.DateTimeField(source="query.occurred_at")
    settled_at = serializers.DateTimeField(source="query.settled_at")

    @extend_schema_field(MoneySerializer)
    def get_amount(self, row: Contribution) -> dict[str, Any]:
        """Print the micros in the query's currency."""
        return MoneySerializer(Money(row.micros, row.query.currency)).data

    def get_share_ppm(self, row: Contribution) -> int:
        """Print the part of the answer that this row stands for, rounded down."""
        return row.weight * WHOLE_PPM // (row.query.weight or 1)
