"""Read the SDK's errors as answers to one question: whether anything happened.

Knows Stripe's status codes and error codes (docs.stripe.com/error-low-level,
docs.stripe.com/error-codes) so that no caller has to.
"""

from http import HTTPStatus
from types import ModuleType
from typing import TYPE_CHECKING

from ledger.gateway import (
    GatewayError,
    InsufficientFunds,
    NotConfigured,
    OutcomeUnknown,
    PayeeCannotReceive,
    Refused,
    TryAgain,
)

if TYPE_CHECKING:
    import stripe

CANNOT_RECEIVE_CODES = frozenset(
    {
        "account_closed",
        "account_invalid",
        "capability_not_enabled",
        "insufficient_capabilities_for_transfer",
        "transfers_not_allowed",
    }
)
CANNOT_RECEIVE_PHRASE = "capabilities enabled"
"""Stripe has been seen to refuse an inactive account in words alone, without a code."""

UNDECIDED = frozenset({HTTPStatus.CONFLICT, HTTPStatus.REQUEST_TIMEOUT})
"""4xx that settle nothing: the same key may still be running, or was cut off on the way."""


def translated(sdk: ModuleType, error: "stripe.StripeError", *, writes: bool) -> GatewayError:
    """Name what ``error`` means; ``writes`` says whether the call could move money.

    sdk: the imported ``stripe`` module, whose error classes are told apart here.
    """
    message = error.user_message or type(error).__name__
    # Rate limits and lock timeouts turn a request away before it runs, so nothing is
    # stored under its key (docs.stripe.com/rate-limits).
    if isinstance(error, sdk.RateLimitError):
        return TryAgain(message)
    if _is_definitive(error):
        return _refusal(sdk, error, message)
    return OutcomeUnknown(message) if writes else TryAgain(message)


def _is_definitive(error: "stripe.StripeError") -> bool:
    """Only a 4xx that Stripe worded itself settles the matter; a proxy's bare page does not."""
    status = error.http_status
    if status is None or error.error is None:
        return False
    client_error = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return client_error and status not in UNDECIDED


def _refusal(sdk: ModuleType, error: "stripe.StripeError", message: str) -> GatewayError:
    code = error.code or getattr(error.error, "code", None)
    if isinstance(error, sdk.IdempotencyError):
        return Refused("idempotency_key_reused", message)
    no_destination = getattr(error, "param", None) == "destination"
    if code in CANNOT_RECEIVE_CODES or CANNOT_RECEIVE_PHRASE in message or no_destination:
        return PayeeCannotReceive(code or "insufficient_capabilities_for_transfer", message)
    if code == "balance_insufficient" or isinstance(error, sdk.InsufficientFundsError):
        return InsufficientFunds("balance_insufficient", message)
    if isinstance(error, (sdk.AuthenticationError, sdk.PermissionError)):
        return NotConfigured(message)
    return Refused(code or "invalid_request_error", message)
