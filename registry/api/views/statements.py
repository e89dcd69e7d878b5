"""Endpoints for statements and for the terms that licences name."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry import consent, licensing
from registry.api.callers import creator_of, subject_of
from registry.api.permissions import HasScopeTo
from registry.api.serializers import (
    NewStatementSerializer,
    NewTermsSerializer,
    StatementSerializer,
    TermsSerializer,
)
from registry.ids import find
from registry.models import Statement, Terms
from tribute.vocabulary import Decision, Purpose

EXAMPLE = OpenApiExample(
    "Training is allowed, for pay",
    request_only=True,
    value={
        "subject": "wrk_01jzj6t3v7e8qs9f3c5m2k4x7a",
        "purpose": "train-ai",
        "decision": "allow",
        "paid": True,
    },
)


class Statements(generics.GenericAPIView[Statement]):
    """What the creator said."""

    permission_classes = [HasScopeTo("works:read", "statements:write")]
    serializer_class = StatementSerializer

    def get_queryset(self) -> QuerySet[Statement]:
        """Choose what was said about one of the caller's subjects; by the caller, without one."""
        creator = creator_of(self.request)
        subject = self.request.query_params.get("subject")
        if subject is None:
            return Statement.objects.filter(claimant=creator)
        return consent.history(subject_of(creator, subject))

    @extend_schema(
        operation_id="listStatements",
        summary="Read the history of a subject, or all you said",
        parameters=[OpenApiParameter("subject", str, description="An id: wrk_…, col_… or cre_….")],
        responses=StatementSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of statements, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="stateConsent",
        summary="Say what may be done with a work, a collection, or all you have",
        request=NewStatementSerializer,
        responses={201: StatementSerializer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Record the statement and print it."""
        creator = creator_of(request)
        asked = NewStatementSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        terms = given.get("terms")
        statement = consent.state(
            creator,
            subject_of(creator, given["subject"]),
            purpose=Purpose(given["purpose"]),
            decision=Decision(given["decision"]),
            paid=given["paid"],
            terms=find(creator.terms.all(), terms) if terms is not None else None,
            effective_from=given.get("effective_from"),
            at=timezone.now(),
        )
        return Response(self.get_serializer(statement).data, status.HTTP_201_CREATED)


class AllTerms(generics.GenericAPIView[Terms]):
    """The creator's terms."""

    permission_classes = [HasScopeTo("works:read", "statements:write")]
    serializer_class = TermsSerializer

    def get_queryset(self) -> QuerySet[Terms]:
        """Choose the caller's own."""
        return Terms.objects.filter(creator=creator_of(self.request))

    @extend_schema(
        operation_id="listTerms", summary="List your terms", responses=TermsSerializer(many=True)
    )
    def get(self, _request: Request) -> Response:
        """Print a page of terms, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="offerTerms",
        summary="Write down what a licence asks",
        request=NewTermsSerializer,
        responses={201: TermsSerializer},
    )
    def post(self, request: Request) -> Response:
        """Keep the terms and print them."""
        asked = NewTermsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        price = given.get("price", {})
        text = given.get("text_sha256")
        terms = licensing.offer(
            creator_of(request),
            price_micros=price.get("amount_micros"),
            currency=price.get("currency", ""),
            attribution_required=given["attribution_required"],
            text_sha256=bytes.fromhex(text) if text else None,
            uri=given.get("uri", ""),
            at=timezone.now(),
        )
        return Response(self.get_serializer(terms).data, status.HTTP_201_CREATED)
