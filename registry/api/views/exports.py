"""Endpoints for a creator's export: ask for it, and follow its making.

The archive itself is taken by a person on the pages, who shows a second factor or signs in anew: a
key that leaked shall not carry everything away.
"""

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import exports
from registry.api.callers import creator_of
from registry.api.permissions import HasScope
from registry.ids import find
from registry.models import DataExport


class ExportSerializer(serializers.Serializer[DataExport]):
    """How far an export is, and where a member of the creator takes it."""

    id = serializers.CharField()
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in DataExport.Status])
    rows = serializers.IntegerField(source="rows_count")
    done = serializers.IntegerField(source="done_count")
    size = serializers.IntegerField()
    requested_at = serializers.DateTimeField()
    ready_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    download_url = serializers.SerializerMethodField()

    def get_download_url(self, export: DataExport) -> str:
        """Return the page's address; it asks who is there."""
        return f"{settings.PUBLIC_URL}/account/data/{export.pk}.zip"


class Exports(APIView):
    """A new export of the caller."""

    permission_classes = [HasScope("exports:write")]

    @extend_schema(
        operation_id="requestExport",
        summary="Have everything that is kept of you put into one file",
        description="A worker makes a ZIP of JSON, JSON Lines and CSV. While one is being made, that "
        "one is answered. It is kept for seven days and taken on the pages, by a person.",
        request=None,
        responses={202: ExportSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask for it."""
        export = exports.request(creator_of(request), at=timezone.now())
        return Response(ExportSerializer(export).data, status.HTTP_202_ACCEPTED)


class OneExport(APIView):
    """One export of the caller."""

    permission_classes = [HasScope("exports:write")]

    @extend_schema(operation_id="getExport", summary="Follow an export", responses=ExportSerializer)
    def get(self, request: Request, export_id: str) -> Response:
        """Print how far it is."""
        export = find(DataExport.objects.filter(creator=creator_of(request)), export_id)
        return Response(ExportSerializer(export).data)
