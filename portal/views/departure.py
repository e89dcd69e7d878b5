"""Leave Tribute: what it comes to, in numbers, what stands in the way, and a way back in time."""

from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from attribution import departures
from attribution.errors import AttributionError, ErasureBlocked
from portal import departure_mails, presence
from portal.access import for_creators, for_people, person
from portal.departure_words import WHY, obstacle
from portal.forms.leaving import Leave
from portal.troubles import plain
from registry import erasures
from registry.errors import NotFound, RegistryError
from registry.models import Creator, Erasure, User


@never_cache
@require_http_methods(["GET", "POST"])
@for_people
def departure(request: HttpRequest) -> HttpResponse:
    """Show what leaving comes to; on POST ask for it, of a person who is here now."""
    user = person(request)
    creator = _one(user, request.POST.get("creator") or request.GET.get("creator") or "")
    found = departures.preview(user, creator=creator)
    form = Leave(request.POST or None, money=bool(found.money))
    page = reverse("portal:departure") + (f"?creator={creator.pk}" if creator else "")
    requested = None
    if request.method == "POST":
        if not presence.shown(request):
            return redirect(presence.address(request, back=f"{page}#leave"))
        if form.is_valid():
            requested = _ask(request, creator, form)
    erasure = erasures.open_of(user)
    return render(
        request,
        "portal/departure.html",
        {
            "preview": found,
            "creator": creator,
            "form": form,
            "obstacles": [obstacle(each) for each in departures.blockers(user, creator=creator)],
            "erasure": erasure,
            "held_up_by": [WHY[kind] for kind in erasure.blocked_by] if erasure else [],
            "claim_code": requested.claim_code if requested else "",
            "delay_days": settings.ERASURE_DELAY_DAYS,
            "claim_days": settings.ERASURE_CLAIM_DAYS,
            "present": presence.shown(request),
            "presence_url": presence.address(request, back=f"{page}#leave"),
            "others": [each for each in erasures.own_creators(user) if each != creator],
        },
        status=422 if form.errors else 200,
    )


@require_POST
@for_people
def stay(request: HttpRequest) -> HttpResponse:
    """Call it off."""
    erasure = erasures.open_of(person(request))
    if erasure is not None:
        try:
            erasures.cancel(erasure, at=timezone.now())
        except RegistryError as error:
            messages.error(request, plain(error))
        else:
            messages.success(request, _("Called off. Everything is as it was."))
    return redirect("portal:departure")


@require_POST
@for_creators
def claim_left(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Give money that was left behind to the creator whose person shows the code."""
    try:
        moved = departures.claim_left(
            request.POST.get("code", "")[:64],
            by=creator,
            holding=timedelta(days=settings.HOLDING_DAYS),
            within=timedelta(days=settings.ERASURE_CLAIM_DAYS),
            at=timezone.now(),
        )
    except NotFound:
        moved = []
    if moved:
        messages.success(request, _("It is yours again; you see it among your earnings."))
    else:
        messages.warning(request, _("Nothing waits under this code. Look for missing characters."))
    return redirect("portal:payouts")


def _one(user: User, creator_id: str) -> Creator | None:
    """Return the creator that is to go alone, if one is named. Raises NotFound for others'."""
    if not creator_id:
        return None
    for creator in erasures.own_creators(user):
        if creator.pk == creator_id:
            return creator
    raise NotFound(f"creator {creator_id!r} is not yours alone")


def _ask(request: HttpRequest, creator: Creator | None, form: Leave) -> erasures.Requested | None:
    """Ask for it and tell the person by mail; what is refused stands on the page."""
    asked = form.cleaned_data
    try:
        requested = departures.request(
            person(request),
            creator=creator,
            refusals=Erasure.Refusals(asked["refusals"]),
            leaves_money=asked.get("leaves_money", False),
            language=get_language() or settings.LANGUAGE_CODE,
            delay=timedelta(days=settings.ERASURE_DELAY_DAYS),
            at=timezone.now(),
        )
    except ErasureBlocked as error:
        for blocker in error.blockers:
            form.add_error(None, str(WHY[blocker[0]]))
        return None
    except (AttributionError, RegistryError) as error:
        form.add_error(None, plain(error))
        return None
    try:
        departure_mails.tell(requested.erasure, "requested", code=requested.claim_code)
    except (OSError, SMTPException):
        messages.warning(
            request, _("The mail that confirms it could not be sent; it holds all the same.")
        )
    return requested
