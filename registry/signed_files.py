"""Read who signed a file: its own C2PA manifest, judged by what lies in the file alone.

Nothing is fetched, neither a manifest that lies elsewhere nor the state of a certificate. Nobody is
trusted either: a signature that holds says which certificate made it, and whose that is
``registry.signers`` knows.
"""

import hashlib
import io
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from registry import signature_boxes
from registry.errors import NotSigned
from tribute import inspection_media

CHALLENGE_LABEL = "tribute.challenge"
_OFFLINE: dict[str, Any] = {
    "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}
}
# Nobody's trust list holds a creator's own certificate; whose it is we know better.
_UNTRUSTED = "signingCredential.untrusted"
_SIGNED = "claimSignature.validated"
# What ties a manifest to the bytes around it, each way that there is.
_BOUND = frozenset(
    {"assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match"}
)
_NAMES = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
LONGEST_NAME = 200
# RFC 5280, section 4.1.2.2: no more than 20 octets.
MOST_SERIAL_BITS = 160


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is known of a certificate. sha256: of its DER form; serial: hexadecimal."""

    sha256: bytes
    subject: str
    issuer: str
    serial: str
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file whose manifest holds and covers its bytes.

    evidence: SHA-256 of the signature as it lies in the file. challenges: what its assertions
    called ``tribute.challenge`` say.
    """

    certificate: Certificate
    evidence: bytes
    challenges: tuple[str, ...]


def signature_of(body: bytes, *, at: datetime) -> SignedFile | None:
    """Return who signed a file; None for one without a manifest, or with one that does not hold."""
    try:
        return read(body, at=at)
    except NotSigned:
        return None


def read(body: bytes, *, at: datetime) -> SignedFile:
    """Return who signed a file. Raises NotSigned, which says why nobody did.

    The signature holds, over these very bytes, by a certificate that is valid at ``at``.
    """
    media_type = inspection_media.media_type_of(body)
    if media_type is None or not inspection_media.seems_to_carry(body):
        raise NotSigned("the file carries no C2PA manifest")
    try:
        with c2pa.Reader(
            media_type, io.BytesIO(body), context=c2pa.Context.from_dict(_OFFLINE)
        ) as reader:
            found = _judged(reader)
    except c2pa.C2paError as error:
        raise NotSigned(f"the C2PA manifest cannot be read: {error}"[:200]) from error
    except (signature_boxes.UnreadableSignature, LookupError, TypeError, ValueError) as error:
        raise NotSigned("the C2PA manifest is not in a form that is read here") from error
    if not found.certificate.valid_from <= at <= found.certificate.valid_until:
        raise NotSigned("the certificate is not valid now")
    return found


def _judged(reader: Any) -> SignedFile:
    """Return what the active manifest says, when everything about it holds."""
    told = json.loads(reader.json())
    label = told["active_manifest"]
    results = told["validation_results"]["activeManifest"]
    wrong = {each["code"] for each in results["failure"]} - {_UNTRUSTED}
    held = {each["code"] for each in results["success"] if f"/{label}/" in each["url"]}
    if told["validation_state"] not in {"Valid", "Trusted"} or wrong or _SIGNED not in held:
        raise NotSigned(f"the signature does not hold: {', '.join(sorted(wrong)) or 'it is none'}")
    if not held & _BOUND:
        raise NotSigned("the manifest does not cover the file's bytes")
    store = io.BytesIO()
    reader.resource_to_stream(f"self#jumbf=/c2pa/{label}/c2pa.signature", store)
    box = signature_boxes.find(store.getvalue(), label)
    if box.certificate.serial_number != _serial(reader, label):
        raise NotSigned("the certificate is not the one that the signature was judged by")
    challenges = [
        each["data"].get("challenge")
        for each in told["manifests"][label].get("assertions", [])
        if each["label"] == CHALLENGE_LABEL and isinstance(each["data"], dict)
    ]
    return SignedFile(
        certificate=_described(box.certificate),
        evidence=hashlib.sha256(box.data).digest(),
        challenges=tuple(text for text in challenges if isinstance(text, str)),
    )


def _serial(reader: Any, label: str) -> int:
    """Return the serial number of the certificate that the library judged the signature by."""
    (manifest,) = (
        each for each in json.loads(reader.crjson())["manifests"] if each["label"] == label
    )
    return int(manifest["signature"]["certificateInfo"]["serialNumber"], 16)


def _described(certificate: x509.Certificate) -> Certificate:
    if certificate.serial_number.bit_length() > MOST_SERIAL_BITS:
        raise NotSigned("the certificate's serial number is too long")
    return Certificate(
        sha256=certificate.fingerprint(SHA256()),
        subject=_name(certificate.subject),
        issuer=_name(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
    )


def _name(name: x509.Name) -> str:
    """Print a name for people: its common name and organisation, or all of it."""
    parts = [str(a.value) for kind in _NAMES for a in name.get_attributes_for_oid(kind)]
    text = ", ".join(dict.fromkeys(parts)) or name.rfc4514_string()
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST_NAME]
