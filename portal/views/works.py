"""A creator's works: list, register, look at one, confirm a share in it."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from attribution import spaces, uses
from portal import sayings
from portal.access import for_creators
from portal.forms.works import MEDIA, CoOwners, Register, Sieve
from portal.listing import cut
from portal.troubles import plain, put_beside
from registry import works as registry_works
from registry.errors import RegistryError, UnreadableFile
from registry.ids import find
from registry.models import WHOLE_PPM, ClaimConflict, Creator, RightsShare, Work, WorkSignature
from registry.reading import Reading, read
from tribute.vocabulary import Medium, Purpose

MEDIUM_WORDS = dict(MEDIA)
FIELDS = {
    "invalid_identifier": "url",
    "duplicate_identifier": "sha256",
    "identifier_required": "file",
    "already_registered": "title",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    work: Work
    medium: Any
    share: RightsShare
    training: sayings.Word
    answers: sayings.Word


def own_works(creator: Creator) -> QuerySet[Work]:
    """Return the works in which the creator has a share."""
    return Work.objects.filter(shares__creator=creator)


@for_creators
def works(request: HttpRequest, creator: Creator) -> HttpResponse:
    """List the creator's works."""
    sieve = Sieve(request.GET)
    narrowing = sieve.cleaned_data if sieve.is_valid() else {}
    found = own_works(creator)
    if narrowing.get("q"):
        found = found.filter(title__icontains=narrowing["q"])
    if narrowing.get("medium"):
        found = found.filter(medium=narrowing["medium"])
    listing = cut(
        request,
        found,
        sorts={"title": "title", "medium": "medium", "registered": "registered_at"},
        default="-registered",
        filters=("q", "medium"),
    )
    return render(
        request,
        "portal/works.html",
        {
            "listing": listing,
            "rows": _rows(creator, list(listing.page)),
            "sieve": sieve,
            "narrowed": any(narrowing.values()),
        },
    )


def _rows(creator: Creator, shown: list[Work]) -> list[Row]:
    now = timezone.now()
    training = sayings.words(shown, Purpose.TRAIN_AI, creator=creator, at=now)
    answers = sayings.words(shown, Purpose.AI_INPUT, creator=creator, at=now)
    shares = {s.work_id: s for s in RightsShare.objects.filter(creator=creator, work__in=shown)}
    return [
        Row(
            work=work,
            medium=MEDIUM_WORDS[Medium(work.medium)],
            share=shares[work.pk],
            training=training[work.pk],
            answers=answers[work.pk],
        )
        for work in shown
    ]


@require_http_methods(["GET", "POST"])
@for_creators
def register(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Register one work by file, address or fingerprints."""
    form = Register(request.POST or None, request.FILES or None)
    co_owners = CoOwners(request.POST or None, prefix="with")
    shares_problem = ""
    if request.method == "POST" and form.is_valid() and co_owners.is_valid():
        shares, shares_problem = _shares(creator, co_owners)
        reading = None if shares_problem else _reading(form)
        if not shares_problem and not form.errors:
            try:
                work = registry_works.register(
                    creator,
                    title=form.cleaned_data["title"],
                    medium=Medium(form.cleaned_data["medium"]),
                    identifiers=form.identifiers(),
                    shares=shares,
                    fingerprint=reading.fingerprint if reading else None,
                    features=reading.features if reading else None,
                    signature=reading.signature if reading else None,
                    at=timezone.now(),
                )
            except RegistryError as error:
                put_beside(form, error, FIELDS)
            else:
                _embed(form, work)
                messages.success(request, _("Registered. Now say what may be done with it."))
                return redirect("portal:work", work.pk)
    return render(
        request,
        "portal/register.html",
        {
            "form": form,
            "co_owners": co_owners,
            "shares_problem": shares_problem,
            "sites_url": reverse("portal:sites"),
        },
        status=422 if request.method == "POST" else 200,
    )


def _embed(form: Register, work: Work) -> None:
    """Let outputs be compared with the file by its vectors, where an embedder is installed."""
    if (file := form.cleaned_data["file"]) is not None:
        file.file.seek(0)
        spaces.embed_upload(work, file.file.read(), at=timezone.now())


def _reading(form: Register) -> Reading | None:
    """Read the file that came along; what is wrong with it is said beside its field."""
    file = form.cleaned_data["file"]
    if file is None:
        return None
    if file.size > settings.UPLOAD_MAX_BYTES:
        form.add_error("file", _("This file is too large to be read here. Give its SHA-256."))
        return None
    try:
        return read(file.file, Medium(form.cleaned_data["medium"]), at=timezone.now())
    except UnreadableFile as error:
        form.add_error(
            "file", _("We could not read this as what you say it is: %(why)s.") % {"why": error}
        )
        return None


def _shares(creator: Creator, co_owners: Any) -> tuple[dict[str, int] | None, str]:
    """Return the parts in ppm by creator id, or None for all of it, and what is wrong."""
    named = dict(row.share() for row in co_owners if row.share())
    if not named:
        return None, ""
    known = dict(Creator.objects.filter(handle__in=named).values_list("handle", "pk"))
    if missing := sorted(set(named) - set(known)):
        return None, _("Nobody here is called %(names)s.") % {"names": ", ".join(missing)}
    shares = {known[handle]: ppm for handle, ppm in named.items()}
    if creator.pk in shares or sum(shares.values()) >= WHOLE_PPM:
        return None, _("Name only others; what is left, more than nothing, is yours.")
    return {creator.pk: WHOLE_PPM - sum(shares.values()), **shares}, ""


@for_creators
def work(request: HttpRequest, creator: Creator, work_id: str) -> HttpResponse:
    """Show a work: what is allowed, how it is recognised, whose it is, what was said when."""
    shown = find(own_works(creator).select_related("registered_by"), work_id)
    now = timezone.now()
    past = sayings.past(shown)
    own = [event.statement for event in past if event.statement.claimant_id == creator.pk]
    shares = list(shown.shares.select_related("creator").order_by("-ppm", "pk"))
    return render(
        request,
        "portal/work.html",
        {
            "work": shown,
            "medium": MEDIUM_WORDS[Medium(shown.medium)],
            "acting": creator,
            "share": next(s for s in shares if s.creator_id == creator.pk),
            "shares": shares,
            "identifiers": shown.identifiers.order_by("pk"),
            **_signed(shown, creator),
            "conflicts": ClaimConflict.objects.filter(
                Q(work=shown) | Q(other=shown), resolved_at=None
            ),
            "past": past,
            "newest": next((e for e in past if e.statement.effective_from <= now), None),
            "uses": uses.of_work(shown),
            "heard": (heard := _heard(shown, creator)),
            "told": [word for word in heard if not word.counts],
            "action": reverse("portal:say-work", args=[shown.pk]),
            **sayings.sentence(creator, own, opening=sayings.opening_for(shown), at=now),
        },
    )


def _signed(work: Work, creator: Creator) -> dict[str, object]:
    """Return the certificate that signed the work's file, and whether it is the creator's."""
    signature = WorkSignature.objects.filter(work=work).first()
    if signature is None:
        return {}
    own = creator.signers.filter(certificate_sha256=signature.certificate_sha256)
    return {"signature": bytes(signature.certificate_sha256).hex(), "signer": own.first()}


def _heard(work: Work, creator: Creator) -> list[sayings.Word]:
    """Return for each purpose the creator's word on the work, and what companies are told."""
    now = timezone.now()
    return [sayings.words([work], p, creator=creator, at=now)[work.pk] for p in Purpose]


@require_POST
@for_creators
def confirm_share(request: HttpRequest, creator: Creator, work_id: str) -> HttpResponse:
    """Accept the part of a work that somebody else says is the creator's."""
    shown = find(own_works(creator), work_id)
    try:
        registry_works.confirm_share(shown, creator, at=timezone.now())
    except RegistryError as error:
        messages.error(request, plain(error))
    else:
        messages.success(request, _("Confirmed. Your word on this work counts from now on."))
    return redirect("portal:work", shown.pk)
