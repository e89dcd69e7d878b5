"""Models, queries and what they paid, over HTTP.

Every row is looked up among the caller's own, so that foreign ids and unknown ones look the same.
"""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import generative_models, queries
from attribution.api.serializers import (
    CreditsSerializer,
    EarnedSerializer,
    ExplainedQuerySerializer,
    ExplanationSerializer,
    ModelSerializer,
    NewModelSerializer,
    OneModelSerializer,
    QueryReportsSerializer,
    QuerySerializer,
    ReceivedListSerializer,
)
from attribution.api.usage_views import SIGNATURE, said_in
from attribution.credits import credit
from attribution.explanation import explain
from attribution.generative_models import FeePolicy
from attribution.models import Contribution, EmbeddingSpace, GenerativeModel, Query
from attribution.queries import QueryReport, Received
from ledger.money import Money
from registry.api.callers import creator_of, operator_of
from registry.api.permissions import HasScope
from registry.ids import find


class Models(ListAPIView[GenerativeModel]):
    """The operator's models."""

    permission_classes = [HasScope("models:write")]
    serializer_class = ModelSerializer

    def get_queryset(self) -> QuerySet[GenerativeModel]:
        """Choose the caller's own."""
        rows = GenerativeModel.objects.filter(operator=operator_of(self.request))
        return rows.select_related("manifest")

    @extend_schema(operation_id="listModels", summary="List your models")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List models, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="registerModel",
        summary="Register a model and its published fee policy",
        request=NewModelSerializer,
        responses={201: ModelSerializer},
        examples=[
            OpenApiExample(
                "A fixed fee of 1.2 cents a query",
                value={
                    "name": "Acme Writer",
                    "version": "2.1",
                    "currency": "EUR",
                    "fee_micros": 12_000,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Register one version of a model."""
        asked = NewModelSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        model = generative_models.register(
            operator_of(request),
            name=said["name"],
            version=said["version"],
            fee=FeePolicy(said["currency"], said.get("fee_micros"), said.get("price_share_ppm")),
            method=said["method"],
            space=find(EmbeddingSpace.objects.all(), said["space"]) if "space" in said else None,
            floor_ppm=said["floor_ppm"],
            work_cap_micros=said.get("work_cap_micros"),
            unattributed_policy=said["unattributed_policy"],
            at=timezone.now(),
        )
        return Response(ModelSerializer(model).data, status=201)


class Model(APIView):
    """One of the operator's models."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="getModel", summary="Read one of your models", responses=OneModelSerializer
    )
    def get(self, request: Request, model_id: str) -> Response:
        """Print the model with the state of its manifest and its spot check."""
        return Response(OneModelSerializer(model_of(request, model_id)).data)


def model_of(request: Request, model_id: str) -> GenerativeModel:
    """Find one of the caller's own models."""
    rows = GenerativeModel.objects.filter(operator=operator_of(request))
    return find(rows.select_related("manifest", "operator"), model_id)


class Queries(ListAPIView[Query]):
    """The operator's queries."""

    permission_classes = [HasScope("queries:write")]
    serializer_class = QuerySerializer

    def get_queryset(self) -> QuerySet[Query]:
        """Choose the caller's own, without their evidence."""
        return Query.objects.of(operator_of(self.request)).defer("evidence")

    @extend_schema(operation_id="listQueries", summary="List the queries you reported")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List queries, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="reportQueries",
        summary="Report 1 to 1,000 paid generations, all or none",
        description=(
            "Idempotent by `external_id`: the same report again is acknowledged as a duplicate, "
            "another under the same id is refused. Outputs are reduced to features on receipt and "
            "never kept; prompts are not accepted at all. The fees are kept aside from your balance, "
            "in the order of the call; what the balance does not cover is `refused` with the reason "
            "`insufficient_funds`, for good: a top-up serves new queries, not these ids again. "
            "A report may be signed and numbered: see `Tribute-Signature`."
        ),
        parameters=[SIGNATURE],
        request=QueryReportsSerializer,
        responses={202: ReceivedListSerializer},
        examples=[
            OpenApiExample(
                "One generation",
                value={
                    "queries": [
                        {
                            "model": "mdl_01jzj6t3v7e8qs9f3c5m2k4x7a",
                            "external_id": "gen-20260131-000017",
                            "occurred_at": "2026-01-31T12:00:00Z",
                            "output": "Shall I compare thee to a summer's day?",
                        }
                    ]
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Record reports; they are settled in the background."""
        operator = operator_of(request)
        signed = said_in(request, operator)
        asked = QueryReportsSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        received = queries.receive(
            operator,
            [_report(said) for said in asked.validated_data["queries"]],
            said=signed,
            at=timezone.now(),
        )
        # A thousand rows of plain texts need no serializer each to be printed.
        return Response({"queries": [_received(each) for each in received]}, status=202)


def _report(said: dict[str, Any]) -> QueryReport:
    price = said.get("price")
    return QueryReport(
        model_id=said["model"],
        external_id=said["external_id"],
        occurred_at=said["occurred_at"],
        price=Money(price["amount_micros"], price["currency"]) if price else None,
        output=said.get("output"),
        features=said.get("features"),
        scores=said.get("scores"),
        vector=said["embedding"]["vector"] if "embedding" in said else None,
        vector_space=said["embedding"]["space"] if "embedding" in said else "",
    )


def _received(said: Received) -> dict[str, Any]:
    """Print an answer as ``ReceivedSerializer`` describes it."""
    return {
        "id": said.query_id,
        "external_id": said.external_id,
        "state": said.state,
        "duplicate": said.duplicate,
        "reason": said.reason,
    }


def query_of(request: Request, query_id: str) -> Query:
    """Find one of the caller's own queries."""
    rows = Query.objects.of(operator_of(request)).select_related("model").defer("evidence")
    return find(rows, query_id)


class OneQuery(APIView):
    """One of the operator's queries."""

    permission_classes = [HasScope("queries:write")]

    @extend_schema(
        operation_id="getQuery",
        summary="Read a query and, once settled, why it paid whom",
        responses=ExplainedQuerySerializer,
    )
    def get(self, request: Request, query_id: str) -> Response:
        """Print the query with its explanation."""
        query = query_of(request, query_id)
        settled = query.state == Query.State.SETTLED
        why = ExplanationSerializer(explain(query)).data if settled else None
        return Response({**QuerySerializer(query).data, "explanation": why})


class QueryCredits(APIView):
    """The credit lines of one of the operator's queries."""

    permission_classes = [HasScope("queries:write")]

    @extend_schema(
        operation_id="getQueryCredits",
        summary="Get the credit lines to show beside an output",
        responses=CreditsSerializer,
    )
    def get(self, request: Request, query_id: str) -> Response:
        """Print the credits as text, HTML and JSON-LD."""
        return Response(CreditsSerializer(credit(query_of(request, query_id))).data)


class Earned(ListAPIView[Contribution]):
    """What queries paid the creator, line by line."""

    permission_classes = [HasScope("earnings:read")]
    serializer_class = EarnedSerializer

    def get_queryset(self) -> QuerySet[Contribution]:
        """Choose the caller's own rows, with what they name."""
        rows = Contribution.objects.filter(creator=creator_of(self.request))
        return rows.select_related("work", "query__model").defer("query__evidence")

    @extend_schema(
        operation_id="listContributions", summary="List what each query paid you, and for what"
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List contributions, newest first."""
        return super().get(request, *args, **kwargs)
