"""Endpoints for operators: what is left, and paying in."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger import balances, gateway_choice, topups
from ledger.api.serializers import BalanceSerializer, NewTopUpSerializer, TopUpSerializer
from ledger.models import TopUp
from ledger.money import Money
from registry.api.callers import operator_of
from registry.api.idempotency import idempotent
from registry.api.permissions import HasScope, HasScopeTo

EXAMPLE = OpenApiExample(
    "Fifty euros",
    request_only=True,
    value={
        "amount": {"amount_micros": 50_000_000, "currency": "EUR"},
        "return_url": "https://acme.example/billing",
    },
)


class PrepaidBalance(APIView):
    """The operator's money."""

    permission_classes = [HasScope("balance:read")]

    @extend_schema(
        operation_id="getBalance", summary="Read your prepaid balance", responses=BalanceSerializer
    )
    def get(self, request: Request) -> Response:
        """Print one row a currency."""
        operator = operator_of(request)
        told = {"balances": balances.prepaid(operator), "reserved": balances.reserved(operator)}
        return Response(BalanceSerializer(told).data)


class TopUps(generics.GenericAPIView[TopUp]):
    """The operator's payments."""

    permission_classes = [HasScopeTo("balance:read", "topups:write")]
    serializer_class = TopUpSerializer

    def get_queryset(self) -> QuerySet[TopUp]:
        """Choose the caller's own."""
        return TopUp.objects.filter(operator=operator_of(self.request))

    @extend_schema(
        operation_id="listTopUps",
        summary="List your payments",
        responses=TopUpSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="startTopUp",
        summary="Pay in",
        description="Answers with the address of a page of the payment provider. The balance "
        "grows when the provider reports the payment.",
        request=NewTopUpSerializer,
        responses={201: TopUpSerializer},
        examples=[EXAMPLE],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Open a page and print its address."""
        asked = NewTopUpSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given: dict[str, Any] = asked.validated_data
        topup = topups.start(
            operator_of(request),
            amount=Money(given["amount"]["amount_micros"], given["amount"]["currency"]),
            gateway=gateway_choice.configured(),
            return_url=given.get("return_url"),
            at=timezone.now(),
        )
        return Response(self.get_serializer(topup).data, status.HTTP_201_CREATED)
