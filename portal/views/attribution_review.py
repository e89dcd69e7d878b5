"""Money that passed a cap: admins look at why, and release or redirect it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attribution import cap_reviews
from attribution.errors import AttributionError
from attribution.models import CapReview
from ledger.errors import LedgerError
from portal import proposed, second_factor
from portal.access import for_payout_admins
from portal.forms.reviews import CapDecision
from portal.troubles import plain
from registry.ids import find
from registry.models import User, Work


@require_GET
@for_payout_admins
def held(request: HttpRequest, _admin: User) -> HttpResponse:
    """List works whose earnings passed a cap and wait, and what was decided lately."""
    decided = CapReview.objects.select_related("work", "reviewed_by").order_by("-reviewed_at")
    return render(
        request,
        "portal/held_by_cap.html",
        {"held": cap_reviews.held(), "decided": decided[:20]},
    )


@require_GET
@for_payout_admins
def held_work(request: HttpRequest, admin: User, work_id: str) -> HttpResponse:
    """Show why money of one work waits, and let it be decided."""
    work = find(Work.objects.all(), work_id)
    factors = second_factor.enrolled(admin)
    return render(
        request,
        "portal/held_work.html",
        {
            "work": work,
            "days": cap_reviews.evidence(work),
            "proposal": proposed.waiting_about(work.pk),
            "factor": second_factor.fresh(request),
            "factor_url": second_factor.address(factors, back=_decision(work)),
        },
    )


@require_POST
@for_payout_admins
def decide(request: HttpRequest, admin: User, work_id: str) -> HttpResponse:
    """Propose to release what waits for a work to its creators, or to give it to the pool."""
    work = find(Work.objects.all(), work_id)
    if second_factor.fresh(request) is None:
        return second_factor.ask(request, back=_decision(work))
    form = CapDecision(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say what you found out first."))
        return redirect("portal:held-work", work.pk)
    released = form.cleaned_data["deed"] == "release"
    decision = cap_reviews.Decision.RELEASED if released else cap_reviews.Decision.REDIRECTED
    reason = form.cleaned_data["reason"]
    try:
        proposal = cap_reviews.propose(work, admin, decision, reason=reason, at=timezone.now())
    except (AttributionError, LedgerError) as error:
        messages.error(request, plain(error))
        return redirect("portal:held-by-cap")
    messages.success(request, _("Proposed. Nothing is moved until somebody else confirms it."))
    return redirect("portal:proposal", proposal.pk)


def _decision(work: Work) -> str:
    """Where on the pages it is decided about a work's money."""
    return f"{reverse('portal:held-work', args=[work.pk])}#decide"
