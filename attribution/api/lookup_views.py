"""The public look-up, with what only this app knows: which declared models learned from a work."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from attribution import uses
from registry import checks
from registry.api.views import public
from tribute import identifiers


class UseSerializer(serializers.Serializer[Any]):
    """A declared model, and what was allowed when it learned from the work."""

    model = serializers.CharField()
    operator = serializers.CharField()
    decision = serializers.CharField()
    matched_by = serializers.ChoiceField(
        choices=[(way, way) for way in ("work", "identifier", "near")]
    )
    distance = serializers.FloatField(
        allow_null=True, help_text="Of a near-copy: the share of differing bits."
    )


class FoundWithUsesSerializer(public.FoundSerializer):
    """What is known of one thing, and which declared models learned from it."""

    models = UseSerializer(many=True)


class LookUp(public.LookUp):
    """What is registered, what is allowed, and who learned from it."""

    @extend_schema(
        operation_id="lookUp",
        summary="Look one thing up: is it registered, what is allowed, which models learned from it",
        description="By exactly one of url, sha256, iscc. Nothing is kept of the question.",
        parameters=[OpenApiParameter(kind.value, str) for kind in public.KINDS],
        responses=FoundWithUsesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Print what is known, for every purpose, and the models whose manifests name it."""
        kind, value = public.asked_about(request)
        found = checks.look_up(kind, value, at=timezone.now())
        key = identifiers.key_of(kind, value).digest
        learned = uses.of_found(found.works, found.near, key)
        return Response({**self.printed(found), "models": UseSerializer(learned, many=True).data})
