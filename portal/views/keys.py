"""API keys of an operator: issue (the secret is shown once), list, revoke."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal.access import for_operators
from portal.forms.operators import IssueKey
from portal.listing import cut
from portal.troubles import put_beside
from registry import operators
from registry.errors import RegistryError
from registry.ids import find
from registry.models import Operator

FIELDS = {"too_many_keys": "name", "unknown_scope": "scopes"}


@require_http_methods(["GET", "POST"])
@never_cache
@for_operators
def keys(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List the keys; on POST issue one and show its secret this one time."""
    form, issued = IssueKey(request.POST or None), None
    if request.method == "POST" and form.is_valid():
        try:
            issued = operators.issue_key(operator, at=timezone.now(), **form.cleaned_data)
        except RegistryError as error:
            put_beside(form, error, FIELDS)
        else:
            form = IssueKey()
    listing = cut(
        request,
        operators.keys_of(operator),
        sorts={"name": "name", "made": "created_at", "used": "last_used_at"},
        default="-made",
    )
    return render(
        request,
        "portal/keys.html",
        {"form": form, "issued": issued, "listing": listing, "now": timezone.now()},
        status=422 if form.errors else 200,
    )


@require_POST
@for_operators
def revoke(request: HttpRequest, operator: Operator, key_id: str) -> HttpResponse:
    """End a key at once."""
    key = find(operators.keys_of(operator), key_id)
    operators.revoke_key(key, at=timezone.now())
    messages.success(request, _("The key %(key)s no longer opens anything.") % {"key": key})
    return redirect("portal:keys")
