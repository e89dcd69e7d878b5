"""Credits that travel with an answer, over HTTP: signed as a C2PA manifest."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from attribution import content_credentials
from attribution.api.views import query_of
from attribution.content_credentials import EMBEDDED, MANIFEST_TYPE, SIDECAR
from registry.api.permissions import HasScope
from registry.api.serializers import StrictSerializer
from registry.api.uploads import Upload
from registry.errors import FileTooLarge


class AnswerToSignSerializer(StrictSerializer):
    """The answer as a file, and where the manifest goes."""

    asset = serializers.FileField(help_text="The bytes of the answer; read once and not kept.")
    mode = serializers.ChoiceField(
        [(SIDECAR, SIDECAR), (EMBEDDED, EMBEDDED)],
        default=SIDECAR,
        help_text="`sidecar` returns a `.c2pa` file for any kind of answer, `embedded` a copy of "
        "the answer with the manifest inside, for kinds of files that can carry one.",
    )


class SignedCredits(APIView):
    """The credits of one of the operator's queries, signed."""

    permission_classes = [HasScope("queries:write")]
    parser_classes = [Upload]

    @extend_schema(
        operation_id="signQueryCredits",
        summary="Get the credits as a signed C2PA manifest, bound to your answer",
        description="The works are the manifest's ingredients. The file's own media type counts "
        "(`Content-Type` of its part).",
        request={"multipart/form-data": AnswerToSignSerializer},
        responses={
            (200, MANIFEST_TYPE): OpenApiTypes.BINARY,
            (200, "*/*"): OpenApiTypes.BINARY,
            501: OpenApiResponse(description="The service has no signing identity."),
        },
    )
    def post(self, request: Request, query_id: str) -> HttpResponse:
        """Sign, and send what was signed as a file."""
        query = query_of(request, query_id)
        asked = AnswerToSignSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        asset = given["asset"]
        if asset.size > settings.UPLOAD_MAX_BYTES:
            raise FileTooLarge(f"a file has at most {settings.UPLOAD_MAX_BYTES:,} bytes")
        signed = content_credentials.sign(
            query,
            asset.file,
            media_type=asset.content_type or "",
            embed=given["mode"] == EMBEDDED,
            at=timezone.now(),
        )
        return HttpResponse(
            signed.content,
            content_type=signed.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="{signed.name}"',
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )
