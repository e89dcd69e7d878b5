"""After signing up: say what one is, a creator or an operator, and choose whom to act as."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from portal.access import ACTING_CREATOR, ACTING_OPERATOR, for_people, person
from portal.forms.people import Found, Join
from portal.troubles import put_beside
from registry import creators, operators
from registry.errors import RegistryError
from registry.ids import find

FIELDS = {"handle_taken": "handle", "invalid_handle": "handle"}
CREATOR_IDS, OPERATOR_IDS = "creator_%s", "operator_%s"


@require_GET
@for_people
def welcome(request: HttpRequest) -> HttpResponse:
    """Ask what brings the person here."""
    return _ask(request, Join(auto_id=CREATOR_IDS), Found(auto_id=OPERATOR_IDS))


@require_POST
@for_people
def join(request: HttpRequest) -> HttpResponse:
    """Make the person a creator."""
    form = Join(request.POST, auto_id=CREATOR_IDS)
    if form.is_valid():
        try:
            creator = creators.join(person(request), at=timezone.now(), **form.cleaned_data)
        except RegistryError as error:
            put_beside(form, error, FIELDS)
        else:
            request.session[ACTING_CREATOR] = creator.pk
            return redirect("portal:overview")
    return _ask(request, form, Found(auto_id=OPERATOR_IDS), status=422)


@require_POST
@for_people
def found(request: HttpRequest) -> HttpResponse:
    """Found an operator with the person as its first member."""
    form = Found(request.POST, auto_id=OPERATOR_IDS)
    if form.is_valid():
        try:
            operator = operators.found(person(request), at=timezone.now(), **form.cleaned_data)
        except RegistryError as error:
            put_beside(form, error, FIELDS)
        else:
            request.session[ACTING_OPERATOR] = operator.pk
            return redirect("portal:operator")
    return _ask(request, Join(auto_id=CREATOR_IDS), form, status=422)


@require_POST
@for_people
def act_as(request: HttpRequest) -> HttpResponse:
    """Act as another creator or operator that the person belongs to."""
    user = person(request)
    chosen = request.POST.get("id", "")
    if chosen.startswith("cre_"):
        request.session[ACTING_CREATOR] = find(user.creators.all(), chosen).pk
        return redirect("portal:overview")
    request.session[ACTING_OPERATOR] = find(user.operators.all(), chosen).pk
    return redirect("portal:operator")


def _ask(request: HttpRequest, creator: Join, operator: Found, status: int = 200) -> HttpResponse:
    return render(
        request,
        "portal/welcome.html",
        {"creator_form": creator, "operator_form": operator},
        status=status,
    )
