"""Who signs usage reports, and what about them is odd, over HTTP."""

import base64
import binascii
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from attribution import usage_reports
from attribution.models import ReportKey, UsageFlag
from attribution.usage_reports import Said
from ledger.api.views.payouts import admin_of
from registry.api.callers import operator_of
from registry.api.fields import FlagField, TextField
from registry.api.parsing import BodyTooLarge
from registry.api.permissions import HasScope
from registry.api.serializers import StrictSerializer
from registry.ids import find
from registry.models import ApiKey, Operator
from tribute import report_signatures

LONGEST_KEY = 64
REVIEW = HasScope("attribution:review")
SIGNATURE = OpenApiParameter(
    report_signatures.HEADER,
    str,
    OpenApiParameter.HEADER,
    description="A detached JWS (EdDSA) over the bytes of the body, its protected header with the "
    "report key's id (`kid`) and this report's consecutive number (`seq`).",
)


@extend_schema_field({"type": "string", "format": "byte"})
class Base64Field(serializers.Field[bytes, Any, str, Any]):
    """Bytes in base64."""

    def to_internal_value(self, data: Any) -> bytes:
        """Return the bytes."""
        if not isinstance(data, str) or len(data) > LONGEST_KEY:
            raise ValidationError("This is not base64.")
        try:
            return base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise ValidationError("This is not base64.") from None

    def to_representation(self, value: Any) -> str:
        """Write the bytes."""
        return base64.b64encode(bytes(value)).decode()


class NewReportKeySerializer(StrictSerializer):
    """A public key to register."""

    name = TextField(max_length=80)
    public_key = Base64Field(help_text="32 bytes of Ed25519, in base64.")


class ReportKeySerializer(serializers.Serializer[ReportKey]):
    """A key with which reports are signed."""

    id = serializers.CharField()
    name = serializers.CharField()
    public_key = Base64Field()
    created_at = serializers.DateTimeField()
    revoked_at = serializers.DateTimeField(allow_null=True)


class UsagePolicySerializer(StrictSerializer):
    """Whether unsigned reports are refused."""

    signature_required = FlagField(
        help_text="Send true to have unsigned reports refused; only the platform takes it back."
    )

    def validate_signature_required(self, required: bool) -> bool:  # noqa: FBT001 - DRF's signature
        """Let an operator bind itself, not free itself."""
        if not required:
            raise ValidationError("Only the platform's admins take this back.")
        return required


class UsageFlagSerializer(serializers.Serializer[UsageFlag]):
    """Something odd about reported usage; nothing was dropped for it."""

    id = serializers.CharField()
    operator = serializers.CharField(source="operator_id")
    kind = serializers.ChoiceField(UsageFlag.Kind.choices)
    key = serializers.CharField(source="key_id", allow_null=True)
    first = serializers.IntegerField(allow_null=True)
    last = serializers.IntegerField(allow_null=True)
    detail = serializers.CharField()
    found_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolution = serializers.CharField()


class ResolutionSerializer(StrictSerializer):
    """What a person found out."""

    resolution = TextField(max_length=400)


def said_in(request: Request, operator: Operator) -> Said | None:
    """Verify a report's signature over the body as it came; call before the body is parsed."""
    signature = request.headers.get(report_signatures.HEADER)
    if signature is None:
        return usage_reports.read(operator, None, b"")
    try:
        body = request._request.body  # noqa: SLF001 - DRF's own would parse it first
    except RequestDataTooBig as error:
        raise BodyTooLarge("The body is too large; nothing was kept.") from error
    return usage_reports.read(operator, signature, body)


class ReportKeys(ListAPIView[ReportKey]):
    """The keys with which the operator signs its reports."""

    permission_classes = [HasScope("models:write")]
    serializer_class = ReportKeySerializer

    def get_queryset(self) -> QuerySet[ReportKey]:
        """Choose the caller's own."""
        return operator_of(self.request).report_keys.all()

    @extend_schema(operation_id="listReportKeys", summary="List the keys you sign reports with")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List keys, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        operation_id="registerReportKey",
        summary="Register a public key to sign reports with",
        request=NewReportKeySerializer,
        responses={201: ReportKeySerializer},
    )
    def post(self, request: Request) -> Response:
        """Register, and print the id that signatures name."""
        asked = NewReportKeySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        key = usage_reports.register_key(
            operator_of(request), **asked.validated_data, at=timezone.now()
        )
        return Response(ReportKeySerializer(key).data, status.HTTP_201_CREATED)


class RevokedReportKey(APIView):
    """A report key that signs no more."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="revokeReportKey",
        summary="Let a key sign no more",
        request=None,
        responses=ReportKeySerializer,
    )
    def post(self, request: Request, key_id: str) -> Response:
        """Revoke and print it."""
        key = find(operator_of(request).report_keys.all(), key_id)
        usage_reports.revoke_key(key, at=timezone.now())
        key.refresh_from_db()
        return Response(ReportKeySerializer(key).data)


class UsagePolicy(APIView):
    """Whether the operator must sign."""

    permission_classes = [HasScope("models:write")]

    @extend_schema(
        operation_id="getUsagePolicy",
        summary="Read whether your unsigned reports are refused",
        responses=UsagePolicySerializer,
    )
    def get(self, request: Request) -> Response:
        """Print the policy."""
        return Response({"signature_required": usage_reports.must_sign(operator_of(request))})

    @extend_schema(
        operation_id="putUsagePolicy",
        summary="Have your unsigned reports refused",
        request=UsagePolicySerializer,
        responses=UsagePolicySerializer,
    )
    def put(self, request: Request) -> Response:
        """Set and print the policy."""
        asked = UsagePolicySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        usage_reports.set_policy(operator_of(request), **asked.validated_data, at=timezone.now())
        return Response(asked.validated_data)


class UsageFlags(ListAPIView[UsageFlag]):
    """What is odd about reported usage: an operator's own, or everybody's for an admin."""

    permission_classes = [HasScope("queries:write") | REVIEW]
    serializer_class = UsageFlagSerializer

    def get_queryset(self) -> QuerySet[UsageFlag]:
        """Choose the caller's own; all of them for an admin."""
        auth = self.request.auth
        if isinstance(auth, ApiKey) and auth.operator is not None:
            return UsageFlag.objects.filter(operator=auth.operator)
        admin_of(self.request)
        return UsageFlag.objects.all()

    @extend_schema(operation_id="listUsageFlags", summary="List what is odd about reported usage")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List flags, newest first."""
        return super().get(request, *args, **kwargs)


class ResolvedUsageFlag(APIView):
    """A flag that an admin has looked into."""

    permission_classes = [REVIEW]

    @extend_schema(
        operation_id="resolveUsageFlag",
        summary="Close a flag with what you found out",
        request=ResolutionSerializer,
        responses=UsageFlagSerializer,
    )
    def post(self, request: Request, flag_id: str) -> Response:
        """Resolve and print it."""
        admin = admin_of(request)
        asked = ResolutionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        flag = find(UsageFlag.objects.all(), flag_id)
        usage_reports.resolve(flag, by=admin, at=timezone.now(), **asked.validated_data)
        return Response(UsageFlagSerializer(flag).data)
