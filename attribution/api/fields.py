"""Fields that accept exactly one form: whole numbers, instants with an offset, features."""

from datetime import UTC, datetime
from typing import Any, NoReturn

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tribute.features import Features, InvalidFeatures


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction; not a text of digits, not a truth value, not 1.0."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number itself."""
        if type(data) is not int:
            self.fail("invalid")
        return data


class InstantField(serializers.DateTimeField):
    """An instant in ISO 8601 that names its offset from UTC; given back in UTC."""

    default_error_messages = {"naive": "An instant names its offset from UTC, such as Z."}

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse a time of nowhere."""
        if value.tzinfo is None:
            self.fail("naive")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            self._out_of_range()

    def _out_of_range(self) -> NoReturn:
        raise serializers.ValidationError("The year is out of range.", code="overflow")


@extend_schema_field(
    {
        "type": "object",
        "required": ["version", "ngram_size", "words", "hashes"],
        "properties": {
            "version": {"type": "string"},
            "ngram_size": {"type": "integer"},
            "words": {"type": "integer"},
            "hashes": {"type": "string", "format": "byte"},
        },
        "additionalProperties": False,
    }
)
class FeaturesField(serializers.Field[Features, Any, Any, Any]):
    """What the client library's ``tribute.features`` makes of an output."""

    default_error_messages = {"invalid": "These are no features: {why}."}

    def to_internal_value(self, data: Any) -> Features:
        """Read the JSON form."""
        try:
            return Features.from_json(data)
        except InvalidFeatures as error:
            self.fail("invalid", why=str(error))

    def to_representation(self, value: Features) -> Any:
        """Write the JSON form."""
        return value.to_json()
