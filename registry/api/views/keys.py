"""Endpoints for an owner's own API keys: list them, rotate the one in use."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry import operators
from registry.api.serializers import IssuedKeySerializer, KeySerializer
from registry.models import ApiKey


class Keys(generics.GenericAPIView[ApiKey]):
    """The keys of whoever's key this is."""

    serializer_class = KeySerializer

    def get_queryset(self) -> QuerySet[ApiKey]:
        """Choose the caller's own, live or not."""
        assert isinstance(self.request.auth, ApiKey), "every caller here has a key"
        return operators.keys_of(self.request.auth.owner)

    @extend_schema(
        operation_id="listKeys", summary="List your keys", responses=KeySerializer(many=True)
    )
    def get(self, _request: Request) -> Response:
        """Print a page of keys, the latest first; never a secret."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Rotation(generics.GenericAPIView[ApiKey]):
    """The successor of the key in use."""

    @extend_schema(
        operation_id="rotateKey",
        summary="Replace the key you are using",
        description="The new key has the same scopes and name. The old one works for seven more "
        "days at most.",
        request=None,
        responses={201: IssuedKeySerializer},
    )
    def post(self, request: Request) -> Response:
        """Issue the successor and print its secret, once."""
        assert isinstance(request.auth, ApiKey), "every caller here has a key"
        issued = operators.rotate(request.auth, at=timezone.now())
        printed = {"key": KeySerializer(issued.key).data, "secret": issued.secret}
        return Response(printed, status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})
