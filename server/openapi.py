"""How the API describes itself: OpenAPI 3.1, with the problems that each call may answer."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_EVERYWHERE = {
    "400": "The request is malformed; nothing was written.",
    "429": "Too many requests; Retry-After says when to come back.",
}
_WITH_KEY = {
    "401": "No valid API key.",
    "403": "The key lacks the scope for this.",
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


def add_problem_answers(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Describe the problems that any call may answer, once for all."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _problem_schema()
    for path in result.get("paths", {}).values():
        for operation in path.values():
            answers = operation["responses"]
            expected = _EVERYWHERE | (_WITH_KEY if operation.get("security") != [{}] else {})
            if _has_path_id(operation):
                expected = expected | {"404": "There is no such thing, or it is not yours."}
            for status, description in expected.items():
                answers.setdefault(status, _answer(description))
    return result


def _has_path_id(operation: dict[str, Any]) -> bool:
    return any(parameter["in"] == "path" for parameter in operation.get("parameters", []))


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
