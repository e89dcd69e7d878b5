"""A person's account: name, ways to log in, and whom they act for."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.access import for_people, person, roles
from registry import erasures


@for_people
def account(request: HttpRequest) -> HttpResponse:
    """Show the person's account."""
    user = person(request)
    return render(
        request,
        "portal/account.html",
        {
            "person": user,
            "roles": roles(request),
            "erasure": erasures.open_of(user),
            "creators": user.creators.order_by("created_at", "pk"),
            "operators": user.operators.order_by("created_at", "pk"),
        },
    )
