"""Money that passed a cap, over HTTP: what waits, why, and where it goes."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import cap_reviews
from attribution.api.shadow_views import DecisionReasonSerializer
from attribution.api.usage_views import REVIEW
from ledger.api.serializers import MoneySerializer
from ledger.api.views.payouts import admin_of
from registry.ids import find
from registry.models import User, Work


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


class MovedSerializer(serializers.Serializer[Any]):
    """What was moved, one amount a currency."""

    moved = MoneySerializer(many=True)


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

    def _asked(self, request: Request, work_id: str) -> tuple[Work, User, str]:
        admin = admin_of(request)
        asked = DecisionReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return find(Work.objects.all(), work_id), admin, asked.validated_data["reason"]


class ReleasedByReview(_Decided):
    """Money that goes to those who earned it."""

    @extend_schema(
        operation_id="releaseHeldByCap",
        summary="Give what waits for a work to its creators",
        request=DecisionReasonSerializer,
        responses=MovedSerializer,
    )
    def post(self, request: Request, work_id: str) -> Response:
        """Release and print what moved."""
        work, admin, reason = self._asked(request, work_id)
        holding = timedelta(days=settings.HOLDING_DAYS)
        moved = cap_reviews.release(work, admin, reason=reason, holding=holding, at=timezone.now())
        return Response(MovedSerializer({"moved": moved}).data)


class RedirectedByReview(_Decided):
    """Money that goes to the pool."""

    @extend_schema(
        operation_id="redirectHeldByCap",
        summary="Give what waits for a work to the pool",
        request=DecisionReasonSerializer,
        responses=MovedSerializer,
    )
    def post(self, request: Request, work_id: str) -> Response:
        """Redirect and print what moved."""
        work, admin, reason = self._asked(request, work_id)
        moved = cap_reviews.redirect(work, admin, reason=reason, at=timezone.now())
        return Response(MovedSerializer({"moved": moved}).data)
