"""Transfers from the platform to connected accounts, and their reversals.

docs.stripe.com/api/transfers, docs.stripe.com/connect/separate-charges-and-transfers:
a transfer needs available funds and an active capability, and is not retried.
"""

from server.stripe_simulator import balance, charges, events, payouts
from server.stripe_simulator.balance import Movement
from server.stripe_simulator.errors import ApiError, no_such
from server.stripe_simulator.moment import Call
from server.stripe_simulator.parameters import allow, branch, text, whole
from server.stripe_simulator.state import Body, new_id


def create(call: Call) -> Body:
    """POST /v1/transfers."""
    known = {"amount", "currency", "description", "destination", "metadata", "transfer_group"}
    allow(call.params, known)
    amount, currency = whole(call.params, "amount"), text(call.params, "currency").lower()
    destination = _destination(call)
    # docs.stripe.com/connect/account-capabilities; wording as reported by users of the API.
    if not destination["active"]:
        raise ApiError(
            "Your destination account needs to have at least one of the following capabilities "
            "enabled: transfers, crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
            executed=True,
        )
    balance.require_available(call.moment, amount, currency)
    transfer = _record(call, destination["id"], amount, currency)
    events.record(call.moment, "transfer.created", transfer)
    payouts.schedule(call.moment, destination["id"])
    return transfer


def retrieve(call: Call, transfer_id: str) -> Body:
    """GET /v1/transfers/{id}."""
    transfer = call.state.find("transfer", transfer_id)
    if transfer is None:
        raise no_such("transfer", transfer_id)
    return transfer


def listing(call: Call) -> Body:
    """GET /v1/transfers, also by transfer_group."""
    allow(
        call.params,
        {"created", "ending_before", "limit", "starting_after", "transfer_group"},
    )
    group = text(call.params, "transfer_group", "")
    return call.state.page(
        "transfer", call.params, "/v1/transfers", account=call.account, group=group
    )


def reverse(call: Call, transfer_id: str) -> Body:
    """POST /v1/transfers/{id}/reversals (docs.stripe.com/api/transfer_reversals/create).

    The connected account must still hold the money. Stripe gives an exhausted transfer no
    error code (stripe/stripe-ruby issue 1058), so neither does this.
    """
    allow(call.params, {"amount", "description", "metadata"})
    transfer = retrieve(call, transfer_id)
    left = transfer["amount"] - transfer["amount_reversed"]
    if left == 0:
        raise ApiError(f"The transfer {transfer_id} is already fully reversed.", executed=True)
    amount = whole(call.params, "amount", left)
    if amount > left:
        raise ApiError(
            f"Reversal amount ({amount}) is greater than unrefunded amount on transfer ({left})",
            param="amount",
            executed=True,
        )
    return _take_back(call, transfer, amount)


def reversals(call: Call, transfer_id: str) -> Body:
    """GET /v1/transfers/{id}/reversals."""
    retrieve(call, transfer_id)
    url = f"/v1/transfers/{transfer_id}/reversals"
    return call.state.page("reversal", call.params, url, account=call.account, group=transfer_id)


def _destination(call: Call) -> Body:
    account_id = text(call.params, "destination")
    account = call.state.find("account", account_id)
    if account is None:
        raise ApiError(
            f"No such destination: '{account_id}'", code="resource_missing", param="destination"
        )
    return account


def _record(call: Call, account_id: str, amount: int, currency: str) -> Body:
    """Move the money on both balances: a transfer here, a payment there."""
    transfer_id, payment_id = new_id("tr"), new_id("py")
    outgoing = Movement("transfer", -amount, currency, transfer_id)
    moved = balance.book(call.moment, outgoing)
    incoming = Movement("payment", amount, currency, payment_id)
    charges.record(call.moment, incoming, account=account_id, source_transfer=transfer_id)
    group = text(call.params, "transfer_group", "")
    transfer: Body = {
        "id": transfer_id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": moved["id"],
        "created": call.moment.second,
        "currency": currency,
        "description": text(call.params, "description", "") or None,
        "destination": account_id,
        "destination_payment": payment_id,
        "livemode": False,
        "metadata": branch(call.params, "metadata"),
        "reversals": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/transfers/{transfer_id}/reversals",
        },
        "reversed": False,
        "source_transaction": None,
        "source_type": "card",
        "transfer_group": group or None,
    }
    return call.state.add("transfer", transfer, group=group)


def _take_back(call: Call, transfer: Body, amount: int) -> Body:
    moment, currency, account = call.moment, transfer["currency"], transfer["destination"]
    balance.require_available(moment, amount, currency, account=account)
    reversal_id, refund_id = new_id("trr"), new_id("pyr")
    outgoing = Movement("payment_refund", -amount, currency, refund_id)
    balance.book(moment, outgoing, account=account)
    moved = balance.book(moment, Movement("transfer_refund", amount, currency, reversal_id))
    reversal: Body = {
        "id": reversal_id,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": moved["id"],
        "created": moment.second,
        "currency": currency,
        "destination_payment_refund": refund_id,
        "metadata": branch(call.params, "metadata"),
        "source_refund": None,
        "transfer": transfer["id"],
    }
    call.state.add("reversal", reversal, group=transfer["id"])
    total = transfer["amount_reversed"] + amount
    changed = call.state.change(
        transfer["id"], amount_reversed=total, reversed=total == transfer["amount"]
    )
    events.record(moment, "transfer.reversed", changed)
    return reversal
