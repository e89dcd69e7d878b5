"""Endpoints for pipelines: ask about many things at once, and prove later what was answered."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import checks, receipts
from registry.api.callers import operator_of
from registry.api.permissions import HasScope
from registry.api.serializers import CheckSerializer, NewCheckSerializer
from registry.ids import find
from registry.models import Check
from tribute.vocabulary import Purpose

EXAMPLE = OpenApiExample(
    "Two things, one purpose",
    request_only=True,
    value={
        "items": [
            {"id": "a", "url": "https://ada.example/poems/april"},
            {
                "id": "b",
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            },
        ],
        "purposes": ["train-ai"],
    },
)


class Checks(APIView):
    """Consent questions."""

    permission_classes = [HasScope("checks:write")]

    @extend_schema(
        operation_id="check",
        summary="Ask what may be done with up to 10,000 items",
        description="Answers come in the order of the items. An item that is not understood is "
        "`unknown`, with an error of its own. `unknown` is not a permission.",
        request=NewCheckSerializer,
        responses={201: CheckSerializer},
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Ask, and print the answers."""
        operator = operator_of(request)
        asked = NewCheckSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        made = checks.check(
            operator,
            given["items"],
            [Purpose(purpose) for purpose in given["purposes"]],
            as_of=given.get("as_of"),
            at=timezone.now(),
        )
        return Response(printed(made), status.HTTP_201_CREATED)


class OneCheck(APIView):
    """One of the operator's checks."""

    permission_classes = [HasScope("checks:write")]

    @extend_schema(operation_id="getCheck", summary="Read a check again", responses=CheckSerializer)
    def get(self, request: Request, check_id: str) -> Response:
        """Print the answers as they were given."""
        return Response(printed(find(operator_of(request).checks.all(), check_id)))


class Receipt(APIView):
    """The proof of one of the operator's checks."""

    permission_classes = [HasScope("checks:write")]

    @extend_schema(
        operation_id="getReceipt",
        summary="Get the signed receipt of a check, or the proof of one of its rows",
        parameters=[
            OpenApiParameter(
                "row", int, description="A row, from 0: its salt and its path to the root."
            )
        ],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, check_id: str) -> Response:
        """Print the receipt, which anybody can verify offline."""
        check = find(operator_of(request).checks.all(), check_id)
        row = request.query_params.get("row")
        if row is None:
            return Response(receipts.receipt(check))
        number = serializers.IntegerField(min_value=0, max_value=checks.MOST_ITEMS)
        return Response(receipts.row(check, number.run_validation(row)))


def printed(check: Check) -> dict[str, object]:
    """Return what CheckSerializer describes; ten thousand answers are printed as they were kept."""
    return {
        "check": check.pk,
        "asked_at": check.asked_at,
        "as_of": check.as_of,
        "purposes": check.purposes,
        "items_count": check.items_count,
        "log_size": check.log_size,
        "answers": check.results,
    }
