"""Record what happened, and queue its webhooks.

Snapshot events (docs.stripe.com/api/events) for v1 objects, thin events
(docs.stripe.com/event-destinations#thin-payload) for v2 ones. `deliveries` sends them.
"""

import json
from typing import Any

from server.stripe_simulator import faults
from server.stripe_simulator.errors import no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.state import PLATFORM, Body, new_id

API_VERSION = "2026-10-28.endive"

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
    moment.state.add("event", event, account=account)
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
    moment.state.add("v2_event", {**event, "data": about})
    _queue(moment, kind, event, "connect")


def retrieve(call: Call, event_id: str) -> Body:
    """GET /v1/events/{id}."""
    event = call.state.find("event", event_id, account=call.account)
    if event is None:
        raise no_such("event", event_id)
    return event


def retrieve_v2(call: Call, event_id: str) -> Body:
    """GET /v2/core/events/{id}: the whole of a thin event."""
    event = call.state.find("v2_event", event_id)
    if event is None:
        raise no_such("event", event_id)
    return event


def listing(call: Call) -> Body:
    """GET /v1/events."""
    return call.state.page("event", call.params, "/v1/events", account=call.account)


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
