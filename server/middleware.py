"""What every answer carries beyond its own content."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


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
