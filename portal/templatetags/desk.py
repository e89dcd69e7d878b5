"""The parts of the admins' and the money pages: their ways, deeds with figures, accounts."""

from django import template
from django.http import HttpRequest
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from ledger.currencies import find
from ledger.errors import UnknownCurrency
from ledger.models import AdminAction, Payout
from ledger.money import Money
from ledger.vocabulary import BANK, PayoutStatus
from portal import deeds, desks, icons, states
from portal.second_factor import KINDS
from portal.templatetags.portal import money
from portal.views.payouts import masked

register = template.Library()
DIGEST_SHOWN = 12


@register.inclusion_tag("portal/parts/desk.html", takes_context=True)
def desk(context: Context) -> dict[str, object]:
    """Print the ways between the pages of payout admins."""
    request: HttpRequest | None = context.get("request")
    here = request.path if request else ""
    return {
        "ways": [
            {"url": url, "label": label, "current": here.startswith(url)}
            for url, label in desks.around(here)
        ]
    }


@register.filter
def deed_words(action: AdminAction) -> str:
    """Say what an admin did."""
    return str(deeds.DEEDS.get(action.deed, action.deed))


@register.simple_tag
def deed_facts(action: AdminAction) -> SafeString:
    """Print the figures that were kept with a deed: money as money, digests short."""
    shown = []
    for name, value in action.facts.items():
        if name == "micros" and action.batch:
            shown.append(money(Money(int(value), action.batch.currency)))
        elif _is_currency(name):
            shown.append(money(Money(int(value), name)))
        elif name in deeds.FACTS:
            shown.append(format_html("{} {}", deeds.FACTS[name], _fact(name, str(value))))
    return format_html_join(" · ", "{}", ((each,) for each in shown))


def _fact(name: str, value: str) -> str:
    if name == "factor":
        return str(KINDS.get(value, value))
    return f"{value[:DIGEST_SHOWN]}…" if name == "digest" else value.replace("_", " ")


def _is_currency(name: str) -> bool:
    try:
        return find(name).code == name
    except UnknownCurrency:
        return False


@register.simple_tag
def account_of(payout: Payout) -> SafeString:
    """Print where a payout goes: a bank account masked, the provider's account by its id."""
    if payout.gateway == BANK:
        return format_html("{} <span class='hash'>{}</span>", _("bank"), masked(payout.account))
    return format_html("{} <span class='hash'>{}</span>", payout.gateway, payout.account)


@register.simple_tag
def state_chip(state: states.State) -> SafeString:
    """Print a state with its colour, its sign and its word."""
    return format_html(
        '<span class="chip {}">{}{}</span>', state.tone, icons.sign(state.sign), state.word
    )


@register.filter
def trouble_words(word: str) -> str:
    """Say what stands in the way."""
    return str(deeds.trouble(word))


@register.simple_tag
def signed_money(amount: Money) -> SafeString:
    """Print a difference with its sign, plus or minus."""
    plus = "+" if amount.micros > 0 else ""
    return format_html('<span class="signed">{}{}</span>', plus, money(amount))


@register.filter
def payout_word(status: str) -> str:
    """Name a state of a payout."""
    return str(states.PAYOUTS[PayoutStatus(status)].word)
