"""Verify the signed receipt of a consent check, offline; define what is hashed and signed.

A receipt states which questions an operator asked (``request_digest``), what was answered
(``answers_root``, a Merkle root), and as of which size of the transparency log. The signature is
Ed25519 over ``signing_input``. Beside what is signed stands ``log``: the hash of the leaf that the
check left in the log and, once the leaf has its place, a proof that stands on its own. This module
holds no private key: a registry signs, anybody verifies. Checking a signature needs the extra
``verify`` (cryptography).
"""

import base64
import binascii
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import rfc8785

from tribute.ids import InvalidId, decode
from tribute.log import proofs
from tribute.log.errors import LogError
from tribute.log.notes import VerifierKey
from tribute.log.proofs import Proven
from tribute.merkle import inclusion_path, merkle_root, verify_inclusion
from tribute.vocabulary import Purpose

__all__ = [
    "InvalidReceipt",
    "VerifiedReceipt",
    "canonical_json",
    "inclusion_path",
    "key_id",
    "merkle_root",
    "request_digest",
    "row_digest",
    "row_salt",
    "signing_input",
    "verify_inclusion",
    "verify_receipt",
]

VERSION = 1
TYPE = "check.batch"
ALGORITHM = "Ed25519"

_FIELDS = {
    "v", "type", "check", "operator", "purposes", "at", "items", "request_digest",
    "answers_root", "log_size", "signature",
}  # fmt: skip
_UNSIGNED = "log"
_SIGNATURE_FIELDS = {"alg", "key_id", "value"}
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


class InvalidReceipt(ValueError):
    """A receipt must be complete, well-formed, signed by the key, and match what it is about."""


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves once its signature holds.

    at: aware, UTC. items: how many questions. answers_root: (32,) bytes. log_size: leaves in the
    transparency log that the answers took into account. logged: where the log holds the check;
    None when the proof is still to come, or no key of the log was given.
    """

    check: str
    operator: str
    purposes: tuple[Purpose, ...]
    at: datetime
    items: int
    request_digest: str
    answers_root: bytes
    log_size: int
    key_id: str
    logged: Proven | None = None


def verify_receipt(
    receipt: Mapping[str, Any],
    *,
    public_key: bytes,
    items: Sequence[Mapping[str, Any]] | None = None,
    log_key: VerifierKey | None = None,
) -> VerifiedReceipt:
    """Verify a receipt against the registry's public key, and against what was asked.

    public_key: (32,) raw Ed25519 bytes.
    items: the questions as they were sent; None leaves their digest unchecked.
    log_key: verifies the proof that the receipt carries; None leaves it unchecked.
    Raises InvalidReceipt; ImportError without the extra ``verify``.
    """
    verified = _parse(receipt)
    if verified.key_id != key_id(public_key):
        raise InvalidReceipt(f"signed by the key {verified.key_id}, not by the one given")
    _verify_signature(receipt, public_key)
    if items is not None and not _is_about(verified, items):
        raise InvalidReceipt("the receipt is about other questions")
    if log_key is None or _UNSIGNED not in receipt:
        return verified
    return replace(verified, logged=_logged(receipt, log_key))


def canonical_json(value: Any) -> bytes:
    """Return the canonical JSON of ``value`` (RFC 8785); raises ValueError for what has none."""
    return bytes(rfc8785.dumps(value))


def signing_input(receipt: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: the receipt's canonical JSON without the signature's value.

    The algorithm and key id are inside, so that neither can be exchanged. ``log`` is not: its proof
    comes later, and is signed by the log.
    """
    signature = {name: receipt["signature"][name] for name in ("alg", "key_id")}
    signed = {name: value for name, value in receipt.items() if name != _UNSIGNED}
    return canonical_json(signed | {"signature": signature})


def key_id(public_key: bytes) -> str:
    """Return the name of a public key: the first 8 bytes of its SHA-256, as 16 hex digits."""
    return sha256(public_key).hexdigest()[:16]


def request_digest(items: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256 of the canonical JSON array of the items as they were sent, in hex."""
    return sha256(canonical_json([dict(item) for item in items])).hexdigest()


def row_salt(salt: bytes, position: int) -> bytes:
    """Return the (32,) byte salt of one row, drawn from the batch's secret salt.

    Handing out one row with its own salt gives away nothing about the rows beside it.
    """
    return hmac.digest(salt, position.to_bytes(8, "big"), "sha256")


def row_digest(item: Mapping[str, Any], answer: Mapping[str, Any], *, salt: bytes) -> bytes:
    """Return the (32,) byte leaf of one question and its answer.

    SHA-256 of the row's salt and the canonical JSON of ``{"answer": …, "item": …}``. The leaves
    in the order of the questions give ``answers_root``.
    """
    return sha256(salt + canonical_json({"item": dict(item), "answer": dict(answer)})).digest()


def _parse(receipt: Mapping[str, Any]) -> VerifiedReceipt:
    if not isinstance(receipt, Mapping) or set(receipt) - {_UNSIGNED} != _FIELDS:
        raise InvalidReceipt(f"a receipt has the fields {', '.join(sorted(_FIELDS))}")
    if receipt["v"] != VERSION or receipt["type"] != TYPE:
        raise InvalidReceipt(f"not a {TYPE} receipt of version {VERSION}")
    signature = receipt["signature"]
    if not isinstance(signature, Mapping) or set(signature) != _SIGNATURE_FIELDS:
        raise InvalidReceipt("a signature has the fields alg, key_id, value")
    if signature["alg"] != ALGORITHM:
        raise InvalidReceipt(f"signed with {signature['alg']!r}, not with {ALGORITHM}")
    return VerifiedReceipt(
        check=_typed_id("chk", receipt["check"]),
        operator=_typed_id("opr", receipt["operator"]),
        purposes=_purposes(receipt["purposes"]),
        at=_instant(receipt["at"]),
        items=_count("items", receipt["items"]),
        request_digest=_hex_digest("request_digest", receipt["request_digest"]),
        answers_root=bytes.fromhex(_hex_digest("answers_root", receipt["answers_root"])),
        log_size=_count("log_size", receipt["log_size"]),
        key_id=_text("key_id", signature["key_id"]),
    )


def _is_about(verified: VerifiedReceipt, items: Sequence[Mapping[str, Any]]) -> bool:
    try:
        digest = request_digest(items)
    except ValueError:
        return False  # what has no canonical form cannot have been asked
    return len(items) == verified.items and digest == verified.request_digest


def _verify_signature(receipt: Mapping[str, Any], public_key: bytes) -> None:
    # Here and not above: cryptography is an optional extra.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        value = base64.b64decode(_text("value", receipt["signature"]["value"]), validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(value, signing_input(receipt))
    except (binascii.Error, ValueError, InvalidSignature) as error:
        raise InvalidReceipt("the signature does not hold") from error


def _logged(receipt: Mapping[str, Any], key: VerifierKey) -> Proven | None:
    """Verify that the log holds just this check; None while the proof is still to come."""
    given = receipt[_UNSIGNED]
    if not isinstance(given, Mapping) or "proof" not in given:
        raise InvalidReceipt("log has a proof, or null until there is one")
    if given["proof"] is None:
        return None
    try:
        proven = proofs.verify(proofs.parse(_text("proof", given["proof"]).encode()), key)
        leaf = json.loads(proven.leaf or b"")
    except (LogError, ValueError, RecursionError) as error:
        raise InvalidReceipt(f"its proof does not hold: {error}") from error
    said = {
        "t": TYPE,
        "check": receipt["check"],
        "root": receipt["answers_root"],
        "items": receipt["items"],
        "as_of": receipt["at"],
    }
    if not isinstance(leaf, dict) or said != {name: leaf.get(name) for name in said}:
        raise InvalidReceipt("its proof is about another check")
    return proven


def _typed_id(prefix: str, value: object) -> str:
    text = _text(prefix, value)
    try:
        decode(prefix, text)
    except InvalidId as error:
        raise InvalidReceipt(str(error)) from error
    return text


def _purposes(value: object) -> tuple[Purpose, ...]:
    if not isinstance(value, list) or not value:
        raise InvalidReceipt("purposes is a list that is not empty")
    try:
        return tuple(Purpose(word) for word in value)
    except ValueError as error:
        raise InvalidReceipt(str(error)) from error


def _instant(value: object) -> datetime:
    text = _text("at", value)
    if not _INSTANT.fullmatch(text):
        raise InvalidReceipt(f"not an instant in UTC: {text[:40]!r}")
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidReceipt(str(error)) from error


def _count(name: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise InvalidReceipt(f"{name} is a whole number, not {value!r}")
    return value


def _hex_digest(name: str, value: object) -> str:
    text = _text(name, value)
    if not _HEX_DIGEST.fullmatch(text):
        raise InvalidReceipt(f"{name} is 64 hexadecimal digits")
    return text


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidReceipt(f"{name} is a string, not {value!r}")
    return value
