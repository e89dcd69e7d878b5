"""What waits for a person, and the buttons that undo it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ledger import gateway_choice, topups, webhooks
from ledger.errors import LedgerError
from ledger.gateway import GatewayError
from ledger.models import ProviderEvent, TopUp
from portal.access import for_payout_admins
from portal.troubles import plain
from portal.waiting import waiting
from registry.ids import find
from registry.models import User

DEFAULT_HOURS = 24


class Since(forms.Form):
    """For how long something must have waited."""

    hours = forms.TypedChoiceField(
        label=gettext_lazy("Waiting for longer than"),
        coerce=int,
        choices=[
            (0, gettext_lazy("no time at all")),
            (1, gettext_lazy("an hour")),
            (DEFAULT_HOURS, gettext_lazy("a day")),
            (168, gettext_lazy("a week")),
        ],
    )


@require_GET
@for_payout_admins
def stuck(request: HttpRequest, admin: User) -> HttpResponse:
    """List what waits, the oldest first."""
    form = Since({"hours": request.GET.get("hours", str(DEFAULT_HOURS))})
    hours = form.cleaned_data["hours"] if form.is_valid() else DEFAULT_HOURS
    found = waiting(admin, at=timezone.now(), hours=hours)
    return render(request, "portal/stuck.html", {"form": form, "waiting": found, "hours": hours})


@require_POST
@for_payout_admins
def look_up_topup(request: HttpRequest, admin: User, topup_id: str) -> HttpResponse:
    """Ask the provider whether a top-up was paid."""
    topup = find(TopUp.objects.all(), topup_id)
    try:
        found = topups.look_up(topup, admin, gateway=gateway_choice.configured(), at=timezone.now())
    except LedgerError as error:
        messages.error(request, plain(error))
    except GatewayError:
        messages.error(request, _("The provider did not answer. Nothing was changed; try again."))
    else:
        messages.success(
            request,
            _("It was paid; the operator has it now.")
            if found.status == TopUp.Status.PAID
            else _("The provider says: not paid. Nothing is owed and nothing was booked."),
        )
    return redirect("portal:stuck")


@require_POST
@for_payout_admins
def retry_event(request: HttpRequest, admin: User, event_id: str) -> HttpResponse:
    """Have an abandoned event worked through again."""
    event = find(ProviderEvent.objects.all(), event_id)
    try:
        webhooks.again(event, admin, reason=request.POST.get("reason", ""), at=timezone.now())
    except LedgerError as error:
        messages.error(request, plain(error))
    else:
        messages.success(request, _("It is worked through again within a minute."))
    return redirect("portal:stuck")
