"""Where the payment provider tells us things: verify, store, answer."""

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ledger import gateway_choice, webhooks
from ledger.gateway import InvalidPayload, InvalidSignature
from registry.api.problems import PROBLEM_MEDIA_TYPE, problem

SIGNATURE = "Stripe-Signature"


@csrf_exempt
@require_POST
def stripe(request: HttpRequest) -> JsonResponse:
    """Keep a genuine event once and answer 200; the timetable works through what is kept.

    The signature over the raw body is the authentication. Forged or foreign bodies are answered
    400 and leave no trace in the database.
    """
    gateway = gateway_choice.configured()
    try:
        event = gateway.parse_event(request.body, request.headers.get(SIGNATURE, ""))
    except (InvalidSignature, InvalidPayload) as error:
        title = (type(error).__doc__ or "").splitlines()[0]
        body = problem(status=400, code=error.code, title=title, detail=str(error))
        return JsonResponse(body, status=400, content_type=PROBLEM_MEDIA_TYPE)
    stored = webhooks.store(event, gateway=gateway.name, at=timezone.now())
    return JsonResponse({"stored": stored})
