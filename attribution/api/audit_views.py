"""Audits of shares, over HTTP: which trainings one needs, and what they show."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import auditing
from attribution.api.query_views import own_query
from attribution.methods.shapley import MAX_GROUPS
from registry.api.fields import TextField, WholeNumberField
from registry.api.permissions import HasScope
from registry.api.serializers import StrictSerializer

MOST_CREATORS = 10_000
LARGEST_SEED = 2**32 - 1
MOST_SUBSETS = 2 * auditing.MOST_PAIRS * (MAX_GROUPS + 1)


class GroupSerializer(StrictSerializer):
    """Creators that are trained on, or left out, together."""

    name = TextField(max_length=100)
    creators = serializers.ListField(
        child=TextField(max_length=40), allow_empty=True, max_length=MOST_CREATORS, default=list
    )


class NewPlanSerializer(StrictSerializer):
    """Which groups to audit. The seed draws the orders, so that anyone can draw them again."""

    groups = serializers.ListField(child=GroupSerializer(), min_length=1, max_length=MAX_GROUPS)
    pairs = WholeNumberField(
        default=25,
        min_value=1,
        max_value=auditing.MOST_PAIRS,
        help_text="Orders are drawn in pairs, each with its reverse; more are surer.",
    )
    seed = WholeNumberField(default=0, min_value=0, max_value=LARGEST_SEED)


class SubsetSerializer(StrictSerializer):
    """The log-likelihood, in nats, of the output by the model trained on these groups only."""

    groups = serializers.ListField(
        child=TextField(max_length=100), allow_empty=True, max_length=MAX_GROUPS
    )
    log_likelihood = serializers.FloatField()


class NewAuditSerializer(NewPlanSerializer):
    """A plan, carried out; with a query's id, set beside what it paid."""

    log_likelihoods = serializers.ListField(
        child=SubsetSerializer(), min_length=2, max_length=MOST_SUBSETS
    )
    query = TextField(max_length=60, required=False)


class PlanSerializer(serializers.Serializer[Any]):
    """The subsets of groups to train on; the empty one is a model that has seen none of them."""

    subsets = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class AuditedShareSerializer(serializers.Serializer[Any]):
    """What a group is due, in ppm of what all groups are; value and error in nats."""

    group = serializers.CharField()
    share_ppm = serializers.IntegerField()
    value = serializers.FloatField()
    standard_error = serializers.FloatField()
    paid_ppm = serializers.IntegerField(allow_null=True)


class AuditSerializer(serializers.Serializer[Any]):
    """Shapley royalty shares, and how far what was paid lies from them (total variation)."""

    shares = AuditedShareSerializer(many=True)
    divergence_ppm = serializers.IntegerField(allow_null=True)


class AuditPlans(APIView):
    """Which trainings an audit needs."""

    permission_classes = [HasScope("queries:write")]

    @extend_schema(
        operation_id="planAudit",
        summary="List the trainings that an audit of shares needs",
        request=NewPlanSerializer,
        responses=PlanSerializer,
        examples=[
            OpenApiExample(
                "Two creators",
                value={"groups": [{"name": "ada"}, {"name": "ben"}], "pairs": 1, "seed": 7},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Draw the orders and list their subsets; nothing is kept."""
        asked = NewPlanSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        plan = auditing.plan(_groups(said), pairs=said["pairs"], seed=said["seed"])
        return Response(PlanSerializer(plan).data)


class Audits(APIView):
    """An audit of shares by what training without some creators made of an output."""

    permission_classes = [HasScope("queries:write")]

    @extend_schema(
        operation_id="auditShares",
        summary="Compute Shapley royalty shares from your own trainings",
        request=NewAuditSerializer,
        responses=AuditSerializer,
    )
    def post(self, request: Request) -> Response:
        """Report the shares; nothing is kept, and nothing is paid by it."""
        asked = NewAuditSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        known = {
            frozenset(each["groups"]): each["log_likelihood"] for each in said["log_likelihoods"]
        }
        query = own_query(request, said["query"]) if "query" in said else None
        found = auditing.report(
            _groups(said), known, pairs=said["pairs"], seed=said["seed"], query=query
        )
        return Response(AuditSerializer(found).data)


def _groups(said: Mapping[str, Any]) -> dict[str, list[str]]:
    names = [each["name"] for each in said["groups"]]
    if len(set(names)) != len(names):
        raise serializers.ValidationError({"groups": ["Each group is named once."]})
    return {each["name"]: each["creators"] for each in said["groups"]}
