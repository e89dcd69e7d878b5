"""Endpoints for claim conflicts: parties read and answer them, staff decide them."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from registry import disputes
from registry.api.callers import creator_of, user_of
from registry.api.dispute_serializers import (
    DisputeSerializer,
    NewAnswerSerializer,
    NewDecisionSerializer,
)
from registry.api.permissions import HasScope
from registry.ids import find
from registry.models import ApiKey, ClaimConflict, DisputeEvent, User

ANSWER = OpenApiExample("It is mine", request_only=True, value={"reason": "made_it"})
DECISION = OpenApiExample(
    "The earlier work's claim stands", request_only=True, value={"outcome": "other_upheld"}
)
MayRead = HasScope("works:read") | HasScope("disputes:decide")


def visible(request: Request) -> QuerySet[ClaimConflict]:
    """Return the conflicts a caller may read: a creator's own, or those a person may decide."""
    owner = request.auth.owner if isinstance(request.auth, ApiKey) else None
    if isinstance(owner, User):
        return printable(disputes.decidable_by(owner))
    return printable(disputes.concerning(creator_of(request)))


def printable(conflicts: QuerySet[ClaimConflict]) -> QuerySet[ClaimConflict]:
    """Add what is printed of conflicts."""
    steps = Prefetch("events", DisputeEvent.objects.order_by("id"))
    return conflicts.select_related("work", "other").prefetch_related(steps)


class Disputes(generics.GenericAPIView[ClaimConflict]):
    """The conflicts that concern the caller."""

    permission_classes = [MayRead]
    serializer_class = DisputeSerializer

    def get_queryset(self) -> QuerySet[ClaimConflict]:
        """Choose those that the caller may read."""
        return visible(self.request)

    @extend_schema(
        operation_id="listDisputes",
        summary="List the disputes about your works, or those you may decide",
        responses=DisputeSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of disputes, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class OneDispute(generics.GenericAPIView[ClaimConflict]):
    """One conflict."""

    permission_classes = [MayRead]

    @extend_schema(
        operation_id="getDispute",
        summary="Read a dispute and what happened in it",
        responses=DisputeSerializer,
    )
    def get(self, request: Request, dispute_id: str) -> Response:
        """Print the dispute."""
        return Response(DisputeSerializer(find(visible(request), dispute_id)).data)


class DisputeAnswer(generics.GenericAPIView[ClaimConflict]):
    """What a party says."""

    permission_classes = [HasScope("statements:write")]

    @extend_schema(
        operation_id="answerDispute",
        summary="Say what speaks for your side",
        description="Each reason counts once; saying it again changes nothing. While a dispute "
        "is open the most restrictive of both sides' statements holds.",
        request=NewAnswerSerializer,
        responses=DisputeSerializer,
        examples=[ANSWER],
    )
    def post(self, request: Request, dispute_id: str) -> Response:
        """Record the answer and print the dispute."""
        creator = creator_of(request)
        conflict = find(disputes.concerning(creator), dispute_id)
        asked = NewAnswerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        reason = DisputeEvent.Reason(given["reason"])
        disputes.answer(conflict, creator, reason=reason, at=timezone.now())
        return Response(DisputeSerializer(find(visible(request), dispute_id)).data)


class DisputeDecision(generics.GenericAPIView[ClaimConflict]):
    """What was found."""

    permission_classes = [HasScope("disputes:decide")]

    @extend_schema(
        operation_id="decideDispute",
        summary="Decide a dispute, once and for all",
        description="For staff who have no part in either work. The outcome goes into the "
        "transparency log.",
        request=NewDecisionSerializer,
        responses=DisputeSerializer,
        examples=[DECISION],
    )
    def post(self, request: Request, dispute_id: str) -> Response:
        """Decide, and print the dispute."""
        user = user_of(request)
        conflict = find(disputes.decidable_by(user), dispute_id)
        asked = NewDecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        outcome = ClaimConflict.Outcome(asked.validated_data["outcome"])
        disputes.decide(conflict, by=user, outcome=outcome, at=timezone.now())
        return Response(DisputeSerializer(find(visible(request), dispute_id)).data)
