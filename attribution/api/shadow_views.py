"""Evidence kept by consent, and what another method would have paid by it, over HTTP."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import adjusting, retention, shadowing
from attribution.api.usage_views import REVIEW
from attribution.api.views import model_of
from attribution.models import GenerativeModel, ShadowResult, ShadowRun
from attribution.retention import MOST_DAYS
from ledger.api.views.payouts import admin_of
from registry.api.fields import InstantField, TextField, WholeNumberField
from registry.api.permissions import HasScope
from registry.api.serializers import StrictSerializer
from registry.ids import find


class RetentionSerializer(StrictSerializer):
    """For how long evidence is kept after settlement."""

    days = WholeNumberField(
        allow_null=True,
        min_value=1,
        max_value=MOST_DAYS,
        help_text="null: not at all; what is kept is deleted at once.",
    )


class NewShadowRunSerializer(StrictSerializer):
    """A method to run over a model's past queries."""

    model = TextField(max_length=60)
    method = serializers.ChoiceField(GenerativeModel.Method.choices)
    settled_from = InstantField(required=False, help_text="90 days ago unless said.")
    settled_until = InstantField(required=False, help_text="Now unless said.")


class DecisionReasonSerializer(StrictSerializer):
    """Why it is decided so."""

    reason = TextField(max_length=400)


class ShadowRunSerializer(serializers.Serializer[ShadowRun]):
    """A shadow run."""

    id = serializers.CharField()
    model = serializers.CharField(source="model_id")
    method = serializers.CharField()
    method_version = serializers.CharField()
    settled_from = serializers.DateTimeField()
    settled_until = serializers.DateTimeField()
    state = serializers.ChoiceField(ShadowRun.State.choices)
    reason = serializers.CharField()
    asked_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class ShadowDifferenceSerializer(serializers.Serializer[Any]):
    """What a run would change for one creator; without one, the remainder."""

    creator = serializers.CharField(source="creator_id", allow_null=True)
    name = serializers.CharField(source="creator")
    micros = serializers.IntegerField()
    queries = serializers.IntegerField()


class ShadowRunWithDifferencesSerializer(ShadowRunSerializer):
    """A shadow run and its differences by creator."""

    results = serializers.DictField(child=serializers.IntegerField())
    differences = ShadowDifferenceSerializer(many=True)


class ShadowChangeSerializer(serializers.Serializer[Any]):
    """New minus old for one creator of one work; without both, the remainder."""

    work = serializers.CharField(source="work_id", allow_null=True)
    creator = serializers.CharField(source="creator_id", allow_null=True)
    micros = serializers.IntegerField()


class ShadowResultSerializer(serializers.Serializer[ShadowResult]):
    """What a run found for one query."""

    query = serializers.CharField(source="query_id")
    state = serializers.ChoiceField(ShadowResult.State.choices)
    reason = serializers.CharField()
    changes = ShadowChangeSerializer(many=True)


class EvidenceRetention(APIView):
    """Whether evidence of a model's queries is kept, for comparing methods later."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="putEvidenceRetention",
        summary="Agree to have evidence kept for a time, or take it back",
        description="Kept encrypted after settlement, so that a better method can be run over past "
        "queries. Taken back, everything kept is deleted at once.",
        request=RetentionSerializer,
        responses=RetentionSerializer,
    )
    def put(self, request: Request, model_id: str) -> Response:
        """Set and print the days."""
        model = model_of(request, model_id)
        asked = RetentionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        retention.agree(model, **asked.validated_data)
        return Response(asked.validated_data)


class ShadowRuns(ListAPIView[ShadowRun]):
    """All shadow runs."""

    permission_classes = [REVIEW]
    serializer_class = ShadowRunSerializer

    def get_queryset(self) -> QuerySet[ShadowRun]:
        """Choose all; admins only."""
        admin_of(self.request)
        return ShadowRun.objects.all()

    @extend_schema(operation_id="listShadowRuns", summary="List shadow runs")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List runs, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="startShadowRun",
        summary="Run a method over a model's past queries",
        description="It books nothing; read the differences once it is `ready`.",
        request=NewShadowRunSerializer,
        responses={201: ShadowRunSerializer},
    )
    def post(self, request: Request) -> Response:
        """Start it; queries are weighed in the background."""
        admin, at = admin_of(request), timezone.now()
        asked = NewShadowRunSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said: dict[str, Any] = asked.validated_data
        run = shadowing.start(
            find(GenerativeModel.objects.all(), said["model"]),
            admin,
            method=said["method"],
            settled=(
                said.get("settled_from", at - timedelta(days=90)),
                said.get("settled_until", at),
            ),
            at=at,
        )
        return Response(ShadowRunSerializer(run).data, status.HTTP_201_CREATED)


def _run(request: Request, run_id: str) -> ShadowRun:
    admin_of(request)
    return find(ShadowRun.objects.all(), run_id)


def _printed(run: ShadowRun) -> Response:
    found = {
        "results": dict(shadowing.results(run)),
        "differences": ShadowDifferenceSerializer(shadowing.differences(run), many=True).data,
    }
    return Response({**ShadowRunSerializer(run).data, **found})


class OneShadowRun(APIView):
    """One shadow run."""

    permission_classes = [REVIEW]

    @extend_schema(
        operation_id="getShadowRun",
        summary="Read a shadow run and what it would change, by creator",
        responses=ShadowRunWithDifferencesSerializer,
    )
    def get(self, request: Request, run_id: str) -> Response:
        """Print the run."""
        return _printed(_run(request, run_id))


class ShadowResults(ListAPIView[ShadowResult]):
    """What a run found, query by query."""

    permission_classes = [REVIEW]
    serializer_class = ShadowResultSerializer

    def get_queryset(self) -> QuerySet[ShadowResult]:
        """Choose the run's."""
        run = _run(self.request, self.kwargs["run_id"])
        return run.results.prefetch_related("changes")

    @extend_schema(operation_id="listShadowResults", summary="List what a run found, by query")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List results."""
        return super().get(request, *args, **kwargs)


class ProposedShadowRun(APIView):
    """A run whose corrections somebody asks for."""

    permission_classes = [REVIEW]

    @extend_schema(
        operation_id="proposeShadowRun",
        summary="Propose a run's corrections to another admin",
        request=DecisionReasonSerializer,
        responses=ShadowRunWithDifferencesSerializer,
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Propose and print it."""
        run = _run(request, run_id)
        asked = DecisionReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        adjusting.propose(run, admin_of(request), **asked.validated_data)
        return _printed(run)


class AcceptedShadowRun(APIView):
    """A run whose corrections are booked."""

    permission_classes = [REVIEW]

    @extend_schema(
        operation_id="acceptShadowRun",
        summary="Accept corrections that another admin proposed; they are booked",
        request=None,
        responses=ShadowRunWithDifferencesSerializer,
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Accept and print it."""
        run = _run(request, run_id)
        adjusting.accept(run, admin_of(request))
        return _printed(run)


class DismissedShadowRun(APIView):
    """A run that changes nothing."""

    permission_classes = [REVIEW]

    @extend_schema(
        operation_id="dismissShadowRun",
        summary="Leave everything as it was paid",
        request=None,
        responses=ShadowRunWithDifferencesSerializer,
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Dismiss and print it."""
        run = _run(request, run_id)
        adjusting.dismiss(run, at=timezone.now())
        return _printed(run)
