"""A creator's payouts: where the money goes, and what became of each."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ledger import gateway_choice, payees
from ledger.gateway import GatewayError
from portal import earned
from portal.access import for_creators, person
from portal.forms.payouts import Onboard
from portal.listing import cut
from registry.models import Creator


@for_creators
def payouts(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Show where the creator is paid, and every payout."""
    return _page(request, creator, Onboard())


@require_POST
@for_creators
def onboard(request: HttpRequest, creator: Creator) -> HttpResponseBase:
    """Send the creator to the payment provider's own pages, where it identifies itself."""
    payee = payees.of(creator)
    form = Onboard(request.POST if payee is None else {"country": payee.country})
    if not form.is_valid():
        return _page(request, creator, form)
    back = settings.PUBLIC_URL + reverse("portal:onboarded")
    try:
        url = payees.onboard(
            creator,
            email=person(request).email,
            country=form.cleaned_data["country"],
            gateway=gateway_choice.configured(),
            return_url=back,
            refresh_url=back,
            at=timezone.now(),
        )
    except GatewayError:
        messages.error(
            request,
            _(
                "The payment provider did not answer. Nothing was lost and nothing was sent; "
                "please try again in a few minutes."
            ),
        )
        return redirect("portal:payouts")
    return HttpResponseRedirect(url)


@for_creators
def onboarded(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Ask the provider what it knows now; coming back from its pages alone proves nothing."""
    payee = payees.of(creator)
    if payee is not None:
        try:
            payees.refresh(payee, gateway=gateway_choice.configured(), at=timezone.now())
        except GatewayError:
            messages.warning(
                request, _("The payment provider did not answer yet; we ask again by ourselves.")
            )
    return redirect("portal:payouts")


def _page(request: HttpRequest, creator: Creator, form: Onboard) -> HttpResponse:
    listing = cut(
        request,
        creator.payouts.select_related("batch"),
        sorts={"made": "created_at", "amount": "amount_micros"},
        default="-made",
    )
    return render(
        request,
        "portal/payouts.html",
        {
            "payee": payees.of(creator),
            "form": form,
            "listing": listing,
            "totals": earned.totals(creator),
            "minimum_micros": settings.PAYOUT_MINIMUM_MICROS,
        },
        status=422 if form.errors else 200,
    )
