"""Endpoints for standing by a claim, and for appeals against outcomes and matches."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from registry import appeals, claims, disputes
from registry.api.callers import creator_of, user_of
from registry.api.dispute_serializers import (
    DisputeSerializer,
    MatchAppealSerializer,
    NewAppealSerializer,
    NewDecisionSerializer,
    NewMatchAppealSerializer,
    NewMatchFindingSerializer,
)
from registry.api.permissions import HasScope
from registry.api.views.disputes import visible
from registry.ids import find
from registry.models import (
    ApiKey,
    ClaimConflict,
    Creator,
    DisputeEvent,
    MatchAppeal,
    Operator,
    User,
    Work,
)

APPEAL = OpenApiExample("What was not known", request_only=True, value={"reason": "new_evidence"})
REVIEW = OpenApiExample(
    "The later work's claim stands after all", request_only=True, value={"outcome": "work_upheld"}
)
MATCH = OpenApiExample(
    "Two photographs of one bridge",
    request_only=True,
    value={
        "iscc": "ISCC:EEAQ3U7BPUYMJ5MN",
        "work": "wrk_01jzj6t3v7e8qs9f3c5m2k4x7a",
        "reason": "made_independently",
    },
)
MayAppealMatches = HasScope("checks:write") | HasScope("statements:write")
MayReadMatches = MayAppealMatches | HasScope("disputes:decide")


class DisputeClaim(generics.GenericAPIView[ClaimConflict]):
    """That the later side means its claim."""

    permission_classes = [HasScope("statements:write")]

    @extend_schema(
        operation_id="standByClaim",
        summary="Stand by your claim on what was registered before",
        description="For the later side, once its identity, or control of the place where the "
        "work lies, is proven. For 30 days the earlier side's earnings are set aside, longer "
        "only if staff find the claim plausible. Three such claims may be open at a time.",
        request=None,
        responses=DisputeSerializer,
    )
    def post(self, request: Request, dispute_id: str) -> Response:
        """Record it and print the dispute."""
        creator = creator_of(request)
        conflict = find(disputes.concerning(creator), dispute_id)
        claims.stand_by(conflict, creator, at=timezone.now())
        return _printed(request, dispute_id)


class DisputeAdmission(generics.GenericAPIView[ClaimConflict]):
    """That a claim is plausible."""

    permission_classes = [HasScope("disputes:decide")]

    @extend_schema(
        operation_id="admitClaim",
        summary="Find a later claim plausible",
        description="Both sides' earnings are set aside until the dispute is decided.",
        request=None,
        responses=DisputeSerializer,
    )
    def post(self, request: Request, dispute_id: str) -> Response:
        """Record it and print the dispute."""
        user = user_of(request)
        conflict = find(disputes.decidable_by(user), dispute_id)
        claims.admit(conflict, by=user, at=timezone.now())
        return _printed(request, dispute_id)


class DisputeAppeal(generics.GenericAPIView[ClaimConflict]):
    """That a side does not accept an outcome."""

    permission_classes = [HasScope("statements:write")]

    @extend_schema(
        operation_id="appealDispute",
        summary="Appeal against how a dispute was decided",
        description="Once, within 30 days, for a side whose claim was not upheld. Another person "
        "decides; the outcome stays in force meanwhile.",
        request=NewAppealSerializer,
        responses=DisputeSerializer,
        examples=[APPEAL],
    )
    def post(self, request: Request, dispute_id: str) -> Response:
        """Record the appeal and print the dispute."""
        creator = creator_of(request)
        conflict = find(disputes.concerning(creator), dispute_id)
        asked = NewAppealSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        ground = DisputeEvent.Ground(asked.validated_data["reason"])
        appeals.appeal(conflict, creator, ground=ground, at=timezone.now())
        return _printed(request, dispute_id)


class DisputeReview(generics.GenericAPIView[ClaimConflict]):
    """What was found on appeal."""

    permission_classes = [HasScope("disputes:decide")]

    @extend_schema(
        operation_id="reviewDispute",
        summary="Decide an appeal, for good",
        description="For another person than the one who decided first. A changed outcome is in "
        "force from now on, and goes into the transparency log.",
        request=NewDecisionSerializer,
        responses=DisputeSerializer,
        examples=[REVIEW],
    )
    def post(self, request: Request, dispute_id: str) -> Response:
        """Decide, and print the dispute."""
        user = user_of(request)
        conflict = find(disputes.decidable_by(user), dispute_id)
        asked = NewDecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        outcome = ClaimConflict.Outcome(asked.validated_data["outcome"])
        appeals.review(conflict, by=user, outcome=outcome, at=timezone.now())
        return _printed(request, dispute_id)


class MatchAppeals(generics.GenericAPIView[MatchAppeal]):
    """The caller's appeals against matches, or those a person may decide."""

    permission_classes = [MayReadMatches]
    serializer_class = MatchAppealSerializer

    def get_queryset(self) -> QuerySet[MatchAppeal]:
        """Choose those that the caller may read."""
        return _matches_of(self.request)

    @extend_schema(
        operation_id="listMatchAppeals",
        summary="List your appeals against near-duplicate matches",
        responses=MatchAppealSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of appeals, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="appealMatch",
        summary="Appeal against a near-duplicate match",
        description="For an item that a check answered by `matched_by: iscc` with a distance. A "
        "pair is appealed once; whoever repeats it gets the appeal there is. The match counts "
        "until staff lift it.",
        request=NewMatchAppealSerializer,
        responses=MatchAppealSerializer,
        examples=[MATCH],
    )
    def post(self, request: Request) -> Response:
        """Record the appeal and print it."""
        asker = request.auth.owner if isinstance(request.auth, ApiKey) else None
        if not isinstance(asker, Operator | Creator):
            asker = creator_of(request)
        asked = NewMatchAppealSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        appeal = appeals.appeal_match(
            asker,
            iscc=asked.validated_data["iscc"],
            work=find(Work.objects.all(), asked.validated_data["work"]),
            reason=MatchAppeal.Reason(asked.validated_data["reason"]),
            at=timezone.now(),
        )
        return Response(MatchAppealSerializer(appeal).data)


class OneMatchAppeal(generics.GenericAPIView[MatchAppeal]):
    """One appeal."""

    permission_classes = [MayReadMatches]

    @extend_schema(
        operation_id="getMatchAppeal",
        summary="Read an appeal against a match and what was found",
        responses=MatchAppealSerializer,
    )
    def get(self, request: Request, appeal_id: str) -> Response:
        """Print the appeal."""
        return Response(MatchAppealSerializer(find(_matches_of(request), appeal_id)).data)


class MatchDecision(generics.GenericAPIView[MatchAppeal]):
    """What was found."""

    permission_classes = [HasScope("disputes:decide")]

    @extend_schema(
        operation_id="decideMatchAppeal",
        summary="Decide whether a match is one",
        description="Lifted, the work says nothing about that ISCC's content code any more.",
        request=NewMatchFindingSerializer,
        responses=MatchAppealSerializer,
    )
    def post(self, request: Request, appeal_id: str) -> Response:
        """Decide, and print the appeal."""
        user = user_of(request)
        appeal = find(appeals.matches_decidable_by(user), appeal_id)
        asked = NewMatchFindingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        lifted = asked.validated_data["lifted"]
        appeals.decide_match(appeal, by=user, lifted=lifted, at=timezone.now())
        return Response(MatchAppealSerializer(find(_matches_of(request), appeal_id)).data)


def _printed(request: Request, dispute_id: str) -> Response:
    return Response(DisputeSerializer(find(visible(request), dispute_id)).data)


def _matches_of(request: Request) -> QuerySet[MatchAppeal]:
    owner = request.auth.owner if isinstance(request.auth, ApiKey) else None
    everything = MatchAppeal.objects.select_related("finding")
    match owner:
        case User():
            return appeals.matches_decidable_by(owner).select_related("finding")
        case Operator():
            return everything.filter(operator=owner)
        case _:
            return everything.filter(creator=creator_of(request))
