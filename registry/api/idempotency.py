"""Idempotency-Key: saying a request that moves money twice does it once.

After draft-ietf-httpapi-idempotency-key-header-07. The key belongs to one caller and one route; the
body's digest is kept beside it. The record is committed before the view runs and holds the answer
afterwards, so a repeat gets the same answer, a repeat with another body is refused, and one that
overtakes the first is told to wait. A process killed in between leaves the record open: after
ABANDONED_AFTER the view may run again, which is safe because the domain's own references are
idempotent too.
"""

import functools
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from registry.errors import (
    IdempotencyKeyInFlight,
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
)
from registry.models import ApiKey, IdempotentRequest

ABANDONED_AFTER = timedelta(minutes=2)
HEADER = "Idempotency-Key"
LONGEST_KEY = 255

View = TypeVar("View", bound=Callable[..., Response])


def idempotent(view: View) -> View:
    """Run an APIView method once for each Idempotency-Key of its caller.

    The view must answer with JSON. Answers of 500 and more, and exceptions, are not kept: the
    caller may repeat the request with the same key.
    """

    @functools.wraps(view)
    def once(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        record = _open(request, at=timezone.now())
        if record.status is not None:
            return Response(
                record.answer, status=record.status, headers={"Idempotent-Replayed": "true"}
            )
        try:
            response = view(self, request, *args, **kwargs)
        except BaseException:
            record.delete()
            raise
        record.status, record.answer = response.status_code, response.data
        record.save(update_fields=["status", "answer"])
        return response

    described = extend_schema(
        parameters=[
            OpenApiParameter(
                HEADER,
                {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
                OpenApiParameter.HEADER,
                required=True,
                description="Any text up to 255 characters that names this request for good.",
            )
        ]
    )
    return described(once)  # type: ignore[return-value]


def _open(request: Request, *, at: datetime) -> IdempotentRequest:
    """Return a fresh record, or the finished one of an earlier request.

    Raises IdempotencyKeyMissing, IdempotencyKeyReused, IdempotencyKeyInFlight.
    """
    key = request.headers.get(HEADER, "")
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise IdempotencyKeyMissing(
            f"send the header {HEADER} with 1 to {LONGEST_KEY} printable characters"
        )
    fingerprint = _fingerprint(request)
    assert isinstance(request.auth, ApiKey), "every caller of the API has a key"
    name = {"caller": str(request.auth.owner.pk), "route": request.path, "key": key}
    try:
        with transaction.atomic():
            return IdempotentRequest.objects.create(fingerprint=fingerprint, opened_at=at, **name)
    except IntegrityError:
        earlier = IdempotentRequest.objects.get(**name)
    if bytes(earlier.fingerprint) != fingerprint:
        raise IdempotencyKeyReused(f"{HEADER} {key!r} came before with another body")
    if earlier.status is None and not _take_over(earlier, at=at):
        raise IdempotencyKeyInFlight(f"the first request with {HEADER} {key!r} is still at work")
    return earlier


def _take_over(earlier: IdempotentRequest, *, at: datetime) -> bool:
    """Claim a record whose process died; true for the one caller who gets it."""
    stale = IdempotentRequest.objects.filter(
        pk=earlier.pk, status=None, opened_at__lt=at - ABANDONED_AFTER
    )
    return stale.update(opened_at=at) == 1


def _fingerprint(request: Request) -> bytes:
    return hashlib.sha256(request.method.encode() + b"\0" + request._request.body).digest()  # type: ignore[union-attr]  # noqa: SLF001 - the raw body, before parsing
