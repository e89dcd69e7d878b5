"""A creator's payouts: where the money goes, what became of each, what waits and what is owed."""

from datetime import datetime

from allauth.account.decorators import reauthentication_required
from django.conf import settings
from django.contrib import messages
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ledger import by_hand, gateway_choice, payees, payout_minimum
from ledger.errors import LedgerError
from ledger.gateway import GatewayError
from ledger.models import Payee
from ledger.vocabulary import BANK, PayoutStatus
from portal import earned, held_money, owed
from portal.access import for_creators, person
from portal.forms.payouts import BankAccount, Onboard
from portal.listing import cut
from portal.states import PAYOUTS, State
from portal.troubles import put_beside
from registry.ids import find
from registry.models import Creator


@require_GET
@for_creators
def payouts(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Show where the creator is paid, and every payout."""
    return _page(request, creator, Onboard())


@require_GET
@for_creators
def payout(request: HttpRequest, creator: Creator, payout_id: str) -> HttpResponse:
    """Show one payout and each step it took."""
    shown = find(creator.payouts.select_related("batch"), payout_id)
    steps: list[tuple[State, datetime]] = []
    for event in shown.events.order_by("pk"):
        state = PAYOUTS[PayoutStatus(event.to_status)]
        if not steps or steps[-1][0] != state:
            steps.append((state, event.at))
    steps.reverse()
    by_bank = shown.gateway == BANK
    return render(
        request,
        "portal/payout.html",
        {
            "payout": shown,
            "steps": steps,
            "account": masked(shown.account) if by_bank else "",
            "said": shown.trouble
            if by_bank and shown.status in {PayoutStatus.FAILED, PayoutStatus.REVERSED}
            else "",
        },
    )


@require_POST
@for_creators
def onboard(request: HttpRequest, creator: Creator) -> HttpResponseBase:
    """Send the creator to the payment provider's own pages, where it identifies itself."""
    payee = payees.of(creator)
    form = Onboard(request.POST if payee is None else {"country": payee.country})
    if not form.is_valid():
        return _page(request, creator, form)
    back = settings.PUBLIC_URL + reverse("portal:onboarded")
    try:
        url = payees.onboard(
            creator,
            email=person(request).email,
            country=form.cleaned_data["country"],
            gateway=gateway_choice.configured(),
            return_url=back,
            refresh_url=back,
            at=timezone.now(),
        )
    except GatewayError:
        messages.error(
            request,
            _(
                "The payment provider did not answer. Nothing was lost and nothing was sent; "
                "please try again in a few minutes."
            ),
        )
        return redirect("portal:payouts")
    return HttpResponseRedirect(url)


@for_creators
def onboarded(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Ask the provider what it knows now; coming back from its pages alone proves nothing."""
    payee = payees.of(creator)
    if payee is not None and payee.gateway != BANK:
        try:
            payees.refresh(payee, gateway=gateway_choice.configured(), at=timezone.now())
        except GatewayError:
            messages.warning(
                request, _("The payment provider did not answer yet; we ask again by ourselves.")
            )
    return redirect("portal:payouts")


@never_cache
@require_http_methods(["GET", "POST"])
@for_creators
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]  # allauth has no annotations
def bank_account(request: HttpRequest, creator: Creator) -> HttpResponse:
    """Take the account that a bank shall pay to, after the person signed in anew."""
    if not by_hand.offered():
        return redirect("portal:payouts")
    form = BankAccount(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            payee = by_hand.register(creator, at=timezone.now(), **form.cleaned_data)
        except LedgerError as error:
            put_beside(form, error, {"invalid_bank_account": "iban"})
        else:
            _tell_of_account(request, creator, payee)
            return redirect("portal:payouts")
    return render(
        request,
        "portal/bank_account.html",
        {"form": form, "payee": payees.of(creator)},
        status=422 if form.errors else 200,
    )


def _tell_of_account(request: HttpRequest, creator: Creator, payee: Payee) -> None:
    """Say where payouts go from now on, here and by mail to everybody who acts for the creator."""
    start = payees.paid_from(payee)
    if start is None or start <= timezone.now():
        said = _("You are paid to %(account)s from now on.") % {"account": masked(payee.account)}
    else:
        said = _(
            "You are paid to %(account)s by batches drawn up after %(start)s UTC. Until then nothing "
            "is sent, so that nobody else can have your money by changing the account."
        ) % {"account": masked(payee.account), "start": f"{start:%Y-%m-%d %H:%M}"}
    messages.success(request, said)
    text = _(
        "Somebody signed in as %(person)s gave the bank account to which the payouts of %(creator)s "
        "go: %(account)s. If that was none of you, give the right one at once: %(url)s"
    ) % {
        "person": person(request).email,
        "creator": creator.display_name,
        "account": masked(payee.account),
        "url": settings.PUBLIC_URL + reverse("portal:payouts"),
    }
    people = list(creator.members.values_list("email", flat=True))
    subject = f"[Tribute] {_('Your bank account for payouts')}"
    send_mail(subject, text, None, people, fail_silently=True)


def masked(account: str) -> str:
    """Return an IBAN with only its country and its last four digits: ``DE…3000``."""
    return f"{account[:2]} ···· ···· {account[-4:]}"


def _page(request: HttpRequest, creator: Creator, form: Onboard) -> HttpResponse:
    listing = cut(
        request,
        creator.payouts.select_related("batch"),
        sorts={"made": "created_at", "amount": "amount_micros"},
        default="-made",
    )
    payee = payees.of(creator)
    totals = earned.totals(creator)
    return render(
        request,
        "portal/payouts.html",
        {
            "payee": payee,
            "by_bank": bool(payee and payee.gateway == BANK),
            "account": masked(payee.account) if payee and payee.gateway == BANK else "",
            "bank_offered": by_hand.offered(),
            "form": form,
            "listing": listing,
            "totals": [(each, payout_minimum.of(each.available.currency)) for each in totals],
            "debts": owed.debts(creator),
            "held": held_money.of_creator(creator),
        },
        status=422 if form.errors else 200,
    )
