"""Operators and creators who may be the same people: admins confirm or clear each sign."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from attribution import related_parties
from attribution.errors import AttributionError
from attribution.models import RelatedParty
from portal.access import for_payout_admins
from portal.forms.reviews import Review
from portal.listing import cut
from portal.troubles import plain
from portal.wording import RELATIONS
from registry.ids import find
from registry.models import User


@require_GET
@for_payout_admins
def parties(request: HttpRequest, _admin: User) -> HttpResponse:
    """List the signs, open ones unless asked for all."""
    everything = request.GET.get("show") == "all"
    rows = RelatedParty.objects.all() if everything else RelatedParty.objects.open()
    return render(
        request,
        "portal/related_parties.html",
        {
            "listing": cut(
                request,
                rows.select_related("operator", "creator", "reviewed_by"),
                sorts={"found": "found_at", "operator": "operator__name"},
                default="-found",
                filters=("show",),
            ),
            "everything": everything,
            "kinds": RELATIONS,
        },
    )


@require_POST
@for_payout_admins
def review(request: HttpRequest, admin: User, party_id: str) -> HttpResponse:
    """Confirm or clear a sign."""
    party = find(RelatedParty.objects.all(), party_id)
    form = Review(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say what you found out first."))
        return redirect("portal:related-parties")
    confirmed = form.cleaned_data["deed"] == "confirm"
    try:
        related_parties.review(
            party,
            admin,
            confirmed=confirmed,
            reason=form.cleaned_data["reason"],
            at=timezone.now(),
        )
    except AttributionError as error:
        messages.error(request, plain(error))
    else:
        messages.success(
            request,
            _("Confirmed. Nothing is earned by it from now on.")
            if confirmed
            else _("Cleared. They are paid like strangers."),
        )
    return redirect("portal:related-parties")
