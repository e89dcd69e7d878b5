"""Reviewers' pages: disputes, appeals and clusters that wait for a person without a part in them."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal import dispute_words
from portal.access import for_staff
from portal.forms.disputes import Decide, Merge, Separate
from portal.listing import cut
from portal.troubles import plain
from registry import appeals, claims, clusters, disputes
from registry.errors import RegistryError
from registry.ids import find
from registry.models import ClaimConflict, Cluster, ClusterEvent, User, Work


@for_staff
def reviews(request: HttpRequest, staff: User) -> HttpResponse:
    """List what waits: open disputes and appeals, matches, clusters nobody has looked at."""
    waiting = Q(resolved_at=None) | Q(appealed_at__isnull=False, reviewed_at=None)
    rows = disputes.decidable_by(staff).filter(waiting).select_related("work", "other")
    listing = cut(request, rows, sorts={"opened": "opened_at"}, default="opened")
    now = timezone.now()
    matches = appeals.matches_decidable_by(staff).filter(finding=None).select_related("work")
    groups = clusters.waiting(clusters.decidable_by(staff))
    return render(
        request,
        "portal/reviews.html",
        {
            "listing": listing,
            "rows": [(each, dispute_words.standing(each, at=now)) for each in listing.page],
            "matches": [
                (each, dispute_words.MATCH_REASONS[each.reason])
                for each in matches.order_by("made_at", "pk")[:50]
            ],
            "clusters": groups[:50],
        },
    )


@for_staff
def review(request: HttpRequest, staff: User, dispute_id: str) -> HttpResponse:
    """Show a dispute to whoever may decide it."""
    conflicts = disputes.decidable_by(staff).select_related(
        "work__registered_by", "other__registered_by"
    )
    shown = find(conflicts, dispute_id)
    now = timezone.now()
    open_now = shown.resolved_at is None
    appealed = shown.appealed_at is not None and shown.reviewed_at is None
    both = {shown.work_id, shown.other_id}
    return render(
        request,
        "portal/review.html",
        {
            "dispute": shown,
            "standing": dispute_words.standing(shown, at=now),
            "outcome": dispute_words.OUTCOMES.get(shown.outcome),
            "money": dispute_words.money(shown, at=now),
            "proven": claims.proven(both, at=now),
            "timeline": dispute_words.timeline(shown),
            "may_admit": open_now and shown.admitted_at is None,
            "form": Decide() if open_now or appealed else None,
            "appealed": appealed,
        },
    )


@require_POST
@for_staff
def admit(request: HttpRequest, staff: User, dispute_id: str) -> HttpResponse:
    """Find a later claim plausible."""
    conflict = find(disputes.decidable_by(staff), dispute_id)
    _try(
        request,
        forms.Form(request.POST),
        lambda: claims.admit(conflict, by=staff, at=timezone.now()),
        _("Both works' earnings are set aside until it is decided."),
    )
    return redirect("portal:review", conflict.pk)


@require_POST
@for_staff
def decide(request: HttpRequest, staff: User, dispute_id: str) -> HttpResponse:
    """Decide a dispute, or an appeal against its outcome."""
    conflict = find(disputes.decidable_by(staff), dispute_id)
    form = Decide(request.POST)

    def deed() -> None:
        outcome = ClaimConflict.Outcome(form.cleaned_data["outcome"])
        deciding = disputes.decide if conflict.resolved_at is None else appeals.review
        deciding(conflict, by=staff, outcome=outcome, at=timezone.now())

    _try(request, form, deed, _("Decided. Both parties can read it, and the public log has it."))
    return redirect("portal:review", conflict.pk)


@require_POST
@for_staff
def decide_match(request: HttpRequest, staff: User, appeal_id: str) -> HttpResponse:
    """Lift or uphold a match by likeness."""
    appeal = find(appeals.matches_decidable_by(staff), appeal_id)
    lifted = request.POST.get("lifted") == "yes"
    _try(
        request,
        forms.Form(request.POST),
        lambda: appeals.decide_match(appeal, by=staff, lifted=lifted, at=timezone.now()),
        _("The match counts no more.") if lifted else _("The match goes on counting."),
    )
    return redirect("portal:reviews")


@for_staff
def cluster(request: HttpRequest, staff: User, cluster_id: str) -> HttpResponse:
    """Show a cluster, its works and what happened to them."""
    shown = find(clusters.decidable_by(staff), cluster_id)
    members = shown.members.select_related("work__registered_by").order_by(
        "work__registered_at", "pk"
    )
    events = shown.events.select_related("work").order_by("pk")
    return render(
        request,
        "portal/cluster.html",
        {
            "cluster": shown,
            "members": [(each, dispute_words.MEMBERS[each.state]) for each in members],
            "timeline": [
                (
                    each,
                    dispute_words.CLUSTER_EVENTS[each.kind],
                    dispute_words.FINDINGS.get(each.reason),
                )
                for each in events
            ],
            "merge": Merge(),
            "separate": Separate(),
        },
    )


@require_POST
@for_staff
def merge(request: HttpRequest, staff: User, cluster_id: str) -> HttpResponse:
    """Find a cluster's works to be one, with one more if it is named."""
    shown = find(clusters.decidable_by(staff), cluster_id)
    form = Merge(request.POST)

    def deed() -> None:
        live = Q(cluster_memberships__cluster=shown, cluster_memberships__state__in=clusters.LIVE)
        works = list(Work.objects.filter(live).order_by("registered_at", "pk"))
        if form.cleaned_data["work"]:
            works.append(find(Work.objects.all(), form.cleaned_data["work"].strip()))
        reason = ClusterEvent.Reason(form.cleaned_data["reason"])
        clusters.merge(works, by=staff, reason=reason, at=timezone.now())

    _try(request, form, deed, _("They count as one where money is divided."))
    return _to_cluster(staff, shown)


@require_POST
@for_staff
def separate(request: HttpRequest, staff: User, cluster_id: str) -> HttpResponse:
    """Take a work out of a cluster."""
    shown = find(clusters.decidable_by(staff), cluster_id)
    form = Separate(request.POST)

    def deed() -> None:
        work = find(Work.objects.all(), form.cleaned_data["work"])
        reason = ClusterEvent.Reason(form.cleaned_data["reason"])
        clusters.separate(shown, work, by=staff, reason=reason, at=timezone.now())

    _try(request, form, deed, _("It counts for itself from now on."))
    return _to_cluster(staff, shown)


def _to_cluster(staff: User, shown: Cluster) -> HttpResponse:
    """Go back to the cluster, unless it now holds works of the reviewer's own."""
    still = clusters.decidable_by(staff).filter(pk=shown.pk).exists()
    return redirect("portal:cluster", shown.pk) if still else redirect("portal:reviews")


def _try(request: HttpRequest, form: forms.Form, deed: Callable[[], object], said: str) -> None:
    """Do one thing, and say what came of it."""
    if not form.is_valid():
        messages.error(request, _("Choose one of the answers."))
        return
    try:
        deed()
    except RegistryError as error:
        messages.error(request, plain(error))
    else:
        messages.success(request, said)
