"""The journal of what admins did about money: on a page, and as CSV for who keeps it elsewhere."""

import json
from collections.abc import Iterator

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ledger.models import AdminAction
from portal.access import for_payout_admins
from portal.deeds import DEEDS
from portal.listing import cut
from registry import csv_lines
from registry.models import User

COLUMNS = ("at", "by", "deed", "batch", "payout", "subject", "reason", "facts")


@require_GET
@for_payout_admins
def journal(request: HttpRequest, _admin: User) -> HttpResponse:
    """List what was done, the latest first; by person, by deed."""
    found, state = _asked(request)
    listing = cut(
        request,
        found,
        sorts={"at": "pk"},
        default="-at",
        filters=("by", "deed"),
    )
    return render(
        request,
        "portal/journal.html",
        {
            "listing": listing,
            "deeds": list(DEEDS.items()),
            "people": User.objects.filter(
                pk__in=AdminAction.objects.order_by().values("by")
            ).order_by("email"),
            **state,
        },
    )


@require_GET
@for_payout_admins
def journal_csv(request: HttpRequest, _admin: User) -> StreamingHttpResponse:
    """Send the same as CSV, the earliest first."""
    found, _ = _asked(request)
    answer = StreamingHttpResponse(
        _rows(found.order_by("pk")), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = 'attachment; filename="tribute-journal.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def _asked(request: HttpRequest) -> tuple[QuerySet[AdminAction], dict[str, str]]:
    """Return the actions that the address asks for."""
    found = AdminAction.objects.select_related("by", "payout__creator", "batch")
    # PostgreSQL holds no NUL, so nobody is called so.
    by, deed = request.GET.get("by", "").replace("\0", ""), request.GET.get("deed", "")
    if deed in DEEDS:
        found = found.filter(deed=deed)
    if by:
        found = found.filter(by__email=by)
    return found, {"by": by, "deed": deed}


def _rows(found: QuerySet[AdminAction]) -> Iterator[str]:
    yield csv_lines.line(COLUMNS)
    for row in found.iterator(chunk_size=500):
        facts = json.dumps(row.facts, sort_keys=True)
        on = (row.batch_id or "", row.payout_id or "", row.subject)
        yield csv_lines.line((row.at.isoformat(), row.by.email, row.deed, *on, row.reason, facts))
