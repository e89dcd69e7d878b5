"""Multipart bodies with one file, of bounded size."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import DataAndFiles, MultiPartParser

from registry.errors import FileTooLarge

FORM_BYTES = 1024 * 1024
"""What the fields and boundaries around a file may take."""


class Upload(MultiPartParser):
    """Parse ``multipart/form-data`` up to UPLOAD_MAX_BYTES; the file waits on disk, not in memory.

    Raises FileTooLarge by the announced length, before anything is read.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> "DataAndFiles[Any, Any]":
        """Return the fields and the file."""
        limit: int = settings.UPLOAD_MAX_BYTES
        request = (parser_context or {})["request"]
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdecimal() or int(announced) > limit + FORM_BYTES:
            raise FileTooLarge(f"a file has at most {limit:,} bytes; nothing was kept")
        return super().parse(stream, media_type, dict(parser_context or {}))
