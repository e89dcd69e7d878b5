"""A signed manifest names the credited works, and reads back as what it is: sound or tampered."""

import io
import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import c2pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import call_command
from django.utils import timezone
from PIL import Image

from attribution import content_credentials
from attribution.content_credentials import Signed, sign
from attribution.credits import credit
from attribution.errors import AssetNotSignable, NotSettled, SigningNotConfigured
from attribution.models import GenerativeModel, Query
from attribution.worker import settle_due
from tests.attribution.world import GENERATED, MEDLEY, ask

ANSWER = MEDLEY.encode()


@pytest.fixture
def root(settings: Any, tmp_path: Path) -> str:
    """An identity of the service's own; what is returned is the root to trust."""
    settings.CONTENT_CREDENTIALS_IDENTITY = str(tmp_path / "identity.pem")
    content_credentials.make_identity(tmp_path, "Tribute", at=timezone.now() - timedelta(days=1))
    return (tmp_path / "root.pem").read_text()


@pytest.fixture
def query(writer: GenerativeModel) -> Query:
    query = ask(writer)
    settle_due(at=GENERATED, limit=1)
    query.refresh_from_db()
    return query


def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(file, "PNG")
    return file.getvalue()


def signed(query: Query, asset: bytes, media_type: str = "text/plain", **how: Any) -> Signed:
    return sign(
        query,
        io.BytesIO(asset),
        media_type=media_type,
        at=timezone.now(),
        **({"embed": False} | how),
    )


def read(root: str, media_type: str, asset: bytes, manifest: bytes | None = None) -> c2pa.Reader:
    trusting = {
        "trust": {"trust_anchors": root},
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    }
    context = c2pa.Context.from_dict(trusting)
    return c2pa.Reader(media_type, io.BytesIO(asset), manifest_data=manifest, context=context)


def failures(reader: c2pa.Reader) -> list[str]:
    return [each["code"] for each in reader.get_validation_results()["activeManifest"]["failure"]]


def named(reader: c2pa.Reader) -> list[tuple[str, ...]]:
    keys = ("title", "instance_id", "relationship", "informational_URI", "description")
    return [
        tuple(each[key] for key in keys) for each in reader.get_active_manifest()["ingredients"]
    ]


def credited(query: Query) -> list[tuple[str, ...]]:
    definition: dict[str, Any] = credit(query).c2pa
    keys = ("title", "instance_id", "relationship", "informational_URI", "description")
    return [tuple(each[key] for key in keys) for each in definition["ingredients"]]


def test_a_sidecar_reads_back_trusted_with_the_credited_works(query: Query, root: str) -> None:
    found = signed(query, ANSWER)

    reader = read(root, "text/plain", ANSWER, found.content)
    assert found.media_type == "application/c2pa"
    assert (reader.get_validation_state(), failures(reader)) == ("Trusted", [])
    assert named(reader) == credited(query)
    assert len(named(reader)) == 2
    assert reader.get_active_manifest()["title"] == query.pk


def test_an_embedded_manifest_reads_back_trusted(query: Query, root: str) -> None:
    found = signed(query, picture(), "image/png", embed=True)

    reader = read(root, "image/png", found.content)
    assert found.media_type == "image/png"
    assert (reader.get_validation_state(), failures(reader)) == ("Trusted", [])
    assert reader.is_embedded()
    assert named(reader) == credited(query)
    assert Image.open(io.BytesIO(found.content)).getpixel((0, 0)) == (255, 0, 0)


def test_a_root_that_nobody_trusts_is_the_only_thing_amiss(
    query: Query, root: str, tmp_path: Path
) -> None:
    found = signed(query, ANSWER)
    content_credentials.make_identity(tmp_path / "other", "Else", at=timezone.now())

    other = (tmp_path / "other" / "root.pem").read_text()
    assert root != other
    reader = read(other, "text/plain", ANSWER, found.content)
    assert failures(reader) == ["signingCredential.untrusted"]
    assert reader.get_validation_state() == "Valid"


@pytest.mark.parametrize(
    ("tamper", "failure"),
    [
        (lambda asset, manifest: (asset + b"!", manifest), "assertion.dataHash.mismatch"),
        (
            lambda asset, manifest: (asset, manifest.replace(b"The Tyger", b"My Tyger!")),
            "assertion.hashedURI.mismatch",
        ),
    ],
)
def test_tampering_is_detected(
    query: Query,
    root: str,
    tamper: Callable[[bytes, bytes], tuple[bytes, bytes]],
    failure: str,
) -> None:
    asset, manifest = tamper(ANSWER, signed(query, ANSWER).content)

    reader = read(root, "text/plain", asset, manifest)

    assert reader.get_validation_state() == "Invalid"
    assert failure in failures(reader)


@pytest.mark.parametrize("make", [ed25519.Ed25519PrivateKey.generate, None])
def test_other_keys_sign_by_their_own_algorithm(make: Callable[[], Any] | None) -> None:
    """What COSE says of Ed25519 and RSA; the certificate's chain is another matter."""
    key = make() if make else rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert pem.startswith(b"-----BEGIN PRIVATE KEY")

    deed, algorithm = content_credentials._signer(key)

    assert algorithm == (c2pa.C2paSigningAlg.ED25519 if make else c2pa.C2paSigningAlg.PS256)
    assert len(deed(b"claim")) == (64 if make else 256)


def test_without_an_identity_nothing_is_signed(query: Query, settings: Any, tmp_path: Path) -> None:
    settings.CONTENT_CREDENTIALS_IDENTITY = ""
    assert not content_credentials.is_configured()
    with pytest.raises(SigningNotConfigured, match="names no"):
        signed(query, ANSWER)

    settings.CONTENT_CREDENTIALS_IDENTITY = str(tmp_path / "bad.pem")
    (tmp_path / "bad.pem").write_text("no key at all")
    with pytest.raises(SigningNotConfigured, match="no usable"):
        signed(query, ANSWER)


def test_embedded_an_identity_is_made_once(query: Query, settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "c2pa" / "identity.pem"
    settings.CONTENT_CREDENTIALS_IDENTITY = str(path)

    first = signed(query, ANSWER)
    kept = path.read_text()
    call_command("make_c2pa_identity", str(path.parent))

    assert path.read_text() == kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    root = (path.parent / "root.pem").read_text()
    assert read(root, "text/plain", ANSWER, first.content).get_validation_state() == "Trusted"


@pytest.mark.parametrize(
    ("asset", "media_type", "mode"),
    [
        (b"", "text/plain", "sidecar"),
        (ANSWER, "text/plain", "embedded"),
        (ANSWER, "image/png", "embedded"),
        (ANSWER, "no type", "sidecar"),
        (ANSWER, "application/c2pa", "sidecar"),
    ],
)
def test_what_cannot_be_signed_is_refused(
    query: Query, root: str, asset: bytes, media_type: str, mode: str
) -> None:
    assert root
    with pytest.raises(AssetNotSignable):
        signed(query, asset, media_type, embed=mode == "embedded")


def test_a_query_that_waits_has_no_credentials(writer: GenerativeModel, root: str) -> None:
    assert root
    with pytest.raises(NotSettled):
        signed(ask(writer), ANSWER)


def test_titles_of_any_kind_survive_signing(query: Query, root: str) -> None:
    work = query.contributions.exclude(work=None).first()
    assert work is not None
    assert work.work is not None
    work.work.title = 'Ma "poésie" </script> 诗\n'
    work.work.save()

    reader = read(root, "text/plain", ANSWER, signed(query, ANSWER).content)

    assert named(reader) == credited(query)
    assert "诗" in json.dumps(named(reader), ensure_ascii=False)
