"""An operator's revocations: works in its newest manifests that are allowed no more."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.access import for_operators
from portal.listing import ROWS_PER_PAGE, cut
from registry import revocations as registry_revocations
from registry.ids import find
from registry.models import Operator

MOST_AT_ONCE = ROWS_PER_PAGE


@for_operators
def revocations(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List what may no longer be used, by when to take note of it, and what was noted when."""
    now = timezone.now()
    rows = operator.revocations.select_related("work", "acknowledgement", "manifest")
    open_now = request.GET.get("state") == "open"
    if open_now:
        rows = rows.filter(acknowledgement=None)
    unnoted = operator.revocations.filter(acknowledgement=None)
    listing = cut(
        request,
        rows,
        sorts={"noticed": "noticed_at", "due": "acknowledge_by"},
        default="-noticed",
        filters=("state",),
    )
    return render(
        request,
        "portal/revocations.html",
        {
            "listing": listing,
            "open_now": open_now,
            "waiting": unnoted.count(),
            "overdue": unnoted.filter(acknowledge_by__lt=now).count(),
            "now": now,
        },
    )


@require_POST
@for_operators
def acknowledge(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Take note of all that were ticked, a page of them at most."""
    shown = request.POST.getlist("notice")[:MOST_AT_ONCE]
    notices = [find(operator.revocations.all(), notice_id) for notice_id in shown]
    now = timezone.now()
    for notice in notices:
        registry_revocations.acknowledge(notice, at=now)
    messages.success(
        request,
        ngettext("%(count)s noted.", "%(count)s noted.", len(notices)) % {"count": len(notices)},
    )
    return redirect("portal:revocations")
