"""What a model learned from, over HTTP: declare it, and read what it shows.

Owns the reading of manifest rows. A manifest may have millions of them, so JSON Lines are read as
they arrive, and a row is checked when its turn comes; a bad one refuses the whole.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import generative_models
from attribution.api.serializers import (
    ManifestReportSerializer,
    ManifestStateSerializer,
    NewManifestSerializer,
)
from attribution.api.views import model_of
from attribution.errors import ManifestMissing
from registry import manifests
from registry.api.fields import InstantField
from registry.api.parsing import BodyTooLarge, StrictJSON
from registry.api.permissions import HasScope
from registry.errors import InvalidManifestRow
from registry.manifests import ManifestItem

LONGEST_LINE = 16_384
BLOCK = 65_536
IDENTIFIERS = ("url", "sha256", "iscc")
_FIELDS = {*IDENTIFIERS, "ingested_at"}
_instant = InstantField()


class JSONLines(BaseParser):
    """Read ``application/x-ndjson`` line by line, up to UPLOAD_MAX_BYTES in all."""

    media_type = "application/x-ndjson"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return an iterator of the rows, each read when it is asked for."""
        del media_type, parser_context
        return _lines(stream)


def _lines(stream: IO[Any]) -> Iterator[object]:
    for number, line in enumerate(_split(stream), start=1):
        if len(line) > LONGEST_LINE:
            raise InvalidManifestRow(f"row {number}: longer than {LONGEST_LINE:,} bytes")
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidManifestRow(f"row {number}: not JSON") from error


def _split(stream: IO[Any]) -> Iterator[bytes]:
    """Yield the lines of a body without its last line end.

    In blocks, since a web server's own ``readline`` with a limit may lose what follows the line
    (granian 2.8 does). A line that is too long is handed on as far as it was read.
    """
    read, rest = 0, b""
    while block := stream.read(BLOCK):
        read += len(block)
        if read > settings.UPLOAD_MAX_BYTES:
            raise BodyTooLarge(f"The manifest is larger than {settings.UPLOAD_MAX_BYTES:,} bytes.")
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
        if len(rest) > LONGEST_LINE:
            break
    if rest:
        yield rest


def items(rows: Iterable[object]) -> Iterator[ManifestItem]:
    """Yield rows as the registry takes them. Raises InvalidManifestRow with the row's number."""
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not _FIELDS.issuperset(row):
            raise InvalidManifestRow(f"row {number}: an object of {sorted(_FIELDS)}")
        given = {name: row[name] for name in IDENTIFIERS if name in row}
        if not given or not all(isinstance(value, str) for value in given.values()):
            raise InvalidManifestRow(f"row {number}: a url, a sha256 or an iscc, as texts")
        try:
            ingested_at = _instant.run_validation(row.get("ingested_at"))
        except ValidationError as error:
            raise InvalidManifestRow(f"row {number}: ingested_at is no instant") from error
        yield ManifestItem(ingested_at, **given)


class DeclaredManifest(APIView):
    """What one of the operator's models learned from."""

    permission_classes = [HasScope("models:write")]
    parser_classes = [StrictJSON, JSONLines]

    @extend_schema(
        operation_id="putModelManifest",
        summary="Declare what a model learned from",
        description="JSON with `rows`, or JSON Lines (`application/x-ndjson`), one row a line.",
        request={
            "application/json": NewManifestSerializer,
            "application/x-ndjson": {"type": "string", "format": "binary"},
        },
        responses=ManifestStateSerializer,
    )
    def put(self, request: Request, model_id: str) -> Response:
        """Receive and match the rows, in place of what was declared before."""
        model = model_of(request, model_id)
        manifest = generative_models.declare_manifest(
            model, items(_rows(request.data)), at=timezone.now()
        )
        return Response(ManifestStateSerializer(manifest).data)


def _rows(data: object) -> Iterable[object]:
    """Return the rows of either form of body."""
    if isinstance(data, Iterator):
        return data
    if not isinstance(data, dict) or set(data) != {"rows"} or not isinstance(data["rows"], list):
        raise ValidationError({"rows": ["An object with the list rows, and nothing else."]})
    return data["rows"]


class ManifestReport(APIView):
    """What the manifest of one of the operator's models shows."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="getModelManifestReport",
        summary="Read what your manifest shows: matches, coverage, violations",
        responses=ManifestReportSerializer,
    )
    def get(self, request: Request, model_id: str) -> Response:
        """Print the report of the manifest in force."""
        model = model_of(request, model_id)
        if model.manifest is None:
            raise ManifestMissing(f"{model.pk} has not declared what it learned from")
        return Response(ManifestReportSerializer(manifests.report(model.manifest)).data)
