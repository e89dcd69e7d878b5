"""Batches of payouts: look at what would be paid, draw it up, submit; another approves; follow."""

from collections.abc import Callable
from datetime import datetime

from allauth.account.decorators import reauthentication_required
from allauth.mfa.utils import is_mfa_enabled
from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ledger import payouts
from ledger.errors import LedgerError
from ledger.models import PayoutBatch
from ledger.money import Money
from portal import payout_review
from portal.access import for_payout_admins
from portal.forms.payouts import Prepare
from portal.listing import cut
from portal.troubles import plain, put_beside
from registry.ids import find
from registry.models import User

Deed = Callable[..., PayoutBatch]


@require_GET
@for_payout_admins
def batches(request: HttpRequest, admin: User) -> HttpResponse:
    """List the batches; with a currency, also what a batch drawn up now would hold."""
    form = Prepare(request.GET if "currency" in request.GET else None)
    planned = attention = None
    if form.is_bound and form.is_valid():
        currency = form.cleaned_data["currency"]
        attention = payout_review.attention(currency)
        try:
            planned = payout_review.dry_run(admin, currency, at=timezone.now())
        except LedgerError as error:
            put_beside(form, error)
    listing = cut(
        request,
        PayoutBatch.objects.select_related("prepared_by", "approved_by").annotate(
            count=Count("payouts"), total_micros=Sum("payouts__amount_micros", default=0)
        ),
        sorts={"made": "prepared_at"},
        default="-made",
    )
    return render(
        request,
        "portal/payout_batches.html",
        {"form": form, "planned": planned, "attention": attention, "listing": listing},
    )


@require_POST
@for_payout_admins
def prepare(request: HttpRequest, admin: User) -> HttpResponse:
    """Draw up a draft. It moves no money."""
    form = Prepare(request.POST)
    if not form.is_valid():
        return redirect("portal:payout-batches")
    try:
        batch = payouts.prepare(admin, currency=form.cleaned_data["currency"], at=timezone.now())
    except LedgerError as error:
        messages.error(request, plain(error))
        return redirect("portal:payout-batches")
    return redirect("portal:payout-batch", batch.pk)


@require_GET
@for_payout_admins
def batch(request: HttpRequest, admin: User, batch_id: str) -> HttpResponse:
    """Show a batch: who drew it up, who is paid how much, and what has become of each."""
    shown = find(
        PayoutBatch.objects.select_related("prepared_by", "submitted_by", "approved_by"), batch_id
    )
    listing = cut(
        request,
        payout_review.with_previous(shown),
        sorts={"amount": "amount_micros", "creator": "creator__display_name"},
        default="-amount",
    )
    sums = shown.payouts.aggregate(micros=Sum("amount_micros"), count=Count("pk"))
    own = admin.pk in {shown.prepared_by_id, shown.submitted_by_id}
    return render(
        request,
        "portal/payout_batch.html",
        {
            "batch": shown,
            "listing": listing,
            "lines": [(payout, payout_review.odd(payout)) for payout in listing.page],
            "total": Money(sums["micros"] or 0, shown.currency),
            "count": sums["count"],
            "may_approve": shown.status == "submitted" and not own,
            "waits_for_another": shown.status == "submitted" and own,
            "second_factor": is_mfa_enabled(admin),
            "attention": payout_review.attention(shown.currency),
            "steps": _steps(shown),
        },
    )


def _steps(batch: PayoutBatch) -> list[tuple[str, bool, bool]]:
    """Return the batch's way: (words, done, here)."""
    order = ["draft", "submitted", "approved", "sending", "closed"]
    here = order.index(batch.status) if batch.status in order else -1
    words = [_("Drawn up"), _("Submitted"), _("Approved"), _("Being sent"), _("Closed")]
    return [(w, i < here or batch.status == "closed", i == here) for i, w in enumerate(words)]


@require_POST
@for_payout_admins
def submit(request: HttpRequest, admin: User, batch_id: str) -> HttpResponse:
    """Freeze the draft and ask another admin for approval."""
    return _act(
        request, admin, batch_id, payouts.submit, _("Submitted. Somebody else approves it now.")
    )


@require_POST
@for_payout_admins
def cancel(request: HttpRequest, admin: User, batch_id: str) -> HttpResponse:
    """Call off what has not been sent."""
    return _act(
        request, admin, batch_id, payouts.cancel, _("Called off. What was set aside is back.")
    )


@for_payout_admins
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth has no annotations
def approve(request: HttpRequest, admin: User, batch_id: str) -> HttpResponseBase:
    """Approve exactly the submitted lines, after the second factor was asked for again.

    Coming back from that question is a GET: it shows the batch, where the button is pressed anew.
    """
    if request.method != "POST":
        return redirect("portal:payout-batch", batch_id)
    return _act(
        request,
        admin,
        batch_id,
        payouts.approve,
        _("Approved. The money is set aside and goes out."),
    )


def _act(request: HttpRequest, admin: User, batch_id: str, deed: Deed, done: str) -> HttpResponse:
    shown = find(PayoutBatch.objects.all(), batch_id)
    at: datetime = timezone.now()
    try:
        deed(shown, admin, at=at)
    except LedgerError as error:
        messages.error(request, plain(error))
    else:
        messages.success(request, done)
    return redirect("portal:payout-batch", shown.pk)
