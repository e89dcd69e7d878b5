"""Balances and the transactions they are the sum of.

docs.stripe.com/api/balance and docs.stripe.com/api/balance_transactions: net = amount -
fee; money is pending until ``available_on``. Nothing but `book` changes a balance.
"""

from typing import NamedTuple

from server.stripe_simulator.errors import ApiError, no_such
from server.stripe_simulator.moment import Call, Moment
from server.stripe_simulator.parameters import allow, text, whole
from server.stripe_simulator.state import PLATFORM, Body, new_id

MOST = 99_999_999
"""The largest amount of one payment (docs.stripe.com/currencies), either way."""

_REPORTING = {
    "payment": "charge",
    "payment_refund": "refund",
    "payout_failure": "payout_reversal",
    "transfer_refund": "transfer_reversal",
}
"""docs.stripe.com/reports/reporting-categories, where they differ from the type."""


class Movement(NamedTuple):
    """What is booked: amount signed, fee taken from it, both in minor units."""

    kind: str
    amount: int
    currency: str
    source: str
    fee: int = 0
    delay_s: float = 0.0


def book(moment: Moment, movement: Movement, *, account: str = PLATFORM) -> Body:
    """Move an account's balance and return the balance transaction."""
    available_on = int(moment.now + movement.delay_s)
    fee_details = {
        "amount": movement.fee,
        "application": None,
        "currency": movement.currency,
        "description": "Simulated processing fee",
        "type": "stripe_fee",
    }
    row: Body = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": movement.amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": moment.second,
        "currency": movement.currency,
        "description": None,
        "exchange_rate": None,
        "fee": movement.fee,
        "fee_details": [fee_details] if movement.fee else [],
        "net": movement.amount - movement.fee,
        "reporting_category": _REPORTING.get(movement.kind, movement.kind),
        "source": movement.source,
        "status": "available" if available_on <= moment.now else "pending",
        "type": movement.kind,
    }
    moment.state.add("balance_transaction", row, account=account)
    moment.state.run(
        "INSERT INTO money (id, account, currency, net, available_on, payout)"
        " VALUES (?, ?, ?, ?, ?, '')",
        *(row["id"], account, movement.currency, row["net"], available_on),
    )
    return row


def available(moment: Moment, currency: str, *, account: str = PLATFORM) -> int:
    """What an account could spend now, in minor units; may be negative."""
    (total,) = moment.state.run(
        "SELECT coalesce(sum(net), 0) FROM money"
        " WHERE account = ? AND currency = ? AND available_on <= ?",
        *(account, currency, moment.second),
    ).fetchone()
    return int(total)


def require_available(
    moment: Moment, amount: int, currency: str, *, account: str = PLATFORM
) -> None:
    """Refuse to spend what is not there (docs.stripe.com/error-codes#balance-insufficient)."""
    if available(moment, currency, account=account) < amount:
        raise ApiError(
            "You have insufficient available funds in your Stripe account.",
            code="balance_insufficient",
            executed=True,
        )


def retrieve(call: Call) -> Body:
    """GET /v1/balance: one row a currency, available and pending."""
    rows = call.state.run(
        "SELECT currency, sum(CASE WHEN available_on <= ? THEN net ELSE 0 END),"
        " sum(CASE WHEN available_on > ? THEN net ELSE 0 END)"
        " FROM money WHERE account = ? GROUP BY currency ORDER BY currency",
        *(call.moment.second, call.moment.second, call.account),
    ).fetchall()
    return {
        "object": "balance",
        "livemode": False,
        "available": [_amount(currency, ready) for currency, ready, _ in rows],
        "pending": [_amount(currency, waiting) for currency, _, waiting in rows],
    }


def adjust(call: Call) -> Body:
    """POST {account, amount, currency}: change a connected account's balance, below zero too.

    Not part of Stripe's API but what fees, refunds and lost disputes of the account's own do
    (docs.stripe.com/connect/account-balances); reached under ``/_simulator/adjustments``.
    """
    allow(call.params, {"account", "amount", "currency"})
    account, currency = text(call.params, "account"), text(call.params, "currency").lower()
    if call.state.find("account", account) is None:
        raise no_such("account", account)
    amount = whole(call.params, "amount", least=-MOST)
    return book(
        call.moment, Movement("adjustment", amount, currency, new_id("adj")), account=account
    )


def listing(call: Call) -> Body:
    """GET /v1/balance_transactions, also of one payout, with ``expand[]=data.source``."""
    known = {"created", "currency", "ending_before", "limit", "payout", "starting_after", "type"}
    allow(call.params, known)
    page = call.state.page(
        "balance_transaction",
        call.params,
        "/v1/balance_transactions",
        account=call.account,
        group=text(call.params, "payout", ""),
    )
    page["data"] = [_now(call, row) for row in page["data"]]
    if "data.source" in call.params.get("expand", []):
        page["data"] = [{**row, "source": _source(call, row["source"])} for row in page["data"]]
    return page


def transaction(call: Call, transaction_id: str) -> Body:
    """GET /v1/balance_transactions/{id}."""
    row = call.state.find("balance_transaction", transaction_id, account=call.account)
    if row is None:
        raise no_such("balance transaction", transaction_id)
    return _now(call, row)


def _now(call: Call, row: Body) -> Body:
    ready = row["available_on"] <= call.moment.now
    return {**row, "status": "available" if ready else "pending"}


def _source(call: Call, source_id: str) -> Body | str:
    for kind in ("charge", "transfer", "payout", "refund", "dispute"):
        if found := call.state.find(kind, source_id, account=call.account):
            return found
    return source_id


def _amount(currency: str, minor: int) -> Body:
    return {"amount": minor, "currency": currency, "source_types": {"card": minor}}
