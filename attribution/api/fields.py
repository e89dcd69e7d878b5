"""The fields for evidence: a reduced text, and scores of manifest rows."""

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
