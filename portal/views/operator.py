"""An operator's own pages: overview, balance and top-ups, usage."""

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from attribution import content_credentials, explanation
from attribution.errors import NotSettled
from attribution.models import Query
from ledger import gateway_choice, topups
from ledger.accounts import AccountKind
from ledger.errors import LedgerError
from ledger.gateway import GatewayError
from ledger.models import Balance
from ledger.money import Money
from portal import wording
from portal.access import for_operators
from portal.forms.operators import SignCredits, TopUp
from portal.listing import cut
from portal.states import QUERIES
from portal.troubles import put_beside
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


def balances_of(operator: Operator) -> list[Money]:
    """Return the operator's prepaid money, a currency each."""
    rows = Balance.objects.filter(
        account__operator=operator, account__kind=AccountKind.OPERATOR_PREPAID
    )
    return [row.money for row in rows.order_by("currency")]


@require_http_methods(["GET", "POST"])
@for_operators
def balance(request: HttpRequest, operator: Operator) -> HttpResponseBase:
    """Show the balance and the top-ups; on POST send the browser to a page where it is paid."""
    form = TopUp(request.POST or None)
    if request.method == "POST" and form.is_valid():
        amount = Money(form.cleaned_data["amount"], form.cleaned_data["currency"])
        try:
            opened = topups.start(
                operator,
                amount=amount,
                gateway=gateway_choice.configured(),
                at=timezone.now(),
                return_url=settings.PUBLIC_URL + reverse("portal:balance"),
            )
        except LedgerError as error:
            put_beside(form, error, {"invalid_amount": "amount"})
        except GatewayError:
            messages.error(
                request,
                _(
                    "The payment provider did not answer. Nothing was charged; please try again "
                    "in a few minutes."
                ),
            )
            return redirect("portal:balance")
        else:
            return HttpResponseRedirect(opened.url)
    listing = cut(
        request,
        operator.topups.all(),
        sorts={"made": "created_at", "amount": "amount_micros"},
        default="-made",
    )
    return render(
        request,
        "portal/balance.html",
        {"form": form, "listing": listing, "balances": balances_of(operator)},
        status=422 if form.errors else 200,
    )


@for_operators
def usage(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List the reported queries and what became of them."""
    state, name = request.GET.get("state", ""), request.GET.get("q", "").strip()
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
