"""Debts of payees: how much, up to which cap, and how earnings pay them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ledger.models import PaymentReturn
from portal import owed
from portal.access import for_payout_admins
from portal.listing import cut
from registry.models import User


@require_GET
@for_payout_admins
def debts(request: HttpRequest, _admin: User) -> HttpResponse:
    """List open debts, and below them what payers took back."""
    listing = cut(
        request,
        PaymentReturn.objects.select_related("topup__operator"),
        sorts={"at": "at", "amount": "amount_micros"},
        default="-at",
    )
    return render(request, "portal/debts.html", {"debts": owed.debts(), "listing": listing})
