"""A client that holds every answer to what ``/v1/openapi.json`` says of it.

Whatever a test asks, the status, the media type and the shape of the answer must be among the
described ones. So the description cannot fall behind any answer that some test provokes.
"""

import functools
import json
import re
from typing import Any

import referencing
from django.urls import Resolver404
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker
from referencing.jsonschema import DRAFT202012
from rest_framework.test import APIClient

ADDRESS = "urn:tribute:openapi"
NO_SUCH_OPERATION = 405


class DescribedClient(APIClient):
    """An APIClient whose answers below /v1/ are compared with the description."""

    def request(self, **environment: Any) -> Any:
        """Ask, and require that the answer was announced."""
        response = super().request(**environment)
        path = environment["PATH_INFO"]
        if path.startswith("/v1/") and path not in {"/v1/openapi.json", "/v1/docs"}:
            require_described(response)
        return response


def require_described(response: Any) -> None:
    """Raise AssertionError for an answer that the description does not foresee."""
    method, template = response.wsgi_request.method.lower(), _template(response)
    if response.status_code == NO_SUCH_OPERATION or template is None:
        return
    operation = description()["paths"][template].get("get" if method == "head" else method)
    if operation is None and method in {"head", "options"}:
        return  # the tools of OpenAPI describe no operation of these alone
    said = f"{method.upper()} {template} answered {response.status_code}"
    assert operation is not None, f"{said}, and is not described"
    assert str(response.status_code) in operation["responses"], f"{said}, which is not described"
    content = operation["responses"][str(response.status_code)].get("content", {})
    media_type = response.headers.get("Content-Type", "")
    described = next((each for each in content if _same(each, media_type)), None)
    if not content or response.status_code in {204, 304}:
        return
    assert described is not None, f"{said} as {media_type!r}, not as {sorted(content)}"
    if "json" in described and "ndjson" not in described and not response.streaming:
        place = ["paths", template, "get" if method == "head" else method]
        place += ["responses", str(response.status_code), "content", described, "schema"]
        wrong = [
            f"{error.json_path}: {error.message[:300]}"
            for error in _validator(tuple(place)).iter_errors(
                json.loads(response.content or "null")
            )
        ]
        assert wrong == [], f"{said} in another shape than described"


@functools.cache
def description() -> dict[str, Any]:
    """The description, made once."""
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    described: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return described


@functools.cache
def _validator(place: tuple[str, ...]) -> Draft202012Validator:
    resource = DRAFT202012.create_resource(description())
    registry = referencing.Registry().with_resource(ADDRESS, resource)
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in place)
    return Draft202012Validator(
        {"$ref": f"{ADDRESS}#/{pointer}"}, registry=registry, format_checker=FormatChecker()
    )


def _template(response: Any) -> str | None:
    """Return the route as OpenAPI writes it, ``/v1/works/{work_id}``; None for no address of ours."""
    try:
        route = response.resolver_match.route
    except Resolver404:
        return None
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


def _same(described: str, answered: str) -> bool:
    return described.partition(";")[0].strip() == answered.partition(";")[0].strip()
