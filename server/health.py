"""Whether this process lives, and whether the service can do its work."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from registry import log_tree, served
from registry.errors import LogTrouble


@csrf_exempt
@never_cache
@require_safe
def alive(_request: HttpRequest) -> JsonResponse:
    """Answer as long as the process can."""
    return JsonResponse({"status": "alive"})


@csrf_exempt
@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503. The broker is not needed to serve.

    ``checks`` says whether this process answers checks from a snapshot, and why not otherwise;
    ``log`` how far the transparency log has come, and how long the oldest leaf outside it waits.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        log = _log()
    except DatabaseError:
        return JsonResponse({"status": "the database does not answer"}, status=503)
    return JsonResponse({"status": "ready", "checks": served.state(), "log": log})


def _log() -> dict[str, int | str]:
    """Say how the log does. It is not needed to serve, so its trouble makes nobody unready."""
    try:
        state = log_tree.state(at=timezone.now())
    except LogTrouble as error:
        return {"trouble": error.code, "reason": str(error)}
    waiting = int(state.oldest_waiting.total_seconds())
    return {"size": state.size, "signed": state.signed, "oldest_waiting_seconds": waiting}
