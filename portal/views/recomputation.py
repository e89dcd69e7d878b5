"""How a payment came about, for everybody it concerns: its creators, its operator, admins."""

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from attribution import reckoning
from attribution.errors import NotRecomputable, NotSettled
from attribution.models import Query
from portal import earned, wording
from portal.access import for_people, roles
from registry.errors import NotFound
from registry.ids import find
from registry.models import Creator


@require_GET
@for_people
def recomputation(request: HttpRequest, query_id: str) -> HttpResponse:
    """Show each step, and whether the same comes out today."""
    query, creator = _entitled(request, query_id)
    try:
        found = reckoning.reckon(query, creator=creator)
    except NotSettled as error:
        raise Http404 from error
    return render(
        request,
        "portal/recomputation.html",
        {
            "query": query,
            "found": found,
            "as_creator": creator is not None,
            "evidence": wording.EVIDENCE.get(query.method, query.method),
            "withheld": wording.WITHHELD,
        },
    )


@require_GET
@for_people
def record(request: HttpRequest, query_id: str) -> HttpResponse:
    """Send what the query was divided by as a file."""
    query, creator = _entitled(request, query_id)
    try:
        found = reckoning.record_of(query, creator=creator)
    except (NotSettled, NotRecomputable) as error:
        raise Http404 from error
    answer = JsonResponse(found, json_dumps_params={"indent": 1, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{query.pk}.json"'
    answer["Cache-Control"] = "no-store"
    return answer


def _entitled(request: HttpRequest, query_id: str) -> tuple[Query, Creator | None]:
    """Return the query, and the creator as whom it is read; None for who may see all names.

    Raises NotFound for anybody it does not concern.
    """
    who = roles(request)
    rows = Query.objects.select_related("model__operator", "manifest").defer("evidence")
    if who.payout_admin:
        return find(rows, query_id), None
    if who.operator is not None and (own := _found(rows.of(who.operator), query_id)):
        return own, None
    if who.creator is None:
        raise NotFound(f"there is no query {query_id!r} here")
    return find(earned.queries(who.creator).select_related("manifest"), query_id), who.creator


def _found(rows: QuerySet[Query], query_id: str) -> Query | None:
    try:
        return find(rows, query_id)
    except NotFound:
        return None
