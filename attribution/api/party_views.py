"""Operators and creators who may belong together, over HTTP."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import related_parties
from attribution.api.shadow_views import DecisionReasonSerializer
from attribution.api.usage_views import REVIEW
from attribution.models import RelatedParty
from ledger.api.views.payouts import admin_of
from registry.api.fields import TextField
from registry.api.permissions import HasScope
from registry.api.serializers import StrictSerializer
from registry.ids import find
from registry.models import ApiKey, Creator, Operator

DECLARE = HasScope("models:write") | HasScope("works:write")


class DeclarationSerializer(StrictSerializer):
    """Who belongs to the caller: an operator names a creator, a creator an operator."""

    party = TextField(max_length=40)
    note = TextField(max_length=400)


class RelatedPartySerializer(serializers.Serializer[RelatedParty]):
    """A sign that an operator and a creator belong together."""

    id = serializers.CharField()
    operator = serializers.CharField(source="operator_id")
    creator = serializers.CharField(source="creator_id")
    kind = serializers.ChoiceField(RelatedParty.Kind.choices)
    state = serializers.ChoiceField(RelatedParty.State.choices)
    found_at = serializers.DateTimeField()
    reviewed_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class ReviewedPartySerializer(RelatedPartySerializer):
    """The same with its evidence, for those who review it."""

    evidence = serializers.CharField(required=False, help_text="For admins alone.")


class RelatedParties(ListAPIView[RelatedParty]):
    """Relations: those that concern the caller, or everybody's for an admin."""

    permission_classes = [DECLARE | REVIEW]

    def get_queryset(self) -> QuerySet[RelatedParty]:
        """Choose what concerns the caller. What was cleared concerns nobody but admins."""
        auth = self.request.auth
        assert isinstance(auth, ApiKey), "the scope was checked"
        if auth.user is not None:
            admin_of(self.request)
            return RelatedParty.objects.all()
        mine = Q(operator=auth.operator) if auth.operator else Q(creator=auth.creator)
        known = Q(state=RelatedParty.State.CONFIRMED) | Q(kind=RelatedParty.Kind.DECLARED)
        return RelatedParty.objects.filter(mine & known)

    def get_serializer_class(self) -> type[RelatedPartySerializer]:
        """Print the evidence, which names people, to admins alone."""
        auth = self.request.auth
        for_admin = isinstance(auth, ApiKey) and auth.user is not None
        return ReviewedPartySerializer if for_admin else RelatedPartySerializer

    @extend_schema(
        operation_id="listRelatedParties",
        summary="List relations: your confirmed and declared ones, or all for an admin",
        responses=ReviewedPartySerializer(many=True),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List relations, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="declareRelatedParty",
        summary="Say that an operator or creator belongs to you",
        description="An admin reviews it. Confirmed, the creator earns nothing from the operator.",
        request=DeclarationSerializer,
        responses={201: RelatedPartySerializer},
    )
    def post(self, request: Request) -> Response:
        """Declare and print it."""
        auth = request.auth
        if not isinstance(auth, ApiKey) or auth.user is not None:
            raise PermissionDenied("This is for operators' and creators' keys.")
        asked = DeclarationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        party: str = asked.validated_data["party"]
        operator = auth.operator or find(Operator.objects.all(), party)
        creator = auth.creator or find(Creator.objects.filter(erased_at=None), party)
        found = related_parties.declare(
            operator, creator, note=asked.validated_data["note"], at=timezone.now()
        )
        return Response(RelatedPartySerializer(found).data, status.HTTP_201_CREATED)


class _Reviewed(APIView):
    """A relation that an admin has looked into."""

    permission_classes = [REVIEW]
    confirmed: bool

    def _review(self, request: Request, party_id: str) -> Response:
        admin = admin_of(request)
        asked = DecisionReasonSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        party = find(RelatedParty.objects.all(), party_id)
        related_parties.review(
            party, admin, confirmed=self.confirmed, at=timezone.now(), **asked.validated_data
        )
        return Response(ReviewedPartySerializer(party).data)


class ConfirmedRelatedParty(_Reviewed):
    """A relation that holds: nothing is earned by it."""

    confirmed = True

    @extend_schema(
        operation_id="confirmRelatedParty",
        summary="Confirm a relation: the creator earns nothing from the operator from now on",
        request=DecisionReasonSerializer,
        responses=ReviewedPartySerializer,
    )
    def post(self, request: Request, party_id: str) -> Response:
        """Confirm and print it."""
        return self._review(request, party_id)


class ClearedRelatedParty(_Reviewed):
    """A sign that means nothing."""

    confirmed = False

    @extend_schema(
        operation_id="clearRelatedParty",
        summary="Clear a relation: they are strangers to each other",
        request=DecisionReasonSerializer,
        responses=ReviewedPartySerializer,
    )
    def post(self, request: Request, party_id: str) -> Response:
        """Clear and print it."""
        return self._review(request, party_id)
