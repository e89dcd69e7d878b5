"""Which address leads to which endpoint. Nothing else."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from server.stripe_simulator import (
    accounts,
    balance,
    charges,
    checkout,
    disputes,
    events,
    faults,
    onboarding,
    pages,
    payouts,
    refunds,
    transfers,
)
from server.stripe_simulator.moment import Call

Endpoint = Callable[..., dict[str, Any]]
Page = Callable[[Call, str], pages.Shown]

API: Mapping[str, Endpoint] = {
    "POST /v1/accounts": accounts.create_v1,
    "GET /v1/accounts/{id}": accounts.retrieve_v1,
    "POST /v1/account_links": onboarding.link_v1,
    "POST /v2/core/accounts": accounts.create_v2,
    "GET /v2/core/accounts/{id}": accounts.retrieve_v2,
    "POST /v2/core/account_links": onboarding.link_v2,
    "GET /v2/core/events": events.listing_v2,
    "GET /v2/core/events/{id}": events.retrieve_v2,
    "POST /v1/transfers": transfers.create,
    "GET /v1/transfers": transfers.listing,
    "GET /v1/transfers/{id}": transfers.retrieve,
    "POST /v1/transfers/{id}/reversals": transfers.reverse,
    "GET /v1/transfers/{id}/reversals": transfers.reversals,
    "POST /v1/checkout/sessions": checkout.create,
    "GET /v1/checkout/sessions/{id}": checkout.retrieve,
    "GET /v1/payment_intents/{id}": checkout.intent,
    "GET /v1/charges/{id}": charges.retrieve,
    "POST /v1/refunds": refunds.create,
    "GET /v1/refunds/{id}": refunds.retrieve,
    "GET /v1/disputes": disputes.listing,
    "GET /v1/disputes/{id}": disputes.retrieve,
    "GET /v1/balance": balance.retrieve,
    "GET /v1/balance_transactions": balance.listing,
    "GET /v1/balance_transactions/{id}": balance.transaction,
    "GET /v1/payouts": payouts.listing,
    "GET /v1/payouts/{id}": payouts.retrieve,
    "GET /v1/events": events.listing,
    "GET /v1/events/{id}": events.retrieve,
}

KNOBS: Mapping[str, Endpoint] = {
    "GET /_simulator/faults": faults.listed,
    "POST /_simulator/faults": faults.switch_on,
    "DELETE /_simulator/faults": faults.switch_off,
    "POST /_simulator/adjustments": balance.adjust,
    "POST /_simulator/disputes": disputes.dispute,
    "POST /_simulator/verdicts": disputes.decided,
}

PAGES: Mapping[str, Page] = {
    "GET /_simulator/onboarding/{id}": pages.show_onboarding,
    "POST /_simulator/onboarding/{id}": pages.finish_onboarding,
    "GET /_simulator/checkout/{id}": pages.show_checkout,
    "POST /_simulator/checkout/{id}": pages.pay_checkout,
}


class Found(NamedTuple):
    """A route by the name faults and tallies know it by, and the id in its path, if any."""

    route: str
    arguments: tuple[str, ...]


def find(method: str, path: str, routes: Mapping[str, object]) -> Found | None:
    """The route that ``path`` takes, or None."""
    for route in routes:
        verb, pattern = route.split(" ", 1)
        if verb == method and (match := _PATTERNS[pattern].fullmatch(path)):
            return Found(route, match.groups())
    return None


_PATTERNS = {
    pattern: re.compile(re.escape(pattern).replace(r"\{id\}", r"([A-Za-z0-9_]+)"))
    for pattern in (route.split(" ", 1)[1] for route in (*API, *KNOBS, *PAGES))
}
