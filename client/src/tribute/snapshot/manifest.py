"""The signed page at the head of every snapshot: which files make it up, and until when it holds.

Owns the manifest's shape, what is signed, and its verification. The signature is Ed25519 over the
canonical JSON (RFC 8785) of the manifest without the signature's value. Needs cryptography, one
part of the extra ``snapshot``.
"""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from tribute.identifiers import CKEY_VERSION
from tribute.receipts import ALGORITHM, key_id, signing_input
from tribute.snapshot.errors import BadSignature, InvalidManifest, WrongKey
from tribute.snapshot.scores import PURPOSES
from tribute.snapshot.tables import CODES, TABLES, Summary, state_root
from tribute.vocabulary import VOCABULARY_VERSION

FORMAT = "tribute-snapshot/1"
BASE = "base"
DELTA = "delta"

_FIELDS = {
    "format", "ckey", "vocabulary", "purposes", "kind", "seq", "base_seq", "prev", "chain",
    "created", "expires", "log_size", "tables", "state_root", "files", "signature",
}  # fmt: skip
_HEX = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[0-9a-z][0-9a-z.\-]{0,99}")
_PREFIX = re.compile(r"[0-9a-f]{0,4}")


@dataclass(frozen=True, slots=True)
class File:
    """One shard: rows of one table whose keys begin with ``prefix``, in hexadecimal digits."""

    name: str
    table: str
    prefix: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Link:
    """An earlier manifest that this one builds upon."""

    seq: int
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest whose signature held.

    kind: ``base`` (the files are everything) or ``delta`` (what changed since ``seq - 1``).
    chain: from the last base to the manifest before this one; empty for a base.
    prev: hash of the manifest before, or None for the first. sha256: this manifest's own.
    created, expires: aware. log_size: leaves of the transparency log taken into account.
    """

    kind: str
    seq: int
    base_seq: int
    prev: str | None
    chain: tuple[Link, ...]
    created: datetime
    expires: datetime
    log_size: int
    tables: Mapping[str, Summary]
    state_root: str
    files: tuple[File, ...]
    sha256: str


def manifest_name(seq: int) -> str:
    """Return the name of a manifest among the files."""
    return f"{seq}.json"


def verify(data: bytes, *, public_key: bytes) -> Manifest:
    """Return the manifest in ``data``.

    public_key: (32,) raw Ed25519 bytes, the registry's.
    Raises InvalidManifest, WrongKey, BadSignature.
    """
    try:
        page = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidManifest("not JSON") from error
    if not isinstance(page, dict) or page.get("format") != FORMAT:
        raise InvalidManifest(f"not a {FORMAT} manifest")
    verify_signature(page, public_key)
    if set(page) != _FIELDS:
        raise InvalidManifest(f"a manifest has the fields {', '.join(sorted(_FIELDS))}")
    expected = {
        "ckey": CKEY_VERSION,
        "vocabulary": VOCABULARY_VERSION,
        "purposes": [purpose.value for purpose in PURPOSES],
    }
    for name, value in expected.items():
        if page[name] != value:
            raise InvalidManifest(f"this reader understands {name} {value}, not {page[name]}")
    try:
        manifest = _parse(page, sha256(data).hexdigest())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidManifest(f"a field is not as documented: {error}") from error
    _require_sense(manifest)
    return manifest


def verify_signature(page: Mapping[str, Any], public_key: bytes) -> None:
    """Raise InvalidManifest, WrongKey or BadSignature unless a page is signed by the key."""
    # Here and not above: cryptography is an optional extra.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    signature = page.get("signature")
    if not isinstance(signature, dict) or set(signature) != {"alg", "key_id", "value"}:
        raise InvalidManifest("a signature has the fields alg, key_id, value")
    if signature["alg"] != ALGORITHM:
        raise InvalidManifest(f"signed with {signature['alg']!r}, not with {ALGORITHM}")
    if signature["key_id"] != key_id(public_key):
        raise WrongKey(f"signed by the key {signature['key_id']}, not by the one given")
    try:
        value = base64.b64decode(str(signature["value"]), validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(value, signing_input(page))
    except (binascii.Error, ValueError, InvalidSignature) as error:
        raise BadSignature("the manifest's signature does not hold") from error


def _parse(page: Mapping[str, Any], own_hash: str) -> Manifest:
    return Manifest(
        kind=_one_of(page["kind"], (BASE, DELTA)),
        seq=_count(page["seq"]),
        base_seq=_count(page["base_seq"]),
        prev=None if page["prev"] is None else _matching(_HEX, page["prev"]),
        chain=tuple(
            Link(
                _count(link["seq"]), _matching(_NAME, link["name"]), _matching(_HEX, link["sha256"])
            )
            for link in page["chain"]
        ),
        created=_instant(page["created"]),
        expires=_instant(page["expires"]),
        log_size=_count(page["log_size"]),
        tables={
            _one_of(name, TABLES): Summary(_count(s["rows"]), _matching(_HEX, s["sha256"]))
            for name, s in page["tables"].items()
        },
        state_root=_matching(_HEX, page["state_root"]),
        files=tuple(
            File(
                _matching(_NAME, f["name"]),
                _one_of(f["table"], TABLES),
                _matching(_PREFIX, f["prefix"]),
                _count(f["rows"]),
                _count(f["bytes"]),
                _matching(_HEX, f["sha256"]),
            )
            for f in page["files"]
        ),
        sha256=own_hash,
    )


def _require_sense(manifest: Manifest) -> None:
    seqs = [link.seq for link in manifest.chain]
    if seqs != list(range(manifest.base_seq, manifest.seq)):
        raise InvalidManifest("the chain must lead from the base to this manifest without a gap")
    if (manifest.kind == BASE) != (manifest.base_seq == manifest.seq):
        raise InvalidManifest("a base is its own base")
    if manifest.chain and manifest.chain[-1].sha256 != manifest.prev:
        raise InvalidManifest("the chain must end in the manifest before")
    if set(manifest.tables) != set(TABLES) or state_root(manifest.tables) != manifest.state_root:
        raise InvalidManifest("the state root must be that of the tables")
    if any(file.table == CODES and file.prefix for file in manifest.files):
        raise InvalidManifest("codes are not sharded")


def _one_of(value: object, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return str(value)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is not a whole number")
    return value


def _matching(pattern: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{value!r} is not well-formed")
    return value


def _instant(value: object) -> datetime:
    instant = datetime.fromisoformat(str(value))
    if instant.utcoffset() is None:
        raise ValueError(f"{value!r} has no time zone")
    return instant
