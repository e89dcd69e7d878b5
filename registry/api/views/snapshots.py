"""Hand out the signed offline copy: the newest manifest, and its files by name or in part.

Anybody may read it. It holds hashed keys and decisions, nothing that was kept from the public.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.http import HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.utils.http import parse_etags, quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from registry import snapshots
from registry.api.problems import PROBLEM_MEDIA_TYPE, problem

PIECE = 1 << 18
FOR_EVER = "public, max-age=31536000, immutable"
_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))", re.ASCII)


class Newest(APIView):
    """The manifest at the head of the newest snapshot."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="getSnapshot",
        summary="Get the signed manifest of the newest offline snapshot",
        description=(
            "Every decision of the registry, for use offline: `tribute sync` reads and verifies it."
        ),
        responses={
            200: OpenApiTypes.OBJECT,
            304: OpenApiResponse(description="Not modified."),
            404: OpenApiResponse(description="No snapshot has been published yet."),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Send the manifest as it was signed, byte for byte."""
        release = snapshots.newest()
        tag = quote_etag(bytes(release.sha256).hex())
        if tag in parse_etags(request.headers.get("If-None-Match", "")):
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
        return HttpResponse(
            bytes(release.manifest),
            content_type="application/json",
            headers={"ETag": tag, "Cache-Control": "public, max-age=60"},
        )


class Bytes(BaseRenderer):
    """Names the media type of files in the API's description."""

    media_type = "application/octet-stream"
    format = "bin"
    charset = None

    def render(self, data: Any, *_: Any) -> bytes:
        """Return bytes as they are."""
        return bytes(data)


class SnapshotFile(APIView):
    """One file of a snapshot."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="getSnapshotFile",
        summary="Get a file that a snapshot's manifest names, or one range of its bytes",
        parameters=[OpenApiParameter("Range", str, OpenApiParameter.HEADER)],
        responses={
            (200, Bytes.media_type): OpenApiTypes.BINARY,
            (206, Bytes.media_type): OpenApiTypes.BINARY,
            416: OpenApiResponse(description="The file ends before the range begins."),
        },
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """Send the file. What a name stands for never changes."""
        path = snapshots.file(name)
        size = path.stat().st_size
        start, stop = _wanted(request.headers.get("Range", ""), size)
        headers = {"Accept-Ranges": "bytes", "Cache-Control": FOR_EVER}
        if start >= size > 0:
            return _past_the_end(size)
        response = StreamingHttpResponse(
            _pieces(path, start, stop), content_type=Bytes.media_type, headers=headers
        )
        response["Content-Length"] = stop - start
        if (start, stop) != (0, size):
            response.status_code = HTTPStatus.PARTIAL_CONTENT
            response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        return response


def _past_the_end(size: int) -> HttpResponse:
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    title, detail = "A range begins within the file", f"The file has {size} bytes."
    body = problem(status=status, code="range_past_the_end", title=title, detail=detail)
    headers = {"Content-Range": f"bytes */{size}"}
    return JsonResponse(body, status=status, headers=headers, content_type=PROBLEM_MEDIA_TYPE)


def _wanted(asked: str, size: int) -> tuple[int, int]:
    """Read one range of bytes (RFC 9110, section 14.1.2); anything else means the whole file."""
    match = _RANGE.fullmatch(asked.strip())
    if match is None:
        return 0, size
    first, last, suffix = match.groups()
    if suffix is not None:
        return max(0, size - int(suffix)), size
    stop = size if last is None else min(size, int(last) + 1)
    return (int(first), stop) if last is None or int(first) <= int(last) else (0, size)


def _pieces(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop and (piece := file.read(min(PIECE, stop - start))):
            start += len(piece)
            yield piece
