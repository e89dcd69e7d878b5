"""The audit: what the last run found, what is wrong since, how far the books are proved."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from attribution import invariants as attribution_invariants
from ledger import invariants, journal
from ledger.models import AuditMark, AuditRun, Batch, PublishedHead
from ledger.vocabulary import Deed
from portal.access import for_payout_admins
from portal.comparisons import newest_comparisons
from registry.models import User

RUNS_SHOWN, HEADS_SHOWN = 15, 8


@require_GET
@for_payout_admins
def audit(request: HttpRequest, _admin: User) -> HttpResponse:
    """Check what is new since the last whole audit, and show every earlier run."""
    runs = AuditRun.objects.order_by("-pk")
    return render(
        request,
        "portal/audit.html",
        {
            "findings": invariants.recent_findings(),
            "trusted": invariants.trusted(),
            "runs": runs[:RUNS_SHOWN],
            "last_run": runs.first(),
            "mark": AuditMark.objects.order_by("-seq").first(),
            "head": Batch.objects.order_by("-seq").first(),
            "heads": PublishedHead.objects.order_by("-seq")[:HEADS_SHOWN],
            "newest": newest_comparisons(),
        },
    )


@require_POST
@for_payout_admins
def run_audit(request: HttpRequest, admin: User) -> HttpResponse:
    """Check every rule against every raw row, and keep what was found."""
    at = timezone.now()
    found = [*invariants.audit(at=at), *attribution_invariants.findings()]
    journal.record(admin, Deed.AUDITED, at=at, findings=len(found))
    for finding in found[: invariants.MAX_DETAILS]:
        messages.error(request, str(finding))
    if found:
        said = ngettext("%(count)s finding.", "%(count)s findings.", len(found))
        messages.warning(request, said % {"count": len(found)})
    else:
        messages.success(request, _("The books are clean: no rule is broken."))
    return redirect("portal:audit")
