"""Take the signer's certificate out of a C2PA manifest store, which no library hands out whole.

A store is nested JUMBF boxes (ISO 19566-5): the store, its manifests by their labels, in each one
box ``c2pa.signature`` with a COSE_Sign1 (RFC 9052) that carries the chain as ``x5chain`` (RFC
9360), the signer's own certificate first. Whether the signature holds is not judged here. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from cryptography import x509

from registry import cbor

Found = TypeVar("Found")

COSE_SIGN1 = 18
X5CHAIN = 33
# Where older writers put the chain, by its name.
_CHAIN_NAMES = (X5CHAIN, "x5chain")
_HEADER_BYTES = 8
_LONG_HEADER_BYTES = 16
_SIGN1_PARTS = 4
# In a description: sixteen bytes of type, one of what follows; bit 1: a label does.
_LABEL_AT = 17
_LABELLED = 0b10


class UnreadableSignature(ValueError):
    """A store has one manifest of a label, with one signature and one chain of certificates."""


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """A manifest's signature as it lies there, and the certificate it says it was made with."""

    data: bytes
    certificate: x509.Certificate


def find(store: bytes, label: str) -> SignatureBox:
    """Return the signature of the manifest called ``label``. Raises UnreadableSignature.

    Anything that two readers could take for two different certificates is refused.
    """
    whole = _only([body for kind, body in _boxes(store) if kind == b"jumb"], "store")
    manifest = _only([body for name, body in _labelled(whole) if name == label], "manifest")
    signature = _only(
        [body for name, body in _labelled(manifest) if name == "c2pa.signature"], "signature"
    )
    data = _only(
        [body for kind, body in _boxes(signature) if kind == b"cbor"], "signature's content"
    )
    try:
        return SignatureBox(data, x509.load_der_x509_certificate(_own(cbor.decode(data))))
    except ValueError as error:
        raise UnreadableSignature(f"the signature cannot be read: {error}") from error


def _own(sign1: Any) -> bytes:
    """Return the first certificate of the one chain in the headers of a COSE_Sign1."""
    item = sign1.item if isinstance(sign1, cbor.Tagged) and sign1.tag == COSE_SIGN1 else sign1
    if not isinstance(item, list) or len(item) != _SIGN1_PARTS:
        raise UnreadableSignature("the signature is no COSE_Sign1")
    protected, unprotected = item[0], item[1]
    headers = [cbor.decode(protected) if isinstance(protected, bytes) else None, unprotected]
    if not all(isinstance(header, dict) for header in headers):
        raise UnreadableSignature("the signature has no headers")
    chains = [header[name] for header in headers for name in _CHAIN_NAMES if name in header]
    chain = _only(chains, "chain of certificates")
    own = chain[0] if isinstance(chain, list) and chain else chain
    if not isinstance(own, bytes):
        raise UnreadableSignature("the chain holds no certificate")
    return own


def _labelled(superbox: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the boxes within a box that have a label, and what is in them."""
    for kind, body in _boxes(superbox):
        if kind != b"jumb":
            continue
        first, description = next(_boxes(body), (b"", b""))
        if first == b"jumd" and len(description) > _LABEL_AT and description[16] & _LABELLED:
            name, end, _ = description[_LABEL_AT:].partition(b"\x00")
            if end:
                yield name.decode("utf-8", "replace"), body


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the boxes that lie one behind the other: type and content."""
    at = 0
    while at < len(data):
        size, header = int.from_bytes(data[at : at + 4], "big"), _HEADER_BYTES
        if size == 0:
            size = len(data) - at
        elif size == 1:
            size, header = int.from_bytes(data[at + 8 : at + 16], "big"), _LONG_HEADER_BYTES
        if size < header or at + size > len(data):
            raise UnreadableSignature("a box does not end where it says")
        yield data[at + 4 : at + 8], data[at + header : at + size]
        at += size


def _only(found: list[Found], what: str) -> Found:
    if len(found) != 1:
        raise UnreadableSignature(f"there are {len(found)} of what must be one {what}")
    return found[0]
