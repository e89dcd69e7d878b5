"""Where the payment provider tells us things: verify, store, answer."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ledger import gateway_choice, webhooks
from ledger.gateway import InvalidPayload, InvalidSignature
from registry.api.problems import PROBLEM_MEDIA_TYPE, problem

SIGNATURE = "Stripe-Signature"
MOST_BYTES = 1_000_000
"""Far beyond any event of Stripe's, which are a few thousand; nobody's megabytes are hashed."""
_TOO_LARGE = "A request body has an upper size"


@csrf_exempt
@require_POST
def stripe(request: HttpRequest) -> JsonResponse:
    """Keep a genuine event once and answer 200; the timetable works through what is kept.

    The signature over the raw body is the authentication. Forged or foreign bodies are answered
    400, and huge ones 413 unread; they leave no trace in the database.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        return _refused(
            413, "body_too_large", f"an event has at most {MOST_BYTES} bytes", _TOO_LARGE
        )
    gateway = gateway_choice.configured()
    try:
        event = gateway.parse_event(request.body, request.headers.get(SIGNATURE, ""))
    except (InvalidSignature, InvalidPayload) as error:
        title = (type(error).__doc__ or "").splitlines()[0]
        return _refused(400, error.code, str(error), title)
    stored = webhooks.store(event, gateway=gateway.name, at=timezone.now())
    return JsonResponse({"stored": stored})


def _refused(status: int, code: str, detail: str, title: str) -> JsonResponse:
    body = problem(status=status, code=code, title=title, detail=detail)
    return JsonResponse(body, status=status, content_type=PROBLEM_MEDIA_TYPE)
