"""Signed notes: text with Ed25519 signatures below it (C2SP signed-note, type 0x01).

Owns the format of notes and of verifier keys. Holds no private key: who signs hands a function in.
Checking a signature needs the extra ``verify`` (cryptography).
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from tribute.log.errors import InvalidNote, UntrustedNote

ED25519 = b"\x01"
LARGEST_NOTE = 1 << 20
MOST_SIGNATURES = 64

_KEY_BYTES = 32
_KEY_ID_BYTES = 4
_SIGNATURE_LINE = re.compile("\u2014 ([^ ]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and an Ed25519 public key (32 bytes), as in ``name+id+key``: what one trusts."""

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a vkey. Raises InvalidNote, also when its id is not that of its key."""
        parts = text.strip().split("+", 2)
        if len(parts) != 3:  # noqa: PLR2004 - name, id, key
            raise InvalidNote("a verifier key is written name+id+key")
        name, key_id, encoded = parts
        try:
            data = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidNote("a verifier key ends in base64") from error
        if data[:1] != ED25519 or len(data) != 1 + _KEY_BYTES:
            raise InvalidNote("only Ed25519 verifier keys (type 1) are understood")
        key = cls(_name(name), data[1:])
        if key.key_id.hex() != key_id:
            raise InvalidNote(f"the key's id is {key.key_id.hex()}, not {key_id[:16]!r}")
        return key

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name the key in signatures."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(ED25519 + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"


def sign(text: str, key: VerifierKey, signer: Callable[[bytes], bytes]) -> bytes:
    """Return ``text`` as a note. signer: returns the Ed25519 signature by the key's private half.

    Raises InvalidNote when the text cannot stand in a note.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise InvalidNote("a note's text ends in a newline and has no other control characters")
    signature = base64.b64encode(key.key_id + signer(text.encode())).decode()
    return f"{text}\n\u2014 {_name(key.name)} {signature}\n".encode()


def verify(note: bytes, key: VerifierKey) -> str:
    """Return a note's text once the key's signature holds; signatures of others are passed over.

    Raises InvalidNote for what is no note, UntrustedNote, ImportError without ``verify``.
    """
    # Here and not above: cryptography is an optional extra.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text, signatures = _taken_apart(note)
    own = [value for name, key_id, value in signatures if (name, key_id) == (key.name, key.key_id)]
    if not own:
        raise UntrustedNote(f"not signed by {key.name} with the key {key.key_id.hex()}")
    try:
        for value in own:
            Ed25519PublicKey.from_public_bytes(key.public_key).verify(value, text.encode())
    except (InvalidSignature, ValueError) as error:
        raise UntrustedNote(f"the signature of {key.name} does not hold") from error
    return text


def _taken_apart(note: bytes) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    if len(note) > LARGEST_NOTE:
        raise InvalidNote(f"a note has at most {LARGEST_NOTE} bytes")
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise InvalidNote("a note is UTF-8") from error
    text, gap, below = whole.rpartition("\n\n")
    if not gap or not below.endswith("\n") or _CONTROL.search(whole):
        raise InvalidNote("a note is text, an empty line, and signature lines")
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise InvalidNote(f"a note has at most {MOST_SIGNATURES} signatures")
    return f"{text}\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes, bytes]:
    match = _SIGNATURE_LINE.fullmatch(line)
    if match is None:
        raise InvalidNote(f"not a signature line: {line[:60]!r}")
    try:
        data = base64.b64decode(match[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidNote("a signature is base64") from error
    if len(data) <= _KEY_ID_BYTES:
        raise InvalidNote("a signature begins with the id of its key")
    return _name(match[1]), data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]


def _name(name: str) -> str:
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise InvalidNote(f"not the name of a key: {name[:60]!r}")
    return name
