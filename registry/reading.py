"""Read a work's file once: what it is recognised by, a text's features, who signed it.

Nothing is kept.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from registry import signed_files
from registry.errors import UnreadableFile
from registry.signed_files import SignedFile
from tribute.features import Features, InvalidFeatures, reduce
from tribute.fingerprints import Fingerprint, InvalidWork, fingerprint
from tribute.vocabulary import Medium

TEXT_MEDIA = frozenset({Medium.TEXT, Medium.CODE})
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says about a work."""

    fingerprint: Fingerprint
    features: Features | None
    signature: SignedFile | None = None


def read(stream: BinaryIO, medium: Medium, *, at: datetime) -> Reading:
    """Return what a whole file is recognised by; seekable, open for reading bytes.

    at: when its signer's certificate has to be valid.
    Raises UnreadableFile for an empty one, and for one that is not what its medium says.
    """
    stream.seek(0)
    if not stream.read(1):
        raise UnreadableFile("the file is empty")
    try:
        taken = fingerprint(stream, medium)
        features = reduce(_text(stream)) if medium in TEXT_MEDIA else None
    except (InvalidWork, InvalidFeatures) as error:
        raise UnreadableFile(str(error)) from error
    stream.seek(0)
    return Reading(taken, features, signed_files.signature_of(stream.read(), at=at))


def _text(stream: BinaryIO) -> str:
    """Decode what the fingerprint has decoded before: UTF-8, or UTF-16 with its mark."""
    stream.seek(0)
    data = stream.read()
    return data.decode("utf-16" if data.startswith(_UTF_16_MARKS) else "utf-8-sig")
