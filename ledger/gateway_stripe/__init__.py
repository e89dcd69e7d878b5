"""Payments through Stripe Connect: the only package that imports ``stripe``.

Owns the translation between `ledger.gateway`'s words and Stripe's SDK, its errors and
its webhooks. It decides nothing about payouts, keeps no state and never retries: whoever
holds the idempotency key decides whether to say a thing again (the SDK's own retries are
off). Money goes by separate charges and transfers: operators pay the platform through
Checkout, the platform transfers to payees' accounts, and Stripe pays those out to banks
on its automatic schedule, which we only read.

Written for stripe 16.1 (API 2026-10-28.endive), read from the SDK's source and Stripe's
documentation, and tested against this project's own simulator. It was never run against
Stripe itself.
"""

from ledger.gateway_stripe.gateway import StripeGateway

__all__ = ["StripeGateway"]
