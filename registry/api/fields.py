"""Fields that take JSON at its word: a number is no text, a text no truth value, a time has a zone."""

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers


class TextField(serializers.CharField):
    """A JSON string; neither a number nor a truth value passes for one."""

    def to_internal_value(self, data: Any) -> str:
        """Return the string, trimmed."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction; not a text of digits, not a truth value, not 1.0."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number itself."""
        if type(data) is not int:
            self.fail("invalid")
        return data


class FlagField(serializers.BooleanField):
    """A JSON truth value; not 1, not "true"."""

    def to_internal_value(self, data: Any) -> bool:
        """Return the truth value itself."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class InstantField(serializers.DateTimeField):
    """An instant in ISO 8601 that names its offset from UTC; given back in UTC."""

    default_error_messages = {"naive": "An instant names its offset from UTC, such as Z."}

    def to_internal_value(self, value: Any) -> datetime:
        """Return the instant in UTC."""
        if not isinstance(value, str):
            self.fail("invalid", format="ISO 8601")
        return super().to_internal_value(value)

    def enforce_timezone(self, value: datetime) -> datetime:
        """Refuse a time of nowhere."""
        if value.tzinfo is None:
            self.fail("naive")
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise serializers.ValidationError(
                "The year is out of range.", code="overflow"
            ) from None
