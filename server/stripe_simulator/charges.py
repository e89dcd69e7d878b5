"""Charges: money that came in, at the platform by Checkout, at a connected account by transfer.

docs.stripe.com/api/charges. A transfer's counterpart is a charge too, with a ``py_`` id
and the transfer as its source (docs.stripe.com/connect/separate-charges-and-transfers).
"""

from server.stripe_simulator import balance
from server.stripe_simulator.balance import Movement
from server.stripe_simulator.errors import no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.state import PLATFORM, Body


def record(
    moment: Moment,
    movement: Movement,
    *,
    account: str = PLATFORM,
    payment_intent: str | None = None,
    source_transfer: str | None = None,
) -> Body:
    """Book the movement on the account's balance, and keep the charge it comes from."""
    row = balance.book(moment, movement, account=account)
    body: Body = {
        "id": movement.source,
        "object": "charge",
        "amount": movement.amount,
        "amount_captured": movement.amount,
        "amount_refunded": 0,
        "balance_transaction": row["id"],
        "billing_details": {"address": None, "email": None, "name": None, "phone": None},
        "captured": True,
        "created": moment.second,
        "currency": movement.currency,
        "disputed": False,
        "livemode": False,
        "metadata": {},
        "paid": True,
        "payment_intent": payment_intent,
        "refunded": False,
        "source_transfer": source_transfer,
        "status": "succeeded",
    }
    return moment.state.add("charge", body, account=account)


def retrieve(call: Call, charge_id: str) -> Body:
    """GET /v1/charges/{id}."""
    found = call.state.find("charge", charge_id, account=call.account)
    if found is None:
        raise no_such("charge", charge_id)
    return found
