"""Parse the Dictionary of Structured Field Values (RFC 9651); know nothing of what it means.

Strict, as section 4.2 demands: one wrong octet and the whole field is refused. Only what a reader
of preferences needs is kept of a value: whether it is a Token, and which.
"""

import base64
import binascii
import re
from dataclasses import dataclass

_KEY = re.compile(rb"[a-z*][a-z0-9_\-.*]*")
_TOKEN = re.compile(rb"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_NUMBER = re.compile(rb"-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])")
_STRING = re.compile(rb'"(?:[ !#-\[\]-~]|\\["\\])*"')
_BYTES = re.compile(rb":([A-Za-z0-9+/=]*):")
_BOOLEAN = re.compile(rb"\?[01]")
_DATE = re.compile(rb"@-?[0-9]{1,15}(?![0-9.])")
_DISPLAY = re.compile(rb'%"((?:[ !#$&-~]|%[0-9a-f]{2})*)"')
_SPACES = re.compile(rb" *")
_BLANKS = re.compile(rb"[ \t]*")
_LONGEST = 65_536


class NotADictionary(Exception):
    """A Structured Fields Dictionary follows RFC 9651, section 4.2.2, to the octet."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bare Token (section 3.3.4); everything else that is valid reads as None."""

    text: str


def parse_dictionary(field: bytes) -> dict[str, Token | None]:
    """Return the members of a Dictionary by key, the last one of each; parameters are dropped.

    field: the field value's octets; several field lines are joined by commas beforehand.
    Values that are not Tokens are None. Raises NotADictionary when any octet is out of place.
    """
    if len(field) > _LONGEST:
        raise NotADictionary(f"{len(field)} octets are too long")
    return _Reader(field).dictionary()


class _Reader:
    """A cursor over the octets of one field."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets.strip(b" ")
        self._at = 0

    def dictionary(self) -> dict[str, Token | None]:
        members: dict[str, Token | None] = {}
        while self._at < len(self._octets):
            key = self._take(_KEY, "a key").decode("ascii")
            value = self._member() if self._skip(b"=") else None
            self._parameters()
            members[key] = value
            self._take(_BLANKS, "blanks")
            if self._at == len(self._octets):
                break
            if not self._skip(b","):
                raise self._refused("a comma")
            self._take(_BLANKS, "blanks")
            if self._at == len(self._octets):
                raise self._refused("a member after the comma")
        return members

    def _member(self) -> Token | None:
        if not self._skip(b"("):
            return self._bare_item()
        while True:
            self._take(_SPACES, "spaces")
            if self._skip(b")"):
                return None
            self._bare_item()
            self._parameters()
            if self._peek() not in {b" ", b")"}:
                raise self._refused("a space or the end of an inner list")

    def _parameters(self) -> None:
        while self._skip(b";"):
            self._take(_SPACES, "spaces")
            self._take(_KEY, "a parameter's key")
            if self._skip(b"="):
                self._bare_item()

    def _bare_item(self) -> Token | None:
        first = self._peek()
        if first == b'"':
            self._take(_STRING, "a string")
        elif first == b":":
            self._byte_sequence()
        elif first == b"?":
            self._take(_BOOLEAN, "a boolean")
        elif first == b"@":
            self._take(_DATE, "a date")
        elif first == b"%":
            self._display_string()
        elif first.isdigit() or first == b"-":
            self._take(_NUMBER, "a number")
        else:
            return Token(self._take(_TOKEN, "a value").decode("ascii"))
        return None

    def _byte_sequence(self) -> None:
        encoded = self._take(_BYTES, "a byte sequence")[1:-1]
        try:
            base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            raise self._refused("base64") from None

    def _display_string(self) -> None:
        encoded = self._take(_DISPLAY, "a display string")[2:-1]
        try:
            re.sub(rb"%(..)", lambda m: bytes.fromhex(m[1].decode("ascii")), encoded).decode(
                "utf-8"
            )
        except ValueError:
            raise self._refused("UTF-8 in a display string") from None

    def _peek(self) -> bytes:
        return self._octets[self._at : self._at + 1]

    def _skip(self, octet: bytes) -> bool:
        if self._peek() != octet:
            return False
        self._at += 1
        return True

    def _take(self, pattern: re.Pattern[bytes], what: str) -> bytes:
        found = pattern.match(self._octets, self._at)
        if found is None:
            raise self._refused(what)
        self._at = found.end()
        return found[0]

    def _refused(self, what: str) -> NotADictionary:
        return NotADictionary(f"at octet {self._at}: {what} was expected")
