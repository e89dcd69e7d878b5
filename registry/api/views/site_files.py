"""Endpoints for a collection's ready files: what to put on the site, standard by standard."""

import hashlib
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import parse_etags, quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import generics, serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from registry import site_files
from registry.api.callers import creator_of
from registry.api.permissions import HasScope
from registry.api.serializers import DECISION_CHOICES, PURPOSE_CHOICES
from registry.ids import find
from registry.models import Collection
from tribute.standards.policy import Written


class SiteFileDifferenceSerializer(serializers.Serializer[Any]):
    """A purpose of which the file says something else, never something looser."""

    purpose = serializers.ChoiceField(choices=PURPOSE_CHOICES)
    wanted = serializers.ChoiceField(choices=DECISION_CHOICES)
    stated = serializers.ChoiceField(choices=DECISION_CHOICES)


class SiteFileSerializer(serializers.Serializer[Any]):
    """One file: where it belongs and what it says."""

    name = serializers.CharField()
    place = serializers.CharField()
    media_type = serializers.CharField()
    text = serializers.CharField()
    differences = SiteFileDifferenceSerializer(many=True)


class AnyAccept(DefaultContentNegotiation):
    """Serves a file whatever the caller says to accept: it has one form."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        """Choose the first renderer, which prints errors; files print themselves."""
        del request, format_suffix
        return renderers[0], renderers[0].media_type


class SiteFiles(generics.GenericAPIView[Collection]):
    """All files of a collection."""

    permission_classes = [HasScope("works:read")]
    pagination_class = None

    @extend_schema(
        operation_id="listSiteFiles",
        summary="List the files that say on your site what you decided here",
        description="As your statements stand now. Where a standard has no word for something, "
        "its file is silent or stricter, never looser: see `differences`.",
        responses=SiteFileSerializer(many=True),
    )
    def get(self, request: Request, collection_id: str) -> Response:
        """Print every file with where it belongs."""
        files = site_files.write_all(_own(request, collection_id), at=timezone.now())
        return Response([_printed(name, file) for name, file in files.items()])


class SiteFile(generics.GenericAPIView[Collection]):
    """One file, ready to publish."""

    permission_classes = [HasScope("works:read")]
    content_negotiation_class = AnyAccept

    @extend_schema(
        operation_id="getSiteFile",
        summary="Get one file, ready to publish",
        parameters=[
            OpenApiParameter("standard", str, OpenApiParameter.PATH, enum=list(site_files.WRITERS))
        ],
        responses={
            (200, "text/plain"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.ANY,
            (200, "application/rsl+xml"): OpenApiTypes.STR,
            304: OpenApiResponse(description="Not modified."),
        },
    )
    def get(self, request: Request, collection_id: str, standard: str) -> HttpResponse:
        """Send the file in its own media type; its tag changes with what you decide."""
        file = site_files.write(_own(request, collection_id), standard, at=timezone.now())
        data = file.text.encode()
        tag = quote_etag(hashlib.sha256(data).hexdigest())
        if tag in parse_etags(request.headers.get("If-None-Match", "")):
            return HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
        return HttpResponse(
            data, content_type=f"{file.media_type}; charset=utf-8", headers={"ETag": tag}
        )


def _own(request: Request, collection_id: str) -> Collection:
    own = Collection.objects.filter(creator=creator_of(request)).select_related("creator")
    return find(own, collection_id)


def _printed(name: str, file: Written) -> dict[str, Any]:
    return SiteFileSerializer(
        {
            "name": name,
            "place": file.place,
            "media_type": file.media_type,
            "text": file.text,
            "differences": file.differences,
        }
    ).data
