"""The parts that templates call: signs, chips, money, navigation, sorted headings."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.template import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from attribution.models import GenerativeModel, Query
from ledger.models import Payout, PayoutBatch
from ledger.money import Money
from ledger.vocabulary import BatchStatus, PayoutStatus
from portal import access, amounts, desks, icons, sayings, states, wording
from portal.listing import Listing

register = template.Library()
THEMES = (
    ("auto", gettext_lazy("As the system")),
    ("light", gettext_lazy("Light")),
    ("dark", gettext_lazy("Dark")),
)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a small sign; it needs a word beside it."""
    return icons.sign(name)


@register.simple_tag
def mark() -> SafeString:
    """Return the three rings."""
    return icons.mark()


@register.simple_tag
def money(amount: Money | None, kind: str = "") -> SafeString:
    """Print an amount to its minor unit: ``EUR 8,412.07``. ``kind`` may be ``pending``."""
    if amount is None:
        return format_html('<span class="muted">{}</span>', "—")
    if amounts.below_minor_unit(amount.micros, amount.currency):
        figure = amounts.to_the_micro(amount.micros)
    else:
        figure = amounts.to_minor_unit(amount.micros, amount.currency)
    return _figure(amount.currency, figure, kind)


@register.simple_tag
def fine_money(amount: Money) -> SafeString:
    """Print an amount to the last micro, where single contributions are listed."""
    return _figure(amount.currency, amounts.to_the_micro(amount.micros), "")


@register.simple_tag
def exact_money(amount: Money) -> SafeString:
    """Print an amount to its minor unit, opening to the exact one."""
    return format_html(
        '<details class="exact"><summary>{}</summary><span>{}</span></details>',
        _figure(amount.currency, amounts.to_minor_unit(amount.micros, amount.currency), ""),
        _("exactly %(amount)s")
        % {"amount": f"{amount.currency} {amounts.to_the_micro(amount.micros)}"},
    )


def _figure(currency: str, figure: str, kind: str) -> SafeString:
    """Keep the currency's code and the figure together."""
    return format_html(
        '<span class="money {}"><span class="currency">{}</span>{}</span>', kind, currency, figure
    )


@register.simple_tag
def chip(decision: str, paid: object = None) -> SafeString:
    """Print a decision with its colour, its sign and its word."""
    choice = wording.choice_of(str(decision), paid=bool(paid))
    return format_html(
        '<span class="chip {}">{}{}</span>',
        str(decision),
        icons.sign(str(decision)),
        wording.CHIP_WORDS[choice],
    )


@register.filter
def decision_word(decision: str) -> str:
    """Name a decision as its chip does."""
    return str(wording.CHIP_WORDS[wording.choice_of(str(decision), paid=False)])


@register.filter
def ppm(share: int) -> str:
    """Print parts per million as a percentage, with as many places as it has."""
    return f"{share / 10_000:.4f}".rstrip("0").rstrip(".") + " %"


@register.filter
def purpose_label(purpose: str) -> str:
    """Name a purpose in plain words."""
    return str(wording.PURPOSES[purpose].label)


@register.filter
def item(mapping: Mapping[Any, Any], key: object) -> object:
    """Look one key of a mapping up; nothing there gives None."""
    return mapping.get(key)


@register.filter
def works_count(count: int) -> str:
    """Say how many works: ``12 works``."""
    return ngettext("%(count)s work", "%(count)s works", count) % {"count": f"{count:,}"}


@register.simple_tag(takes_context=True)
def theme(context: Context) -> str:
    """Return what the visitor chose: auto, light or dark."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "auto") if request else "auto"
    return chosen if chosen in dict(THEMES) else "auto"


@register.inclusion_tag("portal/parts/masthead.html", takes_context=True)
def masthead(context: Context) -> dict[str, object]:
    """Print the mark and the way to the pages that are the visitor's."""
    request: HttpRequest | None = context.get("request")
    signed_in = request is not None and request.user.is_authenticated
    here = request.path if request else ""
    return {
        "items": [
            {"url": url, "label": label, "current": _within(here, url)}
            for url, label in (_ways(request) if request and signed_in else _public_ways())
        ],
        "signed_in": signed_in,
        "account_current": _within(here, reverse("portal:account")),
        "csrf_token": context.get("csrf_token"),
    }


def _within(here: str, url: str) -> bool:
    """Say whether a page lies at or below an address; the overviews are exact.

    The first page of a desk stands for all of it.
    """
    for desk in (desks.money(), desks.attribution()):
        if url == desk[0][0]:
            return any(here.startswith(page) for page, _label in desk)
    return here == url or (here.startswith(url) and url.count("/") > 1 and url != "/operator/")


def _public_ways() -> list[tuple[str, str]]:
    return [(reverse("portal:look-up"), _("Look-up"))]


def _ways(request: HttpRequest) -> list[tuple[str, str]]:
    """List the pages of every role the visitor has."""
    roles = access.roles(request)
    ways: list[tuple[str, str]] = []
    if roles.creator:
        ways += [
            (reverse("portal:overview"), _("Overview")),
            (reverse("portal:works"), _("Works")),
            (reverse("portal:sites"), _("Sites")),
            (reverse("portal:earnings"), _("Earnings")),
            (reverse("portal:payouts"), _("Payouts")),
        ]
    if roles.operator:
        ways += [
            (reverse("portal:operator"), _("Operator") if roles.creator else _("Overview")),
            (reverse("portal:checks"), _("Questions")),
            (reverse("portal:models"), _("Models")),
            (reverse("portal:revocations"), _("Revocations")),
            (reverse("portal:usage"), _("Usage")),
            (reverse("portal:balance"), _("Balance")),
        ]
    if roles.payout_admin:
        ways += [
            (reverse("portal:payout-batches"), _("Payout batches")),
            (reverse("portal:usage-flags"), _("Attribution")),
        ]
    if roles.reviewer:
        ways += [(reverse("portal:reviews"), _("Reviews"))]
    return [*ways, (reverse("portal:look-up"), _("Look-up"))]


@register.inclusion_tag("portal/parts/colophon.html", takes_context=True)
def colophon(context: Context) -> dict[str, object]:
    """Print the foot of every page: language, appearance, ways for strangers."""
    request: HttpRequest | None = context.get("request")
    return {
        "here": request.get_full_path() if request and request.method == "GET" else "/",
        "themes": THEMES,
        "theme": theme(context),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("portal/parts/sorted_heading.html")
def sorted_heading(listing: Listing, column: str, label: str, kind: str = "") -> dict[str, object]:
    """Print a column's heading as a link that sorts by it, in the other direction next time."""
    active = listing.sort.lstrip("-") == column
    descending = listing.sort.startswith("-")
    return {
        "label": label,
        "kind": kind,
        "url": listing.url(
            sort=column if active and descending else f"-{column}" if active else column
        ),
        "direction": ("descending" if descending else "ascending") if active else "",
    }


@register.inclusion_tag("portal/parts/pager.html")
def pager(listing: Listing) -> dict[str, object]:
    """Print where in a long list one is, and the ways on and back."""
    return {"listing": listing, "page": listing.page}


@register.inclusion_tag("portal/parts/field.html")
def field(bound: Any) -> dict[str, object]:
    """Print a form's field with its label, its hint and its trouble, tied together."""
    return {"field": bound, "input_type": getattr(bound.field.widget, "input_type", "")}


@register.simple_tag
def model_fee(model: GenerativeModel) -> SafeString:
    """Print what a model owes for an answer: a fixed fee, or a part of its price."""
    if model.fee_micros is not None:
        return fine_money(Money(model.fee_micros, model.currency))
    share = ppm(model.price_share_ppm or 0)
    return format_html("{}", _("%(share)s of the price") % {"share": share})


@register.simple_tag
def amount(micros: int, currency: str, kind: str = "") -> SafeString:
    """Print micros of a currency to its minor unit."""
    return money(Money(micros, currency), kind)


@register.simple_tag
def share_bar(part: int, whole: int = 1_000_000) -> SafeString:
    """Draw a share as a small bar; the figure stands beside it."""
    width = round(96 * part / whole, 1) if whole else 0
    return format_html(
        '<svg class="share-bar" viewBox="0 0 96 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="ground" width="96" height="8" rx="2"/>'
        '<rect class="bar" width="{}" height="8" rx="2"/></svg>',
        width,
    )


@register.simple_tag
def word(said: sayings.Word) -> SafeString:
    """Print a creator's word, and what companies are told when it is another."""
    shown = chip(said.decision, said.paid)
    if said.counts:
        return shown
    told = wording.CHIP_WORDS[said.told]
    return format_html(
        '{} <span class="small muted">{}</span>', shown, _("told so far: %(word)s") % {"word": told}
    )


@register.filter
def evidence_words(method: str) -> str:
    """Say what is known about a contribution found by a method."""
    return str(wording.EVIDENCE.get(method, method))


@register.filter
def withheld_words(reason: str) -> str:
    """Say why nothing was paid for a contribution."""
    return str(wording.WITHHELD.get(reason, reason))


@register.filter
def unlocalised(number: float) -> str:
    """Print a number for SVG, with a point whatever the language."""
    return f"{number:g}"


@register.simple_tag
def holding_note() -> str:
    """Say how long an amount is pending."""
    return ngettext(
        "each amount is ready %(days)s day after it was earned",
        "each amount is ready %(days)s days after it was earned",
        settings.HOLDING_DAYS,
    ) % {"days": settings.HOLDING_DAYS}


@register.filter
def percent(part: float) -> str:
    """Print a fraction of one as a percentage with one decimal."""
    return f"{part * 100:.1f} %"


def _state(state: states.State) -> SafeString:
    return format_html(
        '<span class="chip {}">{}{}</span>', state.tone, icons.sign(state.sign), state.word
    )


@register.simple_tag
def payout_state(payout: Payout) -> SafeString:
    """Say how far a payout has come."""
    return _state(states.PAYOUTS[PayoutStatus(payout.status)])


@register.simple_tag
def batch_state(batch: PayoutBatch) -> SafeString:
    """Say how far a batch of payouts has come."""
    return _state(states.BATCHES[BatchStatus(batch.status)])


@register.simple_tag
def query_state(query: Query) -> SafeString:
    """Say how far a query has come."""
    return _state(states.QUERIES[Query.State(query.state)])


@register.simple_tag
def fee(query: Query) -> SafeString:
    """Print what a query owes, to the last micro."""
    return fine_money(Money(query.fee_micros, query.currency))


@register.filter(name="hex")
def hexadecimal(data: bytes | memoryview) -> str:
    """Print bytes in hexadecimal."""
    return bytes(data).hex()
