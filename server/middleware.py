"""What every answer carries beyond its own content."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from server import api_errors

PLAIN_CODINGS = {"", "identity"}


class ReadableBodies:
    """Refuse bodies that would be read as something else than was sent.

    Django reads as many bytes as Content-Length says, so a body without it (chunked, or by HTTP/2)
    would pass for an empty one; and it undoes no Content-Encoding.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 411 or 415, or go on."""
        if _has_unannounced_body(request):
            detail = "Announce the length of the body (Content-Length); nothing was read."
            return api_errors.refusal(411, detail)
        if request.META.get("HTTP_CONTENT_ENCODING", "").lower() not in PLAIN_CODINGS:
            detail = "Send the body as it is, without a Content-Encoding; nothing was read."
            return api_errors.refusal(415, detail)
        return self.get_response(request)


def _has_unannounced_body(request: HttpRequest) -> bool:
    if request.META.get("HTTP_TRANSFER_ENCODING"):
        return True
    # Only where the server says that reading past a body's end returns, rather than waits for ever.
    if request.META.get("CONTENT_LENGTH") or not request.META.get("wsgi.input_terminated"):
        return False
    return request.method in {"POST", "PUT", "PATCH"} and bool(request.META["wsgi.input"].read(1))


class PrivateUnlessPublished:
    """Let no cache keep what a key or a session was needed for, unless the view says how long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and mark the answer."""
        response = self.get_response(request)
        if not response.has_header("Cache-Control") and _is_private(request):
            response["Cache-Control"] = "private, no-store"
        return response


def _is_private(request: HttpRequest) -> bool:
    return request.path.startswith("/v1/") or request.user.is_authenticated


class RateLimitHeaders:
    """Print the caller's rate limit on API answers (draft-ietf-httpapi-ratelimit-headers-11)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, then print what the throttle left on the request."""
        response = self.get_response(request)
        if state := getattr(request, "rate_limit", None):
            limit, remaining, reset_s = state
            response["RateLimit-Policy"] = f'"default";q={limit};w=60'
            response["RateLimit"] = f'"default";r={remaining};t={reset_s}'
        return response
