"""Endpoints for both sides: what may no longer be used, and whether operators took note."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from registry import revocations
from registry.api.callers import operator_of
from registry.api.operator_serializers import RevocationSerializer
from registry.api.permissions import HasScope
from registry.ids import find
from registry.models import ApiKey, Creator, Operator, RevocationNotice


def notices_of(operator: Operator) -> QuerySet[RevocationNotice]:
    """Return an operator's notices, with what is printed of them."""
    return operator.revocations.select_related("acknowledgement", "lapse")


def notices_for(request: Request) -> QuerySet[RevocationNotice]:
    """Return the caller's notices: an operator's own, a creator's works'."""
    owner = request.auth.owner if isinstance(request.auth, ApiKey) else None
    if isinstance(owner, Creator):
        return revocations.concerning(owner).select_related("acknowledgement", "lapse")
    return notices_of(operator_of(request))


class Revocations(generics.GenericAPIView[RevocationNotice]):
    """What the operator was told."""

    permission_classes = [HasScope("models:write") | HasScope("works:read")]
    serializer_class = RevocationSerializer

    def get_queryset(self) -> QuerySet[RevocationNotice]:
        """Choose those that the caller is a side of."""
        return notices_for(self.request)

    @extend_schema(
        operation_id="listRevocations",
        summary="List used works that are allowed no more",
        description="For operators: works that were allowed when you ingested them; your newest "
        "manifest is compared with what a check answers. For creators: who was told about your "
        "works, and who let the deadline pass.",
        responses=RevocationSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of notices, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Acknowledgement(generics.GenericAPIView[RevocationNotice]):
    """That the operator took note."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="acknowledgeRevocation",
        summary="Take note of a revocation",
        description="The instant is kept beside the deadline. Repeating it changes nothing.",
        request=None,
        responses=RevocationSerializer,
    )
    def post(self, request: Request, notice_id: str) -> Response:
        """Record it and print the notice."""
        own = notices_of(operator_of(request))
        revocations.acknowledge(find(own, notice_id), at=timezone.now())
        return Response(RevocationSerializer(find(own, notice_id)).data)
