"""An operator's licences: what was accepted, and what a work is offered for."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.access import for_operators
from portal.forms.licences import AcceptTerms
from portal.listing import cut
from portal.troubles import put_beside
from registry import licensing
from registry.errors import RegistryError
from registry.ids import find
from registry.licensing import Offer
from registry.models import Collection, Creator, Grant, Operator, Work


@dataclass(frozen=True, slots=True)
class Row:
    """A licence as it is listed."""

    grant: Grant
    subject: str
    creator: str
    over: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer and the form that accepts it."""

    offer: Offer
    subject: str
    creator: str
    accepted: Grant | None
    form: AcceptTerms


@require_GET
@for_operators
def licences(request: HttpRequest, operator: Operator) -> HttpResponse:
    """List what the operator accepted, the latest first."""
    listing = cut(
        request,
        operator.grants.select_related("work", "collection", "creator", "terms__creator"),
        sorts={"accepted": "recorded_at", "since": "effective_from"},
        default="-accepted",
    )
    now = timezone.now()
    rows = [
        Row(
            grant=grant,
            subject=_named(grant.work or grant.collection or grant.creator),
            creator=grant.terms.creator.display_name,
            over=grant.effective_until is not None and grant.effective_until <= now,
        )
        for grant in listing.page
    ]
    return render(request, "portal/licences.html", {"listing": listing, "rows": rows})


@require_http_methods(["GET", "POST"])
@for_operators
def accept(request: HttpRequest, operator: Operator, work_id: str) -> HttpResponse:
    """Show the terms on which a work may be used, and accept one of them."""
    work = find(Work.objects.filter(status=Work.Status.ACTIVE), work_id)
    now = timezone.now()
    offers = licensing.offers(work, at=now)
    sent = AcceptTerms(request.POST, auto_id=False) if request.method == "POST" else None
    if sent is not None and sent.is_valid() and _accepted(sent, operator, offers, now):
        messages.success(
            request, _("Accepted. Your questions about it are answered yes from now on.")
        )
        return redirect("portal:licences")
    return render(
        request,
        "portal/licence.html",
        {
            "work": work,
            "operator": operator,
            "offers": [_shown(offer, operator, sent, now) for offer in offers],
            "problems": sent.non_field_errors() if sent is not None else (),
        },
        status=200 if sent is None else 422,
    )


def _accepted(
    sent: AcceptTerms, operator: Operator, offers: list[Offer], now: datetime
) -> Grant | None:
    chosen = next((offer for offer in offers if _ids(offer) == sent.chosen()), None)
    if chosen is None:
        sent.add_error(None, _("These terms are no longer offered. Look at what is offered now."))
        return None
    try:
        return licensing.accept(
            operator,
            chosen.terms,
            chosen.subject,
            purpose=chosen.purpose,
            effective_until=sent.cleaned_data["until"],
            at=now,
        )
    except RegistryError as error:
        put_beside(sent, error)
        return None


def _shown(offer: Offer, operator: Operator, sent: AcceptTerms | None, now: datetime) -> Offered:
    meant = sent is not None and {n: sent.data.get(n) for n in _ids(offer)} == _ids(offer)
    blank = AcceptTerms(initial=_ids(offer), auto_id=f"id_{offer.terms.pk}_{offer.purpose}_%s")
    return Offered(
        offer=offer,
        subject=_named(offer.subject),
        creator=offer.terms.creator.display_name,
        accepted=_in_force(offer, operator, now),
        form=sent if meant and sent is not None else blank,
    )


def _in_force(offer: Offer, operator: Operator, now: datetime) -> Grant | None:
    grants = operator.grants.filter(terms=offer.terms, purpose=offer.purpose)
    return next(
        (
            grant
            for grant in grants.order_by("-effective_from")
            if grant.subject_id == offer.subject.pk
            and (grant.effective_until is None or grant.effective_until > now)
        ),
        None,
    )


def _ids(offer: Offer) -> dict[str, str]:
    return {
        "subject": offer.subject.pk,
        "terms": offer.terms.pk,
        "purpose": offer.purpose.value,
    }


def _named(subject: Work | Collection | Creator | None) -> str:
    match subject:
        case Work():
            return subject.title
        case Collection():
            return str(subject.canonical)
        case Creator():
            return _("everything by %(name)s") % {"name": subject.display_name}
    raise AssertionError("a grant has a subject")
