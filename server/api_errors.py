"""Domain error → HTTP problem, in one table.

Owns every status code of the API. A rule's class docstring is the problem's title, its message the
detail, its ``code`` the stable name; none of them knows HTTP.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response

from attribution import errors as attribution
from ledger import errors as ledger
from ledger import gateway
from ledger.outages import PASSING
from registry import errors as registry
from registry.api.problems import PROBLEM_MEDIA_TYPE, problem

_logger = logging.getLogger(__name__)

# The first line whose class the error is an instance of decides.
STATUS_OF: tuple[tuple[type[Exception], int], ...] = (
    (attribution.ModelExists, 409),
    (attribution.QueryReused, 409),
    (attribution.ManifestMissing, 409),
    (attribution.SpaceExists, 409),
    (attribution.NotSettled, 409),
    (attribution.NotRecomputable, 409),
    (attribution.NotParked, 409),
    (attribution.NotFunded, 402),
    (attribution.SigningNotConfigured, 501),
    (attribution.ProposerAccepts, 403),
    (attribution.WrongShadowState, 409),
    (attribution.NothingKept, 409),
    (attribution.NothingHeld, 409),
    (attribution.EarningsClaimed, 409),
    (attribution.OwnMatter, 403),
    (attribution.RelationReviewed, 409),
    (attribution.InvalidReportSignature, 403),
    (attribution.SignatureRequired, 403),
    (attribution.ReportKeyExists, 409),
    (attribution.UsageFlagClosed, 409),
    (attribution.ErasureBlocked, 409),
    (attribution.AttributionError, 422),
    (ledger.NotPayoutAdmin, 403),
    (ledger.MakerIsChecker, 403),
    (ledger.OwnMatter, 403),
    (ledger.NoPayee, 404),
    (ledger.KeyReused, 409),
    (ledger.PayoutError, 409),
    (ledger.LedgerUnavailable, 503),
    (ledger.LedgerError, 422),
    (registry.NotFound, 404),
    (registry.InvalidKey, 401),
    (registry.NotRightsholder, 403),
    (registry.NotAParty, 403),
    (registry.MayNotDecide, 403),
    (registry.NothingToLookUp, 400),
    (registry.TooManyItems, 400),
    (registry.FileTooLarge, 413),
    (registry.UploadTooLarge, 413),
    (registry.UploadOffsetDiffers, 409),
    (registry.HandleTaken, 409),
    (registry.AlreadyRegistered, 409),
    (registry.CollectionClaimed, 409),
    (registry.SignerRegistered, 409),
    (registry.SignerShared, 409),
    (registry.ConflictClosed, 409),
    (registry.ErasureOpen, 409),
    (registry.ErasureBegun, 409),
    (registry.TooManyClaims, 409),
    (registry.NotAppealable, 409),
    (registry.NothingToReview, 409),
    (registry.SameReviewer, 403),
    (registry.TooManyKeys, 409),
    (registry.TooManyWebhooks, 409),
    (registry.IdempotencyKeyMissing, 400),
    (registry.IdempotencyKeyInFlight, 409),
    (registry.NotYetLogged, 404),
    (registry.SizeOutOfRange, 400),
    (registry.LogTrouble, 503),
    (registry.RegistryError, 422),
    (gateway.InvalidSignature, 400),
    (gateway.InvalidPayload, 400),
    (gateway.Refused, 422),
    (gateway.GatewayError, 503),
)

# status: (title, code) for what is refused before any domain rule is asked.
_BEFORE_THE_DOMAIN = {
    400: ("The request must have the documented shape", "invalid_request"),
    401: ("A valid API key is needed here", "unauthenticated"),
    403: ("This key or person may not do that", "forbidden"),
    404: ("There must be something at the address", "not_found"),
    405: ("The method must be one that is offered here", "method_not_allowed"),
    406: ("The answer's format must be one that is offered", "not_acceptable"),
    412: (
        "The request must be in a version of the protocol that is spoken here",
        "unknown_version",
    ),
    411: ("The length of a request body is announced", "length_required"),
    413: ("A request body has an upper size", "body_too_large"),
    415: ("The body's media type must be one that is read here", "unsupported_media_type"),
    429: ("A caller may ask only so often", "too_many_requests"),
    500: ("Something went wrong on our side", "internal_error"),
    503: ("The database must answer", "database_unavailable"),
}


def handle(error: Exception, _context: Mapping[str, Any]) -> Response | None:
    """Print ``error`` as a problem; None for what is nobody's fault but ours (then a 500)."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        return _answer(_early(413, "The body is too large; nothing was kept."))
    if isinstance(error, exceptions.ValidationError):
        return _answer(_malformed(error))
    if isinstance(error, exceptions.APIException):
        return _answer(_early(error.status_code, str(error.detail)), _headers(error))
    if isinstance(error, PASSING):
        _logger.error("the database did not answer: %s", error)
        return _answer(_early(503, "Try again; what was answered is safe."), {"Retry-After": "5"})
    for rule, status in STATUS_OF:
        if isinstance(error, rule):
            return _answer(_broken_rule(error, status))
    return None


def _broken_rule(error: Exception, status: int) -> dict[str, Any]:
    title = (type(error).__doc__ or "").strip().splitlines()[0].rstrip(".")
    code = getattr(error, "code", "unprocessable")
    return problem(status=status, code=code, title=title, detail=str(error))


def _early(status: int, detail: str) -> dict[str, Any]:
    title, code = _BEFORE_THE_DOMAIN[status]
    return problem(status=status, code=code, title=title, detail=detail)


def _malformed(error: exceptions.ValidationError) -> dict[str, Any]:
    title, code = _BEFORE_THE_DOMAIN[400]
    wrong = list(_places(error.detail, ""))
    detail = "; ".join(f"{place['pointer'] or '/'}: {place['detail']}" for place in wrong[:3])
    more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""  # noqa: PLR2004 - three are readable
    return problem(status=400, code=code, title=title, detail=detail + more, errors=wrong[:100])


def _places(detail: Any, pointer: str) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested messages into JSON Pointers (RFC 6901)."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            if key == "non_field_errors":
                yield from _places(inner, pointer)
            else:
                escaped = str(key).replace("~", "~0").replace("/", "~1")
                yield from _places(inner, f"{pointer}/{escaped}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list)
            yield from _places(inner, f"{pointer}/{index}" if nested else pointer)
    elif detail:
        yield {
            "pointer": pointer,
            "code": getattr(detail, "code", "invalid"),
            "detail": str(detail),
        }


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if authenticate := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = authenticate
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    return headers


def _answer(document: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(
        document, status=document["status"], headers=headers, content_type=PROBLEM_MEDIA_TYPE
    )


# What Django answers outside the API's views ----------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400; without a page where its links would lead to a host that is not ours."""
    if isinstance(exception, DisallowedHost):
        return _plain(_early(400, "This host is not served here."))
    return _page(request, 400, "The request could not be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    del exception
    return _page(request, 403, "You may not do that here.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    del exception
    return _page(request, 404, "There is nothing at this address.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500; the traceback is in the log, never in the answer."""
    return _page(request, 500, "We could not finish this. What was saved before is safe.")


def refusal(status: int, detail: str) -> HttpResponse:
    """Refuse a request before any view sees it."""
    return _plain(_early(status, detail))


def _page(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """Print a problem to programs and a page to people."""
    if request.path.startswith(("/v1/", "/webhooks/", "/log/")):
        return _plain(_early(status, detail))
    return render(request, f"{status}.html", {"detail": detail}, status=status)


def _plain(document: dict[str, Any]) -> JsonResponse:
    return JsonResponse(document, status=document["status"], content_type=PROBLEM_MEDIA_TYPE)
