"""A creator's disputes: follow them, answer, stand by a claim, appeal."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from portal import dispute_words
from portal.access import for_creators
from portal.forms.disputes import Answer, Appeal
from portal.listing import cut
from portal.troubles import plain
from registry import appeals, claims
from registry import disputes as registry_disputes
from registry.errors import RegistryError
from registry.ids import find
from registry.models import ClaimConflict, Creator, DisputeEvent


@for_creators
def disputes(request: HttpRequest, creator: Creator) -> HttpResponse:
    """List the disputes about the creator's works."""
    rows = registry_disputes.concerning(creator).select_related("work", "other")
    listing = cut(request, rows, sorts={"opened": "opened_at"}, default="-opened")
    now = timezone.now()
    shown = [(each, dispute_words.standing(each, at=now)) for each in listing.page]
    return render(request, "portal/disputes.html", {"listing": listing, "rows": shown})


@for_creators
def dispute(request: HttpRequest, creator: Creator, dispute_id: str) -> HttpResponse:
    """Show a dispute: both sides, what happened, and what the creator can do."""
    conflicts = registry_disputes.concerning(creator).select_related(
        "work__registered_by", "other__registered_by"
    )
    shown = find(conflicts, dispute_id)
    now = timezone.now()
    later = shown.work_id in appeals.sides_of(shown, creator)
    open_now = shown.resolved_at is None
    return render(
        request,
        "portal/dispute.html",
        {
            "dispute": shown,
            "standing": dispute_words.standing(shown, at=now),
            "outcome": dispute_words.OUTCOMES.get(shown.outcome),
            "money": dispute_words.money(shown, at=now),
            "timeline": dispute_words.timeline(shown),
            "answer": Answer() if open_now else None,
            "may_claim": open_now and later and shown.claimed_at is None,
            "appeal": Appeal() if appeals.may_appeal(shown, creator, at=now) else None,
            "hold_days": claims.HOLDS_FOR.days,
            "appeal_days": appeals.APPEAL_WITHIN.days,
        },
    )


@require_POST
@for_creators
def answer(request: HttpRequest, creator: Creator, dispute_id: str) -> HttpResponse:
    """Say what speaks for the creator's side."""
    form = Answer(request.POST)

    def deed(conflict: ClaimConflict) -> None:
        reason = DisputeEvent.Reason(form.cleaned_data["reason"])
        registry_disputes.answer(conflict, creator, reason=reason, at=timezone.now())

    return _act(request, creator, dispute_id, form, deed=deed, said=_("Your answer is on record."))


@require_POST
@for_creators
def claim(request: HttpRequest, creator: Creator, dispute_id: str) -> HttpResponse:
    """Stand by a claim on what was registered before."""

    def deed(conflict: ClaimConflict) -> None:
        claims.stand_by(conflict, creator, at=timezone.now())

    said = _("You stand by your claim. What both works earn is set aside for now.")
    return _act(request, creator, dispute_id, forms.Form(request.POST), deed=deed, said=said)


@require_POST
@for_creators
def appeal(request: HttpRequest, creator: Creator, dispute_id: str) -> HttpResponse:
    """Ask for another person's decision."""
    form = Appeal(request.POST)

    def deed(conflict: ClaimConflict) -> None:
        ground = DisputeEvent.Ground(form.cleaned_data["ground"])
        appeals.appeal(conflict, creator, ground=ground, at=timezone.now())

    return _act(
        request, creator, dispute_id, form, deed=deed, said=_("Another person will decide.")
    )


def _act(  # noqa: PLR0913 - one deed of one party, and what is said about it
    request: HttpRequest,
    creator: Creator,
    dispute_id: str,
    form: forms.Form,
    *,
    deed: Callable[[ClaimConflict], None],
    said: str,
) -> HttpResponse:
    """Do one thing in a dispute of the creator's, and go back to its page."""
    conflict = find(registry_disputes.concerning(creator), dispute_id)
    if not form.is_valid():
        messages.error(request, _("Choose one of the answers."))
    else:
        try:
            deed(conflict)
        except RegistryError as error:
            messages.error(request, plain(error))
        else:
            messages.success(request, said)
    return redirect("portal:dispute", conflict.pk)
