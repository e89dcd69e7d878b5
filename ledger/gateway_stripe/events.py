"""Verify and read Stripe's webhooks, snapshot (v1) and thin (v2).

Owns signatures, the two kinds of secret and the two shapes of event. It stores nothing
and asks Stripe nothing.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ledger.gateway import InvalidPayload, InvalidSignature, NotConfigured, ProviderEvent
from ledger.gateway_stripe.results import at

log = logging.getLogger(__name__)

OF_PLATFORM = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refund.updated",
    "charge.refunded",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "transfer.created",
    "transfer.reversed",
    "transfer.updated",
)
"""What is asked of the list of our own events; at most 20 (docs.stripe.com/api/events/list)."""
OF_ACCOUNT = (
    "account.application.deauthorized",
    "account.updated",
    "capability.updated",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.updated",
)
"""What is asked of the list of a connected account's events."""

TOLERANCE_S = 300
"""How old a signature may be, in seconds: the default of the SDK's ``construct_event``."""
LONGEST_ID, LONGEST_TYPE = 200, 120
"""Ids have at most 255 characters by contract and under 40 in fact (docs.stripe.com/upgrades)."""


@dataclass(frozen=True, slots=True)
class Inbox:
    """What a webhook must fit to be believed.

    platform, connect: the secrets of the event destinations that report the platform's
    own events, and those of connected accounts (snapshot and thin). An event of a
    connected account must carry a connect secret's signature, the platform's own a
    platform secret's, so that one leaked secret does not forge the other's.
    signed: (body, header, secret) → whether the signature fits and is fresh.
    """

    platform: tuple[str, ...]
    connect: tuple[str, ...]
    livemode: bool
    signed: Callable[[bytes, str, str], bool]

    def read(self, payload: bytes, signature: str) -> ProviderEvent:
        """Raises `InvalidSignature`, or `InvalidPayload` for what is signed but no event."""
        of_connect = self._fits(payload, signature, self.connect)
        if not of_connect and not self._fits(payload, signature, self.platform):
            raise InvalidSignature("the signature fits none of the webhook secrets, or is too old")
        try:
            event = _event(json.loads(payload))
        except _NO_EVENT as error:
            raise InvalidPayload(f"not an event of Stripe's: {error!r}") from error
        if event.livemode != self.livemode:
            raise InvalidPayload(f"event {event.id} is of the other mode (live or test)")
        if (event.account_id is not None) != of_connect:
            raise InvalidSignature(f"event {event.id} was signed with the other secret")
        return event

    def listed(self, body: dict[str, Any], account_id: str | None) -> ProviderEvent | None:
        """Read an event of Stripe's list, or None when it is not one that a webhook could tell.

        account_id: the connected account that was asked for; a listed event need not name it.
        """
        try:
            event = _event({**body, "account": body.get("account") or account_id})
        except _NO_EVENT as error:
            log.warning("Stripe lists what is no event: %r", error)
            return None
        return event if event.livemode == self.livemode else None

    def _fits(self, payload: bytes, signature: str, secrets: tuple[str, ...]) -> bool:
        try:
            return any(self.signed(payload, signature, secret) for secret in secrets)
        except UnicodeDecodeError as error:
            raise InvalidPayload("the body is not UTF-8") from error


def secrets_in(setting: str, *, whose: str) -> tuple[str, ...]:
    """Split a setting of one or more secrets at its commas; refuse an empty one."""
    secrets = tuple(secret.strip() for secret in setting.split(",") if secret.strip())
    if not secrets:
        raise NotConfigured(f"the {whose} webhook secret is empty: anybody could sign with it")
    return secrets


_NO_EVENT = (
    AttributeError,
    KeyError,
    OSError,  # of a time beyond what the platform's C library reckons with
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)


def _event(body: dict[str, Any]) -> ProviderEvent:
    """Read a verified body; KeyError and the like say that it is no event."""
    if body["object"] == "v2.core.event":
        return _thin_event(body)
    if body["object"] != "event":
        raise ValueError(f"object {body['object']!r}")
    return ProviderEvent(
        id=_word(body["id"], LONGEST_ID),
        type=_word(body["type"], LONGEST_TYPE),
        # A balance, alone among the objects we hear of, has no id.
        object_id=_word(body["data"]["object"].get("id", ""), LONGEST_ID),
        account_id=_word(body["account"], LONGEST_TYPE) if body.get("account") else None,
        created_at=at(body["created"]),
        livemode=body["livemode"],
        payload=body,
    )


def _thin_event(body: dict[str, Any]) -> ProviderEvent:
    """Read a v2 notification, which names its object and says nothing more about it."""
    related = body.get("related_object") or {"id": "", "type": ""}
    of_account = related["id"] if related["type"] == "v2.core.account" else None
    account = body.get("context") or of_account
    return ProviderEvent(
        id=_word(body["id"], LONGEST_ID),
        type=_word(body["type"], LONGEST_TYPE),
        object_id=_word(related["id"], LONGEST_ID),
        account_id=_word(account, LONGEST_TYPE) if account else None,
        created_at=datetime.fromisoformat(body["created"]),
        livemode=body["livemode"],
        payload=body,
    )


def _word(said: object, longest: int) -> str:
    """Admit an id or a type: printable, without spaces, and no longer than we can keep."""
    if not isinstance(said, str) or len(said) > longest or not (said.isascii() and _plain(said)):
        raise ValueError(f"{said!r:.60} is no id or type of Stripe's")
    return said


def _plain(said: str) -> bool:
    return said.isprintable() and " " not in said
