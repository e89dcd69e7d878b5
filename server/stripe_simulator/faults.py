"""Trouble on demand: what the next calls, webhooks or payouts shall suffer.

Owns the knobs and who is next to suffer them; the places that suffer ask `taken`.
Not part of Stripe's API: reached under ``/_simulator/faults``.
"""

from typing import Any

from server.stripe_simulator.errors import ApiError
from server.stripe_simulator.moment import Call
from server.stripe_simulator.parameters import allow, text, whole
from server.stripe_simulator.state import State

ANY = "*"

FAULTS = {
    "timeout_after_success": "perform the call, keep its answer, then close without a reply",
    "slow": "wait so many seconds before performing the call",
    "error_500": "answer 500 instead of performing, and keep that answer under its key",
    "error_500_after_success": "perform the call, but answer (and keep) 500",
    "error_429": "turn the call away unread; nothing is kept",
    "duplicate_webhooks": "deliver the event twice",
    "reorder_webhooks": "deliver the event later than those after it",
    "delay_webhooks": "deliver the event so many seconds late",
    "drop_webhooks": "never deliver the event; it stays in the list of events",
    "lists_lag": "leave the event out of the lists of events for so many seconds",
    "payment_disputed": "the payer has its bank take the payment back",
    "dispute_won": "the bank gives the disputed payment to us again",
    "payout_fails": "the bank refuses the payout",
    "payout_fails_after_paid": "the payout is shown as paid, then fails",
}


def switch_on(call: Call) -> dict[str, Any]:
    """POST {fault, route: "POST /v1/transfers" or an event type or "*", times, seconds}."""
    allow(call.params, {"fault", "route", "times", "seconds"})
    name = text(call.params, "fault")
    if name not in FAULTS:
        raise ApiError(f"Unknown fault {name!r}; known: {FAULTS}", param="fault")
    call.state.run(
        "INSERT INTO fault (name, route, remaining, seconds) VALUES (?, ?, ?, ?)",
        name,
        text(call.params, "route", ANY),
        whole(call.params, "times", 1),
        _seconds(call.params.get("seconds", 0)),
    )
    return listed(call)


def listed(call: Call) -> dict[str, Any]:
    """GET the faults still to come."""
    rows = call.state.run("SELECT name, route, remaining, seconds FROM fault ORDER BY seq")
    names = ("fault", "route", "times", "seconds")
    return {"faults": [dict(zip(names, row, strict=True)) for row in rows]}


def switch_off(call: Call) -> dict[str, Any]:
    """DELETE every fault still to come."""
    call.state.run("DELETE FROM fault")
    return listed(call)


def taken(state: State, name: str, route: str) -> float | None:
    """Use one of fault ``name`` up, if any waits for ``route``: its seconds, else None."""
    row = state.run(
        "SELECT seq, seconds FROM fault WHERE name = ? AND route IN (?, ?) ORDER BY seq LIMIT 1",
        name,
        route,
        ANY,
    ).fetchone()
    if row is None:
        return None
    state.run("UPDATE fault SET remaining = remaining - 1 WHERE seq = ?", row[0])
    state.run("DELETE FROM fault WHERE remaining <= 0")
    return float(row[1])


def _seconds(given: object) -> float:
    try:
        return float(str(given))
    except ValueError as error:
        raise ApiError(f"Invalid number of seconds: {given}", param="seconds") from error
