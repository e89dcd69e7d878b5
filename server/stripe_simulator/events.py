"""Record what happened, and queue its webhooks.

Snapshot events (docs.stripe.com/api/events) for v1 objects, thin events
(docs.stripe.com/event-destinations#thin-payload) for v2 ones. `deliveries` sends them.
"""

import json
from typing import Any
from urllib.parse import urlencode

from server.stripe_simulator import faults
from server.stripe_simulator.appointments import appoint
from server.stripe_simulator.errors import ApiError, no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.parameters import (
    DEFAULT_PAGE,
    MAXIMUM_PAGE,
    allow,
    branch,
    text,
    whole,
)
from server.stripe_simulator.state import PLATFORM, Body, new_id

API_VERSION = "2026-10-28.endive"

KEPT_S = 30 * 24 * 3600
"""How far back events are listed (docs.stripe.com/api/events/list)."""
MOST_TYPES = 20
"""docs.stripe.com/api/events/list: "an array of up to 20 strings"."""

REORDER_S = 0.5
"""How long a reordered event waits, so that the next ones overtake it."""


def record(moment: Moment, kind: str, subject: Body, *, account: str = PLATFORM) -> None:
    """Record a snapshot event about ``subject``, of the platform or a connected account."""
    event: Body = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": moment.second,
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1 if moment.settings.webhook_url else 0,
        "request": {"id": moment.request_id, "idempotency_key": moment.idempotency_key},
        "type": kind,
    }
    if account != PLATFORM:
        event["account"] = account
    _keep(moment, kind, "event", event, account=account)
    secret = "platform" if account == PLATFORM else "connect"
    _queue(moment, kind, event, secret)


def record_thin(moment: Moment, kind: str, *, account_id: str, about: dict[str, Any]) -> None:
    """Record a thin event of a v2 account: it names the account and carries no data.

    about: what the event holds when it is fetched, absent from the webhook.
    """
    event: Body = {
        "id": new_id("evt"),
        "object": "v2.core.event",
        "type": kind,
        "created": moment.written,
        "livemode": False,
        "context": None,
        "reason": None,
        "related_object": {
            "id": account_id,
            "type": "v2.core.account",
            "url": f"/v2/core/accounts/{account_id}",
        },
    }
    _keep(moment, kind, "v2_event", {**event, "data": about}, account=account_id)
    _queue(moment, kind, event, "connect")


def retrieve(call: Call, event_id: str) -> Body:
    """GET /v1/events/{id}."""
    event = call.state.find("event", event_id, account=call.account)
    if event is None:
        raise no_such("event", event_id)
    return event


def retrieve_v2(call: Call, event_id: str) -> Body:
    """GET /v2/core/events/{id}: the whole of a thin event."""
    event = call.state.find_anywhere("v2_event", event_id)
    if event is None:
        raise no_such("event", event_id)
    return event


def listing(call: Call) -> Body:
    """GET /v1/events, newest first; those older than 30 days are gone."""
    paging = {"created", "ending_before", "limit", "starting_after"}
    allow(call.params, {*paging, "type", "types"})
    _one_way_to_filter(call)
    return call.state.page(
        "event",
        call.params,
        "/v1/events",
        account=call.account,
        types=call.params.get("types", ()),
        least=call.moment.second - KEPT_S,
    )


def listing_v2(call: Call) -> Body:
    """GET /v2/core/events of one account, newest first, by page token.

    docs.stripe.com/api/v2/core/events/list. That ``object_id`` finds what the webhooks of
    connected accounts told is a guess.
    """
    allow(call.params, {"created", "limit", "object_id", "page", "types"})
    types = call.params.get("types", [])
    limit = min(whole(call.params, "limit", DEFAULT_PAGE), MAXIMUM_PAGE)
    begin = whole(call.params, "page", 0, least=0)
    bounds = branch(call.params, "created")
    since, until = text(bounds, "gte", ""), text(bounds, "lte", "~")
    rows = call.state.newest("v2_event", account=text(call.params, "object_id"))
    matching = [
        event
        for event in rows
        if (not types or event["type"] in types) and since <= event["created"] <= until
    ]
    following = begin + limit
    more = f"/v2/core/events?{_query(call, limit, following)}" if matching[following:] else None
    return {
        "data": matching[begin:following],
        "next_page_url": more,
        "previous_page_url": None,
    }


def show(moment: Moment, event_id: str) -> None:
    """An event that lists left out appears in them."""
    moment.state.run("UPDATE object SET kind = substr(kind, 6) WHERE id = ?", event_id)


DEEDS = {"show_event": show}
"""What appointments call, by name."""


def _keep(moment: Moment, kind: str, table: str, event: Body, *, account: str) -> None:
    """Keep an event for the lists, or for later when the next fault wants lists to lag."""
    lag = faults.taken(moment.state, "lists_lag", kind)
    moment.state.add(table if lag is None else f"late_{table}", event, account=account)
    if lag is not None:
        appoint(moment, "show_event", event["id"], lag)


def _one_way_to_filter(call: Call) -> None:
    types = call.params.get("types", [])
    if types and "type" in call.params:
        raise ApiError("You may only specify one of these parameters: type, types.", param="types")
    if not isinstance(types, list) or len(types) > MOST_TYPES:
        raise ApiError(f"Array types has more than {MOST_TYPES} elements.", param="types")


def _query(call: Call, limit: int, page: int) -> str:
    bounds = branch(call.params, "created")
    pairs = [("object_id", text(call.params, "object_id")), ("limit", limit), ("page", page)]
    pairs += [(f"created[{name}]", value) for name, value in bounds.items()]
    pairs += [(f"types[{n}]", word) for n, word in enumerate(call.params.get("types", []))]
    return urlencode(pairs)


def _queue(moment: Moment, kind: str, event: Body, secret: str) -> None:
    state = moment.state
    if not moment.settings.webhook_url or faults.taken(state, "drop_webhooks", kind) is not None:
        return
    wait = faults.taken(state, "delay_webhooks", kind) or 0.0
    if (reordered := faults.taken(state, "reorder_webhooks", kind)) is not None:
        wait += reordered or REORDER_S
    twice = faults.taken(state, "duplicate_webhooks", kind) is not None
    for _ in range(2 if twice else 1):
        state.run(
            "INSERT INTO delivery (body, secret, due, attempts, recorded) VALUES (?, ?, ?, 0, ?)",
            json.dumps(event),
            secret,
            moment.now + wait,
            moment.now,
        )
