"""Endpoints for webhooks: where events are sent, what was sent, and sending it again."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from registry.api.fields import TextField
from registry.api.permissions import HasScope
from registry.api.serializers import StrictSerializer
from registry.errors import NotFound
from registry.ids import find
from registry.models import (
    ApiKey,
    Creator,
    Operator,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from registry.webhooks import endpoints, events, sending
from tribute import ids

EVENT_TYPES = [(e, e) for e in sorted(endpoints.OPERATOR_EVENTS | endpoints.CREATOR_EVENTS)]
MayHear = HasScope("webhooks:write")


class NewWebhookSerializer(StrictSerializer):
    """An address, and the events to send there."""

    url = TextField(max_length=500, help_text="https, on a public name.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=EVENT_TYPES), min_length=1, max_length=20
    )


class WebhookSerializer(serializers.Serializer[WebhookEndpoint]):
    """Where events are sent. `failing_since`: nothing has arrived from then on."""

    id = serializers.CharField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    failing_since = serializers.DateTimeField(allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    disabled_reason = serializers.CharField()


class WebhookWithSecretSerializer(WebhookSerializer):
    """Where events are sent, and the secret that signs them (`whsec_…`)."""

    secret = serializers.SerializerMethodField()
    previous_secret_until = serializers.DateTimeField(allow_null=True)

    def get_secret(self, endpoint: WebhookEndpoint) -> str:
        """Derive it."""
        return endpoints.secret(endpoint)


class AttemptSerializer(serializers.Serializer[WebhookAttempt]):
    """One try: the HTTP status, or why there was none."""

    tried_at = serializers.DateTimeField()
    answered = serializers.IntegerField(allow_null=True)
    trouble = serializers.CharField()


class DeliverySerializer(serializers.Serializer[WebhookDelivery]):
    """One event on its way to one endpoint. `event` is the message's `webhook-id`."""

    id = serializers.CharField()
    event = serializers.CharField(source="event_id")
    type = serializers.CharField(source="event.type")
    subject = serializers.CharField(source="event.subject")
    occurred_at = serializers.DateTimeField(source="event.occurred_at")
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in WebhookDelivery.Status])
    next_attempt_at = serializers.SerializerMethodField()
    delivered_at = serializers.DateTimeField(allow_null=True)
    attempts = AttemptSerializer(many=True)

    def get_next_attempt_at(self, delivery: WebhookDelivery) -> str | None:
        """Return when it is due, unless it is over."""
        is_over = delivery.status != WebhookDelivery.Status.PENDING
        return None if is_over else serializers.DateTimeField().to_representation(delivery.due_at)


def owner_of(request: Request) -> Creator | Operator:
    """Return whose webhooks the caller asks about."""
    owner = request.auth.owner if isinstance(request.auth, ApiKey) else None
    if not isinstance(owner, Creator | Operator):
        raise NotFound("persons have no webhooks")
    return owner


class _OfOne(generics.GenericAPIView[WebhookEndpoint]):
    """What concerns one of the caller's endpoints."""

    permission_classes = [MayHear]
    serializer_class = WebhookSerializer

    def endpoint(self, webhook_id: str) -> WebhookEndpoint:
        """Return the caller's endpoint. Raises NotFound for others' and unknown ones."""
        return find(endpoints.of(owner_of(self.request)), webhook_id)


class Webhooks(generics.GenericAPIView[WebhookEndpoint]):
    """The caller's endpoints."""

    permission_classes = [MayHear]
    serializer_class = WebhookSerializer

    def get_queryset(self) -> QuerySet[WebhookEndpoint]:
        """Choose the caller's own."""
        return endpoints.of(owner_of(self.request))

    @extend_schema(
        operation_id="listWebhooks",
        summary="List your webhooks",
        responses=WebhookSerializer(many=True),
    )
    def get(self, _request: Request) -> Response:
        """Print a page of endpoints, the latest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="addWebhook",
        summary="Have events sent to an address",
        description="As the Standard Webhooks specification says: POST with `webhook-id`, "
        "`webhook-timestamp` and `webhook-signature` (`v1,` and HMAC-SHA256 of id, timestamp and "
        "body, joined by full stops). Answer 2xx within five seconds. Otherwise it is sent again "
        "for some three days; a message may come twice, under the same id.",
        request=NewWebhookSerializer,
        responses={201: WebhookWithSecretSerializer},
    )
    def post(self, request: Request) -> Response:
        """Add it and print its secret."""
        given = _given(request)
        endpoint = endpoints.add(owner_of(request), **given, at=timezone.now())
        printed = WebhookWithSecretSerializer(endpoint).data
        location = request.build_absolute_uri(f"/v1/webhooks/{endpoint.pk}")
        return Response(printed, status.HTTP_201_CREATED, headers={"Location": location})


class OneWebhook(_OfOne):
    """One of the caller's endpoints."""

    @extend_schema(
        operation_id="getWebhook",
        summary="Read a webhook and its secret",
        responses=WebhookWithSecretSerializer,
    )
    def get(self, _request: Request, webhook_id: str) -> Response:
        """Print it."""
        return Response(WebhookWithSecretSerializer(self.endpoint(webhook_id)).data)

    @extend_schema(
        operation_id="changeWebhook",
        summary="Send to another address, or other events",
        request=NewWebhookSerializer,
        responses=WebhookSerializer,
    )
    def put(self, request: Request, webhook_id: str) -> Response:
        """Change and print it."""
        endpoint = self.endpoint(webhook_id)
        endpoints.change(endpoint, **_given(request))
        return Response(WebhookSerializer(endpoint).data)

    @extend_schema(operation_id="removeWebhook", summary="Remove a webhook", responses={204: None})
    def delete(self, _request: Request, webhook_id: str) -> Response:
        """Close it; what was sent stays on record."""
        endpoints.close(self.endpoint(webhook_id), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class WebhookRotation(_OfOne):
    """A new secret."""

    @extend_schema(
        operation_id="rotateWebhookSecret",
        summary="Begin a new secret",
        description="For a day both sign: `webhook-signature` then holds two.",
        request=None,
        responses=WebhookWithSecretSerializer,
    )
    def post(self, _request: Request, webhook_id: str) -> Response:
        """Rotate, and print the new secret."""
        endpoint = self.endpoint(webhook_id)
        endpoints.rotate(endpoint, at=timezone.now())
        return Response(WebhookWithSecretSerializer(endpoint).data)


class WebhookTest(_OfOne):
    """A message to see whether it arrives."""

    @extend_schema(
        operation_id="testWebhook",
        summary="Send a test event",
        request=None,
        responses={202: DeliverySerializer},
    )
    def post(self, _request: Request, webhook_id: str) -> Response:
        """Queue it and print the delivery."""
        number = str(ids.new_uuid7())
        delivery = events.test(self.endpoint(webhook_id), number=number, at=timezone.now())
        return Response(DeliverySerializer(delivery).data, status.HTTP_202_ACCEPTED)


class WebhookEnabling(_OfOne):
    """An endpoint that was disabled, again."""

    @extend_schema(
        operation_id="enableWebhook",
        summary="Send again to a webhook that was disabled",
        description="What was waiting is sent first.",
        request=None,
        responses=WebhookSerializer,
    )
    def post(self, _request: Request, webhook_id: str) -> Response:
        """Enable and print it."""
        endpoint = self.endpoint(webhook_id)
        endpoints.enable(endpoint)
        return Response(WebhookSerializer(endpoint).data)


class Deliveries(generics.GenericAPIView[WebhookDelivery]):
    """What was sent to one of the caller's endpoints."""

    permission_classes = [MayHear]
    serializer_class = DeliverySerializer

    def get_queryset(self) -> QuerySet[WebhookDelivery]:
        """Choose those of the endpoint named."""
        endpoint = find(endpoints.of(owner_of(self.request)), self.kwargs["webhook_id"])
        return endpoint.deliveries.select_related("event").prefetch_related("attempts")

    @extend_schema(
        operation_id="listWebhookDeliveries",
        summary="Read what was sent, and what came of each attempt",
        responses=DeliverySerializer(many=True),
    )
    def get(self, _request: Request, webhook_id: str) -> Response:
        """Print a page of deliveries, the latest first."""
        del webhook_id
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class Replay(generics.GenericAPIView[WebhookDelivery]):
    """A delivery, again."""

    permission_classes = [MayHear]
    serializer_class = DeliverySerializer

    @extend_schema(
        operation_id="replayWebhookDelivery",
        summary="Send a message again",
        description="The same message under the same id, whether it arrived before or not.",
        request=None,
        responses={202: DeliverySerializer},
    )
    def post(self, request: Request, delivery_id: str) -> Response:
        """Queue it again and print the delivery."""
        own = WebhookDelivery.objects.filter(endpoint__in=endpoints.of(owner_of(request)))
        delivery = find(own.select_related("event"), delivery_id)
        sending.replay(delivery, at=timezone.now())
        return Response(DeliverySerializer(delivery).data, status.HTTP_202_ACCEPTED)


def _given(request: Request) -> dict[str, Any]:
    asked = NewWebhookSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    given: dict[str, Any] = asked.validated_data
    return given
