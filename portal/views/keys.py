"""API keys of operators, creators and desks: issue (the secret is shown once), list, revoke."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import second_factor
from portal.access import for_creators, for_operators, for_people, person, roles
from portal.forms.keys import (
    CREATOR_SCOPES,
    OPERATOR_SCOPES,
    PAYOUT_SCOPES,
    REVIEW_SCOPES,
    IssueKey,
    Scopes,
)
from portal.listing import cut
from portal.troubles import put_beside
from registry import operators
from registry.errors import RegistryError
from registry.ids import find
from registry.models import Creator, Operator, User

FIELDS = {"too_many_keys": "name", "unknown_scope": "scopes"}


@dataclass(frozen=True, slots=True)
class _Ring:
    """One owner's keys, what new ones may do, and the names of the pages that keep them."""

    owner: Operator | Creator | User
    scopes: Scopes
    page: str
    revoking: str


@require_http_methods(["GET", "POST"])
@never_cache
@for_operators
def keys(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Keys with which an operator's programs ask, declare and report."""
    return _kept(request, _of_operator(operator))


@require_POST
@for_operators
def revoke(request: HttpRequest, operator: Operator, key_id: str) -> HttpResponse:
    """End an operator's key at once."""
    return _revoked(request, _of_operator(operator), key_id)


@require_http_methods(["GET", "POST"])
@never_cache
@for_creators
def creator_keys(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Keys with which a creator's programs register works and say what is allowed."""
    return _kept(request, _of_creator(creator))


@require_POST
@for_creators
def revoke_creator_key(request: HttpRequest, creator: Creator, key_id: str) -> HttpResponse:
    """End a creator's key at once."""
    return _revoked(request, _of_creator(creator), key_id)


@require_http_methods(["GET", "POST"])
@never_cache
@for_people
def desk_keys(request: HttpRequest) -> HttpResponse:
    """Keys with which the programs of payout admins and reviewers work at their desks.

    What such a key does needs no second factor, so that making one does.
    """
    ring = _of_desk(request)
    if request.method == "POST" and second_factor.fresh(request) is None:
        return second_factor.ask(request, back=request.path)
    return _kept(request, ring)


@require_POST
@for_people
def revoke_desk_key(request: HttpRequest, key_id: str) -> HttpResponse:
    """End a key of one's own desk at once."""
    return _revoked(request, _of_desk(request), key_id)


def _of_operator(operator: Operator) -> _Ring:
    return _Ring(operator, OPERATOR_SCOPES, "portal:keys", "portal:revoke-key")


def _of_creator(creator: Creator) -> _Ring:
    return _Ring(creator, CREATOR_SCOPES, "portal:creator-keys", "portal:revoke-creator-key")


def _of_desk(request: HttpRequest) -> _Ring:
    """Offer what the person's own roles allow; for people without one there is nothing here."""
    acting = roles(request)
    scopes = [
        *(PAYOUT_SCOPES if acting.payout_admin else []),
        *(REVIEW_SCOPES if acting.reviewer else []),
    ]
    if not scopes:
        raise Http404
    user = User.objects.get(pk=person(request).pk)  # itself, not what stands for it lazily
    return _Ring(user, scopes, "portal:desk-keys", "portal:revoke-desk-key")


def _kept(request: HttpRequest, ring: _Ring) -> HttpResponse:
    """List the keys; on POST issue one and show its secret this one time."""
    form, issued = IssueKey(request.POST or None, scopes=ring.scopes), None
    if request.method == "POST" and form.is_valid():
        try:
            issued = operators.issue_key(ring.owner, at=timezone.now(), **form.cleaned_data)
        except RegistryError as error:
            put_beside(form, error, FIELDS)
        else:
            form = IssueKey(scopes=ring.scopes)
    listing = cut(
        request,
        operators.keys_of(ring.owner),
        sorts={"name": "name", "made": "created_at", "used": "last_used_at"},
        default="-made",
    )
    shown = {
        "form": form,
        "issued": issued,
        "listing": listing,
        "now": timezone.now(),
        "revoking": ring.revoking,
        "asks": isinstance(ring.owner, Operator),
    }
    return render(request, "portal/keys.html", shown, status=422 if form.errors else 200)


def _revoked(request: HttpRequest, ring: _Ring, key_id: str) -> HttpResponse:
    key = find(operators.keys_of(ring.owner), key_id)
    operators.revoke_key(key, at=timezone.now())
    messages.success(request, _("The key %(key)s no longer opens anything.") % {"key": key})
    return redirect(ring.page)
