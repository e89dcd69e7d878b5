"""Sign a query's credits as a C2PA manifest, bound to the bytes of the answer.

Owns the signing identity and the only use of the C2PA library. The manifest names the works as
ingredients, as ``attribution.credits`` lists them. That the bytes are the query's answer is the
operator's word: they are read once, hashed, given back, and not kept.
"""

import io
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import IO, Any

import c2pa
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings

from attribution import certificates
from attribution.credits import credit
from attribution.errors import AssetNotSignable, SigningNotConfigured
from attribution.models import Query

MANIFEST_TYPE = "application/c2pa"
SIDECAR, EMBEDDED = "sidecar", "embedded"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,120}")
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.+?-----END \1-----\n?", re.DOTALL)
# Nothing is fetched and no picture is drawn while signing.
_SIGNING: dict[str, Any] = {
    "verify": {"verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}
_CURVES = {
    "secp256r1": (c2pa.C2paSigningAlg.ES256, hashes.SHA256()),
    "secp384r1": (c2pa.C2paSigningAlg.ES384, hashes.SHA384()),
    "secp521r1": (c2pa.C2paSigningAlg.ES512, hashes.SHA512()),
}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed answer: ``content`` is a manifest to lie beside it, or the answer with it inside.

    name: what a file of it is called.
    """

    media_type: str
    content: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Signing:
    """How bytes are signed, by which algorithm, and the certificates (PEM) that vouch for it."""

    sign: Callable[[bytes], bytes]
    algorithm: c2pa.C2paSigningAlg
    certificates: str


def is_configured() -> bool:
    """Tell whether there is an identity to sign with."""
    return bool(settings.CONTENT_CREDENTIALS_IDENTITY)


def embeddable() -> frozenset[str]:
    """Return the media types whose files can carry a manifest inside."""
    kinds = c2pa.Builder.get_supported_mime_types()
    return frozenset(kind for kind in kinds if "/" in kind and "c2pa" not in kind)


def sign(query: Query, asset: IO[bytes], *, media_type: str, embed: bool, at: datetime) -> Signed:
    """Sign the credits of a settled query, bound to ``asset``: beside it, or inside a copy of it.

    Raises NotSettled, SigningNotConfigured, and AssetNotSignable for an empty asset, for a media
    type that is none, or to embed in one whose files carry no manifest.
    """
    definition = credit(query).c2pa
    signing = _configured(at=at)
    if not _MEDIA_TYPE.fullmatch(media_type) or "c2pa" in media_type:
        raise AssetNotSignable(f"{media_type[:60]!r} is not the media type of an answer")
    if embed and media_type not in embeddable():
        raise AssetNotSignable(f"a file of type {media_type} carries no manifest; sign beside it")
    content = io.BytesIO()
    try:
        builder = c2pa.Builder(definition, c2pa.Context.from_dict(_SIGNING))
        if not embed:
            builder.set_no_embed()
        signer = c2pa.Signer.from_callback(signing.sign, signing.algorithm, signing.certificates)
        manifest = builder.sign(signer, media_type, asset, content)
    except c2pa.C2paError as error:
        raise AssetNotSignable(f"the answer is not a sound file of type {media_type}") from error
    if embed:
        return Signed(media_type, content.getvalue(), query.pk)
    return Signed(MANIFEST_TYPE, bytes(manifest), f"{query.pk}.c2pa")


def make_identity(folder: Path, organisation: str, *, at: datetime) -> Path:
    """Write ``identity.pem`` (readable by its owner alone) and ``root.pem``; keep what is there.

    Two processes that do so at once end up with one identity.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "identity.pem"
    made = certificates.make(organisation, at=at)
    with tempfile.NamedTemporaryFile("w", dir=folder, encoding="ascii") as draft:
        draft.write(made.bundle)
        draft.flush()
        try:
            os.link(draft.name, target)
        except FileExistsError:
            return target
    (folder / "root.pem").write_text(made.root, encoding="ascii")
    return target


def _configured(*, at: datetime) -> Signing:
    """Return the identity of the settings; embedded, one that nobody outside trusts is made."""
    if not is_configured():
        raise SigningNotConfigured("CONTENT_CREDENTIALS_IDENTITY names no signing identity")
    path = Path(settings.CONTENT_CREDENTIALS_IDENTITY)
    if settings.EMBEDDED and not path.exists():
        make_identity(path.parent, "Tribute, for trial only", at=at)
    return _read(path)


@cache
def _read(path: Path) -> Signing:
    """Read key and certificates; a process keeps them until it ends."""
    try:
        text = path.read_text(encoding="ascii")
        blocks = [(match[1], match[0]) for match in _PEM.finditer(text)]
        (key,) = (block for kind, block in blocks if kind.endswith("PRIVATE KEY"))
        chain = "".join(block for kind, block in blocks if kind == "CERTIFICATE")
        deed, algorithm = _signer(load_pem_private_key(key.encode(), password=None))
    except (OSError, ValueError, TypeError, KeyError, UnsupportedAlgorithm) as error:
        raise SigningNotConfigured(f"{path} holds no usable signing identity") from error
    return Signing(deed, algorithm, chain)


def _signer(key: PrivateKeyTypes) -> tuple[Callable[[bytes], bytes], c2pa.C2paSigningAlg]:
    """Return how COSE (RFC 9053) signs with ``key``. Raises TypeError, KeyError for other keys."""
    match key:
        case ec.EllipticCurvePrivateKey():
            algorithm, digest = _CURVES[key.curve.name]
            width = (key.key_size + 7) // 8

            def by_curve(data: bytes) -> bytes:
                numbers = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
                return b"".join(number.to_bytes(width, "big") for number in numbers)

            return by_curve, algorithm
        case ed25519.Ed25519PrivateKey():
            return key.sign, c2pa.C2paSigningAlg.ED25519
        case rsa.RSAPrivateKey():
            salted = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
            return (
                lambda data: key.sign(data, salted, hashes.SHA256()),
                c2pa.C2paSigningAlg.PS256,
            )
    raise TypeError("C2PA signs with EC, Ed25519 and RSA keys")
