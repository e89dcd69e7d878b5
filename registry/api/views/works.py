"""Endpoints for works: register, list, read, confirm a share."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry import reading, works
from registry.api.callers import creator_of
from registry.api.parsing import StrictJSON
from registry.api.permissions import HasScope, HasScopeTo
from registry.api.serializers import NewFileSerializer, NewWorkSerializer, WorkSerializer
from registry.api.uploads import Upload
from registry.errors import FileTooLarge
from registry.ids import find
from registry.models import Creator, Work
from tribute.vocabulary import IdentifierKind, Medium

EXAMPLE = OpenApiExample(
    "A poem on the web",
    request_only=True,
    media_type="application/json",
    value={
        "title": "April",
        "medium": "text",
        "identifiers": [{"kind": "url", "value": "https://ada.example/poems/april"}],
        "shares": [
            {"creator": "cre_01jzj6t3v7e8qs9f3c5m2k4x7a", "ppm": 700_000},
            {"creator": "cre_01jzj6t3v7e8qs9f3c5m2k4x7b", "ppm": 300_000},
        ],
    },
)


def works_of(creator: Creator) -> QuerySet[Work]:
    """Return the works a creator has a share in, with what is printed of them."""
    mine = Work.objects.filter(shares__creator=creator)
    shown = mine.prefetch_related("identifiers", "shares", "conflicts", "conflicts_as_other")
    return shown.select_related("signature")


class Works(generics.GenericAPIView[Work]):
    """The creator's works."""

    permission_classes = [HasScopeTo("works:read", "works:write")]
    parser_classes = [StrictJSON, Upload]
    serializer_class = WorkSerializer

    def get_queryset(self) -> QuerySet[Work]:
        """Choose the caller's own."""
        return works_of(creator_of(self.request))

    @extend_schema(
        operation_id="listWorks", summary="List your works", responses=WorkSerializer(many=True)
    )
    def get(self, _request: Request) -> Response:
        """Print a page of works, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="registerWork",
        summary="Register a work",
        description="By its identifiers (JSON), or by its file (multipart): the bytes are read "
        "once for SHA-256, ISCC and the features of a text, and are not kept.",
        request={
            "application/json": NewWorkSerializer,
            "multipart/form-data": NewFileSerializer,
        },
        responses={201: WorkSerializer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Register and print the work."""
        creator = creator_of(request)
        is_upload = (request.content_type or "").startswith("multipart/")
        work = _register_file(creator, request) if is_upload else _register(creator, request)
        printed = self.get_serializer(works_of(creator).get(pk=work.pk)).data
        location = request.build_absolute_uri(f"/v1/works/{work.pk}")
        return Response(printed, status.HTTP_201_CREATED, headers={"Location": location})


class OneWork(generics.GenericAPIView[Work]):
    """One of the creator's works."""

    permission_classes = [HasScope("works:read")]
    serializer_class = WorkSerializer

    @extend_schema(operation_id="getWork", summary="Read a work", responses=WorkSerializer)
    def get(self, request: Request, work_id: str) -> Response:
        """Print the work."""
        return Response(self.get_serializer(find(works_of(creator_of(request)), work_id)).data)


class ShareConfirmation(generics.GenericAPIView[Work]):
    """The creator's part in a work that somebody else registered."""

    permission_classes = [HasScope("works:write")]
    serializer_class = WorkSerializer

    @extend_schema(
        operation_id="confirmShare",
        summary="Confirm your share of a work",
        request=None,
        responses=WorkSerializer,
    )
    def post(self, request: Request, work_id: str) -> Response:
        """Confirm, and print the work."""
        creator = creator_of(request)
        works.confirm_share(find(works_of(creator), work_id), creator, at=timezone.now())
        return Response(self.get_serializer(find(works_of(creator), work_id)).data)


def _register(creator: Creator, request: Request) -> Work:
    asked = NewWorkSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    given: dict[str, Any] = asked.validated_data
    return works.register(
        creator,
        title=given["title"],
        medium=Medium(given["medium"]),
        identifiers=[(IdentifierKind(i["kind"]), i["value"]) for i in given["identifiers"]],
        shares=given.get("shares"),
        at=timezone.now(),
    )


def _register_file(creator: Creator, request: Request) -> Work:
    asked = NewFileSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    given: dict[str, Any] = asked.validated_data
    if given["file"].size > settings.UPLOAD_MAX_BYTES:
        raise FileTooLarge(f"a file has at most {settings.UPLOAD_MAX_BYTES:,} bytes")
    medium = Medium(given["medium"])
    now = timezone.now()
    taken = reading.read(given["file"].file, medium, at=now)
    return works.register(
        creator,
        title=given["title"],
        medium=medium,
        identifiers=[(IdentifierKind.URL, address) for address in given.get("url", [])],
        shares=given.get("shares"),
        fingerprint=taken.fingerprint,
        features=taken.features,
        signature=taken.signature,
        at=now,
    )
