"""What a creator allows: in a sentence for one subject, in a table for many works."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from portal import sayings, sentences
from portal.access import for_creators
from portal.forms.consent import OfferTerms, SayTogether
from portal.listing import cut
from portal.troubles import plain, put_beside
from portal.views.works import own_works
from portal.wording import BY_VALUE, PURPOSES, Choice, choice_of
from registry import consent as registry_consent
from registry import licensing
from registry.errors import RegistryError
from registry.ids import find
from registry.models import Collection, Creator, Statement, Work
from tribute.vocabulary import Decision, Purpose

MOST_TOGETHER = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One work with its word for each purpose."""

    work: Work
    words: list[sayings.Word]


@dataclass(frozen=True, slots=True)
class Change:
    """What a change would do to one work."""

    work: Work
    now: sayings.Word
    changes: bool


@for_creators
def consent(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Show the general word, and the table of works by purposes."""
    return _table(request, creator, None)


def _table(request: HttpRequest, creator: Creator, form: SayTogether | None) -> HttpResponse:
    now = timezone.now()
    listing = cut(
        request,
        own_works(creator),
        sorts={"title": "title", "registered": "registered_at"},
        default="-registered",
    )
    shown = list(listing.page)
    by_purpose = [
        sayings.words(shown, Purpose(purpose), creator=creator, at=now) for purpose in PURPOSES
    ]
    said = list(Statement.objects.filter(creator=creator))
    return render(
        request,
        "portal/consent.html",
        {
            "listing": listing,
            "rows": [Row(w, [words[w.pk] for words in by_purpose]) for w in shown],
            "purposes": PURPOSES,
            "form": form or SayTogether(work_ids=[]),
            "ticked": set(request.POST.getlist("work")),
            "action": reverse("portal:say-default"),
            **sayings.sentence(
                creator, said, opening=_("As for all you make, AI companies"), at=now
            ),
        },
        status=422 if form else 200,
    )


@require_POST
@for_creators
def say_default(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Record the word that counts where nothing narrower was said."""
    _say(request, creator, creator, Statement.objects.filter(creator=creator))
    return redirect("portal:consent")


@require_POST
@for_creators
def say_work(request: HttpRequest, creator: Creator, work_id: str) -> HttpResponse:
    """Record the words on one work."""
    work = find(own_works(creator), work_id)
    _say(request, creator, work, work.statements.filter(claimant=creator))
    return redirect("portal:work", work.pk)


@require_POST
@for_creators
def say_site(request: HttpRequest, creator: Creator, site_id: str) -> HttpResponse:
    """Record the words on one site."""
    site = find(creator.collections.all(), site_id)
    _say(request, creator, site, site.statements.filter(claimant=creator))
    return redirect("portal:site", site.pk)


def _say(
    request: HttpRequest, creator: Creator, subject: Work | Collection | Creator, said: Any
) -> None:
    """Record what differs from what stood, and tell what was recorded."""
    now = timezone.now()
    differing = sentences.changes(sentences.standing_words(said, at=now), request.POST)
    if not differing:
        messages.info(request, _("Nothing changed; everything stays as it was."))
        return
    try:
        with transaction.atomic():
            for purpose, choice in differing.items():
                _state(creator, subject, Purpose(purpose), choice)
    except RegistryError as error:
        messages.error(request, plain(error))
        return
    messages.success(
        request,
        ngettext(
            "Saved. %(count)s word changed, and counts from now on.",
            "Saved. %(count)s words changed, and count from now on.",
            len(differing),
        )
        % {"count": len(differing)},
    )


def _state(
    creator: Creator, subject: Work | Collection | Creator, purpose: Purpose, choice: Choice
) -> Statement:
    now = timezone.now()
    licensed = choice.decision is Decision.LICENSE
    return registry_consent.state(
        creator,
        subject,
        purpose=purpose,
        decision=choice.decision,
        paid=choice.paid,
        terms=sayings.newest_terms(creator) if licensed else None,
        effective_from=now,
        at=now,
    )


@require_POST
@for_creators
def preview(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Show what a change of many works would do, before anything is saved."""
    form = _together(request, creator)
    if not form.is_valid():
        return _table(request, creator, form)
    purpose, choice, rows = _changes(creator, form)
    changing = sum(row.changes for row in rows)
    return render(
        request,
        "portal/preview.html",
        {
            "purpose": purpose,
            "choice": choice,
            "rows": rows,
            "changing": changing,
            "deed": sayings.deed(purpose, choice, changing),
        },
    )


@require_POST
@for_creators
def say_together(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Record one word about one purpose for many works."""
    form = _together(request, creator)
    if not form.is_valid():
        return _table(request, creator, form)
    purpose, choice, rows = _changes(creator, form)
    changing = [row.work for row in rows if row.changes]
    try:
        with transaction.atomic():
            for work in changing:
                _state(creator, work, Purpose(purpose), choice)
    except RegistryError as error:
        messages.error(request, plain(error))
    else:
        messages.success(
            request, _("Done: %(deed)s.") % {"deed": sayings.deed(purpose, choice, len(changing))}
        )
    return redirect("portal:consent")


def _together(request: HttpRequest, creator: Creator) -> SayTogether:
    """Read the form; a work that is not the creator's is none of the choices."""
    asked = request.POST.getlist("work")[:MOST_TOGETHER]
    try:
        own = set(own_works(creator).filter(pk__in=asked).values_list("pk", flat=True))
    except ValidationError:  # not an id of any work
        own = set()
    return SayTogether(request.POST, work_ids=[i for i in asked if i in own])


def _changes(creator: Creator, form: SayTogether) -> tuple[str, Choice, list[Change]]:
    purpose, choice = form.cleaned_data["purpose"], BY_VALUE[form.cleaned_data["choice"]]
    chosen = list(own_works(creator).filter(pk__in=form.cleaned_data["work"]).order_by("title"))
    now = sayings.words(chosen, Purpose(purpose), creator=creator, at=timezone.now())
    return (
        purpose,
        choice,
        [
            Change(
                work,
                now[work.pk],
                choice_of(now[work.pk].decision, paid=now[work.pk].paid) != choice.value,
            )
            for work in chosen
        ],
    )


@require_http_methods(["GET", "POST"])
@for_creators
def terms(request: HttpRequest, creator: Creator) -> HttpResponse:
    """List the licence terms; on POST offer new ones."""
    form = OfferTerms(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            licensing.offer(
                creator,
                price_micros=given["price"],
                currency=given["currency"] if given["price"] is not None else "",
                attribution_required=given["attribution_required"],
                uri=given["uri"],
                at=timezone.now(),
            )
        except RegistryError as error:
            put_beside(form, error)
        else:
            messages.success(
                request, _("Your terms are on offer; “only under a licence” uses them.")
            )
            return redirect("portal:terms")
    return render(
        request,
        "portal/terms.html",
        {"form": form, "terms": creator.terms.order_by("-created_at", "-pk")},
        status=422 if form.errors else 200,
    )
