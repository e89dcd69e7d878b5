"""A simulation of Stripe's HTTP API, for tests and demonstrations.

A process of its own that the real Stripe SDK talks to. It knows none of the apps and no
Django; standard library only. It covers what Tribute uses of Connect: accounts (v1 and
v2), onboarding links, transfers and reversals, Checkout, balances, automatic payouts,
events and signed webhooks, with idempotency and with faults that can be switched on.

It was written from Stripe's documentation, cited where a rule is kept, and from the
SDK's types. It was never run against Stripe, and proves nothing about Stripe: whatever
the documentation leaves open is a guess here, and marked as one.

    python -m server.stripe_simulator --port 8420 --state stripe.sqlite3 \
        --webhook-url http://127.0.0.1:8000/webhooks/stripe \
        --platform-secret whsec_… --connect-secret whsec_…
"""

from server.stripe_simulator.settings import Settings
from server.stripe_simulator.simulator import Simulator

__all__ = ["Settings", "Simulator"]
