"""The field for a reduced text."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tribute.features import Features, InvalidFeatures


@extend_schema_field(
    {
        "type": "object",
        "required": ["version", "ngram_size", "words", "hashes"],
        "properties": {
            "version": {"type": "string"},
            "ngram_size": {"type": "integer"},
            "words": {"type": "integer"},
            "hashes": {"type": "string", "format": "byte"},
            "blocks": {"type": "string", "format": "byte"},
        },
        "additionalProperties": False,
    }
)
class FeaturesField(serializers.Field[Features, Any, Any, Any]):
    """What the client library's ``tribute.features`` makes of an output."""

    default_error_messages = {"invalid": "This is not what tribute.features writes."}

    def to_internal_value(self, data: Any) -> Features:
        """Read the JSON form; what was wrong is not repeated, since it may be the text itself."""
        try:
            return Features.from_json(data)
        except InvalidFeatures:
            self.fail("invalid")

    def to_representation(self, value: Features) -> Any:
        """Write the JSON form."""
        return value.to_json()
