"""Endpoints for anybody: look one thing up, read the public figures."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import checks, figures, receipts
from registry.api.serializers import AnsweredSerializer
from registry.errors import NothingToLookUp
from registry.models import Work
from tribute.receipts import key_id
from tribute.vocabulary import IdentifierKind

KINDS = (IdentifierKind.URL, IdentifierKind.SHA256, IdentifierKind.ISCC)


class FoundWorkSerializer(serializers.Serializer[Any]):
    """A work that was found; `distance` is the share of differing bits of a near-copy."""

    id = serializers.CharField()
    title = serializers.CharField()
    medium = serializers.CharField()
    creators = serializers.ListField(child=serializers.CharField())
    distance = serializers.FloatField(required=False)


class FoundSerializer(serializers.Serializer[Any]):
    """What is known of one thing."""

    registered = serializers.BooleanField()
    works = FoundWorkSerializer(many=True)
    near = FoundWorkSerializer(many=True)
    decisions = serializers.DictField(child=AnsweredSerializer())


class FiguresSerializer(serializers.Serializer[Any]):
    """The public figures, and the key that verifies receipts (hexadecimal)."""

    counts = serializers.DictField(child=serializers.IntegerField())
    decisions = serializers.DictField(child=serializers.IntegerField())
    log_size = serializers.IntegerField()
    receipt_key = serializers.CharField()
    receipt_key_id = serializers.CharField()


class LookUp(APIView):
    """What is registered, and what is allowed."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="lookUp",
        summary="Look one thing up",
        description="By exactly one of url, sha256, iscc. Nothing is kept of the question.",
        parameters=[OpenApiParameter(kind.value, str) for kind in KINDS],
        responses=FoundSerializer,
    )
    def get(self, request: Request) -> Response:
        """Print what is known, for every purpose."""
        kind, value = asked_about(request)
        return Response(self.printed(checks.look_up(kind, value, at=timezone.now())))

    def printed(self, found: checks.LookUp) -> dict[str, Any]:
        """Return what is printed of what was found."""
        return {
            "registered": bool(found.works),
            "works": [_work(work) for work in found.works],
            "near": [{**_work(work), "distance": distance} for work, distance in found.near],
            "decisions": found.answer.to_json()["decisions"],
        }


class Transparency(APIView):
    """The public figures."""

    authentication_classes = []
    permission_classes = []

    @extend_schema(
        operation_id="getTransparency",
        summary="Read the registry's figures and the key that verifies its receipts",
        responses=FiguresSerializer,
    )
    def get(self, _request: Request) -> Response:
        """Print counts of the last minute; nothing in them is about one person."""
        key = receipts.public_key()
        counted = figures.lately()
        return Response(
            {
                "counts": counted.counts,
                "decisions": counted.decisions,
                "log_size": counted.log_size,
                "receipt_key": key.hex(),
                "receipt_key_id": key_id(key),
            }
        )


def asked_about(request: Request) -> tuple[IdentifierKind, str]:
    """Return the one identifier that a look-up names. Raises NothingToLookUp."""
    given = [
        (kind, request.query_params[kind.value]) for kind in KINDS if kind in request.query_params
    ]
    if len(given) != 1 or len(request.query_params) != 1:
        raise NothingToLookUp("name exactly one of url, sha256, iscc")
    return given[0]


def _work(work: Work) -> dict[str, Any]:
    return {
        "id": work.pk,
        "title": work.title,
        "medium": work.medium,
        "creators": [creator.display_name for creator in work.rightsholders.all()],
    }
