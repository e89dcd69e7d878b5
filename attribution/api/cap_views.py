"""Money that passed a cap, over HTTP: what waits, why, and where it goes."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import cap_reviews
from attribution.api.shadow_views import DecisionReasonSerializer
from attribution.api.usage_views import REVIEW
from ledger.api.serializers import MoneySerializer, ProposalSerializer
from ledger.api.views.payouts import admin_of
from registry.api.fields import FlagField
from registry.ids import find
from registry.models import Work


class HeldSerializer(serializers.Serializer[Any]):
    """What waits for one work."""

    work = serializers.CharField(source="work.pk")
    title = serializers.CharField(source="work.title")
    amount = MoneySerializer()
    queries = serializers.IntegerField()
    since = serializers.DateTimeField()


class AllHeldSerializer(serializers.Serializer[Any]):
    """What waits, the largest amounts first, up to 200."""

    items = HeldSerializer(many=True)


class DaySerializer(serializers.Serializer[Any]):
    """What a work earned beyond a model's cap on one UTC day."""

    day = serializers.DateField()
    operator = serializers.CharField()
    model = serializers.CharField()
    cap = MoneySerializer(allow_null=True)
    held = MoneySerializer()
    queries = serializers.IntegerField()


class EvidenceSerializer(serializers.Serializer[Any]):
    """The days on which a work passed caps."""

    days = DaySerializer(many=True)


class CapDecisionSerializer(DecisionReasonSerializer):
    """Why it is decided so; a dry run keeps nothing."""

    dry_run = FlagField(default=False)


class HeldByCap(APIView):
    """Everything that passed a cap and waits."""

    permission_classes = [REVIEW]

    @extend_schema(
        operation_id="listHeldByCap",
        summary="List works whose earnings passed a cap and wait",
        responses=AllHeldSerializer,
    )
    def get(self, request: Request) -> Response:
        """Print what waits."""
        admin_of(request)
        return Response(AllHeldSerializer({"items": cap_reviews.held()}).data)


class HeldEvidence(APIView):
    """Why money of one work waits."""

    permission_classes = [REVIEW]

    @extend_schema(
        operation_id="getHeldByCap",
        summary="Read by day and model what of a work's earnings waits",
        responses=EvidenceSerializer,
    )
    def get(self, request: Request, work_id: str) -> Response:
        """Print the days."""
        admin_of(request)
        work = find(Work.objects.all(), work_id)
        return Response(EvidenceSerializer({"days": cap_reviews.evidence(work)}).data)


class _Decided(APIView):
    permission_classes = [REVIEW]

    def _propose(self, request: Request, work_id: str, decision: cap_reviews.Decision) -> Response:
        admin = admin_of(request)
        asked = CapDecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        proposal = cap_reviews.propose(
            find(Work.objects.all(), work_id),
            admin,
            decision,
            at=timezone.now(),
            **asked.validated_data,
        )
        done = status.HTTP_201_CREATED if proposal.pk else status.HTTP_200_OK
        return Response(ProposalSerializer(proposal).data, done)


class ReleasedByReview(_Decided):
    """Money that goes to those who earned it."""

    @extend_schema(
        operation_id="releaseHeldByCap",
        summary="Propose to give what waits for a work to its creators",
        description="Another admin confirms it on the page *Proposals*.",
        request=CapDecisionSerializer,
        responses={201: ProposalSerializer, 200: ProposalSerializer},
    )
    def post(self, request: Request, work_id: str) -> Response:
        """Propose and print what would move."""
        return self._propose(request, work_id, cap_reviews.Decision.RELEASED)


class RedirectedByReview(_Decided):
    """Money that goes to the pool."""

    @extend_schema(
        operation_id="redirectHeldByCap",
        summary="Propose to give what waits for a work to the pool",
        description="Another admin confirms it on the page *Proposals*.",
        request=CapDecisionSerializer,
        responses={201: ProposalSerializer, 200: ProposalSerializer},
    )
    def post(self, request: Request, work_id: str) -> Response:
        """Propose and print what would move."""
        return self._propose(request, work_id, cap_reviews.Decision.REDIRECTED)
