"""Endpoints for imports: announce a file of works, follow it, read what became of each row."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import import_reports, imports, uploads
from registry.api.callers import creator_of
from registry.api.intake_serializers import ImportSerializer, NewImportSerializer
from registry.api.permissions import HasScope
from registry.api.views.uploads import address_of
from registry.ids import find
from registry.models import Creator, Import

OUTCOMES = ("registered", "duplicate", "error")
DRY_RUN = OpenApiParameter("dry_run", bool, description="Report only, and register nothing.")
ONLY = OpenApiParameter("outcome", str, enum=OUTCOMES, description="Only rows with this outcome.")
REPORTS: dict[str, tuple[str, Callable[..., Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", import_reports.as_csv),
    "jsonl": ("application/x-ndjson", import_reports.as_json_lines),
}


def imports_of(creator: Creator) -> QuerySet[Import]:
    """Return a creator's imports, with what is printed of them."""
    return creator.imports.select_related("upload")


class NewImport(APIView):
    """A file of works to come."""

    permission_classes = [HasScope("works:write")]

    @extend_schema(
        operation_id="importWorks",
        summary="Register many works from a file",
        description="Announce the file here, then send its bytes to `upload.url` (tus 1.0.0): all "
        "at once or in pieces; an interrupted upload goes on where it stopped. CSV has the columns "
        "title and medium, and of url (several: spaces between), sha256, iscc, shares "
        "(`ada:700000 ben:300000`), reference, and train-ai, train-other, ai-input, search, "
        "data-mining (`allow`, `allow paid`, `deny`, `license trm_…`) those you need. JSON Lines "
        "have the same fields; shares and decisions are objects. The same reference again is the "
        "same work.",
        parameters=[DRY_RUN],
        request=NewImportSerializer,
        responses={201: ImportSerializer},
    )
    def post(self, request: Request) -> Response:
        """Announce the import; it begins with the last byte."""
        creator = creator_of(request)
        asked = NewImportSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        now = timezone.now()
        sha256 = bytes.fromhex(given["sha256"]) if "sha256" in given else None
        made = imports.expect(
            creator,
            uploads.begin(creator, size=given["size"], sha256=sha256, at=now),
            written_as=Import.Format(given["format"]),
            dry_run=_flag(request, "dry_run"),
            at=now,
        )
        printed = ImportSerializer(made, context={"request": request}).data
        location = {"Location": address_of(request, made.upload)}
        return Response(printed, status.HTTP_201_CREATED, headers=location)


class Imports(generics.GenericAPIView[Import]):
    """The creator's imports."""

    permission_classes = [HasScope("works:read")]
    serializer_class = ImportSerializer

    def get_queryset(self) -> QuerySet[Import]:
        """Choose the caller's own."""
        return imports_of(creator_of(self.request))

    @extend_schema(
        operation_id="listImports",
        summary="List your imports",
        responses=ImportSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of imports, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class OneImport(generics.GenericAPIView[Import]):
    """One of the creator's imports."""

    permission_classes = [HasScope("works:read")]
    serializer_class = ImportSerializer

    @extend_schema(operation_id="getImport", summary="Follow an import", responses=ImportSerializer)
    def get(self, request: Request, import_id: str) -> Response:
        """Print how far it has come."""
        found = find(imports_of(creator_of(request)), import_id)
        return Response(self.get_serializer(found).data)


class ImportReport(APIView):
    """What became of each row of an import."""

    permission_classes = [HasScope("works:read")]

    @extend_schema(
        operation_id="getImportReport",
        summary="Download what became of each row",
        description="Row, outcome, work, and for an error the field and the reason, as CSV or JSON "
        "Lines. While the import runs: of the rows processed so far.",
        parameters=[
            ONLY,
            OpenApiParameter("form", str, OpenApiParameter.PATH, enum=["csv", "jsonl"]),
        ],
        responses={(200, media): {"type": "string"} for media, _ in REPORTS.values()},
    )
    def get(self, request: Request, import_id: str, form: str) -> HttpResponseBase:
        """Stream the rows."""
        found = find(imports_of(creator_of(request)), import_id)
        only = request.query_params.getlist("outcome")
        if not set(only) <= set(OUTCOMES):
            raise ValidationError({"outcome": [f"One of {', '.join(OUTCOMES)}."]})
        return report_file(found, form, only)


def report_file(found: Import, form: str, only: list[str]) -> StreamingHttpResponse:
    """Return the report as a download."""
    media_type, written = REPORTS[form]
    answer = StreamingHttpResponse(written(found, only=only), content_type=media_type)
    answer["Content-Disposition"] = f'attachment; filename="{found.pk}.{form}"'
    return answer


def _flag(request: Request, name: str) -> bool:
    said = request.query_params.get(name, "false").lower()
    if said not in {"true", "false", "1", "0"}:
        raise ValidationError({name: ["true or false."]})
    return said in {"true", "1"}
