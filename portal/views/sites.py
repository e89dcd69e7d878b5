"""A creator's sites: claim one, show that it is theirs, say what is allowed below it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST

from portal import installing, sayings
from portal.access import for_creators
from portal.forms.works import Claim
from portal.listing import cut
from portal.troubles import plain, put_beside
from registry import collections, fetching, name_records, site_files
from registry.errors import RegistryError
from registry.ids import find
from registry.models import Collection, Creator
from tribute.vocabulary import IdentifierKind

FIELDS = {
    "invalid_identifier": "value",
    "collection_claimed": "value",
    "public_suffix": "value",
}

METHODS = {
    collections.Method.DNS_TXT.value: _lazy("a TXT record"),
    collections.Method.WELL_KNOWN.value: _lazy("a file"),
    collections.Method.META.value: _lazy("a tag on the front page"),
}


@require_http_methods(["GET", "POST"])
@for_creators
def sites(request: HttpRequest, creator: Creator) -> HttpResponse:
    """List the sites; on POST claim one."""
    form = Claim(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            claimed = collections.claim(
                creator,
                kind=IdentifierKind(form.cleaned_data["kind"]),
                value=form.cleaned_data["value"],
                at=timezone.now(),
            )
        except RegistryError as error:
            put_beside(form, error, FIELDS)
        else:
            return redirect("portal:site", claimed.pk)
    listing = cut(
        request,
        creator.collections.all(),
        sorts={"site": "canonical", "claimed": "claimed_at"},
        default="-claimed",
    )
    return render(
        request,
        "portal/sites.html",
        {"form": form, "listing": listing},
        status=422 if form.errors else 200,
    )


@for_creators
def site(request: HttpRequest, creator: Creator, site_id: str) -> HttpResponse:
    """Show a site, its proof or how to prove it, and what is allowed below it."""
    return _page(request, creator, find(creator.collections.all(), site_id), "")


@require_POST
@for_creators
def check_site(request: HttpRequest, creator: Creator, site_id: str) -> HttpResponse:
    """Look now whether the site shows control, by any of the methods there are."""
    shown = find(creator.collections.all(), site_id)
    try:
        collections.verify(
            shown,
            fetch=fetching.fetch,
            beginning=fetching.fetch_beginning,
            look_up=name_records.txt,
            at=timezone.now(),
        )
    except RegistryError as error:
        return _page(request, creator, shown, plain(error), status=422)
    messages.success(request, _("Found. From now on your yes counts here as well as your no."))
    return redirect("portal:site", shown.pk)


@for_creators
def site_file(_request: HttpRequest, creator: Creator, site_id: str, name: str) -> HttpResponse:
    """Send one ready file of a site, to be saved."""
    shown = find(creator.collections.all(), site_id)
    file = site_files.write(shown, name, at=timezone.now())
    saved_as = {"rsl.xml": "license.xml"}.get(name, name)
    return HttpResponse(
        file.text.encode(),
        content_type=f"{file.media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{saved_as}"'},
    )


def _page(
    request: HttpRequest, creator: Creator, shown: Collection, problem: str, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    past = sayings.past(shown)
    return render(
        request,
        "portal/site.html",
        {
            "site": shown,
            "challenge": collections.challenge(shown),
            "method": METHODS.get(shown.method, ""),
            "failures_left": collections.MOST_FAILURES - shown.recheck_failures,
            "problem": problem,
            "past": past,
            "files": installing.ready(site_files.write_all(shown, at=now)),
            "action": reverse("portal:say-site", args=[shown.pk]),
            **sayings.sentence(
                creator,
                [event.statement for event in past],
                opening=sayings.opening_for_site(shown),
                at=now,
            ),
        },
        status=status,
    )
