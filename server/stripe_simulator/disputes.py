"""Disputes: a payer's bank takes a payment back, and gives it again when the dispute is won.

docs.stripe.com/disputes/how-disputes-work and docs.stripe.com/api/disputes. Nobody disputes by
itself here: the faults ``payment_disputed`` and ``dispute_won`` make a payer do so, and lose, and two
knobs do both on demand. The fee for a dispute is made up, and kept whoever wins.
"""

from server.stripe_simulator import balance, events, faults
from server.stripe_simulator.appointments import appoint
from server.stripe_simulator.balance import Movement
from server.stripe_simulator.errors import no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.parameters import allow, text, whole
from server.stripe_simulator.refunds import charge_of
from server.stripe_simulator.state import Body, new_id

FEE_MINOR = 2_000
"""What a dispute costs, in minor units (docs.stripe.com/disputes: an example for the euro area)."""
EVIDENCE_DUE_S = 7 * 24 * 3600


def maybe(moment: Moment, charge_id: str) -> None:
    """Let the payer dispute a payment that was just made, if the next fault wants it."""
    if faults.taken(moment.state, "payment_disputed", "*") is not None:
        appoint(moment, "dispute", charge_id)


def begin(moment: Moment, charge_id: str) -> None:
    """The bank takes the payment back, and the platform is asked for evidence."""
    charge = _found(moment, "charge", charge_id)
    left = charge["amount"] - charge["amount_refunded"]
    dispute = _open(moment, charge, left, charge["currency"])
    appoint(moment, "decide", dispute["id"])


def dispute(call: Call) -> Body:
    """POST {payment_intent, amount, currency}: the payer's bank takes some of a payment back.

    As much as it likes, since it knows nothing of refunds, and in another currency where the balance
    has no other (docs.stripe.com/currencies/disputes-refunds). Nobody decides it before `decided`
    is called. Not part of Stripe's API: reached under ``/_simulator/disputes``.
    """
    allow(call.params, {"payment_intent", "amount", "currency"})
    charge = charge_of(call, text(call.params, "payment_intent"))
    currency = text(call.params, "currency", charge["currency"]).lower()
    amount = whole(call.params, "amount", charge["amount"])
    return _open(call.moment, charge, amount, currency)


def decided(call: Call) -> Body:
    """POST {dispute, outcome: won | lost, amount}: what is given again differs where rates do.

    Not part of Stripe's API: reached under ``/_simulator/verdicts``.
    """
    allow(call.params, {"dispute", "outcome", "amount"})
    found = _found(call.moment, "dispute", text(call.params, "dispute"))
    won = text(call.params, "outcome") == "won"
    return _close(call.moment, found, whole(call.params, "amount", found["amount"]) if won else 0)


def decide(moment: Moment, dispute_id: str) -> None:
    """The bank decides: for its customer, unless the next fault wants it otherwise."""
    found = _found(moment, "dispute", dispute_id)
    won = faults.taken(moment.state, "dispute_won", "*") is not None
    _close(moment, found, found["amount"] if won else 0)


def _open(moment: Moment, charge: Body, amount: int, currency: str) -> Body:
    dispute_id = new_id("dp")
    taken = Movement("adjustment", -amount, currency, dispute_id, FEE_MINOR)
    body: Body = {
        "id": dispute_id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [balance.book(moment, taken)],
        "charge": charge["id"],
        "created": moment.second,
        "currency": currency,
        "evidence": {},
        "evidence_details": {
            "due_by": moment.second + EVIDENCE_DUE_S,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": amount < charge["amount"] - charge["amount_refunded"],
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }
    moment.state.add("dispute", body, group=charge["payment_intent"])
    moment.state.change(charge["id"], disputed=True)
    events.record(moment, "charge.dispute.created", body)
    events.record(moment, "charge.dispute.funds_withdrawn", body)
    return body


def _close(moment: Moment, found: Body, given_minor: int) -> Body:
    if not given_minor:
        closed = moment.state.change(found["id"], status="lost")
        events.record(moment, "charge.dispute.closed", closed)
        return closed
    given = Movement("adjustment", given_minor, found["currency"], found["id"])
    moved = [*found["balance_transactions"], balance.book(moment, given)]
    won = moment.state.change(found["id"], status="won", balance_transactions=moved)
    events.record(moment, "charge.dispute.closed", won)
    events.record(moment, "charge.dispute.funds_reinstated", won)
    return won


def listing(call: Call) -> Body:
    """GET /v1/disputes, also of one payment intent."""
    allow(call.params, {"created", "ending_before", "limit", "payment_intent", "starting_after"})
    group = text(call.params, "payment_intent", "")
    return call.state.page(
        "dispute", call.params, "/v1/disputes", account=call.account, group=group
    )


def retrieve(call: Call, dispute_id: str) -> Body:
    """GET /v1/disputes/{id}."""
    found = call.state.find("dispute", dispute_id)
    if found is None:
        raise no_such("dispute", dispute_id)
    return found


DEEDS = {"dispute": begin, "decide": decide}
"""What appointments call, by name."""


def _found(moment: Moment, kind: str, object_id: str) -> Body:
    found = moment.state.find(kind, object_id)
    assert found is not None, "appointments name what exists"
    return found
