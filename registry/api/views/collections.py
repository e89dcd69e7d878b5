"""Endpoints for collections: claim a place, show that one controls it."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry import collections, fetching, name_records
from registry.api.callers import creator_of
from registry.api.permissions import HasScope, HasScopeTo
from registry.api.serializers import (
    ChallengeSerializer,
    CollectionSerializer,
    CollectionWithChallengeSerializer,
    NewCollectionSerializer,
    NewVerificationSerializer,
)
from registry.collections import Method
from registry.ids import find
from registry.models import Collection
from tribute.vocabulary import IdentifierKind

EXAMPLE = OpenApiExample(
    "A whole site", request_only=True, value={"kind": "domain", "value": "ada.example"}
)


class Collections(generics.GenericAPIView[Collection]):
    """The creator's collections."""

    permission_classes = [HasScopeTo("works:read", "works:write")]
    serializer_class = CollectionSerializer

    def get_queryset(self) -> QuerySet[Collection]:
        """Choose the caller's own."""
        return Collection.objects.filter(creator=creator_of(self.request))

    @extend_schema(
        operation_id="listCollections",
        summary="List the places you claim",
        responses=CollectionSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of collections, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="claimCollection",
        summary="Claim a host, a domain or a path",
        request=NewCollectionSerializer,
        responses={201: CollectionWithChallengeSerializer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Claim, and print the file that shows control."""
        asked = NewCollectionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        claimed = collections.claim(
            creator_of(request),
            kind=IdentifierKind(asked.validated_data["kind"]),
            value=asked.validated_data["value"],
            at=timezone.now(),
        )
        return Response(_with_challenge(claimed), status.HTTP_201_CREATED)


class OneCollection(generics.GenericAPIView[Collection]):
    """One of the creator's collections."""

    permission_classes = [HasScope("works:read")]

    @extend_schema(
        operation_id="getCollection",
        summary="Read a collection and its challenge",
        responses=CollectionWithChallengeSerializer,
    )
    def get(self, request: Request, collection_id: str) -> Response:
        """Print the collection with the file that shows control."""
        own = Collection.objects.filter(creator=creator_of(request)).select_related("creator")
        return Response(_with_challenge(find(own, collection_id)))


class Verification(generics.GenericAPIView[Collection]):
    """The proof of control of a collection."""

    permission_classes = [HasScope("works:write")]

    @extend_schema(
        operation_id="verifyCollection",
        summary="Look for the challenge now",
        description="In a TXT record, in a file, and on the front page, whichever comes first. "
        "What was found is looked for again every 60 days; three failures in a row end the proof.",
        request=NewVerificationSerializer,
        responses=CollectionSerializer,
    )
    def post(self, request: Request, collection_id: str) -> Response:
        """Read what is there, record the proof, print the collection."""
        own = Collection.objects.filter(creator=creator_of(request)).select_related("creator")
        found = find(own, collection_id)
        asked = NewVerificationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        method = asked.validated_data.get("method")
        shown = collections.verify(
            found,
            fetch=fetching.fetch if method in {None, Method.WELL_KNOWN} else None,
            beginning=fetching.fetch_beginning if method in {None, Method.META} else None,
            look_up=name_records.txt if method in {None, Method.DNS_TXT} else None,
            at=timezone.now(),
        )
        return Response(CollectionSerializer(shown).data)


def _with_challenge(collection: Collection) -> dict[str, object]:
    challenge = collections.challenge(collection)
    printed = dict(CollectionSerializer(collection).data)
    return printed | {"challenge": ChallengeSerializer(challenge).data}
