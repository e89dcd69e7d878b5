"""Endpoints for payout admins: draw up, submit, cancel, follow; and reconciliations.

Approving has none: it takes a person with a second factor, and a key is no person.
"""

from datetime import timedelta

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from ledger import by_hand, gateway_choice, missed_events, payouts
from ledger.api.serializers import (
    AllStuckSerializer,
    DifferenceSerializer,
    MissedEventsSerializer,
    NewPayoutBatchSerializer,
    PaymentFileNumberSerializer,
    PayoutBatchSerializer,
    PayoutBatchWithLinesSerializer,
    PayoutSerializer,
    ReasonSerializer,
    ReconciliationSerializer,
    StuckSinceSerializer,
)
from ledger.models import Payout, PayoutBatch, ProviderEvent, Reconciliation
from registry.api.idempotency import idempotent
from registry.api.permissions import HasScope
from registry.ids import find
from registry.models import ApiKey, User

PREPARE, APPROVE = HasScope("payouts:prepare"), HasScope("payouts:approve")
MayRead = PREPARE | APPROVE
"""Either scope: whoever may act on batches may see them and call them off."""


def admin_of(request: Request) -> User:
    """Return the person whose key this is, if it is a payout admin."""
    owner = request.auth.owner if isinstance(request.auth, ApiKey) else None
    if not isinstance(owner, User) or not owner.is_payout_admin:
        raise PermissionDenied("This is for payout admins' keys.")
    return owner


class PayoutBatches(generics.GenericAPIView[PayoutBatch]):
    """All batches."""

    permission_classes = [MayRead]
    serializer_class = PayoutBatchSerializer
    queryset = PayoutBatch.objects.all()

    @extend_schema(
        operation_id="listPayoutBatches",
        summary="List batches",
        responses=PayoutBatchSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Print a page, the latest first."""
        admin_of(request)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="preparePayoutBatch",
        summary="Draw a batch up",
        description="One payout for each creator who can be paid and has the minimum.",
        request=NewPayoutBatchSerializer,
        responses={201: PayoutBatchWithLinesSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Draw up and print the draft."""
        if not PREPARE().has_permission(request, self):
            raise PermissionDenied("This key lacks the scope payouts:prepare.")
        asked = NewPayoutBatchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        currency: str = asked.validated_data["currency"]
        batch = payouts.prepare(admin_of(request), currency=currency, at=timezone.now())
        return Response(PayoutBatchWithLinesSerializer(batch).data, status.HTTP_201_CREATED)


class OnePayoutBatch(generics.GenericAPIView[PayoutBatch]):
    """One batch with its payouts."""

    permission_classes = [MayRead]
    serializer_class = PayoutBatchWithLinesSerializer

    @extend_schema(
        operation_id="getPayoutBatch",
        summary="Read a batch and its payouts",
        responses=PayoutBatchWithLinesSerializer,
    )
    def get(self, request: Request, batch_id: str) -> Response:
        """Print the batch."""
        admin_of(request)
        batches = PayoutBatch.objects.prefetch_related("payouts")
        return Response(self.get_serializer(find(batches, batch_id)).data)


class Submission(generics.GenericAPIView[PayoutBatch]):
    """The freezing of a batch."""

    permission_classes = [PREPARE]
    serializer_class = PayoutBatchSerializer

    @extend_schema(
        operation_id="submitPayoutBatch",
        summary="Submit a batch for approval",
        description="Its lines are frozen; the digest says which lines an approval is for.",
        request=None,
        responses=PayoutBatchSerializer,
    )
    @idempotent
    def post(self, request: Request, batch_id: str) -> Response:
        """Submit and print the batch."""
        batch = find(PayoutBatch.objects.all(), batch_id)
        batch = payouts.submit(batch, admin_of(request), at=timezone.now())
        return Response(self.get_serializer(batch).data)


class Cancellation(generics.GenericAPIView[PayoutBatch]):
    """The end of what has not been sent."""

    permission_classes = [MayRead]
    serializer_class = PayoutBatchSerializer

    @extend_schema(
        operation_id="cancelPayoutBatch",
        summary="Cancel what has not been sent of a batch",
        request=None,
        responses=PayoutBatchSerializer,
    )
    @idempotent
    def post(self, request: Request, batch_id: str) -> Response:
        """Cancel and print the batch."""
        batch = find(PayoutBatch.objects.all(), batch_id)
        batch = payouts.cancel(batch, admin_of(request), at=timezone.now())
        return Response(self.get_serializer(batch).data)


class Issue(generics.GenericAPIView[PayoutBatch]):
    """The handing over of payouts to a bank."""

    permission_classes = [APPROVE]
    serializer_class = PayoutBatchSerializer

    @extend_schema(
        operation_id="issuePaymentFile",
        summary="Take the payouts by bank to `sending`, so that their payment file may be given "
        "to the bank",
        request=None,
        responses=PayoutBatchSerializer,
    )
    @idempotent
    def post(self, request: Request, batch_id: str) -> Response:
        """Issue and print the batch."""
        batch = find(PayoutBatch.objects.all(), batch_id)
        by_hand.issue(batch, admin_of(request), at=timezone.now())
        batch.refresh_from_db()
        return Response(self.get_serializer(batch).data)


class PaymentFile(generics.GenericAPIView[PayoutBatch]):
    """What the bank is given."""

    permission_classes = [MayRead]

    @extend_schema(
        operation_id="getPaymentFile",
        summary="Download a payment file (ISO 20022 pain.001.001.09) that was issued",
        description="A batch has several where some of its payouts were issued later; each payout "
        "stands in one of them. Without a number it is the newest.",
        parameters=[PaymentFileNumberSerializer],
        responses={(200, "application/xml"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, batch_id: str) -> HttpResponse:
        """Send the XML as a file."""
        batch = find(PayoutBatch.objects.all(), batch_id)
        asked = PaymentFileNumberSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        file = by_hand.hand_over(
            batch, admin_of(request), at=timezone.now(), number=asked.validated_data.get("number")
        )
        return HttpResponse(
            bytes(file.content),
            content_type="application/xml; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{file.message_id}.xml"',
                "Cache-Control": "no-store",
            },
        )


class MarkPaid(generics.GenericAPIView[Payout]):
    """The bank's yes, by hand."""

    permission_classes = [APPROVE]
    serializer_class = PayoutSerializer

    @extend_schema(
        operation_id="markPayoutPaid",
        summary="Say that the bank paid a payout; not by who drew its batch up",
        request=None,
        responses=PayoutSerializer,
    )
    @idempotent
    def post(self, request: Request, payout_id: str) -> Response:
        """Mark and print the payout."""
        payout = find(Payout.objects.all(), payout_id)
        payout = by_hand.mark_paid(payout, admin_of(request), at=timezone.now())
        return Response(self.get_serializer(payout).data)


class MarkFailed(generics.GenericAPIView[Payout]):
    """The bank's no, by hand."""

    permission_classes = [APPROVE]
    serializer_class = PayoutSerializer

    @extend_schema(
        operation_id="markPayoutFailed",
        summary="Say that the bank refused a payout or sent it back; not by who drew its batch up",
        request=ReasonSerializer,
        responses=PayoutSerializer,
    )
    @idempotent
    def post(self, request: Request, payout_id: str) -> Response:
        """Mark and print the payout."""
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        reason: str = asked.validated_data["reason"]
        payout = find(Payout.objects.all(), payout_id)
        payout = by_hand.mark_failed(payout, admin_of(request), reason=reason, at=timezone.now())
        return Response(self.get_serializer(payout).data)


class StuckPayouts(generics.GenericAPIView[Payout]):
    """What waits for a person."""

    permission_classes = [MayRead]

    @extend_schema(
        operation_id="listStuckPayouts",
        summary="List payouts, batches and events that have waited too long, and what resolves them",
        parameters=[StuckSinceSerializer],
        responses=AllStuckSerializer,
    )
    def get(self, request: Request) -> Response:
        """Print all, the oldest first."""
        admin_of(request)
        asked = StuckSinceSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        older_than = timedelta(hours=asked.validated_data["hours"])
        found = payouts.stuck(at=timezone.now(), older_than=older_than)
        return Response(AllStuckSerializer({"items": found}).data)


class Difference(generics.GenericAPIView[Payout]):
    """Another transfer than was asked for."""

    permission_classes = [APPROVE]
    serializer_class = PayoutSerializer

    @extend_schema(
        operation_id="settlePayoutDifference",
        summary="Settle that the provider had another transfer, once that was taken back",
        request=DifferenceSerializer,
        responses=PayoutSerializer,
    )
    @idempotent
    def post(self, request: Request, payout_id: str) -> Response:
        """Settle and print the payout."""
        asked = DifferenceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        payout = payouts.settle_difference(
            find(Payout.objects.all(), payout_id),
            admin_of(request),
            gateway=gateway_choice.configured(),
            at=timezone.now(),
            **asked.validated_data,
        )
        return Response(self.get_serializer(payout).data)


class Resumption(generics.GenericAPIView[PayoutBatch]):
    """The going on of a batch whose lines had changed."""

    permission_classes = [APPROVE]
    serializer_class = PayoutBatchSerializer

    @extend_schema(
        operation_id="resumePayoutBatch",
        summary="Let a batch go on whose lines had changed and are again those approved",
        request=ReasonSerializer,
        responses=PayoutBatchSerializer,
    )
    @idempotent
    def post(self, request: Request, batch_id: str) -> Response:
        """Resume and print the batch."""
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        batch = find(PayoutBatch.objects.all(), batch_id)
        reason: str = asked.validated_data["reason"]
        batch = payouts.resume(batch, admin_of(request), reason=reason, at=timezone.now())
        return Response(self.get_serializer(batch).data)


class Reconciliations(generics.GenericAPIView[Reconciliation]):
    """Comparisons of the books with the provider."""

    permission_classes = [MayRead]
    serializer_class = ReconciliationSerializer
    queryset = Reconciliation.objects.all()

    @extend_schema(
        operation_id="listReconciliations",
        summary="List comparisons of the books with the provider",
        responses=ReconciliationSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Print a page, the latest first."""
        admin_of(request)
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class MissedEvents(generics.GenericAPIView[ProviderEvent]):
    """What no webhook told."""

    permission_classes = [MayRead]

    @extend_schema(
        operation_id="countMissedEvents",
        summary="Count the provider's events of the last 30 days that no webhook told",
        description="They were found in the provider's own list of events, and are worked through "
        "like any other. Many of them mean that webhooks do not reach us.",
        responses=MissedEventsSerializer,
    )
    def get(self, request: Request) -> Response:
        """Print the counts, and how well the lists are read."""
        admin_of(request)
        found = missed_events.report(at=timezone.now())
        return Response(MissedEventsSerializer(found).data)
