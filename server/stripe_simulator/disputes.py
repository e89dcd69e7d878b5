"""Disputes: a payer's bank takes a payment back, and gives it again when the dispute is won.

docs.stripe.com/disputes/how-disputes-work and docs.stripe.com/api/disputes. Nobody disputes by
itself here: the faults ``payment_disputed`` and ``dispute_won`` make a payer do so, and lose. The
fee for a dispute is made up, and kept whoever wins.
"""

from server.stripe_simulator import balance, events, faults
from server.stripe_simulator.appointments import appoint
from server.stripe_simulator.balance import Movement
from server.stripe_simulator.errors import no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.parameters import allow, text
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
    dispute_id, amount = new_id("dp"), charge["amount"] - charge["amount_refunded"]
    taken = Movement("adjustment", -amount, charge["currency"], dispute_id, FEE_MINOR)
    dispute: Body = {
        "id": dispute_id,
        "object": "dispute",
        "amount": amount,
        "balance_transactions": [balance.book(moment, taken)],
        "charge": charge_id,
        "created": moment.second,
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {
            "due_by": moment.second + EVIDENCE_DUE_S,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }
    moment.state.add("dispute", dispute, group=charge["payment_intent"])
    moment.state.change(charge_id, disputed=True)
    events.record(moment, "charge.dispute.created", dispute)
    events.record(moment, "charge.dispute.funds_withdrawn", dispute)
    appoint(moment, "decide", dispute_id)


def decide(moment: Moment, dispute_id: str) -> None:
    """The bank decides: for its customer, unless the next fault wants it otherwise."""
    dispute = _found(moment, "dispute", dispute_id)
    if faults.taken(moment.state, "dispute_won", "*") is None:
        closed = moment.state.change(dispute_id, status="lost")
        events.record(moment, "charge.dispute.closed", closed)
        return
    given = Movement("adjustment", dispute["amount"], dispute["currency"], dispute_id)
    moved = [*dispute["balance_transactions"], balance.book(moment, given)]
    won = moment.state.change(dispute_id, status="won", balance_transactions=moved)
    events.record(moment, "charge.dispute.closed", won)
    events.record(moment, "charge.dispute.funds_reinstated", won)


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
