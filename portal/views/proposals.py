"""What takes two people: see what one proposed, and confirm exactly that as the other."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attribution.errors import AttributionError
from ledger import proposals as proposing
from ledger.errors import LedgerError
from ledger.gateway import GatewayError
from ledger.models import Proposal
from ledger.vocabulary import ProposalStatus
from portal import proposed, second_factor
from portal.access import for_payout_admins
from portal.listing import cut
from portal.troubles import plain
from registry.ids import find
from registry.models import User

_READ = ("proposed_by", "decided_by")


@require_GET
@for_payout_admins
def proposals(request: HttpRequest, _admin: User) -> HttpResponse:
    """List what waits for a second person, or all."""
    everything = request.GET.get("show") == "all"
    rows = Proposal.objects.select_related(*_READ)
    listing = cut(
        request,
        rows if everything else rows.filter(status=ProposalStatus.OPEN),
        sorts={"proposed": "proposed_at"},
        default="-proposed",
        filters=("show",),
    )
    shown = [(row, proposed.WORDS[row.deed], proposed.STATES[row.status]) for row in listing.page]
    return render(
        request,
        "portal/proposals.html",
        {"listing": listing, "rows": shown, "everything": everything},
    )


@require_GET
@for_payout_admins
def proposal(request: HttpRequest, admin: User, proposal_id: str) -> HttpResponse:
    """Show exactly what was proposed, and let a second person confirm it."""
    row = find(Proposal.objects.select_related(*_READ), proposal_id)
    kinds = second_factor.enrolled(admin)
    page = reverse("portal:proposal", args=[row.pk])
    return render(
        request,
        "portal/proposal.html",
        {
            "proposal": row,
            "words": proposed.WORDS[row.deed],
            "state": proposed.STATES[row.status],
            "lines": proposed.lines(row),
            "is_mine": row.proposed_by_id == admin.pk,
            "may_repeat": proposed.may_repeat(row),
            "factor": second_factor.fresh(request),
            "factor_url": second_factor.address(kinds, back=f"{page}#decide"),
        },
    )


@require_POST
@for_payout_admins
def confirm(request: HttpRequest, admin: User, proposal_id: str) -> HttpResponse:
    """Do exactly what was proposed, after a second factor."""
    row = find(Proposal.objects.all(), proposal_id)
    page = reverse("portal:proposal", args=[row.pk])
    factor = second_factor.fresh(request)
    if factor is None:
        return second_factor.ask(request, back=f"{page}#decide")
    try:
        proposed.carry_out(row, admin, factor=factor.kind, at=timezone.now())
    except (LedgerError, AttributionError) as error:
        messages.error(request, plain(error))
    except GatewayError:
        messages.error(
            request,
            _("The provider did not do this or did not answer. Look at it again here."),
        )
    else:
        messages.success(request, _("Confirmed and done."))
    return redirect(page)


@require_POST
@for_payout_admins
def withdraw(request: HttpRequest, admin: User, proposal_id: str) -> HttpResponse:
    """Let it come to nothing, with a reason."""
    row = find(Proposal.objects.all(), proposal_id)
    try:
        proposing.withdraw(row, admin, reason=request.POST.get("reason", ""), at=timezone.now())
    except LedgerError as error:
        messages.error(request, plain(error))
    else:
        messages.success(request, _("Withdrawn. Nothing was moved."))
    return redirect("portal:proposal", row.pk)
