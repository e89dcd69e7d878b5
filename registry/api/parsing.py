"""How request bodies are read: strict JSON of bounded size, and nothing else.

RFC 8259 without extensions: no NaN, no name twice in an object, valid UTF-8, bounded nesting.
Numbers beyond 64 bits arrive as floats and are refused by the serializers' integer fields.
"""

import json
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class BodyTooLarge(APIException):
    """A request body has an upper size."""

    status_code = 413
    default_code = "body_too_large"


class NameTwice(ValueError):
    """A name stands once in an object: which of two values counts, readers do not agree on."""


class StrictJSON(BaseParser):
    """Parse ``application/json`` up to DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    media_type = "application/json"
    looks_for_names = True

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed value. Raises ParseError or BodyTooLarge."""
        del media_type, parser_context
        return self.value(self.read(stream))

    def read(self, stream: IO[Any]) -> bytes:
        """Return the body. Raises BodyTooLarge."""
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body: bytes = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The body is larger than {limit:,} bytes; nothing was kept.")
        return body

    def value(self, body: bytes) -> Any:
        """Return what a body says. Raises ParseError."""
        try:
            parsed = orjson.loads(body)
            if self.looks_for_names:
                _NAMES.decode(body.decode())
        except NameTwice as error:
            raise ParseError(f"An object of the body has the name {error} twice.") from error
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}") from error
        return parsed


class ManyItemsJSON(StrictJSON):
    """The same for questions about thousands of items, where looking for names took half the time.

    A name said twice asks about the last: it is the caller's own question, and changes nothing.
    """

    looks_for_names = False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) != len(pairs):
        names = [name for name, _ in pairs]
        raise NameTwice(repr(next(name for name in names if names.count(name) > 1)[:40]))
    return named


_NAMES = json.JSONDecoder(object_pairs_hook=_once)


class JSONOnly(BaseContentNegotiation):
    """Answer in the view's first format, whatever Accept says: an API client gets JSON."""

    def select_parser(self, request: Request, parsers: Any) -> BaseParser | None:
        """Choose by Content-Type; a body without one is taken for JSON."""
        content_type = (request.content_type or "application/json").partition(";")[0].strip()
        return next((p for p in parsers if p.media_type == content_type.lower()), None)

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Choose the first renderer."""
        del request, format_suffix
        return renderers[0], renderers[0].media_type
