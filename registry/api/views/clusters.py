"""Endpoints for staff: clusters of near-copies, merged and separated with a reason."""

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from registry import clusters
from registry.api.callers import user_of
from registry.api.dispute_serializers import (
    ClusterSerializer,
    NewMergerSerializer,
    NewSeparationSerializer,
)
from registry.api.permissions import HasScope
from registry.ids import find
from registry.models import Cluster, ClusterEvent, ClusterMember, User, Work

MERGER = OpenApiExample(
    "A second edition",
    request_only=True,
    value={
        "works": ["wrk_01jzj6t3v7e8qs9f3c5m2k4x7a", "wrk_01jzj6t3v7e8qs9f3c5m2k4x7b"],
        "reason": "edition",
    },
)
SEPARATION = OpenApiExample(
    "Made independently",
    request_only=True,
    value={"work": "wrk_01jzj6t3v7e8qs9f3c5m2k4x7b", "reason": "independent"},
)
MAY_REVIEW = [HasScope("disputes:decide")]


class Clusters(generics.GenericAPIView[Cluster]):
    """The clusters that the caller may review."""

    permission_classes = MAY_REVIEW
    serializer_class = ClusterSerializer

    def get_queryset(self) -> QuerySet[Cluster]:
        """Choose those without works of the caller's own."""
        return printable(user_of(self.request))

    @extend_schema(
        operation_id="listClusters",
        summary="List clusters of near-copies",
        responses=ClusterSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of clusters, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class OneCluster(generics.GenericAPIView[Cluster]):
    """One cluster."""

    permission_classes = MAY_REVIEW

    @extend_schema(
        operation_id="getCluster",
        summary="Read a cluster and what happened to it",
        responses=ClusterSerializer,
    )
    def get(self, request: Request, cluster_id: str) -> Response:
        """Print the cluster."""
        return Response(ClusterSerializer(find(printable(user_of(request)), cluster_id)).data)


class Merger(generics.GenericAPIView[Cluster]):
    """That works are one."""

    permission_classes = MAY_REVIEW

    @extend_schema(
        operation_id="mergeClusters",
        summary="Merge works, with all that is in their clusters",
        description="They count as one where money is divided. The finding goes into the "
        "transparency log.",
        request=NewMergerSerializer,
        responses=ClusterSerializer,
        examples=[MERGER],
    )
    def post(self, request: Request) -> Response:
        """Merge, and print the cluster."""
        user = user_of(request)
        asked = NewMergerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        works = [find(Work.objects.all(), work) for work in asked.validated_data["works"]]
        reason = ClusterEvent.Reason(asked.validated_data["reason"])
        merged = clusters.merge(works, by=user, reason=reason, at=timezone.now())
        return Response(ClusterSerializer(find(printable(user), merged.pk)).data)


class Separation(generics.GenericAPIView[Cluster]):
    """That a work is not like the rest."""

    permission_classes = MAY_REVIEW

    @extend_schema(
        operation_id="separateFromCluster",
        summary="Take a work out of its cluster",
        request=NewSeparationSerializer,
        responses=ClusterSerializer,
        examples=[SEPARATION],
    )
    def post(self, request: Request, cluster_id: str) -> Response:
        """Separate, and print the cluster."""
        user = user_of(request)
        cluster = find(clusters.decidable_by(user), cluster_id)
        asked = NewSeparationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        work = find(Work.objects.all(), asked.validated_data["work"])
        reason = ClusterEvent.Reason(asked.validated_data["reason"])
        clusters.separate(cluster, work, by=user, reason=reason, at=timezone.now())
        return Response(ClusterSerializer(find(printable(user), cluster_id)).data)


def printable(user: User) -> QuerySet[Cluster]:
    """Return the clusters that a user may review, with what is printed of them."""
    members = Prefetch("members", ClusterMember.objects.select_related("work").order_by("pk"))
    events = Prefetch("events", ClusterEvent.objects.order_by("pk"))
    return clusters.decidable_by(user).prefetch_related(members, events)
