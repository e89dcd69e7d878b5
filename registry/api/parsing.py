"""How request bodies are read: strict JSON of bounded size, and nothing else.

RFC 8259 without extensions: no NaN, no duplicates of meaning, valid UTF-8, bounded nesting.
Numbers beyond 64 bits arrive as floats and are refused by the serializers' integer fields.
"""

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


class StrictJSON(BaseParser):
    """Parse ``application/json`` up to DATA_UPLOAD_MAX_MEMORY_SIZE bytes."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed value. Raises ParseError or BodyTooLarge."""
        del media_type, parser_context
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The body is larger than {limit:,} bytes; nothing was kept.")
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is not JSON: {error}") from error


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
