"""The signature of Standard Webhooks 1.0: HMAC-SHA256 over id, timestamp and body. Pure."""

import base64
import hmac
from collections.abc import Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with, not one


def secret_text(key: bytes) -> str:
    """Print a key as receivers configure it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def headers(
    keys: Sequence[bytes], *, message: str, timestamp_s: int, body: bytes
) -> dict[str, str]:
    """Return the headers of a delivery, signed with each key: two while one replaces the other.

    timestamp_s: whole seconds since 1970, UTC, of this attempt.
    """
    signed = f"{message}.{timestamp_s}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys]
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
