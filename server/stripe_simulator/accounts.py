"""Connected accounts: one kept account, told in v1's and in v2's words.

docs.stripe.com/api/accounts (v1), docs.stripe.com/api/v2/core/accounts, and
docs.stripe.com/connect/account-capabilities: transfers need an active capability, which
onboarding brings. What the payee would type in at Stripe is not simulated, only that it
was done.
"""

from collections.abc import Mapping
from typing import Any

from server.stripe_simulator import events
from server.stripe_simulator.errors import ApiError, no_such, no_such_account
from server.stripe_simulator.moment import Call, Moment, written
from server.stripe_simulator.parameters import Parameters, allow, branch, said_true, text
from server.stripe_simulator.state import Body, State, new_id

V2_CAPABILITY_EVENT = "v2.core.account[configuration.recipient].capability_status_updated"

REQUIREMENTS = ("external_account", "individual.verification.document", "tos_acceptance.date")
"""What an account that nobody has onboarded still wants; a plausible choice of ours."""

COUNTRY_LETTERS = 2


def create_v1(call: Call) -> Body:
    """POST /v1/accounts."""
    allow(
        call.params,
        {"business_type", "capabilities", "controller", "country", "email", "metadata", "type"},
    )
    return told_v1(
        _open(
            call,
            version="v1",
            country=_country(text(call.params, "country", "US")),
            email=text(call.params, "email", ""),
            requested=said_true(branch(call.params, "capabilities", "transfers"), "requested"),
            metadata=branch(call.params, "metadata"),
        )
    )


def create_v2(call: Call) -> Body:
    """POST /v2/core/accounts."""
    allow(
        call.params,
        {
            *("configuration", "contact_email", "dashboard", "defaults", "display_name"),
            *("identity", "include", "metadata"),
        },
    )
    path = ("configuration", "recipient", "capabilities", "stripe_balance", "stripe_transfers")
    account = _open(
        call,
        version="v2",
        country=_country(text(branch(call.params, "identity"), "country", "us")),
        email=text(call.params, "contact_email", ""),
        requested=said_true(branch(call.params, *path), "requested"),
        metadata=branch(call.params, "metadata"),
    )
    return told_v2(account, call.params)


def retrieve_v1(call: Call, account_id: str) -> Body:
    """GET /v1/accounts/{id}."""
    return told_v1(require(call.state, account_id))


def retrieve_v2(call: Call, account_id: str) -> Body:
    """GET /v2/core/accounts/{id}."""
    account = call.state.find("account", account_id)
    if account is None:
        raise no_such("account", account_id)
    return told_v2(account, call.params)


def require(state: State, account_id: str) -> Body:
    """The kept account, or v1's refusal."""
    account = state.find("account", account_id)
    if account is None:
        raise no_such_account(account_id)
    return account


def finish_onboarding(moment: Moment, account_id: str) -> None:
    """Activate what was requested and tell it, in the words the account was opened with."""
    was = require(moment.state, account_id)
    if was["active"]:
        return
    account = moment.state.change(account_id, active=was["requested"], onboarded=True)
    if account["version"] == "v2":
        about = {"updated_capability": "stripe_balance.stripe_transfers"}
        events.record_thin(moment, V2_CAPABILITY_EVENT, account_id=account_id, about=about)
    else:
        events.record(moment, "account.updated", told_v1(account), account=account_id)


def told_v1(account: Body) -> Body:
    """The account object of v1."""
    due = [] if account["onboarded"] else list(REQUIREMENTS)
    return {
        "id": account["id"],
        "object": "account",
        "capabilities": {"transfers": _status(account)} if account["requested"] else {},
        "charges_enabled": False,
        "country": account["country"],
        "created": account["created"],
        "details_submitted": account["onboarded"],
        "email": account["email"] or None,
        "metadata": account["metadata"],
        "payouts_enabled": account["active"],
        "requirements": {
            "alternatives": [],
            "current_deadline": None,
            "currently_due": due,
            "disabled_reason": "requirements.past_due" if due else None,
            "errors": [],
            "eventually_due": due,
            "past_due": due,
            "pending_verification": [],
        },
        "type": "express",
    }


def told_v2(account: Body, params: Parameters) -> Body:
    """The account object of v2; parts not named by ``include`` are null."""
    wanted = params.get("include") or []
    status = {"active": "active"}.get(_status(account), "restricted")
    detail = {"code": "requirements_past_due", "resolution": "provide_info"}
    transfers = {
        "status": status,
        "status_details": [] if account["active"] else [detail],
    }
    recipient = {
        "applied": True,
        "capabilities": {"stripe_balance": {"stripe_transfers": transfers}}
        if account["requested"]
        else {},
    }
    due = [] if account["onboarded"] else [_requirement(name) for name in REQUIREMENTS]
    return {
        "id": account["id"],
        "object": "v2.core.account",
        "applied_configurations": ["recipient"],
        "closed": False,
        "configuration": {"recipient": recipient} if "configuration.recipient" in wanted else None,
        "contact_email": account["email"] or None,
        "created": written(account["created"]),
        "dashboard": "express",
        "defaults": None,
        "display_name": None,
        "identity": {"country": account["country"].lower()} if "identity" in wanted else None,
        "livemode": False,
        "metadata": account["metadata"],
        "requirements": {"entries": due} if "requirements" in wanted else None,
    }


def _open(  # noqa: PLR0913 - what the two versions of the API have in common
    call: Call,
    *,
    version: str,
    country: str,
    email: str,
    requested: bool,
    metadata: Mapping[str, Any],
) -> Body:
    account: Body = {
        "id": new_id("acct"),
        "created": call.moment.second,
        "version": version,
        "country": country,
        "email": email,
        "requested": requested,
        "active": False,
        "onboarded": False,
        "metadata": dict(metadata),
    }
    return call.state.add("account", account)


def _country(code: str) -> str:
    if len(code) != COUNTRY_LETTERS or not code.isalpha():
        raise ApiError(f"Country '{code}' is unknown.", code="country_unsupported", param="country")
    return code.upper()


def _status(account: Body) -> str:
    return "active" if account["active"] else "inactive"


def _requirement(name: str) -> Body:
    return {
        "awaiting_action_from": "user",
        "description": name,
        "errors": [],
        "impact": {"restricts_capabilities": []},
        "minimum_deadline": {"status": "currently_due"},
        "reference": None,
        "requested_reasons": [{"code": "routine_onboarding"}],
    }
