"""Endpoints for what takes two payout admins: propose, try, read, withdraw.

Confirming has none: it takes a person with a second factor, and a key is no person.
"""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from ledger import gateway_choice, proposals
from ledger.api.serializers import (
    NewProposalSerializer,
    ProposalsAskedSerializer,
    ProposalSerializer,
    ReasonSerializer,
)
from ledger.api.views.payouts import PREPARE, MayRead, admin_of
from ledger.models import Proposal
from ledger.proposed_deeds import propose
from registry.api.idempotency import idempotent
from registry.ids import find


class Proposals(generics.GenericAPIView[Proposal]):
    """All proposals."""

    permission_classes = [MayRead]
    serializer_class = ProposalSerializer
    queryset = Proposal.objects.all()

    @extend_schema(
        operation_id="listProposals",
        summary="List what was proposed about money",
        parameters=[ProposalsAskedSerializer],
        responses=ProposalSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Print a page, the latest first."""
        admin_of(request)
        asked = ProposalsAskedSerializer(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        rows = self.get_queryset()
        if wanted := asked.validated_data.get("status"):
            rows = rows.filter(status=wanted)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="propose",
        summary="Propose to book a difference, take a payout back, or give money set aside away",
        description="Another admin confirms it on the page *Proposals*, exactly as it is here. A dry "
        "run keeps nothing, and prints what would be proposed, without an id.",
        request=NewProposalSerializer,
        responses={201: ProposalSerializer, 200: ProposalSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Propose and print what a second admin is to confirm."""
        if not PREPARE().has_permission(request, self):
            raise PermissionDenied("This key lacks the scope payouts:prepare.")
        asked = NewProposalSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        dry_run: bool = asked.validated_data["dry_run"]
        proposal = propose(
            asked.asked(),
            admin_of(request),
            gateway=gateway_choice.configured(),
            reason=asked.validated_data["reason"],
            at=timezone.now(),
            dry_run=dry_run,
        )
        done = status.HTTP_200_OK if dry_run else status.HTTP_201_CREATED
        return Response(self.get_serializer(proposal).data, done)


class OneProposal(generics.GenericAPIView[Proposal]):
    """One proposal."""

    permission_classes = [MayRead]
    serializer_class = ProposalSerializer

    @extend_schema(
        operation_id="getProposal",
        summary="Read a proposal and what became of it",
        responses=ProposalSerializer,
    )
    def get(self, request: Request, proposal_id: str) -> Response:
        """Print the proposal."""
        admin_of(request)
        return Response(self.get_serializer(find(Proposal.objects.all(), proposal_id)).data)


class Withdrawal(generics.GenericAPIView[Proposal]):
    """The end of a proposal that nobody confirms."""

    permission_classes = [MayRead]
    serializer_class = ProposalSerializer

    @extend_schema(
        operation_id="withdrawProposal",
        summary="Withdraw an open proposal; any payout admin may",
        request=ReasonSerializer,
        responses=ProposalSerializer,
    )
    @idempotent
    def post(self, request: Request, proposal_id: str) -> Response:
        """Withdraw and print the proposal."""
        asked = ReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        proposal = find(Proposal.objects.all(), proposal_id)
        reason: str = asked.validated_data["reason"]
        proposal = proposals.withdraw(proposal, admin_of(request), reason=reason, at=timezone.now())
        return Response(self.get_serializer(proposal).data)
