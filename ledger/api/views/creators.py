"""Endpoints for creators: what was earned, statements of account, being paid."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger import gateway_choice, payees, statements
from ledger.api.serializers import (
    AllEarningsSerializer,
    NewOnboardingSerializer,
    OnboardingSerializer,
    PayeeSerializer,
)
from ledger.errors import NoPayee
from registry.api.callers import creator_of
from registry.api.permissions import HasScope

PERIOD = OpenApiParameter("period", str, OpenApiParameter.PATH, description="A month: YYYY-MM.")


class Earnings(APIView):
    """The creator's money."""

    permission_classes = [HasScope("earnings:read")]

    @extend_schema(
        operation_id="getEarnings", summary="Read your earnings", responses=AllEarningsSerializer
    )
    def get(self, request: Request) -> Response:
        """Print one row a currency."""
        creator = creator_of(request)
        rows = [
            statements.earnings(creator, currency=code)
            for code in statements.currencies_of(creator)
        ]
        return Response(AllEarningsSerializer({"earnings": rows}).data)


class StatementOfAccount(APIView):
    """The creator's accounts in one month."""

    permission_classes = [HasScope("earnings:read")]

    @extend_schema(
        operation_id="getStatementOfAccount",
        summary="Download a month's statement of account",
        parameters=[PERIOD],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, period: str) -> HttpResponse:
        """Send the CSV as a file."""
        text = statements.csv(creator_of(request), period)
        return HttpResponse(
            text,
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="statement-{period}.csv"',
                "Cache-Control": "no-store",
            },
        )


class Payee(APIView):
    """The creator's account at the payment provider."""

    permission_classes = [HasScope("earnings:read")]

    @extend_schema(
        operation_id="getPayee", summary="Read whether you can be paid", responses=PayeeSerializer
    )
    def get(self, request: Request) -> Response:
        """Print what the provider last said."""
        creator = creator_of(request)
        payee = payees.of(creator)
        if payee is None:
            raise NoPayee(f"{creator.pk} has no account at the payment provider yet")
        return Response(PayeeSerializer(payee).data)

    @extend_schema(
        operation_id="onboardPayee",
        summary="Begin or continue to identify yourself to the payment provider",
        request=NewOnboardingSerializer,
        responses=OnboardingSerializer,
    )
    def post(self, request: Request) -> Response:
        """Mint a link."""
        asked = NewOnboardingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        url = payees.onboard(
            creator_of(request),
            **asked.validated_data,
            gateway=gateway_choice.configured(),
            at=timezone.now(),
        )
        return Response(OnboardingSerializer({"url": url}).data)
