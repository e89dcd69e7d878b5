"""The form of what the registry's API reads and prints. What is allowed is the domain's to say."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from registry.api.fields import FlagField, InstantField, TextField, WholeNumberField
from registry.asked import Asked
from registry.collections import Method
from registry.models import (
    COLLECTION_KINDS,
    WHOLE_PPM,
    WORK_KINDS,
    ApiKey,
    Check,
    Collection,
    Statement,
    Terms,
    Work,
    WorkSignature,
)
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

LONGEST_IDENTIFIER = 8_192
MOST_IDENTIFIERS = 100
MOST_OWNERS = 100
LARGEST_PRICE_MICROS = 10**15
ITEM_FIELDS = frozenset({"id", "url", "sha256", "iscc"})
LONGEST_ITEM_ID = 200


class StrictSerializer(serializers.Serializer[Any]):
    """Reads only fields it knows: what nobody asked for is refused, not dropped in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown fields with the code ``unknown_field``, then read as usual."""
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            unknown = {
                str(name): [ErrorDetail("There is no such field.", code="unknown_field")]
                for name in data
                if name not in known
            }
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


def chosen(words: Any) -> list[tuple[str, str]]:
    """Return the values of an enumeration as choices."""
    return [(word.value, word.value) for word in words]


# Named, so that the description of the API names them too.
WORK_KIND_CHOICES = chosen(WORK_KINDS)
COLLECTION_KIND_CHOICES = chosen(COLLECTION_KINDS)
PURPOSE_CHOICES = chosen(Purpose)
DECISION_CHOICES = chosen(Decision)
MEDIUM_CHOICES = chosen(Medium)
METHOD_CHOICES = chosen(Method)


# Works ------------------------------------------------------------------------------------------


class IdentifierSerializer(StrictSerializer):
    """One way to recognise a work."""

    kind = serializers.ChoiceField(choices=WORK_KIND_CHOICES)
    value = TextField(max_length=LONGEST_IDENTIFIER)


class ShareSerializer(StrictSerializer):
    """A creator's part of a work, in millionths."""

    creator = TextField(max_length=40)
    ppm = WholeNumberField(min_value=1, max_value=WHOLE_PPM)


class NewWorkSerializer(StrictSerializer):
    """A work that is recognised by what the caller knows of it."""

    title = TextField(max_length=300)
    medium = serializers.ChoiceField(choices=MEDIUM_CHOICES)
    identifiers = serializers.ListField(
        child=IdentifierSerializer(), min_length=1, max_length=MOST_IDENTIFIERS
    )
    shares = serializers.ListField(
        child=ShareSerializer(), min_length=1, max_length=MOST_OWNERS, required=False
    )

    def validate_shares(self, shares: list[dict[str, Any]]) -> dict[str, int]:
        """Turn the list into shares by creator."""
        return by_creator(shares)


class NewFileSerializer(StrictSerializer):
    """A work whose file is sent along; the bytes are read once and not kept."""

    file = serializers.FileField(allow_empty_file=True)
    title = TextField(max_length=300)
    medium = serializers.ChoiceField(choices=MEDIUM_CHOICES)
    url = serializers.ListField(
        child=TextField(max_length=LONGEST_IDENTIFIER),
        max_length=MOST_IDENTIFIERS,
        required=False,
        help_text="Where the work is published; may be repeated.",
    )
    shares = TextField(
        required=False,
        max_length=20_000,
        help_text='JSON: [{"creator": "cre_…", "ppm": 700000}, …]',
    )

    def validate_shares(self, text: str) -> dict[str, int]:
        """Read the JSON within the form."""
        try:
            data = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise serializers.ValidationError(f"This is not JSON: {error}") from error
        shares = serializers.ListField(
            child=ShareSerializer(), min_length=1, max_length=MOST_OWNERS
        )
        return by_creator(shares.run_validation(data))


def by_creator(shares: list[dict[str, Any]]) -> dict[str, int]:
    """Return ppm by creator id; a creator is named once."""
    parts = {share["creator"]: share["ppm"] for share in shares}
    if len(parts) != len(shares):
        raise serializers.ValidationError("A creator is named twice.", code="duplicate")
    return parts


class PrintedIdentifierSerializer(serializers.Serializer[Any]):
    """An identifier in its canonical form."""

    kind = serializers.ChoiceField(choices=WORK_KIND_CHOICES)
    value = serializers.CharField(source="canonical")


class PrintedShareSerializer(serializers.Serializer[Any]):
    """A part of a work, and since when its owner stands by it."""

    creator = serializers.CharField(source="creator_id")
    ppm = serializers.IntegerField()
    confirmed_at = serializers.DateTimeField(allow_null=True)


class WorkSerializer(serializers.ModelSerializer[Work]):
    """A registered work."""

    id = serializers.CharField()
    registered_by = serializers.CharField(source="registered_by_id")
    identifiers = PrintedIdentifierSerializer(many=True)
    shares = PrintedShareSerializer(many=True)
    disputed = serializers.SerializerMethodField()
    signed_with = serializers.SerializerMethodField(
        help_text="SHA-256 of the certificate that signed the file registered (C2PA), or null."
    )

    class Meta:
        model = Work
        fields = [
            "id",
            "title",
            "medium",
            "status",
            "registered_by",
            "registered_at",
            "identifiers",
            "shares",
            "disputed",
            "signed_with",
        ]

    def get_signed_with(self, work: Work) -> str | None:
        """Print the certificate's hash."""
        signature: WorkSignature | None = getattr(work, "signature", None)
        return None if signature is None else bytes(signature.certificate_sha256).hex()

    def get_disputed(self, work: Work) -> bool:
        """Whether another creator claims the same thing and nobody has decided yet."""
        conflicts = [*work.conflicts.all(), *work.conflicts_as_other.all()]
        return any(conflict.resolved_at is None for conflict in conflicts)


# Collections ------------------------------------------------------------------------------------


class NewCollectionSerializer(StrictSerializer):
    """A place that the creator controls."""

    kind = serializers.ChoiceField(choices=COLLECTION_KIND_CHOICES)
    value = TextField(max_length=LONGEST_IDENTIFIER)


class NewVerificationSerializer(StrictSerializer):
    """Where to look for the challenge."""

    method = serializers.ChoiceField(
        choices=METHOD_CHOICES, required=False, help_text="Everywhere unless given."
    )


class ChallengeSerializer(serializers.Serializer[Any]):
    """What shows control: one of a TXT record, a file, or a tag in the head of the front page."""

    body = serializers.CharField(help_text="Of the record, the file or the tag.")
    name = serializers.CharField(
        allow_null=True, help_text="Of the TXT record; a path has none, since its host is others'."
    )
    urls = serializers.ListField(child=serializers.URLField(), help_text="Of the file: any one.")
    pages = serializers.ListField(
        child=serializers.URLField(),
        help_text='Whose head may carry `<meta name="tribute-challenge" content="…">`: any one.',
    )


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    """A claimed place, and whether control of it was shown."""

    id = serializers.CharField()
    value = serializers.CharField(source="canonical")
    method = serializers.CharField(allow_blank=True)

    class Meta:
        model = Collection
        fields = ["id", "kind", "value", "claimed_at", "control_proven_at", "method", "recheck_at"]


class CollectionWithChallengeSerializer(CollectionSerializer):
    """A claimed place with the file that shows control of it."""

    challenge = ChallengeSerializer()

    class Meta(CollectionSerializer.Meta):
        fields = [*CollectionSerializer.Meta.fields, "challenge"]


# Statements and terms ---------------------------------------------------------------------------


class NewStatementSerializer(StrictSerializer):
    """One act of will about one subject and purpose."""

    subject = TextField(max_length=40, help_text="A work, a collection, or the creator itself.")
    purpose = serializers.ChoiceField(choices=PURPOSE_CHOICES)
    decision = serializers.ChoiceField(
        choices=DECISION_CHOICES, help_text="`unknown` takes back what was said before."
    )
    paid = FlagField(default=False, help_text="Whether the creator wants to be paid for the use.")
    terms = TextField(max_length=40, required=False, help_text="With `license`, and only then.")
    effective_from = InstantField(required=False, help_text="At once unless given.")


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """A recorded statement."""

    id = serializers.CharField()
    subject = serializers.CharField(source="subject_id")
    claimant = serializers.CharField(source="claimant_id")
    terms = serializers.CharField(source="terms_id", allow_null=True)
    leaf = serializers.SerializerMethodField(help_text="Its leaf hash in the transparency log.")

    class Meta:
        model = Statement
        fields = [
            "id",
            "subject",
            "claimant",
            "purpose",
            "decision",
            "paid",
            "terms",
            "vocabulary_version",
            "sequence",
            "effective_from",
            "recorded_at",
            "leaf",
        ]

    def get_leaf(self, statement: Statement) -> str:
        """Print the hash."""
        return bytes(statement.leaf_hash).hex()


class PriceSerializer(StrictSerializer):
    """An amount of money: whole micros, 10^-6 of the currency's major unit."""

    amount_micros = WholeNumberField(min_value=0, max_value=LARGEST_PRICE_MICROS)
    currency = serializers.RegexField(r"^[A-Z]{3}$")


class NewTermsSerializer(StrictSerializer):
    """What a licence asks."""

    price = PriceSerializer(required=False)
    attribution_required = FlagField(default=False)
    text_sha256 = serializers.RegexField(r"^[0-9a-f]{64}$", required=False)
    uri = serializers.URLField(max_length=500, required=False)


class TermsSerializer(serializers.ModelSerializer[Terms]):
    """Terms on offer."""

    id = serializers.CharField()
    price = serializers.SerializerMethodField()
    text_sha256 = serializers.SerializerMethodField()

    class Meta:
        model = Terms
        fields = ["id", "price", "attribution_required", "text_sha256", "uri", "created_at"]

    def get_price(self, terms: Terms) -> dict[str, int | str] | None:
        """Print the price, if there is one."""
        if terms.price_micros is None:
            return None
        return {"amount_micros": terms.price_micros, "currency": terms.currency}

    def get_text_sha256(self, terms: Terms) -> str | None:
        """Print the hash, if there is one."""
        return None if terms.text_sha256 is None else bytes(terms.text_sha256).hex()


# Checks -----------------------------------------------------------------------------------------


class CheckItemSerializer(serializers.Serializer[Any]):
    """One thing to ask about, by one to three identifiers."""

    id = serializers.CharField(required=False, max_length=LONGEST_ITEM_ID)
    url = serializers.CharField(required=False)
    sha256 = serializers.CharField(required=False)
    iscc = serializers.CharField(required=False)


@extend_schema_field(CheckItemSerializer(many=True))
class ItemsField(serializers.Field[Asked, Any, Any, Any]):
    """Ten thousand items without a serializer for each: form only, by the column.

    A row of the wrong shape refuses the batch and is named by its number (from 0).
    """

    def to_internal_value(self, data: Any) -> Asked:
        """Return the items in their order."""
        if not isinstance(data, list):
            raise serializers.ValidationError("A list of items is expected.", code="not_a_list")
        asked = _columns_of(data)
        if asked is not None:
            return asked
        wrong = {
            str(number): [ErrorDetail(problem, code="invalid_item")]
            for number, row in enumerate(data)
            if (problem := shape_problem(row))
        }
        raise serializers.ValidationError(wrong)

    def to_representation(self, value: Asked) -> Any:
        """Print the items as they were sent."""
        return [value.item(row).as_sent() for row in range(value.rows)]


def _columns_of(data: list[Any]) -> Asked | None:
    """Return rows as columns; None when one is not of the right shape."""
    if set(map(type, data)) != {dict}:
        return None if data else Asked(0, {})
    given = set().union(*data)
    if not given <= ITEM_FIELDS:
        return None
    try:
        asked = Asked.of_values({name: _column(data, name) for name in given}, len(data))
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return None
    texts = sum(len(column) - column.null_count for column in asked.columns.values())
    ids = asked.columns.get("id")
    longest = 0 if ids is None else pc.max(pc.utf8_length(ids)).as_py() or 0
    if texts != sum(map(len, data)) or longest > LONGEST_ITEM_ID:
        return None
    return asked


def _column(data: list[Any], name: str) -> list[Any]:
    try:
        return list(map(itemgetter(name), data))
    except KeyError:
        return [row.get(name) for row in data]


def shape_problem(row: object) -> str | None:
    """Say what is wrong with an item's shape; what its texts mean is answered item by item."""
    if not isinstance(row, dict):
        return "An item is an object."
    if unknown := row.keys() - ITEM_FIELDS:
        return f"There is no field {min(unknown)[:40]!r} in an item."
    if not all(isinstance(value, str) for value in row.values()):
        return "The fields of an item are texts."
    if len(row.get("id", "")) > LONGEST_ITEM_ID:
        return f"An id has at most {LONGEST_ITEM_ID} characters."
    return None


class NewCheckSerializer(StrictSerializer):
    """A consent question about some items, for some purposes."""

    items = ItemsField(help_text="1 to 10,000 items.")
    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=PURPOSE_CHOICES), min_length=1, max_length=10
    )
    as_of = InstantField(required=False, help_text="Ask what the answer was then.")


class ArrowQuestionSerializer(StrictSerializer):
    """What stands beside the items: in the address when they are an Arrow stream."""

    purposes = serializers.ListField(
        child=serializers.ChoiceField(choices=PURPOSE_CHOICES),
        min_length=1,
        max_length=10,
    )
    as_of = InstantField(required=False)


class AnsweredSerializer(serializers.Serializer[Any]):
    """The decision on one purpose, and why."""

    decision = serializers.ChoiceField(choices=DECISION_CHOICES)
    rule = serializers.CharField()
    statements = serializers.ListField(child=serializers.CharField())
    considered = serializers.ListField(child=serializers.CharField())
    matched_by = serializers.ChoiceField(choices=chosen(IdentifierKind), allow_null=True)
    explanation = serializers.CharField()


class ItemErrorSerializer(serializers.Serializer[Any]):
    """Why an item was not understood; its decisions are then `unknown`."""

    code = serializers.CharField()
    detail = serializers.CharField()


class AnswerSerializer(serializers.Serializer[Any]):
    """The decisions on one item."""

    id = serializers.CharField()
    decisions = serializers.DictField(child=AnsweredSerializer())
    error = ItemErrorSerializer(required=False)


class CheckSerializer(serializers.ModelSerializer[Check]):
    """A check and its answers, in the order of the items."""

    check = serializers.CharField(source="pk")
    log_size = serializers.IntegerField(help_text="Leaves in the log that were taken into account.")
    answers = AnswerSerializer(many=True, source="results")

    class Meta:
        model = Check
        fields = ["check", "asked_at", "as_of", "purposes", "items_count", "log_size", "answers"]


# Keys -------------------------------------------------------------------------------------------


class KeySerializer(serializers.ModelSerializer[ApiKey]):
    """One of the caller's keys, without its secret."""

    id = serializers.CharField()
    key = serializers.CharField(source="__str__")

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "key",
            "name",
            "scopes",
            "created_at",
            "expires_at",
            "revoked_at",
            "last_used_at",
        ]


class IssuedKeySerializer(serializers.Serializer[Any]):
    """A new key; the secret is shown this once."""

    key = KeySerializer()
    secret = serializers.CharField()
