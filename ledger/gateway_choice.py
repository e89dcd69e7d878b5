"""Which payment provider this service pays through, by its settings."""

from functools import cache

from django.conf import settings

from ledger.gateway import Gateway


def configured() -> Gateway:
    """The gateway named by ``PAYMENT_GATEWAY``. Raises NotConfigured when a secret is missing."""
    return _stripe() if settings.PAYMENT_GATEWAY == "stripe" else _paper()


@cache
def _stripe() -> Gateway:
    # Importing the SDK takes about a second; a process that never pays should not wait for it.
    from ledger.gateway_stripe import StripeGateway

    return StripeGateway(
        settings.STRIPE_API_KEY,
        base_url=settings.STRIPE_API_BASE,
        platform_webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
        connect_webhook_secret=settings.STRIPE_CONNECT_WEBHOOK_SECRET,
        account_api="v1" if settings.STRIPE_ACCOUNT_API == "v1" else "v2",
    )


@cache
def _paper() -> Gateway:
    from ledger.gateway_paper import PaperGateway

    return PaperGateway()
