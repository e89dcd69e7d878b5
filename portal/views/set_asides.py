"""Money set apart: who may have earned it, why it waits, and giving it to who is right."""

from datetime import timedelta

from django.conf import settings
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
from ledger.models import AdminAction
from portal import held_money, second_factor
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
    """Show what waits for one work or creator; on POST give it away, with a reason."""
    if "\0" in subject:
        raise Http404
    held = held_money.waiting(subject)
    decided = AdminAction.objects.filter(subject=subject).select_related("by").order_by("-pk")
    if not held and not decided.exists():
        raise Http404
    kinds = {str(int(each.kind)) for each in held}
    form = DecideAside(request.POST or None, kinds=kinds)
    page = reverse("portal:set-aside", args=[subject])
    if request.method == "POST":
        if second_factor.fresh(request) is None:
            return second_factor.ask(request, back=f"{page}#decide")
        if form.is_valid() and _decide(request, admin, subject, form):
            return redirect("portal:set-aside", subject)
    factors = second_factor.enrolled(admin)
    return render(
        request,
        "portal/set_aside.html",
        {
            "subject": subject,
            "held": held,
            "title": held[0].title if held else subject,
            "form": form,
            "actions": decided,
            "factor": second_factor.fresh(request),
            "factor_url": second_factor.address(factors, back=f"{page}#decide"),
        },
        status=422 if form.errors else 200,
    )


def _decide(request: HttpRequest, admin: User, subject: str, form: DecideAside) -> bool:
    """Do what the form asks; says whether it was done."""
    asked = form.cleaned_data
    holding = timedelta(days=settings.HOLDING_DAYS)
    try:
        if asked["to"] == DecideAside.EARNERS:
            moved = aside_decisions.release(
                subject, admin, reason=asked["reason"], holding=holding, at=timezone.now()
            )
        else:
            moved = aside_decisions.reassign(
                AccountKind(int(asked["kind"])),
                subject,
                admin,
                to=Creator.objects.get(handle=asked["handle"]),
                reason=asked["reason"],
                holding=holding,
                at=timezone.now(),
            )
    except LedgerError as error:
        put_beside(form, error)
        return False
    said = ", ".join(str(money) for money in moved)
    messages.success(request, _("Done: %(amounts)s moved.") % {"amounts": said})
    return True
