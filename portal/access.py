"""Who is asking: the creator, the operator and the payout admin behind a request.

Every page is for one of them. To anybody else it does not exist: the answer is 404 and never
tells whether there would be something to see.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from registry.errors import NotFound
from registry.models import Creator, Operator, User

P = ParamSpec("P")
Actor = TypeVar("Actor", Creator, Operator)
Response = HttpResponseBase
ACTING_CREATOR, ACTING_OPERATOR = "acting_creator", "acting_operator"


@dataclass(frozen=True, slots=True)
class Roles:
    """What a signed-in person acts as."""

    creator: Creator | None
    operator: Operator | None
    payout_admin: bool
    reviewer: bool


def person(request: HttpRequest) -> User:
    """Return the signed-in person; only for views behind a login."""
    return cast("User", request.user)


def roles(request: HttpRequest) -> Roles:
    """Return the visitor's roles, read once a request."""
    known: Roles | None = getattr(request, "tribute_roles", None)
    if known is None:
        user = person(request)
        session = request.session
        known = Roles(
            creator=_acting(user.creators.all(), session.get(ACTING_CREATOR)),
            operator=_acting(user.operators.all(), session.get(ACTING_OPERATOR)),
            payout_admin=user.is_payout_admin,
            reviewer=user.is_staff,
        )
        request.tribute_roles = known  # type: ignore[attr-defined]
    return known


def _acting(own: QuerySet[Actor], chosen_id: str | None) -> Actor | None:
    """Return the one chosen in this session if it is still the person's own, else the first."""
    everyone = list(own.order_by("created_at", "pk"))
    return next((a for a in everyone if a.pk == chosen_id), everyone[0] if everyone else None)


def for_people(
    view: Callable[Concatenate[HttpRequest, P], Response],
) -> Callable[Concatenate[HttpRequest, P], Response]:
    """Let signed-in people in; what is not theirs, or not there, is 404."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404(str(error)) from error

    return guarded


def for_creators(
    view: Callable[Concatenate[HttpRequest, Creator, P], Response],
) -> Callable[Concatenate[HttpRequest, P], Response]:
    """Call the view with the creator acting; people who are none are asked what they are."""

    @for_people
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        creator = roles(request).creator
        if creator is None:
            return redirect("portal:welcome")
        return view(request, creator, *args, **kwargs)

    return guarded


def for_operators(
    view: Callable[Concatenate[HttpRequest, Operator, P], Response],
) -> Callable[Concatenate[HttpRequest, P], Response]:
    """Call the view with the operator acting; people who are none are asked what they are."""

    @for_people
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        operator = roles(request).operator
        if operator is None:
            return redirect("portal:welcome")
        return view(request, operator, *args, **kwargs)

    return guarded


def for_payout_admins(
    view: Callable[Concatenate[HttpRequest, User, P], Response],
) -> Callable[Concatenate[HttpRequest, P], Response]:
    """Call the view with the payout admin; for everybody else there is nothing here."""

    @for_people
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        user = person(request)
        if not user.is_payout_admin:
            raise Http404
        return view(request, user, *args, **kwargs)

    return guarded


def for_staff(
    view: Callable[Concatenate[HttpRequest, User, P], Response],
) -> Callable[Concatenate[HttpRequest, P], Response]:
    """Call the view with the reviewer; for everybody else there is nothing here."""

    @for_people
    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> Response:
        user = person(request)
        if not user.is_staff:
            raise Http404
        return view(request, user, *args, **kwargs)

    return guarded
