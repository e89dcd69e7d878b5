"""One payout of a batch: who, how much, why, what changed, its history, and what can be done."""

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attribution.models import Contribution
from ledger.errors import LedgerError
from ledger.gateway import GatewayError
from ledger.models import Line, Payout
from ledger.vocabulary import AccountKind
from portal import line_deeds, payout_changes, proposed
from portal.access import for_payout_admins
from portal.deeds import trouble
from portal.troubles import plain
from registry.ids import find
from registry.models import User

WORKS_SHOWN, LINES_SHOWN = 20, 25
_READ = ("creator__payee", "batch__prepared_by", "batch__submitted_by", "batch__approved_by")


@require_GET
@for_payout_admins
def line(request: HttpRequest, admin: User, payout_id: str) -> HttpResponse:
    """Show everything about one payout."""
    payout = find(Payout.objects.select_related(*_READ), payout_id)
    (shown,) = payout_changes.lines([payout])
    return render(
        request,
        "portal/payout_line.html",
        {
            "payout": payout,
            "line": shown,
            "payee": getattr(payout.creator, "payee", None),
            "trouble": trouble(payout.trouble) if payout.trouble else "",
            "proposal": proposed.waiting_about(payout.pk),
            "deeds": line_deeds.offered(payout, admin),
            "events": payout.events.select_related("by").order_by("-pk"),
            "works": _works(shown),
            "booked": _booked(payout),
        },
    )


@require_POST
@for_payout_admins
def act(request: HttpRequest, admin: User, payout_id: str, deed: str) -> HttpResponse:
    """Do one thing with a payout; what refuses it is said in words."""
    asked = line_deeds.DEEDS.get(deed)
    if asked is None:
        raise Http404
    payout = find(Payout.objects.select_related(*_READ), payout_id)
    reason = request.POST.get("reason", "").strip()
    if asked.reason and not reason:
        messages.error(request, _("Say why; nothing was changed."))
        return redirect("portal:payout-line", payout.pk)
    try:
        asked.act(payout, admin, reason, timezone.now())
    except LedgerError as error:
        messages.error(request, plain(error))
    except GatewayError:
        messages.error(
            request,
            _("The provider did not do this or did not answer. Nothing was sent; try again."),
        )
    else:
        messages.success(request, str(asked.done))
    return redirect("portal:payout-line", payout.pk)


def _works(shown: payout_changes.Line) -> list[dict[str, object]]:
    """Which works earned it, since the payout before: the most first."""
    rows = Contribution.objects.filter(
        creator=shown.payout.creator_id,
        query__currency=shown.payout.currency,
        query__settled_at__lt=shown.payout.created_at,
        micros__gt=0,
    )
    if shown.previous:
        rows = rows.filter(query__settled_at__gte=shown.previous.created_at)
    by_work = rows.values("work_id", "work__title", "query__model__name", "query__operator__name")
    summed = by_work.annotate(micros=Sum("micros")).order_by("-micros")
    return [dict(row) for row in summed[:WORKS_SHOWN]]


def _booked(payout: Payout) -> list[Line]:
    """The last lines of the balance that the payout was drawn from, up to when it was drawn up."""
    rows = Line.objects.filter(
        account__creator=payout.creator_id,
        account__kind=AccountKind.CREATOR_AVAILABLE,
        currency=payout.currency,
        batch__posted_at__lte=payout.created_at,
    )
    return list(rows.select_related("batch").order_by("-batch_id")[:LINES_SHOWN])
