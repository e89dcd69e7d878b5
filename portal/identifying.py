"""What somebody typed: an address, the hash of a file's bytes, or a content code. Pure."""

import re

from tribute.vocabulary import IdentifierKind

_SHA256 = re.compile(r"(sha256:)?[0-9a-fA-F]{64}")


def kind_of(text: str) -> IdentifierKind:
    """Guess: 64 hexadecimal digits, an ISCC, else an address."""
    if _SHA256.fullmatch(text):
        return IdentifierKind.SHA256
    if text.upper().startswith("ISCC:"):
        return IdentifierKind.ISCC
    return IdentifierKind.URL
