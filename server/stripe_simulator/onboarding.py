"""Account links, and the hosted page behind them.

docs.stripe.com/api/account_links and docs.stripe.com/connect/hosted-onboarding: a link
lives for minutes and opens once; opened again, or too late, it leads to ``refresh_url``.
Coming back to ``return_url`` says nothing about what was finished.
"""

from server.stripe_simulator import accounts
from server.stripe_simulator.errors import ApiError, no_such
from server.stripe_simulator.moment import Call, written
from server.stripe_simulator.parameters import Parameters, allow, branch, text
from server.stripe_simulator.state import Body, new_id


def link_v1(call: Call) -> Body:
    """POST /v1/account_links."""
    allow(call.params, {"account", "collection_options", "refresh_url", "return_url", "type"})
    if text(call.params, "type") != "account_onboarding":
        raise ApiError("The simulation knows type 'account_onboarding' alone.", param="type")
    account_id = accounts.require(call.state, text(call.params, "account"))["id"]
    link = _mint(call, account_id, call.params)
    return {
        "object": "account_link",
        "created": link["created"],
        "expires_at": link["expires_at"],
        "url": link["url"],
    }


def link_v2(call: Call) -> Body:
    """POST /v2/core/account_links."""
    allow(call.params, {"account", "use_case"})
    use_case = branch(call.params, "use_case")
    account_id = text(call.params, "account")
    if call.state.find("account", account_id) is None:
        raise no_such("account", account_id, param="account")
    link = _mint(call, account_id, branch(use_case, "account_onboarding"))
    return {
        "object": "v2.core.account_link",
        "account": account_id,
        "created": written(link["created"]),
        "expires_at": written(link["expires_at"]),
        "livemode": False,
        "url": link["url"],
        "use_case": use_case,
    }


def open_link(call: Call, link_id: str) -> Body:
    """Use a link up and return it; ``usable`` is False when it was used or is too old."""
    link = call.state.find("link", link_id)
    if link is None:
        raise no_such("account link", link_id)
    usable = not link["used"] and link["expires_at"] >= call.moment.now
    call.state.change(link_id, used=True)
    return {**link, "usable": usable}


def finish(call: Call, link_id: str) -> str:
    """Finish what an opened link began; returns where the browser goes next."""
    link = call.state.find("link", link_id)
    if link is None:
        raise no_such("account link", link_id)
    accounts.finish_onboarding(call.moment, link["account"])
    return str(link["return_url"])


def _mint(call: Call, account_id: str, urls: Parameters) -> Body:
    link_id = new_id("link")
    link: Body = {
        "id": link_id,
        "account": account_id,
        "created": call.moment.second,
        "expires_at": int(call.moment.now + call.moment.settings.link_lifetime_s),
        "refresh_url": text(urls, "refresh_url"),
        "return_url": text(urls, "return_url"),
        "url": f"{call.origin}/_simulator/onboarding/{link_id}",
        "used": False,
    }
    return call.state.add("link", link)
