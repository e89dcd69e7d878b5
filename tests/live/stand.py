"""Where the live suite plays: before Stripe itself in test mode, or before our simulation.

Owns what people and dashboards do and no gateway can: onboarding, paying, and getting an event's
bytes. The suite itself cannot tell which of the two it plays before.
"""

import hashlib
import hmac
import json
import os
import time
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import stripe

from ledger.gateway import NotConfigured, PayeeAccount
from ledger.gateway_stripe import StripeGateway
from tests.server.stripe_simulator.stage import PLATFORM_SECRET, Stage, wait_until

FUNDS_MINOR = 5_000


class Stand(Protocol):
    """One run's provider, with names that no earlier run has used."""

    @property
    def run(self) -> str:
        """What is part of every name of this run."""
        ...

    @property
    def currency(self) -> str:
        """The platform's own."""
        ...

    @property
    def country(self) -> str:
        """Where new payees live."""
        ...

    def gateway(self) -> StripeGateway:
        """The gateway under test."""
        ...

    def payee(self) -> PayeeAccount:
        """An account that can receive transfers."""
        ...

    def fund(self) -> None:
        """Put FUNDS_MINOR onto the platform's available balance."""
        ...

    def event(self, kind: str, object_id: str) -> tuple[bytes, str]:
        """The newest event of a kind about an object, as it is delivered: body and signature."""
        ...


class SimulatedStand:
    """Our own simulation of Stripe; people's part is pressing its buttons."""

    currency, country = "EUR", "DE"

    def __init__(self, stage: Stage) -> None:
        self.run = uuid4().hex[:12]
        self._stage = stage

    def gateway(self) -> StripeGateway:
        return self._stage.gateway()

    def payee(self) -> PayeeAccount:
        return self._stage.onboarded(self.gateway(), reference=f"cre_{self.run}")

    def fund(self) -> None:
        self._stage.paid(self.gateway(), FUNDS_MINOR, key=f"top_{self.run}")

    def event(self, kind: str, object_id: str) -> tuple[bytes, str]:
        letters = [
            letter
            for letter in self._stage.inbox.wait_for(kind)
            if letter.event["data"]["object"]["id"] == object_id
        ]
        return letters[-1].payload, letters[-1].signature


@dataclass(frozen=True)
class LiveStand:
    """Stripe in test mode. Nothing of it costs or pays real money.

    key: a test key. payee_id: a connected account of the same platform, onboarded by hand once.
    currency: the platform's own, in which test charges become available at once.
    """

    key: str
    payee_id: str
    currency: str
    country: str
    run: str

    @classmethod
    def from_environment(cls) -> "LiveStand":
        """Read STRIPE_TEST_KEY, STRIPE_TEST_PAYEE, STRIPE_TEST_CURRENCY, STRIPE_TEST_COUNTRY.

        Raises NotConfigured without the first two, and for a key that is not one of test mode.
        """
        key, payee = (os.environ.get(name, "") for name in ("STRIPE_TEST_KEY", "STRIPE_TEST_PAYEE"))
        if not key.startswith(("sk_test_", "rk_test_")):
            raise NotConfigured("STRIPE_TEST_KEY is no key of Stripe's test mode")
        if not payee.startswith("acct_"):
            raise NotConfigured("STRIPE_TEST_PAYEE names no onboarded test account")
        currency = os.environ.get("STRIPE_TEST_CURRENCY", "EUR")
        country = os.environ.get("STRIPE_TEST_COUNTRY", "DE")
        return cls(key, payee, currency, country, uuid4().hex[:12])

    def gateway(self) -> StripeGateway:
        return StripeGateway(
            self.key,
            base_url=None,
            platform_webhook_secret=PLATFORM_SECRET,
            connect_webhook_secret="whsec_connected",
        )

    def payee(self) -> PayeeAccount:
        return self.gateway().payee(self.payee_id)

    def fund(self) -> None:
        # The test token whose charge is available at once (docs.stripe.com/testing).
        stripe.StripeClient(self.key).v1.charges.create(
            {
                "amount": 2 * FUNDS_MINOR,
                "currency": self.currency.lower(),
                "source": "tok_bypassPending",
            },
            {"idempotency_key": f"fund:{self.run}"},
        )

    def event(self, kind: str, object_id: str) -> tuple[bytes, str]:
        client, found = stripe.StripeClient(self.key), list[bytes]()

        def arrived() -> bool:
            listed = client.raw_request("get", "/v1/events", type=kind, limit=20)
            bodies = [json.dumps(each) for each in json.loads(listed.body)["data"]]
            about = (
                body for body in bodies if json.loads(body)["data"]["object"]["id"] == object_id
            )
            found.extend(body.encode() for body in about)
            return bool(found)

        wait_until(arrived)
        return found[0], signature(found[0], PLATFORM_SECRET)


def signature(payload: bytes, secret: str) -> str:
    """The header with which Stripe signs a body (docs.stripe.com/webhooks#verify-manually)."""
    now = int(time.time())
    signed = hmac.new(secret.encode(), b"%d.%b" % (now, payload), hashlib.sha256).hexdigest()
    return f"t={now},v1={signed}"
