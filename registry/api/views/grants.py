"""Endpoints for operators: accept the terms that a creator offers, and read what was accepted."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry import licensing
from registry.api.callers import operator_of
from registry.api.operator_serializers import GrantSerializer, NewGrantSerializer
from registry.api.permissions import HasScope
from registry.consent import subject_named
from registry.ids import find
from registry.models import Grant, Terms
from tribute.vocabulary import Purpose

EXAMPLES = [
    OpenApiExample(
        "Training, for a year",
        request_only=True,
        value={
            "terms": "trm_01jzj6t3v7e8qs9f3c5m2k4x7c",
            "subject": "wrk_01jzj6t3v7e8qs9f3c5m2k4x7a",
            "purpose": "train-ai",
            "effective_until": "2027-06-01T00:00:00Z",
        },
    ),
    OpenApiExample(
        "Accepted",
        response_only=True,
        status_codes=["201"],
        value={
            "id": "grt_01jzj6t3v7e8qs9f3c5m2k4x7d",
            "terms": "trm_01jzj6t3v7e8qs9f3c5m2k4x7c",
            "subject": "wrk_01jzj6t3v7e8qs9f3c5m2k4x7a",
            "purpose": "train-ai",
            "effective_from": "2026-06-01T12:00:00Z",
            "effective_until": "2027-06-01T00:00:00Z",
            "recorded_at": "2026-06-01T12:00:00Z",
        },
    ),
]


class Grants(generics.GenericAPIView[Grant]):
    """What the operator accepted."""

    permission_classes = [HasScope("grants:write")]
    serializer_class = GrantSerializer

    def get_queryset(self) -> QuerySet[Grant]:
        """Choose the caller's own."""
        return operator_of(self.request).grants.all()

    @extend_schema(
        operation_id="listGrants",
        summary="List the terms you accepted",
        responses=GrantSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of grants, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="acceptTerms",
        summary="Accept the terms of a licence that is on offer",
        description="Your checks of the subject answer `allow` from then on, and name the grant. "
        "Terms are accepted as they stand: they must be offered now, on this very subject and "
        "purpose, by a claimant who is proven, and while nobody disputes the claim.",
        request=NewGrantSerializer,
        responses={201: GrantSerializer},
        examples=EXAMPLES,
    )
    def post(self, request: Request) -> Response:
        """Accept, and print the grant."""
        operator = operator_of(request)
        asked = NewGrantSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        grant = licensing.accept(
            operator,
            find(Terms.objects.all(), given["terms"]),
            subject_named(given["subject"]),
            purpose=Purpose(given["purpose"]),
            effective_until=given.get("effective_until"),
            at=timezone.now(),
        )
        return Response(self.get_serializer(grant).data, status.HTTP_201_CREATED)
