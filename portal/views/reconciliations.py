"""Comparisons with the payment provider: what differs, why, and what ends the difference."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from ledger import adjusting, differences, gateway_choice, missed_events, reconciliation
from ledger.errors import LedgerError
from ledger.gateway import GatewayError
from ledger.models import PayoutBatch, Reconciliation
from ledger.money import Money
from portal import proposed, second_factor
from portal.access import for_payout_admins
from portal.comparisons import newest_comparisons
from portal.listing import cut
from portal.troubles import plain
from registry.ids import find
from registry.models import User


@require_GET
@for_payout_admins
def reconciliations(request: HttpRequest, _admin: User) -> HttpResponse:
    """List the runs; on top what blocks the next batch."""
    newest = newest_comparisons()
    rows = Reconciliation.objects.all()
    only = request.GET.get("show") == "differing"
    listing = cut(
        request,
        rows.filter(agrees=False) if only else rows,
        sorts={"compared": "compared_at"},
        default="-compared",
        filters=("show",),
    )
    return render(
        request,
        "portal/reconciliations.html",
        {
            "newest": newest,
            "blocks": [row for row in newest if not row.agrees],
            "listing": listing,
            "rows": [(row, _figures(row)) for row in listing.page],
            "only": only,
            "missed": missed_events.report(at=timezone.now()),
        },
    )


@require_GET
@for_payout_admins
def comparison(request: HttpRequest, admin: User, number: int) -> HttpResponse:
    """Explain one comparison: its figures, the parts they are made of, and the loose ends."""
    row = _row(number)
    newest = Reconciliation.objects.filter(currency=row.currency).latest("compared_at", "pk")
    kinds = second_factor.enrolled(admin)
    return render(
        request,
        "portal/reconciliation.html",
        {
            "row": row,
            "figures": _figures(row),
            "parts": [] if row.agrees else differences.explain(row),
            "is_newest": newest.pk == row.pk,
            "list_agrees": row.provider_micros == row.balance_micros,
            "proposal": proposed.waiting_about(adjusting.subject(row)),
            "factor": second_factor.fresh(request),
            "factor_url": second_factor.address(kinds, back=f"{request.path}#adjust"),
        },
    )


@require_POST
@for_payout_admins
def compare(request: HttpRequest, admin: User) -> HttpResponse:
    """Compare now; lead back to the batch that asked for it."""
    back = redirect("portal:reconciliations")
    if asked_from := request.POST.get("batch"):
        back = redirect("portal:payout-batch", find(PayoutBatch.objects.all(), asked_from).pk)
    try:
        found = reconciliation.compare_again(
            admin, gateway=gateway_choice.configured(), at=timezone.now()
        )
    except GatewayError:
        messages.error(request, _("The provider did not answer. Nothing was changed; try again."))
        return back
    differing = sum(not row.agrees for row in found)
    if not found:
        messages.warning(
            request, _("Nothing to compare, or money moved meanwhile; try again in a minute.")
        )
    elif differing:
        said = ngettext("%(count)s currency differs.", "%(count)s currencies differ.", differing)
        messages.error(request, said % {"count": differing})
    else:
        messages.success(request, _("The books and the provider agree."))
    return back


@require_POST
@for_payout_admins
def adjust(request: HttpRequest, admin: User, number: int) -> HttpResponse:
    """Propose to book what is missing to the platform, after a second factor and with a reason."""
    row = _row(number)
    page = reverse("portal:reconciliation", args=[row.pk])
    if second_factor.fresh(request) is None:
        return second_factor.ask(request, back=f"{page}#adjust")
    try:
        reason = request.POST.get("reason", "")
        proposal = adjusting.propose(row, admin, reason=reason, at=timezone.now())
    except LedgerError as error:
        messages.error(request, plain(error))
        return redirect(page)
    messages.success(request, _("Proposed. Nothing is booked until somebody else confirms it."))
    return redirect("portal:proposal", proposal.pk)


def _row(number: int) -> Reconciliation:
    row = Reconciliation.objects.filter(pk=number).first()
    if row is None:
        raise Http404
    return row


def _figures(row: Reconciliation) -> dict[str, Money]:
    books, listed, balance = row.ledger_micros, row.provider_micros, row.balance_micros
    return {
        "books": Money(books, row.currency),
        "listed": Money(listed, row.currency),
        "balance": Money(balance, row.currency),
        "missing": Money(listed - books, row.currency),
        "apart": Money(balance - listed, row.currency),
    }
