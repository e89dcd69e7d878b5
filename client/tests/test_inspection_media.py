"""Manifests inside files, really signed and really read, by address and by name."""

import importlib
import io
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from tribute.fetching import Fetched
from tribute.inspection import Findings, inspect_file
from tribute.inspection_web import inspect_url
from tribute.vocabulary import Decision, Purpose

OFFLINE = {"verify": {"verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False}}
SILENT = {"verify": OFFLINE["verify"], "builder": {"thumbnail": {"enabled": False}}}
ASSERTIONS = [
    {
        "label": "c2pa.actions.v2",
        "data": {
            "actions": [
                {
                    "action": "c2pa.created",
                    "digitalSourceType": "http://c2pa.org/digitalsourcetype/empty",
                }
            ]
        },
    },
    {
        "label": "cawg.training-mining",
        "data": {
            "entries": {
                "cawg.ai_generative_training": {"use": "notAllowed"},
                "cawg.data_mining": {"use": "allowed"},
            }
        },
    },
]


def picture(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def signer() -> Callable[[], Any]:
    """A signer nobody knows: a root of its own, and one certificate below it."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    at = datetime.now(UTC) - timedelta(days=1)
    root_name, name = (
        x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)]) for text in ("Root", "Ada")
    )

    def certificate(subject: x509.Name, public: Any, *, authority: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            issuer_name=root_name,
            subject_name=subject,
            public_key=public,
            serial_number=x509.random_serial_number(),
            not_valid_before=at,
            not_valid_after=at + timedelta(days=30),
        )
        usage = dict.fromkeys(
            ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement"], False
        ) | dict.fromkeys(["encipher_only", "decipher_only"], False)
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                key_cert_sign=authority,
                crl_sign=authority,
                **usage,
            ),
            critical=True,
        )
        builder = builder.add_extension(x509.BasicConstraints(authority, None), critical=True)
        if not authority:
            purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
            builder = builder.add_extension(purposes, critical=False)
        authority_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
        builder = builder.add_extension(authority_key, critical=False)
        subject_key = x509.SubjectKeyIdentifier.from_public_key(public)
        return builder.add_extension(subject_key, critical=False).sign(root_key, hashes.SHA256())

    chain = "".join(
        each.public_bytes(serialization.Encoding.PEM).decode()
        for each in (
            certificate(name, key.public_key(), authority=False),
            certificate(root_name, root_key.public_key(), authority=True),
        )
    )

    def sign(data: bytes) -> bytes:
        numbers = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        return b"".join(number.to_bytes(32, "big") for number in numbers)

    return lambda: c2pa.Signer.from_callback(sign, c2pa.C2paSigningAlg.ES256, chain)


def signed(signer: Callable[[], Any], kind: str, *, elsewhere: str | None = None) -> bytes:
    """A picture that refuses training and permits mining; elsewhere: where its manifest lies."""
    definition = {
        "claim_generator_info": [{"name": "a test", "version": "1"}],
        "assertions": ASSERTIONS,
    }
    builder = c2pa.Builder(definition, c2pa.Context.from_dict(SILENT))
    if elsewhere is not None:
        builder.set_no_embed()
        builder.set_remote_url(elsewhere)
    written = io.BytesIO()
    builder.sign(signer(), f"image/{kind.lower()}", io.BytesIO(picture(kind)), written)
    return written.getvalue()


def inspect(name: str, data: bytes, media_type: str = "image/jpeg") -> Findings:
    """Inspect an address of a site whose robots.txt permits training."""
    url = f"https://ada.example/{name}"
    permits = b"User-agent: *\nContent-Usage: train-ai=y"
    answers = {
        url: Fetched(url, 200, (("Content-Type", media_type),), data),
        "https://ada.example/robots.txt": Fetched(url, 200, (), permits),
    }
    return inspect_url(url, fetch=lambda asked: answers.get(asked, Fetched(asked, 404, (), b"")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_refusal_inside_a_picture_counts_at_its_address(
    signer: Callable[[], Any], kind: str
) -> None:
    findings = inspect("a", signed(signer, kind), "application/octet-stream")

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.DENY
    # Nobody knows the signer, so that what he permits counts for nothing.
    assert Purpose.DATA_MINING not in findings.parsed.decisions
    assert findings.complete


def test_a_refusal_inside_a_file_counts_by_its_name(
    signer: Callable[[], Any], tmp_path: Path
) -> None:
    (tmp_path / "cat.jpg").write_bytes(signed(signer, "JPEG"))

    findings = inspect_file(tmp_path / "cat.jpg", at="/")

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.DENY


def test_a_picture_without_a_manifest_says_nothing() -> None:
    findings = inspect("a.png", picture("PNG"), "image/png")

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.ALLOW
    assert findings.complete


def test_a_manifest_that_lies_elsewhere_is_not_fetched_and_may_refuse(
    signer: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A closed port: who tried to reach it would say so.
    findings = inspect("a.jpg", signed(signer, "JPEG", elsewhere="http://127.0.0.1:9/m.c2pa"))

    assert not findings.complete
    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.UNKNOWN
    assert re.search("must fetch", findings.parsed.problems[-1].message)


@pytest.mark.parametrize("cut", [300, -40])
def test_a_manifest_that_is_not_whole_may_refuse(signer: Callable[[], Any], cut: int) -> None:
    findings = inspect("a.png", signed(signer, "PNG")[:cut], "image/png")

    assert not findings.complete
    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.UNKNOWN


def test_what_does_not_begin_as_it_is_called_may_refuse() -> None:
    findings = inspect("a.jpg", b"hello", "image/jpeg")

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.UNKNOWN


def test_without_the_library_what_carries_a_manifest_may_refuse(
    signer: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = signed(signer, "JPEG")
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(ImportError):
        importlib.import_module("c2pa")

    findings = inspect("a.jpg", data)

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.UNKNOWN
    assert "tribute[c2pa]" in findings.parsed.problems[-1].message


def test_a_robots_file_counts_whatever_a_server_calls_it() -> None:
    url = "https://ada.example/"
    refuses = b"\xef\xbb\xbf User-agent: GPTBot\nDisallow: /\n"
    robots = Fetched(url, 200, (("Content-Type", "text/html; charset=utf-8"),), refuses)

    def fetch(asked: str) -> Fetched:
        return robots if asked.endswith("/robots.txt") else Fetched(asked, 404, (), b"")

    findings = inspect_url(url, fetch=fetch)

    assert findings.combined[Purpose.TRAIN_AI].decision == Decision.DENY
