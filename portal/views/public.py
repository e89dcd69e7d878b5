"""Pages for strangers: what this is, the look-up, and the page that credit lines point to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_htmx.middleware import HtmxDetails

from attribution import uses
from portal.access import roles
from portal.forms.works import MEDIA
from portal.identifying import kind_of
from portal.troubles import plain
from portal.wording import PURPOSES
from registry import checks, consent
from registry.errors import NotFound, RegistryError
from registry.ids import find
from registry.models import Work
from tribute.verdict import Verdict
from tribute.vocabulary import Decision, Medium, Purpose


@dataclass(frozen=True, slots=True)
class Told:
    """What anybody is told about one purpose."""

    purpose: str
    decision: str


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Say what this is."""
    return render(request, "portal/home.html", {"look_up_url": reverse("portal:look-up")})


@require_GET
def look_up(request: HttpRequest) -> HttpResponse:
    """Answer what is known of one address, SHA-256 or ISCC; without a question, ask for one."""
    asked = request.GET.get("q", "").strip()
    found, problem = None, ""
    if asked:
        try:
            found = checks.look_up(kind_of(asked), asked, at=timezone.now())
        except RegistryError as error:
            problem = plain(error)
    page = {
        "asked": asked,
        "problem": problem,
        "found": found,
        "told": _told(found.answer.verdicts) if found else (),
        "uses": uses.of_works(found.works) if found else (),
    }
    template = "portal/parts/found.html" if _is_fragment(request) else "portal/look_up.html"
    return render(request, template, page, status=422 if problem else 200)


def _is_fragment(request: HttpRequest) -> bool:
    """Say whether htmx asks for the answer alone."""
    htmx: HtmxDetails | None = getattr(request, "htmx", None)
    return htmx is not None and bool(htmx) and not htmx.boosted


def _told(verdicts: Mapping[Purpose, Verdict]) -> list[Told]:
    return [Told(purpose, verdicts[Purpose(purpose)].decision) for purpose in PURPOSES]


def _standing(work: Work) -> list[Told]:
    """Return what stands for a work by all its identifiers together, grants aside."""
    now = timezone.now()
    return [
        Told(p, consent.standing([work.pk], Purpose(p), at=now)[work.pk].decision) for p in PURPOSES
    ]


def _licensed(told: Iterable[Told]) -> bool:
    return any(each.decision == Decision.LICENSE for each in told)


def _may_accept(request: HttpRequest) -> bool:
    return request.user.is_authenticated and roles(request).operator is not None


@require_GET
def work(request: HttpRequest, work_id: str) -> HttpResponse:
    """Show what anybody may know of a work: its title, its makers, what is allowed, its uses."""
    try:
        shown = find(Work.objects.filter(status=Work.Status.ACTIVE), work_id)
    except NotFound as error:
        raise Http404(str(error)) from error
    owned = (
        request.user.is_authenticated
        and shown.shares.filter(creator__members=request.user).exists()
    )
    told = _standing(shown)
    return render(
        request,
        "portal/public_work.html",
        {
            "work": shown,
            "medium": dict(MEDIA)[Medium(shown.medium)],
            "makers": [c.display_name for c in shown.rightsholders.order_by("-shares__ppm", "pk")],
            "told": told,
            "licensed": _may_accept(request) and _licensed(told),
            "uses": uses.of_work(shown),
            "owned": owned,
        },
    )
