"""How often one caller may ask.

Counts live in each web process's memory, so the true limit is up to that many times the number of
processes: enough against runaway loops, and nothing to lose when a shared store is away.
"""

import math
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

if TYPE_CHECKING:  # the module of APIView reads the settings that name this one
    from rest_framework.views import APIView


MINUTE_S = 60


class PerCaller(SimpleRateThrottle):
    """Limit each API key, each signed-in user, and each address of anybody else."""

    scope = "caller"

    def get_rate(self) -> str:
        """Return the rate in DRF's notation."""
        return f"{settings.REQUESTS_PER_MINUTE}/minute"

    def get_cache_key(self, request: Request, view: "APIView") -> str:
        """Name the caller: the key, or the address."""
        del view
        caller = getattr(request.auth, "pk", None) or self.get_ident(request)
        return f"throttle:{caller}"

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the request, and leave the state where the middleware prints it."""
        allowed = super().allow_request(request, view)
        used = len(self.history)
        oldest = self.history[-1] if self.history else self.now
        reset_s = max(0, math.ceil(oldest + MINUTE_S - self.now))
        request._request.rate_limit = (self.num_requests, max(0, self.num_requests - used), reset_s)  # type: ignore[attr-defined]  # noqa: SLF001 - the middleware sees Django's request
        return allowed
