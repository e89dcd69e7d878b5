"""Refunds: the platform gives a payer money back.

docs.stripe.com/api/refunds: taken from the available balance, never more than is left of the
charge; the fee of the payment is not given back (docs.stripe.com/refunds).
"""

from server.stripe_simulator import balance, events
from server.stripe_simulator.balance import Movement
from server.stripe_simulator.errors import ApiError, no_such
from server.stripe_simulator.moment import Call
from server.stripe_simulator.parameters import allow, branch, text, whole
from server.stripe_simulator.state import Body, new_id


def create(call: Call) -> Body:
    """POST /v1/refunds, of a payment intent."""
    allow(call.params, {"amount", "metadata", "payment_intent", "reason"})
    charge = charge_of(call, text(call.params, "payment_intent"))
    left = charge["amount"] - charge["amount_refunded"]
    amount = whole(call.params, "amount", left or 1)
    if amount > left:
        raise ApiError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
            executed=True,
        )
    moment = call.moment
    balance.require_available(moment, amount, charge["currency"])
    refund_id = new_id("re")
    moved = balance.book(moment, Movement("refund", -amount, charge["currency"], refund_id))
    refund: Body = {
        "id": refund_id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": moved["id"],
        "charge": charge["id"],
        "created": moment.second,
        "currency": charge["currency"],
        "metadata": branch(call.params, "metadata"),
        "payment_intent": charge["payment_intent"],
        "reason": text(call.params, "reason", "") or None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    call.state.add("refund", refund)
    total = charge["amount_refunded"] + amount
    changed = call.state.change(
        charge["id"], amount_refunded=total, refunded=total == charge["amount"]
    )
    events.record(moment, "refund.created", refund)
    events.record(moment, "charge.refunded", changed)
    return refund


def retrieve(call: Call, refund_id: str) -> Body:
    """GET /v1/refunds/{id}."""
    found = call.state.find("refund", refund_id)
    if found is None:
        raise no_such("refund", refund_id)
    return found


def charge_of(call: Call, intent_id: str) -> Body:
    """The charge of a payment intent, or Stripe's refusal."""
    intent = call.state.find("payment_intent", intent_id)
    charge = call.state.find("charge", intent["latest_charge"]) if intent else None
    if charge is None:
        raise no_such("payment_intent", intent_id)
    return charge
