"""The first page after logging in: for a creator what matters now, for others their own page."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from attribution import uses
from portal import earned, sayings
from portal.access import for_people, person, roles
from portal.wording import CHOICES, UNSAID
from registry import signers
from registry.models import Creator, RightsShare
from tribute.vocabulary import Purpose

MORNING_ENDS, DAY_ENDS = 12, 18


@for_people
def overview(request: HttpRequest) -> HttpResponseBase:
    """Greet, and lead everybody to what is theirs."""
    mine = roles(request)
    if mine.creator is not None:
        return _of_creator(request, mine.creator)
    if mine.operator is not None:
        return redirect("portal:operator")
    if mine.payout_admin:
        return redirect("portal:payout-batches")
    return redirect("portal:welcome")


def _of_creator(request: HttpRequest, creator: Creator) -> HttpResponse:
    now = timezone.now()
    totals = earned.totals(creator)
    main = totals[0] if totals else None
    months = earned.months(creator, main.earned.currency, at=now) if main else []
    return render(
        request,
        "portal/overview.html",
        {
            "greeting": _greeting(person(request).name or creator.display_name),
            "creator": creator,
            "totals": main,
            "others": totals[1:],
            "this_month": months[-1].amount if months else None,
            "months": months,
            "currency": main.earned.currency if main else "",
            "chart": earned.chart(months),
            "uses": uses.of_creator(creator),
            "says": _says(creator),
            "to_confirm": RightsShare.objects.filter(creator=creator, confirmed_at=None).count(),
            "to_show_again": signers.lapsing(creator, at=now).first(),
            "payee": getattr(creator, "payee", None),
        },
    )


def _greeting(name: str) -> str:
    hour = timezone.localtime().hour
    if hour < MORNING_ENDS:
        return _("Good morning, %(name)s.") % {"name": name}
    if hour < DAY_ENDS:
        return _("Good day, %(name)s.") % {"name": name}
    return _("Good evening, %(name)s.") % {"name": name}


def _says(creator: Creator) -> list[tuple[str, bool, int]]:
    """Count the works by what the creator says about training: (decision, paid, how many)."""
    said = sayings.counts(creator, Purpose.TRAIN_AI, at=timezone.now())
    return [
        (choice.decision.value, choice.paid, said[choice.value])
        for choice in (*CHOICES, UNSAID)
        if choice.value in said
    ]
