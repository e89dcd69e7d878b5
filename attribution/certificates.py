"""Make a signing identity of one's own, for demo, tests and trials: a root and one certificate.

Owns what C2PA asks of a certificate (Technical Specification 2.2, section 14.5: version 3, an end
entity with the key usage digitalSignature and a fitting extended key usage, issued by somebody
else). Nobody outside trusts such a root; a certificate that others accept comes from an authority
on the C2PA trust list, see docs/operating.md. Pure: no settings, no files.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = timedelta(days=825)


@dataclass(frozen=True, slots=True)
class Identity:
    """PEM texts: the signer's ``certificates`` (its own first) and ``key``; the ``root``."""

    certificates: str
    key: str
    root: str

    @property
    def bundle(self) -> str:
        """Key and certificates in one text, as the setting CONTENT_CREDENTIALS_IDENTITY wants them in one file."""
        return self.key + self.certificates


def make(organisation: str, *, at: datetime) -> Identity:
    """Return a new P-256 identity whose certificates hold from ``at`` on for 825 days."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name(organisation, "Content credentials root")
    root = (
        _unsigned(root_name, root_name, root_key.public_key(), root_key.public_key(), at=at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(root_key, SHA256())
    )
    own_name = _name(organisation, "Content credentials")
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    own = (
        _unsigned(own_name, root_name, key.public_key(), root_key.public_key(), at=at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(purpose, critical=False)
        .sign(root_key, SHA256())
    )
    return Identity(
        certificates=own.public_bytes(Encoding.PEM).decode(),
        key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        root=root.public_bytes(Encoding.PEM).decode(),
    )


def _name(organisation: str, common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    *,
    at: datetime,
) -> x509.CertificateBuilder:
    of_issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(of_issuer, critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
