"""One query, over HTTP: replay it when it is parked, recompute it when it is settled."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import recomputing, records, worker
from attribution.api.serializers import QuerySerializer
from attribution.errors import NotParked
from attribution.models import Query
from registry.api.callers import operator_of
from registry.api.permissions import HasScope
from registry.ids import find


class RecomputedRowSerializer(serializers.Serializer[Any]):
    """One owner's part; the remainder names neither work nor creator."""

    work = serializers.CharField()
    creator = serializers.CharField()
    weight = serializers.IntegerField()
    micros = serializers.IntegerField()
    withheld = serializers.CharField()
    escrow = serializers.CharField()


class RecomputationSerializer(serializers.Serializer[Any]):
    """What the kept record gives today, beside what was paid."""

    same = serializers.BooleanField()
    method = serializers.CharField()
    parameters = serializers.DictField()
    inputs = serializers.DictField()
    recomputed = RecomputedRowSerializer(many=True)


class RetryQuery(APIView):
    """A parked query, put back into the queue."""

    permission_classes = [HasScope("queries:write")]

    @extend_schema(
        operation_id="retryQuery",
        summary="Replay one of your parked queries",
        request=None,
        responses={202: QuerySerializer},
    )
    def post(self, request: Request, query_id: str) -> Response:
        """Make it due again; it is settled in the background."""
        query = own_query(request, query_id)
        if not worker.retry_parked(query, at=timezone.now()):
            raise NotParked(f"{query.pk} is {query.state}")
        query.refresh_from_db(fields=["state", "attempts", "due_at"])
        return Response(QuerySerializer(query).data, status=202)


class Recomputed(APIView):
    """A settled query, divided again."""

    permission_classes = [HasScope("queries:write")]

    @extend_schema(
        operation_id="recomputeQuery",
        summary="Recompute a payment from what was kept with it",
        responses=RecomputationSerializer,
    )
    def get(self, request: Request, query_id: str) -> Response:
        """Print what the method read, and what it gives."""
        query = own_query(request, query_id)
        found = recomputing.recompute(query)
        assert query.record is not None, "what was recomputed has a record"
        names = ("work", "creator", "weight", "micros", "withheld", "escrow")
        return Response(
            RecomputationSerializer(
                {
                    "same": found.same,
                    "method": f"{query.method}/{query.method_version}",
                    "parameters": query.parameters,
                    "inputs": records.form(bytes(query.record))["inputs"],
                    "recomputed": [dict(zip(names, row, strict=True)) for row in found.recomputed],
                }
            ).data
        )


def own_query(request: Request, query_id: str) -> Query:
    """Find one of the caller's own queries, without its evidence."""
    return find(Query.objects.of(operator_of(request)).defer("evidence"), query_id)
