"""What a model learned from, over HTTP: declare it, follow the matching, read what it shows.

A short manifest is matched while the request waits. A long one is taken in as it arrives, or sent
in pieces, and matched by workers; the one before stays in force until it is ready.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import IO, Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import generative_models
from attribution.api.manifest_serializers import (
    AnnouncedManifestSerializer,
    DeclaredManifestsSerializer,
    ExpectedManifestSerializer,
    ManifestReportSerializer,
    ManifestStateSerializer,
    NewManifestSerializer,
    ViolationSerializer,
)
from attribution.api.views import model_of
from attribution.errors import ManifestMissing
from attribution.models import GenerativeModel
from registry import manifest_files, manifests, uploads
from registry.api.parsing import StrictJSON
from registry.api.permissions import HasScope
from registry.api.views.uploads import address_of, blocks_of
from registry.errors import RegistryError
from registry.models import Manifest, ManifestRow

MATCHED_AT_ONCE_BYTES = 1024 * 1024


class _Streamed(BaseParser):
    """Hand a body on as it arrives, with the format it is in."""

    written_as: Manifest.Format

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the format, and an iterator of blocks that are read when asked for."""
        del media_type, parser_context
        return self.written_as, blocks_of(stream)


class JSONLines(_Streamed):
    """Read ``application/x-ndjson``."""

    media_type = "application/x-ndjson"
    written_as = Manifest.Format.JSON_LINES


class Parquet(_Streamed):
    """Read ``application/vnd.apache.parquet``."""

    media_type = "application/vnd.apache.parquet"
    written_as = Manifest.Format.PARQUET


class DeclaredManifest(APIView):
    """What one of the operator's models learned from."""

    permission_classes = [HasScope("models:write")]
    parser_classes = [StrictJSON, JSONLines, Parquet]

    @extend_schema(
        operation_id="getModelManifest",
        summary="Follow the matching of what a model learned from",
        description="`current` is in force; `next` is being received or matched and takes its "
        "place when it is ready.",
        responses=DeclaredManifestsSerializer,
    )
    def get(self, request: Request, model_id: str) -> Response:
        """Print both."""
        model = model_of(request, model_id)
        context = {"request": request}
        return Response(DeclaredManifestsSerializer(model, context=context).data)

    @extend_schema(
        operation_id="putModelManifest",
        summary="Declare what a model learned from",
        description="JSON with `rows`; JSON Lines (`application/x-ndjson`), one row a line; or "
        "Parquet (`application/vnd.apache.parquet`) with columns of the same names. JSON, and up "
        "to a mebibyte of JSON Lines, is matched at once (200). The rest is matched by workers "
        "(202): follow it with GET. To be able to go on after a break, announce it with "
        "`:upload` instead.",
        request={
            "application/json": NewManifestSerializer,
            "application/x-ndjson": {"type": "string", "format": "binary"},
            "application/vnd.apache.parquet": {"type": "string", "format": "binary"},
        },
        responses={200: ManifestStateSerializer, 202: ManifestStateSerializer},
    )
    def put(self, request: Request, model_id: str) -> Response:
        """Receive the rows, in place of what was declared before."""
        model = model_of(request, model_id)
        body: object = request.data
        if not isinstance(body, tuple):
            return _declared(model, manifest_files.items(_rows(body)))
        written_as, blocks = body
        beginning, rest = _beginning(blocks)
        if written_as == Manifest.Format.JSON_LINES and rest is None:
            numbered = manifest_files.json_lines([beginning])
            return _declared(model, (row.item for row in numbered))
        now = timezone.now()
        upload = uploads.begin(model.operator, size=None, at=now)
        try:
            blocks = chain([beginning], rest or ())
            upload = uploads.receive(upload, offset=0, blocks=blocks, at=now)
        except RegistryError:
            uploads.discard(upload)
            raise
        upload = uploads.finish(upload, at=timezone.now())
        manifest = generative_models.expect_manifest(
            model, upload, written_as=written_as, at=timezone.now()
        )
        return Response(ManifestStateSerializer(manifest).data, status.HTTP_202_ACCEPTED)


def _declared(model: GenerativeModel, rows: Iterable[manifests.ManifestItem]) -> Response:
    manifest = generative_models.declare_manifest(model, rows, at=timezone.now())
    return Response(ManifestStateSerializer(manifest).data)


def _rows(data: object) -> list[object]:
    """Return the rows of a JSON body."""
    if not isinstance(data, dict) or set(data) != {"rows"} or not isinstance(data["rows"], list):
        raise ValidationError({"rows": ["An object with the list rows, and nothing else."]})
    return data["rows"]


def _beginning(blocks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes] | None]:
    """Return what is matched at once at most, and what follows; None: nothing does."""
    beginning = bytearray()
    for block in blocks:
        beginning += block
        if len(beginning) > MATCHED_AT_ONCE_BYTES:
            return bytes(beginning), blocks
    return bytes(beginning), None


class ExpectedManifest(APIView):
    """A manifest to come in pieces."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="uploadModelManifest",
        summary="Announce a manifest that is sent in pieces",
        description="Then send its bytes to `upload.url` (tus 1.0.0); an interrupted upload goes "
        "on where it stopped. Workers match it after the last byte.",
        request=AnnouncedManifestSerializer,
        responses={201: ExpectedManifestSerializer},
    )
    def post(self, request: Request, model_id: str) -> Response:
        """Announce it; the manifest in force stays until this one is ready."""
        model = model_of(request, model_id)
        asked = AnnouncedManifestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        sha256 = bytes.fromhex(given["sha256"]) if "sha256" in given else None
        now = timezone.now()
        upload = uploads.begin(model.operator, size=given["size"], sha256=sha256, at=now)
        manifest = generative_models.expect_manifest(
            model, upload, written_as=Manifest.Format(given["format"]), at=now
        )
        printed = ExpectedManifestSerializer(manifest, context={"request": request}).data
        location = {"Location": address_of(request, upload)}
        return Response(printed, status.HTTP_201_CREATED, headers=location)


class ManifestReport(APIView):
    """What the manifest of one of the operator's models shows."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="getModelManifestReport",
        summary="Read what your manifest shows: matches, coverage, violations, duplicates",
        responses=ManifestReportSerializer,
    )
    def get(self, request: Request, model_id: str) -> Response:
        """Print the report of the manifest in force."""
        manifest = _manifest_in_force(request, model_id)
        return Response(ManifestReportSerializer(manifests.report(manifest)).data)


class ManifestViolations(generics.GenericAPIView[ManifestRow]):
    """Every row that was not allowed, where the report names the first hundred."""

    permission_classes = [HasScope("models:write")]
    serializer_class = ViolationSerializer
    cursor_ordering = "row_number"

    @extend_schema(
        operation_id="listManifestViolations",
        summary="List all rows of your manifest that were not allowed when they were ingested",
        responses=ViolationSerializer(many=True),
    )
    def get(self, request: Request, model_id: str) -> Response:
        """Print a page of rows, by their numbers."""
        rows = manifests.violations(_manifest_in_force(request, model_id))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def _manifest_in_force(request: Request, model_id: str) -> Manifest:
    model = model_of(request, model_id)
    if model.manifest is None:
        raise ManifestMissing(f"{model.pk} has not declared what it learned from")
    return model.manifest
