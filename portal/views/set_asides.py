"""Money set apart: who may have earned it, why it waits, and proposing whom to give it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from ledger import aside_decisions
from ledger.accounts import AccountKind
from ledger.errors import LedgerError
from ledger.models import AdminAction, Proposal
from portal import held_money, proposed, second_factor
from portal.access import for_payout_admins
from portal.forms.payouts import DecideAside
from portal.troubles import put_beside
from registry.models import Creator, User


@require_GET
@for_payout_admins
def set_asides(request: HttpRequest, _admin: User) -> HttpResponse:
    """List what is set apart, the largest first."""
    return render(request, "portal/set_asides.html", {"waiting": held_money.waiting()})


@require_http_methods(["GET", "POST"])
@for_payout_admins
def set_aside(request: HttpRequest, admin: User, subject: str) -> HttpResponse:
    """Show what waits for one work or creator; on POST propose to give it away, with a reason."""
    if "\0" in subject:
        raise Http404
    held = held_money.waiting(subject)
    decided = AdminAction.objects.filter(subject=subject).select_related("by").order_by("-pk")
    if not held and not decided.exists():
        raise Http404
    kinds = {str(int(each.kind)) for each in held}
    form = DecideAside(request.POST or None, kinds=kinds)
    page = reverse("portal:set-aside", args=[subject])
    tried = None
    if request.method == "POST":
        if second_factor.fresh(request) is None:
            return second_factor.ask(request, back=f"{page}#decide")
        dry_run = "try" in request.POST
        if form.is_valid() and (found := _propose(admin, subject, form, dry_run=dry_run)):
            if not dry_run:
                messages.success(
                    request, _("Proposed. Nothing is moved until somebody else confirms it.")
                )
                return redirect("portal:proposal", found.pk)
            tried = proposed.lines(found)
    factors = second_factor.enrolled(admin)
    return render(
        request,
        "portal/set_aside.html",
        {
            "subject": subject,
            "held": held,
            "title": held[0].title if held else subject,
            "form": form,
            "tried": tried,
            "proposal": proposed.waiting_about(subject),
            "actions": decided,
            "factor": second_factor.fresh(request),
            "factor_url": second_factor.address(factors, back=f"{page}#decide"),
        },
        status=422 if form.errors else 200,
    )


def _propose(admin: User, subject: str, form: DecideAside, *, dry_run: bool) -> Proposal | None:
    """Propose what the form asks, or only try it; None when it was refused."""
    asked = form.cleaned_data
    one = asked["to"] == DecideAside.SOMEBODY
    try:
        return aside_decisions.propose(
            subject,
            admin,
            kind=AccountKind(int(asked["kind"])) if one else AccountKind.CREATOR_DISPUTED,
            to=Creator.objects.get(handle=asked["handle"]) if one else None,
            reason=asked["reason"],
            at=timezone.now(),
            dry_run=dry_run,
        )
    except LedgerError as error:
        put_beside(form, error)
        return None
