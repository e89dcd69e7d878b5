"""Endpoints for uploads: the core of the tus protocol, version 1.0.0 (https://tus.io).

An upload is made by what it is for (an import, a manifest), which answers its address. HEAD says
how far it has come; PATCH adds bytes there. What arrived before a connection broke is kept.
"""

from collections.abc import Iterator, Mapping
from typing import IO, Any, cast

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import uploads
from registry.api.permissions import HasScope
from registry.errors import UploadOffsetDiffers
from registry.ids import find
from registry.models import ApiKey, Creator, Operator, Upload

TUS_VERSION = "1.0.0"
BLOCK = 256 * 1024
OFFSET = OpenApiParameter(
    "Upload-Offset", int, OpenApiParameter.HEADER, required=True, description="Where to go on."
)
RESUMABLE = OpenApiParameter(
    "Tus-Resumable", str, OpenApiParameter.HEADER, required=True, enum=[TUS_VERSION]
)


class UnknownVersion(APIException):
    """Uploads are spoken of in one version of the protocol."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_detail = f"The header Tus-Resumable says {TUS_VERSION}."
    default_code = "unknown_tus_version"


class Bytes(BaseParser):
    """Hand ``application/offset+octet-stream`` on as it arrives."""

    media_type = "application/offset+octet-stream"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return an iterator of blocks, each read when it is asked for."""
        del media_type, parser_context
        return blocks_of(stream)


def blocks_of(stream: IO[Any]) -> Iterator[bytes]:
    """Yield a body block by block."""
    while block := stream.read(BLOCK):
        yield block


def address_of(request: Request, upload: Upload) -> str:
    """Return where the bytes of an upload are sent."""
    return request.build_absolute_uri(f"/v1/uploads/{upload.pk}")


class OneUpload(APIView):
    """A file on its way in."""

    permission_classes = [HasScope("works:write") | HasScope("models:write")]
    parser_classes = [Bytes]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Take the method that the header names, for who sits behind a network without PATCH.

        tus 1.0.0, "X-HTTP-Method-Override".
        """
        said = request.headers.get("X-HTTP-Method-Override")
        if said and request.method == "POST":
            request.method = said.strip().upper()
        return super().dispatch(request, *args, **kwargs)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Name the protocol's version in every answer, and all versions to who asked in another."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Tus-Resumable"] = TUS_VERSION
        if response.status_code == status.HTTP_412_PRECONDITION_FAILED:
            response["Tus-Version"] = TUS_VERSION
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        """Say what is spoken here; an upload is begun by what it is for, so there is no extension."""
        del request, args, kwargs
        said = {"Tus-Version": TUS_VERSION, "Tus-Max-Size": str(settings.INTAKE_MAX_BYTES)}
        return Response(status=status.HTTP_204_NO_CONTENT, headers=said)

    @extend_schema(
        operation_id="getUploadOffset",
        summary="Ask how far an upload has come",
        description="`Upload-Offset` is the byte to go on at, `Upload-Length` the size announced.",
        parameters=[RESUMABLE],
        responses={200: None},
    )
    def head(self, request: Request, upload_id: str) -> Response:
        """Print the offset as headers."""
        _require_version(request)
        upload = find(_own(request), upload_id)
        length = {} if upload.size is None else {"Upload-Length": str(upload.size)}
        return Response(headers={**_headers(upload), **length, "Cache-Control": "no-store"})

    @extend_schema(
        operation_id="sendUploadBytes",
        summary="Send bytes of an upload",
        description="From `Upload-Offset` on, as many as you like; after a break ask with HEAD.",
        parameters=[RESUMABLE, OFFSET],
        request={"application/offset+octet-stream": {"type": "string", "format": "binary"}},
        responses={
            204: None,
            412: OpenApiResponse(description="Tus-Resumable names another version, or none."),
        },
    )
    def patch(self, request: Request, upload_id: str) -> Response:
        """Add the bytes that come."""
        _require_version(request)
        upload = find(_own(request), upload_id)
        said = request.headers.get("Upload-Offset", "")
        if not (said.isascii() and said.isdecimal() and len(said) < 19):  # noqa: PLR2004 - 64 bits
            raise UploadOffsetDiffers("the header Upload-Offset says at which byte these begin")
        blocks = cast("Iterator[bytes]", request.data)
        upload = uploads.receive(upload, offset=int(said), blocks=blocks, at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT, headers=_headers(upload))


def _own(request: Request) -> QuerySet[Upload]:
    """Choose the caller's uploads."""
    owner = request.auth.owner if isinstance(request.auth, ApiKey) else None
    if isinstance(owner, Creator | Operator):
        return owner.uploads.all()
    return Upload.objects.none()


def _headers(upload: Upload) -> dict[str, str]:
    return {"Upload-Offset": str(upload.received)}


def _require_version(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != TUS_VERSION:
        raise UnknownVersion
