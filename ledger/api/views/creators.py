"""Endpoints for creators: what was earned, statements of account, being paid."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ledger import payees, statement_pdf, statements
from ledger.api.serializers import (
    AllEarningsSerializer,
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


class StatementDocument(APIView):
    """The creator's accounts in one month, as a document to file."""

    permission_classes = [HasScope("earnings:read")]

    @extend_schema(
        operation_id="getStatementOfAccountAsPdf",
        summary="Download a month's statement of account as PDF",
        parameters=[PERIOD],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, period: str) -> HttpResponse:
        """Send the PDF as a file."""
        return HttpResponse(
            statement_pdf.render(creator_of(request), period),
            content_type="application/pdf",
            headers={
                "Content-Disposition": f'attachment; filename="statement-{period}.pdf"',
                "Cache-Control": "no-store",
            },
        )


class Payee(APIView):
    """The creator's account at the payment provider.

    Read only: whoever gives the provider bank details decides where the money goes, so onboarding
    asks for a person who has just signed in, never for a key.
    """

    permission_classes = [HasScope("earnings:read")]

    @extend_schema(
        operation_id="getPayee",
        summary="Read whether you can be paid",
        responses={
            200: PayeeSerializer,
            404: OpenApiResponse(description="You have no account at the payment provider yet."),
        },
    )
    def get(self, request: Request) -> Response:
        """Print what the provider last said."""
        creator = creator_of(request)
        payee = payees.of(creator)
        if payee is None:
            raise NoPayee(f"{creator.pk} has no account at the payment provider yet")
        return Response(PayeeSerializer(payee).data)
