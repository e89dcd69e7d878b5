"""Encrypt evidence while it waits, with keys that the database never sees.

Owns the cipher (AES-256-GCM, a fresh 96-bit nonce before each text), the derivation of keys from
``settings.EVIDENCE_KEYS`` (HKDF-SHA256) and the keyed digest by which a repeated report is known.
The first key seals, every listed key opens: to rotate, put a new key in front, and remove the old
one when nothing sealed with it waits any more. A backup of the database holds nothing readable.
"""

import hmac
import os
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from attribution.errors import EvidenceUnreadable

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """Encrypted evidence, and which key opens it."""

    key_id: str
    box: bytes


def seal(plain: bytes, *, beside: str) -> Sealed:
    """Encrypt ``plain``, bound to the query id ``beside`` which it may only be opened with."""
    secret = settings.EVIDENCE_KEYS[0]
    nonce = os.urandom(_NONCE_BYTES)
    box = nonce + _cipher(_derive(secret, b"seal")).encrypt(nonce, plain, beside.encode())
    return Sealed(_key_id(secret), box)


def unseal(sealed: Sealed, *, beside: str) -> bytes:
    """Return what was sealed. Raises EvidenceUnreadable when the key is gone or the box changed."""
    for secret in settings.EVIDENCE_KEYS:
        if _key_id(secret) == sealed.key_id:
            return _open(sealed.box, _derive(secret, b"seal"), beside)
    raise EvidenceUnreadable(f"no key {sealed.key_id} is configured for {beside}")


def digests(payload: bytes) -> list[bytes]:
    """Return a keyed SHA-256 of ``payload`` under each key, the newest first.

    The first is what is stored; a repeat is recognised by any of them.
    """
    return [
        hmac.digest(_derive(secret, b"digest"), payload, "sha256")
        for secret in settings.EVIDENCE_KEYS
    ]


def _open(box: bytes, key: bytes, beside: str) -> bytes:
    try:
        return _cipher(key).decrypt(box[:_NONCE_BYTES], box[_NONCE_BYTES:], beside.encode())
    except (InvalidTag, ValueError) as error:
        raise EvidenceUnreadable(f"the evidence of {beside} is not what was sealed") from error


@lru_cache(maxsize=16)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)


@lru_cache(maxsize=16)
def _key_id(secret: str) -> str:
    return sha256(_derive(secret, b"name")).hexdigest()[:16]


@lru_cache(maxsize=48)
def _derive(secret: str, use: bytes) -> bytes:
    derivation = HKDF(SHA256(), length=32, salt=None, info=b"tribute evidence/1 " + use)
    return derivation.derive(secret.encode())
