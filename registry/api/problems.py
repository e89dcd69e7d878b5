"""The one shape of every error answer: ``application/problem+json`` (RFC 9457).

Owns the document. Which error has which status is the table in ``server.api_errors``, and how
OpenAPI describes it is said in ``server.openapi``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

PROBLEM_MEDIA_TYPE = "application/problem+json"


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
