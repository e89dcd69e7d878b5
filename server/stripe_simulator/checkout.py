"""Checkout Sessions: hosted pages where operators pay.

docs.stripe.com/api/checkout/sessions and docs.stripe.com/payments/checkout/how-checkout-works.
Mode ``payment`` with inline prices only. Whoever presses "Pay" has paid: no card is asked
for, none refused.
"""

from typing import Any

from server.stripe_simulator import balance, charges, disputes, events
from server.stripe_simulator.balance import Movement
from server.stripe_simulator.errors import ApiError, no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.parameters import allow, branch, text, whole
from server.stripe_simulator.state import Body, State, new_id

SESSION_LIFETIME_S = 24 * 3600
"""docs.stripe.com/api/checkout/sessions/object: expires 24 hours from creation by default."""

PPM = 1_000_000


def create(call: Call) -> Body:
    """POST /v1/checkout/sessions."""
    allow(
        call.params,
        {
            *("cancel_url", "client_reference_id", "customer_email", "line_items"),
            *("metadata", "mode", "payment_intent_data", "success_url"),
        },
    )
    if text(call.params, "mode") != "payment":
        raise ApiError("The simulation knows mode 'payment' alone.", param="mode")
    amount, currency = _total(call.params.get("line_items"))
    session_id = new_id("cs_test")
    session = _session(call, session_id, amount, currency)
    call.state.add("session", session)
    return session


def retrieve(call: Call, session_id: str) -> Body:
    """GET /v1/checkout/sessions/{id}."""
    return require(call.state, session_id)


def require(state: State, session_id: str) -> Body:
    """The session, or Stripe's refusal."""
    session = state.find("session", session_id)
    if session is None:
        raise no_such("checkout.session", session_id)
    return session


def pay(moment: Moment, session_id: str) -> Body:
    """Complete the session, once: the charge, its fee, its events."""
    session = require(moment.state, session_id)
    if session["status"] != "open":
        return session
    amount, currency, intent_id = session["amount_total"], session["currency"], new_id("pi")
    charge = _charge(moment, amount, currency, intent_id)
    intent = _intent(moment, intent_id, charge, session["metadata"])
    paid = moment.state.change(
        session_id,
        status="complete",
        payment_status="paid",
        payment_intent=intent_id,
        url=None,
    )
    events.record(moment, "charge.succeeded", charge)
    events.record(moment, "payment_intent.succeeded", intent)
    events.record(moment, "checkout.session.completed", paid)
    disputes.maybe(moment, charge["id"])
    return paid


def intent(call: Call, intent_id: str) -> Body:
    """GET /v1/payment_intents/{id}, with ``expand[]=latest_charge.balance_transaction``."""
    found = call.state.find("payment_intent", intent_id)
    if found is None:
        raise no_such("payment_intent", intent_id)
    wanted = call.params.get("expand", [])
    if not any(name.startswith("latest_charge") for name in wanted):
        return found
    charge = charges.retrieve(call, found["latest_charge"])
    if "latest_charge.balance_transaction" in wanted:
        row = balance.transaction(call, charge["balance_transaction"])
        charge = {**charge, "balance_transaction": row}
    return {**found, "latest_charge": charge}


def _total(items: Any) -> tuple[int, str]:
    if not isinstance(items, list) or not items:
        raise ApiError("Missing required param: line_items.", code="parameter_missing")
    prices = [branch(item, "price_data") for item in items]
    currencies = {text(price, "currency").lower() for price in prices}
    if len(currencies) != 1:
        raise ApiError("All line items must have the same currency.", param="line_items")
    total = sum(
        whole(price, "unit_amount") * whole(item, "quantity", 1)
        for item, price in zip(items, prices, strict=True)
    )
    return total, currencies.pop()


def _session(call: Call, session_id: str, amount: int, currency: str) -> Body:
    return {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": text(call.params, "cancel_url", "") or None,
        "client_reference_id": text(call.params, "client_reference_id", "") or None,
        "created": call.moment.second,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_email": text(call.params, "customer_email", "") or None,
        "expires_at": call.moment.second + SESSION_LIFETIME_S,
        "livemode": False,
        "metadata": branch(call.params, "metadata"),
        "mode": "payment",
        "payment_intent": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "success_url": text(call.params, "success_url"),
        "url": f"{call.origin}/_simulator/checkout/{session_id}",
    }


def _charge(moment: Moment, amount: int, currency: str, intent_id: str) -> Body:
    settings = moment.settings
    fee = min(amount, -(-amount * settings.fee_ppm // PPM) + settings.fee_fixed_minor)
    movement = Movement("charge", amount, currency, new_id("ch"), fee, settings.settle_delay_s)
    return charges.record(moment, movement, payment_intent=intent_id)


def _intent(moment: Moment, intent_id: str, charge: Body, metadata: Body) -> Body:
    body: Body = {
        "id": intent_id,
        "object": "payment_intent",
        "amount": charge["amount"],
        "amount_capturable": 0,
        "amount_received": charge["amount"],
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "created": moment.second,
        "currency": charge["currency"],
        "latest_charge": charge["id"],
        "livemode": False,
        "metadata": metadata,
        "payment_method_types": ["card"],
        "status": "succeeded",
    }
    return moment.state.add("payment_intent", body)
