"""Payouts through a bank: the file goes out, and the bank's answers come back, line by line."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ledger import by_hand
from ledger.errors import LedgerError, ReasonMissing
from ledger.models import Payout, PayoutBatch
from ledger.vocabulary import PayoutStatus
from portal import payout_review
from portal.access import for_payout_admins
from portal.listing import cut
from portal.troubles import plain
from registry.ids import find
from registry.models import User

PAID, REFUSED = "paid", "refused"


@require_POST
@for_payout_admins
def issue(request: HttpRequest, admin: User, batch_id: str) -> HttpResponse:
    """Take the batch's payouts by bank out: from now on the bank may have the file."""
    batch = find(PayoutBatch.objects.all(), batch_id)
    try:
        count = by_hand.issue(batch, admin, at=timezone.now())
    except LedgerError as error:
        messages.error(request, plain(error))
        return redirect("portal:payout-batch", batch.pk)
    messages.success(
        request,
        ngettext(
            "The file holds %(count)s payment. Download it, give it to the bank, then tell "
            "what the bank said.",
            "The file holds %(count)s payments. Download it, give it to the bank, then tell "
            "what the bank said.",
            count,
        )
        % {"count": count},
    )
    return redirect("portal:bank-answers", batch.pk)


@require_GET
@never_cache
@for_payout_admins
def payment_file(request: HttpRequest, admin: User, batch_id: str, number: int) -> HttpResponse:
    """Send a payment file as it was issued; who took it is on record."""
    batch = find(PayoutBatch.objects.all(), batch_id)
    try:
        file = by_hand.hand_over(batch, admin, at=timezone.now(), number=number)
    except LedgerError as error:
        messages.error(request, plain(error))
        return redirect("portal:payout-batch", batch.pk)
    answer = HttpResponse(bytes(file.content), content_type="application/xml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{file.message_id}.xml"'
    return answer


@require_http_methods(["GET", "POST"])
@for_payout_admins
def answers(request: HttpRequest, admin: User, batch_id: str) -> HttpResponse:
    """List what was given to the bank; on POST keep its answers, each for itself."""
    batch = find(PayoutBatch.objects.select_related("prepared_by", "submitted_by"), batch_id)
    maker = admin.pk in {batch.prepared_by_id, batch.submitted_by_id}
    rows = batch.payouts.exclude(payment_file=None)
    troubles: dict[str, str] = {}
    if request.method == "POST":
        kept, troubles = _keep(request, admin, rows.filter(status=PayoutStatus.SENDING))
        if kept:
            said = ngettext("%(count)s answer kept.", "%(count)s answers kept.", kept)
            messages.success(request, said % {"count": kept})
        if not troubles:
            return redirect("portal:bank-answers", batch.pk)
    listing = cut(
        request,
        rows.select_related("creator__payee"),
        sorts={"creator": "creator__display_name", "amount": "amount_micros"},
        default="creator",
    )
    return render(
        request,
        "portal/bank_answers.html",
        {
            "batch": batch,
            "listing": listing,
            "lines": [
                (row, troubles.get(row.pk, ""), request.POST.get(f"reason-{row.pk}", ""))
                for row in listing.page
            ],
            "may_answer": not maker,
            "counts": payout_review.by_bank(batch),
            "files": batch.payment_files.order_by("number"),
        },
        status=422 if troubles else 200,
    )


def _keep(
    request: HttpRequest, admin: User, waiting: QuerySet[Payout]
) -> tuple[int, dict[str, str]]:
    """Keep each answer that was given; returns how many, and by payout why one was not kept."""
    kept, troubles = 0, {}
    for payout in waiting.order_by("pk"):
        said = request.POST.get(f"answer-{payout.pk}", "")
        if said not in {PAID, REFUSED}:
            continue
        try:
            if said == PAID:
                by_hand.mark_paid(payout, admin, at=timezone.now())
            else:
                reason = request.POST.get(f"reason-{payout.pk}", "")
                by_hand.mark_failed(payout, admin, reason=reason, at=timezone.now())
        except ReasonMissing:
            troubles[payout.pk] = _("Say what the bank said; this one was not kept.")
        except LedgerError as error:
            troubles[payout.pk] = plain(error)
        else:
            kept += 1
    return kept, troubles
