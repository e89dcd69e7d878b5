"""Sign and verify usage reports: a detached JSON Web Signature over a request's body.

Compact serialisation with the payload left out (RFC 7515, appendix F), Ed25519 (RFC 8037). The
protected header names the key (``kid``) and numbers the report (``seq``, 1 and up, one number a
report and key), so that neither can be exchanged. Needs the extra ``verify`` (cryptography).
"""

import base64
import binascii
import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature as _Mismatch
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

__all__ = ["HEADER", "InvalidSignature", "Signature", "read", "sign", "verify"]

HEADER = "Tribute-Signature"
"""The HTTP header that carries it."""

_ALGORITHMS = ("EdDSA", "Ed25519")
_MEMBERS = {"alg", "kid", "seq"}
_PARTS = 3
_LONGEST = 1_000
_LARGEST_SEQUENCE = 2**53 - 1


class InvalidSignature(ValueError):
    """A signature must be well-formed, and the key's over exactly these bytes."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it was read; it says nothing before ``verify`` did."""

    key_id: str
    sequence: int
    protected: str
    value: bytes


def sign(body: bytes, key: Ed25519PrivateKey, *, key_id: str, sequence: int) -> str:
    """Return the detached signature of ``body`` as number ``sequence`` of a key."""
    header = {"alg": _ALGORITHMS[0], "kid": key_id, "seq": sequence}
    protected = _encoded(json.dumps(header, separators=(",", ":")).encode())
    return f"{protected}..{_encoded(key.sign(_input(protected, body)))}"


def read(text: str) -> Signature:
    """Read what ``sign`` wrote. Raises InvalidSignature for anything else."""
    parts = text.split(".")
    if len(text) > _LONGEST or len(parts) != _PARTS or parts[1]:
        raise InvalidSignature("not a JWS in compact form with a detached payload")
    try:
        header = json.loads(_decoded(parts[0]))
        value = _decoded(parts[2])
    except (ValueError, RecursionError) as error:
        raise InvalidSignature("the signature's header is no JSON in base64url") from error
    if not isinstance(header, dict) or header.get("alg") not in _ALGORITHMS:
        raise InvalidSignature("the algorithm is EdDSA with Ed25519")
    if set(header) != _MEMBERS:
        # Also keeps texts out that have no place in a report.
        raise InvalidSignature(f"the header has {', '.join(sorted(_MEMBERS))} and nothing else")
    key_id, sequence = header.get("kid"), header.get("seq")
    if not isinstance(key_id, str) or type(sequence) is not int:
        raise InvalidSignature("the header names the key (kid) and the report's number (seq)")
    if not 1 <= sequence <= _LARGEST_SEQUENCE:
        raise InvalidSignature("reports are numbered from 1 on")
    return Signature(key_id, sequence, parts[0], value)


def verify(signature: Signature, body: bytes, public_key: bytes) -> None:
    """Check that the key, 32 raw bytes, signed ``body``. Raises InvalidSignature."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(signature.value, _input(signature.protected, body))
    except (_Mismatch, ValueError) as error:
        raise InvalidSignature("the key did not sign these bytes") from error


def _input(protected: str, body: bytes) -> bytes:
    return f"{protected}.{_encoded(body)}".encode("ascii")


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    """Read base64url without padding, strictly: one text for one content."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if _encoded(data) != text:
        raise ValueError("not canonical base64url")
    return data
