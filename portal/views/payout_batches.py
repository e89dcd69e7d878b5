"""Batches of payouts: look at what would be paid, draw it up, submit; another approves; follow."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from ledger import payout_minimum, payouts, soundness
from ledger.errors import LedgerError
from ledger.models import PayoutBatch
from ledger.stuck import LINES
from ledger.vocabulary import BatchStatus
from portal import payout_changes, payout_review, second_factor
from portal.access import for_payout_admins
from portal.comparisons import newest_comparisons
from portal.deeds import trouble
from portal.forms.payouts import Prepare
from portal.listing import cut
from portal.troubles import plain, put_beside
from registry.ids import find
from registry.models import User

Deed = Callable[..., PayoutBatch]
HTMX_STOP_POLLING = 286
ACTIONS_SHOWN = 30
_PEOPLE = ("prepared_by", "submitted_by", "approved_by", "canceled_by")


@require_GET
@for_payout_admins
def batches(request: HttpRequest, admin: User) -> HttpResponse:
    """List the batches; with a currency, also what a batch drawn up now would hold."""
    form = Prepare(request.GET if "currency" in request.GET else None)
    planned = attention = rolling = None
    if form.is_bound and form.is_valid():
        currency = form.cleaned_data["currency"]
        attention, rolling = payout_review.attention(currency), payout_review.rolling(currency)
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
        filters=("currency",),
    )
    return render(
        request,
        "portal/payout_batches.html",
        {
            "form": form,
            "planned": planned,
            "attention": attention,
            "rolling": rolling,
            "listing": listing,
            "minimums": [payout_minimum.of(code) for code in settings.CURRENCIES],
            "blocks": [row for row in newest_comparisons() if not row.agrees],
        },
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
    """Show a batch: who is paid how much, what changed, what may be done, what became of it."""
    shown = find(PayoutBatch.objects.select_related(*_PEOPLE), batch_id)
    own = admin.pk in {shown.prepared_by_id, shown.submitted_by_id}
    kinds = second_factor.enrolled(admin)
    decided = shown.actions.select_related("by", "payout__creator").order_by("-pk")
    return render(
        request,
        "portal/payout_batch.html",
        {
            **_followed(request, shown),
            "stale": shown.status == BatchStatus.SUBMITTED
            and soundness.is_stale(at=timezone.now()),
            "may_approve": shown.status == BatchStatus.SUBMITTED and not own,
            "waits_for_another": shown.status == BatchStatus.SUBMITTED and own,
            "maker": own,
            "factor": second_factor.fresh(request),
            "factor_kinds": kinds,
            "factor_url": second_factor.address(kinds, back=f"{request.path}#approve"),
            "obstacles": payout_review.obstacles(shown),
            "attention": payout_review.attention(shown.currency),
            "bank": payout_review.by_bank(shown),
            "actions": decided[:ACTIONS_SHOWN],
            "waits_for": trouble(shown.waits_for) if shown.waits_for else "",
            "lines_had_changed": shown.waits_for == LINES,
        },
    )


@require_GET
@for_payout_admins
def progress(request: HttpRequest, _admin: User, batch_id: str) -> HttpResponse:
    """Send how far a batch has come, for the page that follows it; at its end, say stop."""
    shown = find(PayoutBatch.objects.select_related(*_PEOPLE), batch_id)
    followed = _followed(request, shown)
    stop = HTMX_STOP_POLLING if not followed["under_way"] else 200
    return render(request, "portal/parts/batch_progress.html", followed, status=stop)


def _followed(request: HttpRequest, shown: PayoutBatch) -> dict[str, object]:
    """Return what changes while a batch is sent: its steps, heaps and lines.

    Who is unlike last time is counted over the whole batch while that is to be judged; a batch
    under way is asked for often, and only its page is read.
    """
    rows = shown.payouts.select_related("creator")
    heaps = payout_review.heaps(shown)
    count, total = payout_review.going(heaps, shown.currency)
    only_odd = request.GET.get("show") == "changed"
    judged = only_odd or shown.status in {BatchStatus.DRAFT, BatchStatus.SUBMITTED}
    all_lines = payout_changes.lines(rows) if judged else []
    odd = [line.payout.pk for line in all_lines if line.needs_attention]
    page_url = reverse("portal:payout-batch", args=[shown.pk])
    found = cut(
        request,
        rows.filter(pk__in=odd) if only_odd else rows,
        sorts={
            "amount": "amount_micros",
            "creator": "creator__display_name",
            "state": "status",
        },
        default="-amount",
        filters=("show",),
    )
    listing = replace(found, path=page_url)
    return {
        "batch": shown,
        "page_url": page_url,
        "progress_url": reverse("portal:batch-progress", args=[shown.pk]),
        "state": request.GET.urlencode(),
        "under_way": shown.status in payout_review.UNDER_WAY,
        "steps": _steps(shown),
        "heaps": heaps,
        "count": count,
        "total": total,
        "listing": listing,
        "lines": payout_changes.lines(listing.page),
        "judged": judged,
        "odd_count": len(odd),
        "only_odd": only_odd,
        "at": timezone.now(),
    }


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
    """Call off what has not been sent; a reason is kept when one was given."""
    reason = request.POST.get("reason", "").strip()
    deed = partial(payouts.cancel, reason=reason)
    return _act(request, admin, batch_id, deed, _("Called off. What was set aside is back."))


@require_POST
@for_payout_admins
def resume(request: HttpRequest, admin: User, batch_id: str) -> HttpResponse:
    """Let a batch go on whose lines had changed and are again those approved."""
    deed = partial(payouts.resume, reason=request.POST.get("reason", ""))
    return _act(request, admin, batch_id, deed, _("It goes on, exactly as it was approved."))


@require_POST
@for_payout_admins
def approve(request: HttpRequest, admin: User, batch_id: str) -> HttpResponse:
    """Approve exactly the submitted lines; without a fresh second factor, ask for that first."""
    factor = second_factor.fresh(request)
    if factor is None:
        back = reverse("portal:payout-batch", args=[batch_id])
        return second_factor.ask(request, back=f"{back}#approve")
    deed = partial(payouts.approve, factor=factor.kind)
    done = _("Approved. The money is set aside and goes out.")
    return _act(request, admin, batch_id, deed, done)


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
