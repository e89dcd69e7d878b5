"""The one shape of every error answer: ``application/problem+json`` (RFC 9457).

Owns the document and its serializer for OpenAPI. Which error has which status is the table in
``server.api_errors``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework import renderers, serializers

PROBLEM_MEDIA_TYPE = "application/problem+json"


class ProblemRenderer(renderers.JSONRenderer):
    """JSON under the media type of a problem."""

    media_type = PROBLEM_MEDIA_TYPE
    format = "problem+json"


class FieldErrorSerializer(serializers.Serializer[Any]):
    """One thing wrong with one place of the request."""

    pointer = serializers.CharField(help_text="JSON Pointer (RFC 6901) into the request body.")
    code = serializers.CharField(help_text="Stable, machine-readable.")
    detail = serializers.CharField(help_text="What is wrong, in a sentence.")


class ProblemSerializer(serializers.Serializer[Any]):
    """What went wrong, for a person and for a program (RFC 9457)."""

    type = serializers.CharField(help_text="A URI for the kind of problem, stable.")
    title = serializers.CharField(help_text="The rule that was broken; the same for each code.")
    status = serializers.IntegerField(help_text="The HTTP status, repeated.")
    detail = serializers.CharField(help_text="What happened here, and what was kept.")
    code = serializers.CharField(help_text="Stable, machine-readable.")
    errors = FieldErrorSerializer(many=True, required=False)


def problem(
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return the problem document. ``errors`` name places in the body, as JSON Pointers."""
    document: dict[str, Any] = {
        "type": f"urn:tribute:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        document["errors"] = list(errors)
    return document
