"""The fields for evidence, a reduced text and scores of manifest rows, and for many reports."""

import re
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attribution.queries import MOST_SCORES
from attribution.waiting import ReportedScores
from tribute.features import Features, InvalidFeatures
from tribute.scores import FORMAT, InvalidScores, Origin, QueryScores


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


@extend_schema_field(
    {
        "type": "object",
        "required": ["manifest", "tool", "rows", "scores"],
        "properties": {
            "manifest": {"type": "string", "description": "The manifest's id or its digest."},
            "tool": {"type": "string"},
            "orientation": {"type": "string", "enum": ["higher", "lower"], "default": "higher"},
            "settings": {"type": "object"},
            "measured_lds": {"type": "number", "nullable": True},
            "rows": {"type": "array", "items": {"type": "integer"}, "maxItems": MOST_SCORES},
            "scores": {"type": "array", "items": {"type": "number"}, "maxItems": MOST_SCORES},
            "outside_mass": {"type": "number", "default": 0},
        },
        "additionalProperties": False,
    }
)
class ScoresField(serializers.Field[ReportedScores, Any, Any, Any]):
    """What the operator's own model says about rows of its manifest, as in tribute-scores/1."""

    default_error_messages = {"invalid": "{reason}"}
    _needed = {"manifest", "tool", "rows", "scores"}
    _optional = {"orientation", "settings", "measured_lds", "outside_mass"}

    def to_internal_value(self, data: Any) -> ReportedScores:
        """Read the JSON form; numbers must be finite, rows whole and each once."""
        if not isinstance(data, dict) or not self._needed <= set(data):
            self.fail("invalid", reason=f"Scores have {', '.join(sorted(self._needed))}.")
        if unknown := set(data) - self._needed - self._optional:
            self.fail("invalid", reason=f"Scores have no {', '.join(sorted(map(str, unknown)))}.")
        try:
            return ReportedScores(_origin(data), _of_rows(data))
        except InvalidScores as error:
            self.fail("invalid", reason=str(error))

    def to_representation(self, value: ReportedScores) -> Any:
        """Write the JSON form."""
        rows = value.of_rows
        origin = {k: v for k, v in value.origin.to_json().items() if k != "format"}
        return origin | {
            "rows": rows.rows, "scores": rows.scores, "outside_mass": rows.outside_mass
        }  # fmt: skip


class ReportsField(serializers.ListField):
    """Up to a thousand reports: those of the plainest form without a serializer for each.

    Accepts no report that the child would refuse, and reads it as the child does. Whatever else
    comes, the child is asked about all of it, so that it says what is wrong.
    """

    _asked = frozenset({"model", "external_id", "occurred_at"})
    _fields = _asked | {"price", "output", "features", "scores"}

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the reports in their order."""
        if isinstance(data, list) and len(data) <= (self.max_length or len(data)):
            try:
                return [self._plain(row) for row in data]
            except (_NotPlain, serializers.ValidationError):
                pass
        return super().to_internal_value(data)

    def _plain(self, row: Any) -> dict[str, Any]:
        if type(row) is not dict or not self._asked <= row.keys() <= self._fields:
            raise _NotPlain
        model, external_id, occurred_at = row["model"], row["external_id"], row["occurred_at"]
        if not all(type(each) is str for each in (model, external_id, occurred_at)):
            raise _NotPlain
        if not (
            _MODEL.fullmatch(model)
            and _EXTERNAL_ID.fullmatch(external_id)
            and _INSTANT.fullmatch(occurred_at)
        ):
            raise _NotPlain
        assert isinstance(self.child, serializers.Serializer), "reports have a form"
        fields = self.child.fields
        rest = {
            name: fields[name].run_validation(value)
            for name, value in row.items()
            if name not in self._asked
        }
        return {**row, **rest, "occurred_at": _instant(occurred_at)}


class _NotPlain(ValueError):
    """The plainest form is an object of known fields whose texts need no second look."""


_MODEL = re.compile(r"mdl_[0-9a-z]{1,56}")
_EXTERNAL_ID = re.compile(r"[!-~]{1,200}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _NotPlain from None


def _origin(data: dict[str, Any]) -> Origin:
    return Origin.from_json(
        {
            "format": FORMAT,
            "manifest": data["manifest"],
            "orientation": data.get("orientation", "higher"),
            "tool": data["tool"],
            "settings": data.get("settings", {}),
            "measured_lds": data.get("measured_lds"),
        }
    )


def _of_rows(data: dict[str, Any]) -> QueryScores:
    rows, scores, outside = data["rows"], data["scores"], data.get("outside_mass", 0.0)
    if not isinstance(rows, list) or not isinstance(scores, list):
        raise InvalidScores("Rows and scores are lists.")
    if not len(rows) == len(scores) <= MOST_SCORES:
        raise InvalidScores(f"Every row has one score, and a query at most {MOST_SCORES}.")
    numbers = [*scores, outside]
    if {*map(type, rows)} - {int} or {*map(type, numbers)} - {int, float}:
        raise InvalidScores("Rows are whole numbers, scores and outside_mass are numbers.")
    try:
        return QueryScores("-", tuple(rows), tuple(map(float, scores)), float(outside))
    except OverflowError:
        raise InvalidScores("A score is beyond what a float holds.") from None
