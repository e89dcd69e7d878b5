"""Embedding spaces, over HTTP: which there are, and naming a new one."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from attribution import spaces
from attribution.methods.vectors import LEAST_DIMENSION, MOST_DIMENSION
from attribution.models import EmbeddingSpace
from registry.api.fields import TextField, WholeNumberField
from registry.api.permissions import HasScope
from registry.api.serializers import MEDIUM_CHOICES, StrictSerializer
from tribute.embedders import Description
from tribute.vocabulary import Medium


class NewSpaceSerializer(StrictSerializer):
    """What vectors mean: any other model, revision or preparation is another space."""

    name = TextField(max_length=120)
    revision = TextField(max_length=80)
    preprocessing = TextField(max_length=300)
    modality = serializers.ChoiceField(choices=MEDIUM_CHOICES)
    dimension = WholeNumberField(min_value=LEAST_DIMENSION, max_value=MOST_DIMENSION)


class SpaceSerializer(serializers.Serializer[EmbeddingSpace]):
    """An embedding space. Queries are paid by it with the methods that it has coefficients for."""

    id = serializers.CharField()
    name = serializers.CharField()
    revision = serializers.CharField()
    preprocessing = serializers.CharField()
    modality = serializers.CharField()
    dimension = serializers.IntegerField()
    calibrations = serializers.DictField()
    registered_at = serializers.DateTimeField()


class Spaces(ListAPIView[EmbeddingSpace]):
    """All embedding spaces."""

    permission_classes = [HasScope("models:write")]
    serializer_class = SpaceSerializer

    def get_queryset(self) -> QuerySet[EmbeddingSpace]:
        """List them all: what vectors mean is no secret."""
        return EmbeddingSpace.objects.all()

    @extend_schema(operation_id="listSpaces", summary="List embedding spaces")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List spaces, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="registerSpace",
        summary="Register an embedding space",
        request=NewSpaceSerializer,
        responses={201: SpaceSerializer},
        examples=[
            OpenApiExample(
                "Vectors tuned to attribution",
                value={
                    "name": "acme/attribution-embedder",
                    "revision": "3f2a91c",
                    "preprocessing": "first 512 tokens, mean of tokens",
                    "modality": "text",
                    "dimension": 768,
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Name a space; the same again is answered with the same."""
        asked = NewSpaceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        description = Description(
            said["name"],
            said["revision"],
            said["preprocessing"],
            Medium(said["modality"]),
            said["dimension"],
        )
        space = spaces.register(description, at=timezone.now())
        return Response(SpaceSerializer(space).data, status=201)
