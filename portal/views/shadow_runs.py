"""What another method would have paid: admins compare, propose, accept or dismiss."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from attribution import adjusting, shadowing
from attribution.errors import AttributionError
from attribution.models import ShadowResult, ShadowRun
from ledger.money import Money
from portal import second_factor
from portal.access import for_payout_admins
from portal.forms.reviews import Decision, StartShadowRun
from portal.listing import cut
from portal.troubles import plain, put_beside
from portal.wording import SHADOW_RUNS
from registry.ids import find
from registry.models import User

CREATORS_SHOWN = 200


@require_http_methods(["GET", "POST"])
@for_payout_admins
def runs(request: HttpRequest, admin: User) -> HttpResponse:
    """List shadow runs; on POST start one."""
    form = StartShadowRun(request.POST or None)
    if request.method == "POST" and form.is_valid():
        at, given = timezone.now(), form.cleaned_data
        try:
            started = shadowing.start(
                given["model"],
                admin,
                method=given["method"],
                settled=(at - timedelta(days=given["days"]), at),
                at=at,
            )
        except AttributionError as error:
            put_beside(form, error)
        else:
            messages.success(request, _("Started; nothing is booked by it."))
            return redirect("portal:shadow-run", started.pk)
    return render(
        request,
        "portal/shadow_runs.html",
        {
            "form": form,
            "listing": cut(
                request,
                ShadowRun.objects.select_related("model__operator"),
                sorts={"asked": "asked_at"},
                default="-asked",
            ),
            "states": SHADOW_RUNS,
        },
        status=422 if form.errors else 200,
    )


@require_GET
@for_payout_admins
def run(request: HttpRequest, admin: User, run_id: str) -> HttpResponse:
    """Show a run, what it would change by creator and by query, and what may be decided."""
    shown = find(
        ShadowRun.objects.select_related("model__operator", "proposed_by", "accepted_by"), run_id
    )
    found = shadowing.differences(shown)
    changed = ShadowResult.objects.filter(run=shown).exclude(state=ShadowResult.State.SAME)
    currency = shown.model.currency
    return render(
        request,
        "portal/shadow_run.html",
        {
            "run": shown,
            "state": SHADOW_RUNS[shown.state],
            "counts": shadowing.results(shown),
            "differences": [
                (each, Money(each.micros, currency)) for each in found[:CREATORS_SHOWN]
            ],
            "more": max(len(found) - CREATORS_SHOWN, 0),
            "moved": Money(sum(each.micros for each in found if each.micros > 0), currency),
            "listing": cut(
                request,
                changed.prefetch_related("changes__work", "changes__creator"),
                sorts={"query": "query_id", "state": "state"},
                default="query",
            ),
            "may_accept": shown.state == "proposed" and shown.proposed_by_id != admin.pk,
            "factor": second_factor.fresh(request),
            "factor_url": second_factor.address(
                second_factor.enrolled(admin), back=_decision(shown)
            ),
            "waits_for_another": shown.state == "proposed" and shown.proposed_by_id == admin.pk,
        },
    )


@require_POST
@for_payout_admins
def decide(request: HttpRequest, admin: User, run_id: str) -> HttpResponse:
    """Propose a run's corrections, accept them, or leave everything as it was."""
    shown = find(ShadowRun.objects.all(), run_id)
    form = Decision(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose what to do first."))
        return redirect("portal:shadow-run", shown.pk)
    deed, reason = form.cleaned_data["deed"], form.cleaned_data["reason"]
    if deed == "propose" and not reason:
        messages.error(request, _("Say first why it should be booked."))
        return redirect("portal:shadow-run", shown.pk)
    if deed == "accept" and second_factor.fresh(request) is None:
        return second_factor.ask(request, back=_decision(shown))
    try:
        if deed == "propose":
            adjusting.propose(shown, admin, reason=reason)
            done = _("Proposed. Somebody else accepts it now.")
        elif deed == "accept":
            adjusting.accept(shown, admin)
            done = _("Accepted. The corrections are being booked.")
        else:
            adjusting.dismiss(shown, at=timezone.now())
            done = _("Dismissed. Everything stays as it was paid.")
    except AttributionError as error:
        messages.error(request, plain(error))
    else:
        messages.success(request, done)
    return redirect("portal:shadow-run", shown.pk)


def _decision(run: ShadowRun) -> str:
    """Where on the pages it is decided about a run."""
    return f"{reverse('portal:shadow-run', args=[run.pk])}#decide"
