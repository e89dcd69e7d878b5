"""What a creator earned, and for every amount: why."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from attribution import explanation
from attribution.errors import NotSettled
from portal import earned, wording
from portal.access import for_creators
from portal.listing import cut
from portal.periods import periods
from registry.ids import find
from registry.models import Creator


@for_creators
def earnings(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Show the totals, the months, and each query that paid."""
    totals = earned.totals(creator)
    currency = _currency(request, [each.earned.currency for each in totals])
    months = earned.months(creator, currency, at=timezone.now()) if currency else []
    listing = cut(
        request,
        earned.queries(creator).filter(currency=currency) if currency else earned.queries(creator),
        sorts={"settled": "settled_at", "model": "model__name"},
        default="-settled",
        filters=("currency",),
    )
    return render(
        request,
        "portal/earnings.html",
        {
            "totals": next((each for each in totals if each.earned.currency == currency), None),
            "currencies": [each.earned.currency for each in totals],
            "currency": currency,
            "months": months,
            "periods": periods(creator, at=timezone.now()) if totals else [],
            "chart": earned.chart(months),
            "listing": listing,
            "earnings": earned.explained(creator, list(listing.page)),
        },
    )


@for_creators
def query(request: HttpRequest, creator: Creator, query_id: str) -> HttpResponse:
    """Explain one query to a creator whose works contributed to it."""
    shown = find(earned.queries(creator), query_id)
    try:
        explained = explanation.explain(shown, creator=creator)
    except NotSettled as error:
        raise Http404 from error
    return render(
        request,
        "portal/query.html",
        {
            "query": shown,
            "explained": explained,
            "evidence": wording.EVIDENCE.get(shown.method, shown.method),
        },
    )


def _currency(request: HttpRequest, offered: list[str]) -> str:
    """Return the asked currency if the creator has money in it, else the first that has."""
    asked = request.GET.get("currency", "")
    return asked if asked in offered else (offered[0] if offered else "")
