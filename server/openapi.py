"""How the API describes itself: OpenAPI 3.1, with the problems that each call may answer."""

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
)
from drf_spectacular.openapi import AutoSchema

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_EVERYWHERE = {
    "400": "The request is malformed; nothing was written.",
    "429": "Too many requests; Retry-After says when to come back.",
    "503": "The service cannot do this now; nothing was written.",
}
_WITH_KEY = {
    "401": "No valid API key.",
    "403": "The key lacks the scope for this, or its owner may not do it.",
}
_WITH_NAMES = {
    "404": "There is no such thing, or it is not yours.",
    "409": "What is on record forbids this now; `code` names the rule.",
    "422": "The request is well formed, but a rule forbids it; `code` names the rule.",
}
_DEEDS = {"402": "The balance does not cover this."}
_WITH_BODY = {
    "411": "The body's length must be announced.",
    "413": "The body is too large; nothing was kept.",
    "415": "The body's media type or coding is not read here.",
}


class Schema(AutoSchema):
    """One view's part of the description."""

    def get_tags(self) -> list[str]:
        """Group by the first word of the path."""
        words = [word for word in self.path.split("/") if word and word != "v1"]
        return [words[0].partition(":")[0].partition(".")[0] if words else "service"]


class BearerKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """An API key in the Authorization header."""

    target_class = "registry.api.authentication.BearerKey"
    name = "bearerKey"

    def get_security_definition(self, _auto_schema: AutoSchema) -> dict[str, Any]:
        """Describe the header."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of the form `trb_live_…`, sent as `Authorization: Bearer`.",
        }


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """What is read strictly has no other fields than the described ones."""

    target_class = "registry.api.serializers.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        """Describe the fields as usual, and say that there are no others."""
        schema: dict[str, Any] = auto_schema._map_serializer(  # type: ignore[no-untyped-call]  # noqa: SLF001 - the documented way
            self.target, direction, bypass_extensions=True
        )
        return schema | {"additionalProperties": False} if direction == "request" else schema


def add_problem_answers(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Describe the problems that any call may answer, once for all."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _problem_schema()
    for path in result.get("paths", {}).values():
        for method, operation in path.items():
            for status, description in _expected(method, operation).items():
                operation["responses"].setdefault(status, _answer(description))
            for status, answer in operation["responses"].items():
                if status >= "400":
                    answer.setdefault("content", _answer("")["content"])
    return result


def _expected(method: str, operation: dict[str, Any]) -> dict[str, str]:
    """Return what an operation may answer besides what its view describes."""
    expected = dict(_EVERYWHERE)
    if operation.get("security"):
        expected |= _WITH_KEY
    if method != "get":
        expected |= _WITH_NAMES | _DEEDS
    elif any(each["name"] not in {"cursor", "limit"} for each in operation.get("parameters", [])):
        expected |= _WITH_NAMES
    if "requestBody" in operation:
        expected |= _WITH_BODY
    return expected


def _answer(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": _PROBLEM}},
    }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": {"type": "string", "description": "Stable, machine-readable."},
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["pointer", "code", "detail"],
                    "properties": {"pointer": text, "code": text, "detail": text},
                },
            },
        },
    }
