"""An operator's money: prepaid and reserved, top-ups, what came back, months to look up."""

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from attribution.models import Query
from ledger import gateway_choice, topups
from ledger.accounts import AccountKind
from ledger.errors import LedgerError
from ledger.gateway import GatewayError
from ledger.models import Balance, PaymentReturn
from ledger.money import Money
from portal.access import for_operators
from portal.forms.operators import TopUp
from portal.listing import cut
from portal.periods import periods
from portal.troubles import put_beside
from registry.models import Operator

RETURNS_SHOWN = 20


@require_http_methods(["GET", "POST"])
@for_operators
def balance(request: HttpRequest, operator: Operator) -> HttpResponseBase:
    """Show the money and the top-ups; on POST send the browser to a page where it is paid."""
    form = TopUp(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            opened = _open(operator, form)
        except LedgerError as error:
            put_beside(form, error, {"invalid_amount": "amount"})
        except GatewayError:
            messages.error(
                request,
                _(
                    "The payment provider did not answer. Nothing was charged; please try again "
                    "in a few minutes."
                ),
            )
            return redirect("portal:balance")
        else:
            return HttpResponseRedirect(opened)
    listing = cut(
        request,
        operator.topups.all(),
        sorts={"made": "created_at", "amount": "amount_micros"},
        default="-made",
    )
    returns = PaymentReturn.objects.filter(topup__operator=operator).select_related("topup")
    return render(
        request,
        "portal/balance.html",
        {
            "form": form,
            "listing": listing,
            "balances": balances_of(operator),
            "reserved": _of_kind(operator, AccountKind.OPERATOR_RESERVED),
            "waiting": _waiting(operator),
            "returns": returns.order_by("-at", "-pk")[:RETURNS_SHOWN],
            "periods": periods(operator, at=timezone.now()),
        },
        status=422 if form.errors else 200,
    )


def balances_of(operator: Operator) -> list[Money]:
    """Return the operator's prepaid money, a currency each."""
    return _of_kind(operator, AccountKind.OPERATOR_PREPAID)


def _of_kind(operator: Operator, kind: AccountKind) -> list[Money]:
    rows = Balance.objects.filter(account__operator=operator, account__kind=kind)
    return [row.money for row in rows.order_by("currency")]


def _waiting(operator: Operator) -> list[tuple[Money, int]]:
    """Return what reported queries will cost once they are settled, and how many they are."""
    rows = Query.objects.filter(operator=operator, state=Query.State.RECEIVED)
    sums = rows.values("currency").annotate(micros=Sum("fee_micros"), count=Count("pk"))
    return [
        (Money(row["micros"], row["currency"]), row["count"]) for row in sums.order_by("currency")
    ]


def _open(operator: Operator, form: TopUp) -> str:
    """Open the page where a top-up is paid; returns its address."""
    opened = topups.start(
        operator,
        amount=Money(form.cleaned_data["amount"], form.cleaned_data["currency"]),
        gateway=gateway_choice.configured(),
        at=timezone.now(),
        return_url=settings.PUBLIC_URL + reverse("portal:balance"),
    )
    return opened.url
