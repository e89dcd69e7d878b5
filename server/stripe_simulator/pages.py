"""The two pages people see at Stripe: onboarding and paying. Plain HTML, no script."""

from html import escape
from http import HTTPStatus
from typing import NamedTuple

from server.stripe_simulator import checkout, onboarding
from server.stripe_simulator.moment import Call

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 4rem auto; padding: 0 1rem; }}
.note {{ background: #fff4ce; color: #3b2f00; padding: .5rem 1rem; border-radius: .25rem; }}
button {{ font: inherit; padding: .5rem 1.25rem; }}
</style></head><body>
<p class="note"><strong>Simulation.</strong> This is not Stripe; no money moves.</p>
<main><h1>{title}</h1>{body}</main>
</body></html>
"""


class Shown(NamedTuple):
    """What a browser gets: a page, or an address to go to."""

    status: int
    html: str = ""
    location: str = ""


def show_onboarding(call: Call, link_id: str) -> Shown:
    """GET the page of an account link, which uses the link up."""
    link = onboarding.open_link(call, link_id)
    if not link["usable"]:
        return Shown(HTTPStatus.SEE_OTHER, location=link["refresh_url"])
    body = (
        f"<p>Account <code>{escape(link['account'])}</code> wants to receive payouts.</p>"
        f"{_button(call, f'onboarding/{link_id}', 'Finish onboarding')}"
        f'<p><a href="{escape(link["return_url"])}">Come back later</a></p>'
    )
    return _page("Finish your account", body)


def finish_onboarding(call: Call, link_id: str) -> Shown:
    """POST: the payee gave everything that was asked."""
    return Shown(HTTPStatus.SEE_OTHER, location=onboarding.finish(call, link_id))


def show_checkout(call: Call, session_id: str) -> Shown:
    """GET the payment page of a Checkout Session."""
    session = checkout.require(call.state, session_id)
    if session["status"] != "open":
        return _page("Already paid", "<p>This page was paid. You may close it.</p>")
    amount = f"{session['amount_total']} minor units of {escape(session['currency'].upper())}"
    cancel = session["cancel_url"]
    body = (
        f"<p>Amount: <strong>{amount}</strong></p>"
        f"{_button(call, f'checkout/{session_id}', 'Pay')}"
        + (f'<p><a href="{escape(cancel)}">Cancel</a></p>' if cancel else "")
    )
    return _page("Pay", body)


def pay_checkout(call: Call, session_id: str) -> Shown:
    """POST: the operator paid. ``{CHECKOUT_SESSION_ID}`` in success_url is filled in."""
    session = checkout.pay(call.moment, session_id)
    target = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id)
    return Shown(HTTPStatus.SEE_OTHER, location=target)


def _button(call: Call, path: str, label: str) -> str:
    action = f"{call.origin}/_simulator/{path}"
    return f'<form method="post" action="{escape(action)}"><button>{escape(label)}</button></form>'


def _page(title: str, body: str) -> Shown:
    return Shown(HTTPStatus.OK, html=_FRAME.format(title=escape(title), body=body))
