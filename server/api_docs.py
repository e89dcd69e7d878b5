"""The API's description as a page for people: plain HTML from the OpenAPI document.

Owns the page. What it says comes from the same document that programs read at
``/v1/openapi.json``, so that the two cannot disagree.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.http import quote_etag
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import condition, require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

DEEPEST = 4
"""Levels of nested fields that a table shows."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body or an answer; ``name`` is dotted for a nested one."""

    name: str
    kind: str
    required: bool
    meaning: SafeString


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation may answer with."""

    status: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: what to send, what comes back."""

    anchor: str
    method: str
    path: str
    summary: str
    description: SafeString
    needs_key: bool
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]
    curl: str


@dataclass(frozen=True, slots=True)
class Section:
    """The operations on one thing."""

    name: str
    operations: tuple[Operation, ...]


@cache
def _printed() -> tuple[bytes, str]:
    made = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    text = OpenApiJsonRenderer().render(made, renderer_context={})
    return text, quote_etag(hashlib.sha256(text).hexdigest()[:32])


def _etag(_request: HttpRequest) -> str:
    return _printed()[1]


@csrf_exempt
@require_safe
@cache_control(public=True, max_age=60)
@condition(etag_func=_etag)
def document(_request: HttpRequest) -> HttpResponse:
    """Send the description to programs. It is made once in each process."""
    return HttpResponse(_printed()[0], content_type="application/vnd.oai.openapi+json")


@csrf_exempt
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show every operation on one page."""
    return render(request, "server/api_docs.html", {"sections": _sections()})


@cache
def _sections() -> tuple[Section, ...]:
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return tuple(sections(generator.get_schema(public=True)))  # type: ignore[no-untyped-call]


def sections(document: Mapping[str, Any]) -> Iterator[Section]:
    """Group the operations of an OpenAPI document by their tag, in the order of the paths."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            operation = _operation(document, path, method, described)
            groups.setdefault(described["tags"][0], []).append(operation)
    for name, operations in groups.items():
        yield Section(name.replace("-", " "), tuple(operations))


def _operation(
    document: Mapping[str, Any], path: str, method: str, described: Mapping[str, Any]
) -> Operation:
    body = _json_content(described.get("requestBody", {}))
    success: Mapping[str, Any] = next(
        (a for s, a in described["responses"].items() if s.startswith("2")), {}
    )
    needs_key = any("bearerKey" in way for way in described.get("security", []))
    return Operation(
        anchor=described["operationId"],
        method=method.upper(),
        path=path,
        summary=described.get("summary", ""),
        description=_marked_up(described.get("description", "")),
        needs_key=needs_key,
        parameters=tuple(_parameters(described)),
        body=tuple(_fields(document, body.get("schema", {}))),
        fields=tuple(_fields(document, _json_content(success).get("schema", {}))),
        answers=tuple(
            Answer(status, answer.get("description") or _SUCCESS.get(status, ""))
            for status, answer in sorted(described["responses"].items())
        ),
        curl=_curl(path, method, described, _example(document, body), needs_key=needs_key),
    )


def _marked_up(text: str) -> SafeString:
    """Escape a description, and set what stands between backticks as code."""
    return mark_safe(re.sub(r"`+([^`]+)`+", r"<code>\1</code>", escape(text)))  # noqa: S308 - escaped first


_SUCCESS = {"200": "Done.", "201": "Made.", "204": "Done; nothing to say."}


def _json_content(message: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = message.get("content", {}).get("application/json", {})
    return found


def _parameters(described: Mapping[str, Any]) -> Iterator[Field]:
    for parameter in described.get("parameters", []):
        yield Field(
            parameter["name"],
            f"{_kind(parameter.get('schema', {}))}, in the {parameter['in']}",
            bool(parameter.get("required")),
            _marked_up(parameter.get("description", "")),
        )


def _fields(
    document: Mapping[str, Any], schema: Mapping[str, Any], *, prefix: str = "", level: int = 1
) -> Iterator[Field]:
    """Yield the fields of an object, those of nested objects and of lists' rows below them."""
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        schema, prefix = _resolved(document, schema.get("items", {})), f"{prefix}[]"
    required = set(schema.get("required", ()))
    for name, raw in schema.get("properties", {}).items():
        inner = _resolved(document, raw)
        dotted = f"{prefix}.{name}" if prefix else name
        meaning = raw.get("description") or inner.get("description", "")
        yield Field(dotted, _kind(inner), name in required, _marked_up(meaning))
        if level < DEEPEST:
            yield from _fields(document, inner, prefix=dotted, level=level + 1)


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and the single choice that a nullable or described reference is."""
    while True:
        choices = [s for s in schema.get("oneOf", schema.get("allOf", ())) if s != {"type": "null"}]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif len(choices) == 1:
            schema = choices[0]
        else:
            return schema


def _kind(schema: Mapping[str, Any]) -> str:
    if choices := schema.get("enum"):
        return " | ".join(str(choice) for choice in choices if choice is not None)
    kind = schema.get("type", "object")
    kinds = [kind] if isinstance(kind, str) else list(kind)
    words = " or ".join("nothing" if each == "null" else each for each in kinds)
    return f"{words} ({schema['format']})" if "format" in schema else words


def _example(document: Mapping[str, Any], body: Mapping[str, Any]) -> object:
    """Return the body's own example, or one made up from its required fields."""
    for example in body.get("examples", {}).values():
        return example["value"]
    return _made_up(document, body["schema"]) if "schema" in body else None


def _made_up(document: Mapping[str, Any], schema: Mapping[str, Any]) -> object:
    schema = _resolved(document, schema)
    if choices := schema.get("enum"):
        return choices[0]
    match schema.get("type"):
        case "object":
            required = schema.get("required", ())
            return {
                name: _made_up(document, inner)
                for name, inner in schema.get("properties", {}).items()
                if name in required
            }
        case "array":
            return [_made_up(document, schema.get("items", {}))]
        case "integer" | "number":
            return max(1, int(schema.get("minimum", 1)))
        case "boolean":
            return True
    return {"date-time": "2026-11-22T12:00:00Z", "uri": "https://ada.example/"}.get(
        schema.get("format", ""), "…"
    )


def _curl(
    path: str, method: str, described: Mapping[str, Any], example: object, *, needs_key: bool
) -> str:
    lines = [f"curl {settings.PUBLIC_URL}{path}"]
    if method != "get":
        lines[0] += f" -X {method.upper()}"
    if needs_key:
        lines.append('-H "Authorization: Bearer $KEY"')
    if any(p["name"] == "Idempotency-Key" for p in described.get("parameters", [])):
        lines.append('-H "Idempotency-Key: november-1"')
    if example is not None:
        lines.append('-H "Content-Type: application/json"')
        lines.append(f"-d '{json.dumps(example, indent=2, ensure_ascii=False)}'")
    return " \\\n  ".join(lines)
