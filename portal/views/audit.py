"""The audit: every invariant of the books, asked now, in the open for payout admins."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from attribution import invariants as attribution_invariants
from ledger import invariants as ledger_invariants
from ledger.models import Batch, Reconciliation
from portal.access import for_payout_admins
from registry.models import User


@require_GET
@for_payout_admins
def audit(request: HttpRequest, _admin: User) -> HttpResponse:
    """Run the audit and print its findings."""
    findings = [*ledger_invariants.findings(), *attribution_invariants.findings()]
    return render(
        request,
        "portal/audit.html",
        {
            "findings": findings,
            "head": Batch.objects.order_by("-seq").first(),
            "reconciliations": Reconciliation.objects.order_by("-compared_at")[:10],
        },
    )
