"""Why a query paid whom, over HTTP, for everybody it concerns: its operator, its creators, admins.

Owns who is entitled, and the form of the answer. A creator sees his own rows and the others' total.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import reckoning
from attribution.api.serializers import ExplanationSerializer
from attribution.errors import NotRecomputable
from attribution.models import Query
from ledger.api.serializers import MoneySerializer
from ledger.api.views.payouts import admin_of
from registry.api.callers import creator_of, operator_of
from registry.ids import find
from registry.models import ApiKey, Creator, Operator

OPERATORS, CREATORS, ADMINS = "queries:write", "earnings:read", "attribution:review"


class IsEntitled(BasePermission):
    """The key must carry a scope by which queries are read."""

    message = (
        f"This key lacks the scope {OPERATORS} (operators), {CREATORS} (creators) or {ADMINS}."
    )

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask for any of the three; whose query it is, is asked next."""
        del view
        scopes = request.auth.scopes if isinstance(request.auth, ApiKey) else ()
        return bool({OPERATORS, CREATORS, ADMINS}.intersection(scopes))


class WholeExplanationSerializer(ExplanationSerializer):
    """Why a query paid whom, and everything needed to divide it again."""

    query = serializers.CharField(source="query_id")
    fee = MoneySerializer()
    others = MoneySerializer(help_text="What was paid for the rows that you may not see.")
    recomputed = serializers.BooleanField(
        allow_null=True,
        help_text="Whether today's result is the same; null when it cannot be told.",
    )
    why_not = serializers.CharField(help_text="Why it cannot be told; else empty.")
    record = serializers.DictField(
        allow_null=True,
        help_text="What the fee was divided by (`tribute-record/1`), which "
        "`manage.py explain --record FILE` divides again without a database. In a creator's copy "
        "everybody else is renamed; `yours` tells which names are yours.",
    )


class Explained(APIView):
    """One settled query, explained to whoever it concerns."""

    permission_classes = [IsEntitled]

    @extend_schema(
        operation_id="explainQuery",
        summary="Read why a query paid whom, and recompute it",
        description="For the operator that reported it, a creator whose work contributed, and "
        "admins who review attribution; for anybody else it does not exist.",
        responses=WholeExplanationSerializer,
    )
    def get(self, request: Request, query_id: str) -> Response:
        """Print the explanation with the record."""
        query, creator = entitled(request, query_id)
        found = reckoning.reckon(query, creator=creator)
        told: Mapping[str, Any] = ExplanationSerializer(found.explanation).data
        return Response(
            {
                "query": query.pk,
                "fee": MoneySerializer(query.fee).data,
                "others": MoneySerializer(found.explanation.others).data,
                **told,
                "recomputed": found.recomputed,
                "why_not": found.why_not,
                "record": _record(query, creator),
            },
            headers={"Cache-Control": "no-store"},
        )


def entitled(request: Request, query_id: str) -> tuple[Query, Creator | None]:
    """Return the query, and the creator as whom it is read; None for who may see all names.

    Raises NotFound for anybody it does not concern, PermissionDenied for a person who is no admin:
    a scope says what a key may do, not what its owner still is.
    """
    rows = Query.objects.select_related("model", "manifest").defer("evidence")
    assert isinstance(request.auth, ApiKey), "IsEntitled has asked"
    owner = request.auth.owner
    if isinstance(owner, Operator):
        return find(rows.of(operator_of(request)), query_id), None
    if isinstance(owner, Creator):
        return find(rows.paying(creator_of(request)), query_id), owner
    admin_of(request)
    return find(rows, query_id), None


def _record(query: Query, creator: Creator | None) -> dict[str, Any] | None:
    try:
        return reckoning.record_of(query, creator=creator)
    except NotRecomputable:
        return None
