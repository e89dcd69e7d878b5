"""Connected accounts' payouts to their banks, on Stripe's automatic schedule.

docs.stripe.com/payouts and docs.stripe.com/api/payouts: the whole available balance goes
out; "some payouts might initially show as paid, then failed", and a failed payout's money
returns to the balance. Real schedules take days; here each step takes
`Settings.payout_delay_s`. Payouts on request are not simulated.
"""

from server.stripe_simulator import balance, events, faults
from server.stripe_simulator.appointments import appoint
from server.stripe_simulator.balance import Movement
from server.stripe_simulator.errors import no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.parameters import allow
from server.stripe_simulator.state import Body, new_id


def schedule(moment: Moment, account: str) -> None:
    """Pay the account out one delay from now, unless that is planned already."""
    appoint(moment, "send", account)


def send(moment: Moment, account: str) -> None:
    """Send each currency's available balance to the bank."""
    rows = moment.state.run(
        "SELECT currency, sum(net) FROM money"
        " WHERE account = ? AND payout = '' AND available_on <= ? GROUP BY currency",
        *(account, moment.second),
    ).fetchall()
    for currency, amount in rows:
        if amount > 0:
            _send_currency(moment, account, currency, amount)


def arrive(moment: Moment, payout_id: str) -> None:
    """The bank answers: paid, or refused; sometimes first the one and then the other."""
    account = _account_of(moment, payout_id)
    if faults.taken(moment.state, "payout_fails", "*") is not None:
        _fail(moment, payout_id, account)
        return
    payout = moment.state.change(payout_id, status="paid")
    events.record(moment, "payout.paid", payout, account=account)
    if faults.taken(moment.state, "payout_fails_after_paid", "*") is not None:
        appoint(moment, "bounce", payout_id)


def bounce(moment: Moment, payout_id: str) -> None:
    """The bank sends back what it had taken."""
    _fail(moment, payout_id, _account_of(moment, payout_id))


def retrieve(call: Call, payout_id: str) -> Body:
    """GET /v1/payouts/{id}, of the account in the Stripe-Account header."""
    payout = call.state.find("payout", payout_id, account=call.account)
    if payout is None:
        raise no_such("payout", payout_id)
    return payout


def listing(call: Call) -> Body:
    """GET /v1/payouts."""
    allow(call.params, {"created", "ending_before", "limit", "starting_after"})
    return call.state.page("payout", call.params, "/v1/payouts", account=call.account)


DEEDS = {"send": send, "arrive": arrive, "bounce": bounce}
"""What appointments call, by name."""


def _send_currency(moment: Moment, account: str, currency: str, amount: int) -> None:
    payout_id = new_id("po")
    carried = moment.state.run(
        "SELECT id FROM money"
        " WHERE account = ? AND currency = ? AND payout = '' AND available_on <= ?",
        *(account, currency, moment.second),
    ).fetchall()
    for (transaction_id,) in carried:
        moment.state.run("UPDATE money SET payout = ? WHERE id = ?", payout_id, transaction_id)
        moment.state.regroup(transaction_id, payout_id)
    moved = balance.book(moment, Movement("payout", -amount, currency, payout_id), account=account)
    moment.state.run("UPDATE money SET payout = ? WHERE id = ?", payout_id, moved["id"])
    moment.state.regroup(moved["id"], payout_id)
    payout = _payout(moment, payout_id, amount, currency, moved["id"])
    moment.state.add("payout", payout, account=account)
    events.record(moment, "payout.created", payout, account=account)
    appoint(moment, "arrive", payout_id)


def _payout(
    moment: Moment, payout_id: str, amount: int, currency: str, transaction_id: str
) -> Body:
    return {
        "id": payout_id,
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": int(moment.now + moment.settings.payout_delay_s),
        "automatic": True,
        "balance_transaction": transaction_id,
        "created": moment.second,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": None,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "reconciliation_status": "completed",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "in_transit",
        "type": "bank_account",
    }


def _fail(moment: Moment, payout_id: str, account: str) -> None:
    payout = moment.state.change(payout_id)
    returned = Movement("payout_failure", payout["amount"], payout["currency"], payout_id)
    row = balance.book(moment, returned, account=account)
    failed = moment.state.change(
        payout_id,
        status="failed",
        failure_balance_transaction=row["id"],
        failure_code="account_closed",
        failure_message="The bank account has been closed.",
    )
    events.record(moment, "payout.failed", failed, account=account)


def _account_of(moment: Moment, payout_id: str) -> str:
    (account,) = moment.state.run("SELECT account FROM object WHERE id = ?", payout_id).fetchone()
    return str(account)
