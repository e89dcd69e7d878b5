"""Files really signed: by a certificate of one's own, with what is asked for in the manifest."""

import io
from datetime import datetime
from typing import Any

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from attribution import certificates, content_credentials
from attribution.certificates import Identity
from registry import signed_files

OFFLINE: dict[str, Any] = {
    "verify": {"verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
CREATED = {"action": "c2pa.created", "digitalSourceType": "http://c2pa.org/digitalsourcetype/empty"}


def make_identity(name: str = "Ada", *, at: datetime) -> Identity:
    return certificates.make(name, at=at)


def twin_of(identity: Identity, *, at: datetime) -> Identity:
    """A certificate with the same names and the same serial number, and another's key."""
    own = x509.load_pem_x509_certificate(identity.certificates.encode())
    other = certificates.make("Ada", at=at)
    key = load_pem_private_key(other.key.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    issuing = ec.generate_private_key(ec.SECP256R1())
    usage = own.extensions.get_extension_for_class(x509.KeyUsage).value
    twin = (
        x509.CertificateBuilder()
        .subject_name(own.subject)
        .issuer_name(own.issuer)
        .public_key(key.public_key())
        .serial_number(own.serial_number)
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(own.not_valid_after_utc)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .sign(issuing, SHA256())
    )
    assert twin.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Identity(twin.public_bytes(Encoding.PEM).decode(), other.key, other.root)


def picture(colour: str = "red", kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, kind)
    return file.getvalue()


def drawing() -> bytes:
    """A picture with something in it, so that its content code tells it from others."""
    file = io.BytesIO()
    Image.effect_mandelbrot((256, 256), (-2, -1.5, 1, 1.5), 64).convert("RGB").save(file, "PNG")
    return file.getvalue()


def sign(
    identity: Identity,
    *,
    challenge: str | None = None,
    title: str = "A picture",
    asset: bytes | None = None,
    kind: str = "png",
    elsewhere: str | None = None,
) -> bytes:
    """A picture signed by ``identity``; elsewhere: where its manifest lies instead of inside."""
    assertions: list[dict[str, Any]] = [
        {"label": "c2pa.actions.v2", "data": {"actions": [CREATED]}}
    ]
    if challenge is not None:
        assertions.append({"label": signed_files.CHALLENGE_LABEL, "data": {"challenge": challenge}})
    definition = {
        "title": title,
        "claim_generator_info": [{"name": "a test", "version": "1"}],
        "assertions": assertions,
    }
    deed, algorithm = content_credentials._signer(
        load_pem_private_key(identity.key.encode(), password=None)
    )
    builder = c2pa.Builder(definition, c2pa.Context.from_dict(OFFLINE))
    if elsewhere is not None:
        builder.set_no_embed()
        builder.set_remote_url(elsewhere)
    signer = c2pa.Signer.from_callback(deed, algorithm, identity.certificates)
    written = io.BytesIO()
    builder.sign(signer, f"image/{kind}", io.BytesIO(asset or picture(kind=kind.upper())), written)
    return written.getvalue()
