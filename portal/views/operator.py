"""An operator's own pages: overview and usage."""

from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from attribution import content_credentials, explanation
from attribution.errors import NotSettled
from attribution.models import Query
from ledger.money import Money
from portal import wording
from portal.access import for_operators
from portal.forms.operators import SignCredits
from portal.listing import cut
from portal.states import QUERIES
from portal.views.balance import balances_of
from registry.ids import find
from registry.models import Operator


@for_operators
def overview(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Show what an operator wants to see first: money, queries, models, checks."""
    counts = Query.objects.filter(operator=operator).aggregate(
        waiting=Count("pk", filter=Q(state=Query.State.RECEIVED)),
        settled=Count("pk", filter=Q(state=Query.State.SETTLED)),
        stuck=Count("pk", filter=Q(state__in=[Query.State.REFUSED, Query.State.PARKED])),
    )
    models = list(
        operator.generative_models.select_related("manifest").order_by("-created_at", "pk")[:5]
    )
    return render(
        request,
        "portal/operator.html",
        {
            "operator": operator,
            "balances": balances_of(operator),
            "counts": counts,
            "models": models,
            "checks": operator.checks.order_by("-asked_at", "pk").defer("answers")[:5],
            "has_keys": operator.keys.exists(),
        },
    )


@for_operators
def usage(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List the reported queries and what became of them."""
    state, name = request.GET.get("state", ""), request.GET.get("q", "").replace("\0", "").strip()
    found = Query.objects.filter(operator=operator).select_related("model")
    if state in Query.State.values:
        found = found.filter(state=state)
    if name:
        found = found.filter(external_id__startswith=name)
    listing = cut(
        request,
        found,
        sorts={"occurred": "occurred_at", "fee": "fee_micros"},
        default="-occurred",
        filters=("state", "q"),
    )
    spent = found.filter(state=Query.State.SETTLED).values_list("currency")
    return render(
        request,
        "portal/usage.html",
        {
            "listing": listing,
            "states": [(value.value, words.word) for value, words in QUERIES.items()],
            "state": state,
            "q": name,
            "spent": [
                Money(micros, currency)
                for currency, micros in spent.annotate(micros=Sum("fee_micros")).order_by(
                    "currency"
                )
            ],
        },
    )


@for_operators
def query(request: HttpRequest, operator: Operator, query_id: str) -> HttpResponse:
    """Show one of the operator's queries; a settled one with its whole reckoning."""
    shown = find(Query.objects.filter(operator=operator).select_related("model"), query_id)
    try:
        explained = explanation.explain(shown)
    except NotSettled:
        explained = None
    return render(
        request,
        "portal/operator_query.html",
        {
            "query": shown,
            "fee": Money(shown.fee_micros, shown.currency),
            "explained": explained,
            "evidence": wording.EVIDENCE.get(shown.method, shown.method),
            "signing": SignCredits() if content_credentials.is_configured() else None,
        },
    )
