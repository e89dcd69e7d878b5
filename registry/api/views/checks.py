"""Endpoints for pipelines: ask about many things at once, and prove later what was answered."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry import checks, receipts
from registry.api import arrow_answers
from registry.api.arrow_bodies import ArrowItems
from registry.api.callers import operator_of
from registry.api.json_bodies import JSONItems, PlainQuestion
from registry.api.permissions import HasScope
from registry.api.serializers import (
    ArrowQuestionSerializer,
    CheckSerializer,
    NewCheckSerializer,
)
from registry.asked import Asked
from registry.ids import find
from registry.models import Check
from registry.texts import text_bytes
from tribute.arrow_checks import MEDIA_TYPE
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


ANSWERS = {
    (201, "application/json"): CheckSerializer,
    (201, MEDIA_TYPE): OpenApiTypes.BINARY,
}
IN_ARROW = """
With `Content-Type: application/vnd.apache.arrow.stream` the items are a stream of record batches,
uncompressed, with the columns `id`, `url`, `sha256` (hexadecimal, or 32 bytes) and `iscc`: texts, with
gaps where an item lacks one. Purposes and `as_of` then stand in the address. With `Accept:
application/vnd.apache.arrow.stream` the answer is a stream, too: one row an item, in order, with `id`,
a column named for each purpose (a struct of `decision`, `rule`, `statements`, `considered`,
`matched_by`, `explanation`) and `error` (`code`, `detail`); the schema's metadata has `check`,
`asked_at`, `as_of` and `log_size`. The receipt is the same either way.
"""


class ManyAnswers(APIView):
    """A view whose questions and answers, some megabytes, are let go of with the response."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Answer, and part the request from what refers to it, and through the view to the answer.

        Else both stay until Python looks for garbage, a hundred requests later.
        """
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            self.request.parser_context.clear()


class Checks(ManyAnswers):
    """Consent questions."""

    permission_classes = [HasScope("checks:write")]
    parser_classes = [JSONItems, ArrowItems]

    @extend_schema(
        operation_id="check",
        summary="Ask what may be done with up to 10,000 items",
        description="Answers come in the order of the items. An item that is not understood is "
        "`unknown`, with an error of its own. `unknown` is not a permission.\n" + IN_ARROW,
        parameters=[
            OpenApiParameter(
                "purposes",
                str,
                many=True,
                enum=[purpose.value for purpose in Purpose],
                description="With an Arrow stream, and then needed; repeat it for several.",
            ),
            OpenApiParameter("as_of", OpenApiTypes.DATETIME, description="With an Arrow stream."),
        ],
        request={"application/json": NewCheckSerializer, MEDIA_TYPE: OpenApiTypes.BINARY},
        responses=ANSWERS,
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> HttpResponse:
        """Ask, and print the answers."""
        operator = operator_of(request)
        given = question_in(request)
        made = checks.check(
            operator,
            given["items"],
            [Purpose(purpose) for purpose in given["purposes"]],
            as_of=given.get("as_of"),
            at=timezone.now(),
        )
        return printed(made, request, status.HTTP_201_CREATED)


class OneCheck(ManyAnswers):
    """One of the operator's checks."""

    permission_classes = [HasScope("checks:write")]

    @extend_schema(
        operation_id="getCheck",
        summary="Read a check again",
        responses={(200, kind): answer for (_, kind), answer in ANSWERS.items()},
    )
    def get(self, request: Request, check_id: str) -> HttpResponse:
        """Print the answers as they were given."""
        return printed(find(operator_of(request).checks.all(), check_id), request)


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


def question_in(request: Request) -> dict[str, Any]:
    """Return items, purposes and perhaps as_of, from JSON or from a stream and the address."""
    sent: object = request.data
    if isinstance(sent, Asked):
        return {"items": sent, **_asked_in_address(request.META.get("QUERY_STRING", ""))}
    if twice := request.query_params.keys() & {"purposes", "as_of"}:
        raise serializers.ValidationError({min(twice): ["With JSON it stands in the body."]})
    if isinstance(sent, PlainQuestion):
        return {"items": sent.items, **_asked_beside(sent.rest)}
    asked = NewCheckSerializer(data=sent)
    asked.is_valid(raise_exception=True)
    given = dict(asked.validated_data)
    # A serializer and its fields hold each other, and would hold these.
    del asked.initial_data
    asked.validated_data.clear()
    return given


@lru_cache(maxsize=256)
def _asked_in_address(query: str) -> Mapping[str, Any]:
    """Return purposes and perhaps as_of; pipelines ask with the same ones all the time."""
    given = QueryDict(query)
    return _asked_by(
        {name: given[name] for name in given} | {"purposes": given.getlist("purposes")}
    )


@lru_cache(maxsize=256)
def _asked_beside(rest: bytes) -> Mapping[str, Any]:
    """Return purposes and perhaps as_of from around the items of a plain question."""
    return _asked_by({name: given for name, given in orjson.loads(rest).items() if name != "items"})


def _asked_by(words: object) -> Mapping[str, Any]:
    asked = ArrowQuestionSerializer(data=words)
    asked.is_valid(raise_exception=True)
    return MappingProxyType(dict(asked.validated_data))


def printed(check: Check, request: Request, status_code: int = status.HTTP_200_OK) -> HttpResponse:
    """Print a check as CheckSerializer describes it, or as a stream where that is asked for.

    Ten thousand answers are joined by the column, past the serializers.
    """
    if MEDIA_TYPE in request.headers.get("Accept", ""):
        return HttpResponse(arrow_answers.printed(check), MEDIA_TYPE, status_code)
    about = {
        "check": check.pk,
        "asked_at": check.asked_at,
        "as_of": check.as_of,
        "purposes": check.purposes,
        "items_count": check.items_count,
        "log_size": check.log_size,
    }
    listed, limits = text_bytes(check.answered.printed)
    head = orjson.dumps(about, option=orjson.OPT_UTC_Z)[:-1]
    body = b"".join([head, b',"answers":[', listed[limits[0] : limits[len(limits) - 1] - 1], b"]}"])
    return HttpResponse(body, "application/json", status_code)
