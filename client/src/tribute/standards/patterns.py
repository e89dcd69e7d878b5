"""Match robots-style path patterns (RFC 9309, section 2.2); know nothing of any standard's rules.

Patterns come from strangers, so matching takes time proportional to pattern times path at worst,
and no regular expression is built from them.
"""

import re
from functools import lru_cache
from urllib.parse import urlsplit

_UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_RESERVED = re.compile(rb"[:@\[\]!'(),;+]")
_RESERVED_IN_QUERY = re.compile(rb"[:/?@\[\]!'(),;+]")
_NO_URI = frozenset(b' "<>\\^`{|}')  # printable, and yet in no URI (RFC 3986, section 2)
_PLAIN = re.compile(rb"[!#$&-;=?-\[\]_a-z~]*")  # neither these nor a percent sign
_LONGEST_PATTERN = 8192


def path_of(url: str) -> str | None:
    """Return the part of an address that rules match: its path and query, never its fragment.

    A bare path is taken as it is, and an empty query keeps its mark. None when the text is neither.
    """
    if url.startswith("/") and not url.startswith("//"):
        return url.partition("#")[0]
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if not parts.scheme or not parts.netloc:
        return None
    asked = parts.query or url.partition("#")[0].rstrip().endswith("?")
    return (parts.path or "/") + (f"?{parts.query}" if asked else "")


@lru_cache(maxsize=256)
def normal(path: str) -> bytes:
    """Return the octets that are compared (RFC 9309, section 2.2.2).

    Octets outside ASCII, and those that no URI holds, are percent-encoded, encoded unreserved
    characters are decoded, and the remaining escapes are written in upper case. "*" and "$" keep
    their meaning, "%2A" and "%24" their lack of one.
    """
    octets = path.encode("utf-8", "surrogatepass")
    if _PLAIN.fullmatch(octets):
        return octets
    encoded = b"".join(_encoded(octet) for octet in octets)
    return _ESCAPE.sub(_decoded, encoded)


def matches(pattern: str, path: str) -> bool:
    """Tell whether the pattern matches the beginning of the path, or all of it when it ends in "$".

    An empty pattern, or one over 8192 characters, matches nothing.
    """
    if not pattern or len(pattern) > _LONGEST_PATTERN:
        return False
    wanted, subject = normal(pattern), normal(path)
    if _matches(wanted, subject):
        return True
    # Only where one of the two is written with escapes can escaping the rest make a difference.
    return b"%" in wanted + subject and _matches(_all_escaped(wanted), _all_escaped(subject))


def _matches(wanted: bytes, path: bytes) -> bool:
    """Compare octets; what is special in a pattern is written as an escape where it is not meant so.

    RFC 9309, section 2.2.3: ``/foo-%24`` matches the address ``/foo-$``.
    """
    subject = path.replace(b"*", b"%2A").replace(b"$", b"%24")
    anchored = wanted.endswith(b"$")
    literal = (wanted[:-1] if anchored else wanted).replace(b"$", b"%24")
    first, *others = literal.split(b"*")
    if not subject.startswith(first):
        return False
    if not others:
        return not anchored or subject == first
    position = len(first)
    for part in others[:-1]:
        found = subject.find(part, position)
        if found < 0:
            return False
        position = found + len(part)
    last = others[-1]
    if anchored:
        return len(subject) - len(last) >= position and subject.endswith(last)
    return subject.find(last, position) >= 0


def _all_escaped(octets: bytes) -> bytes:
    """Escape what is reserved and no separator (RFC 9309, section 2.2.2): ``?to=https%3A%2F%2Fx``."""
    path, mark, query = octets.partition(b"?")
    return _RESERVED.sub(_escaped, path) + mark + _RESERVED_IN_QUERY.sub(_escaped, query)


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


def length(pattern: str) -> int:
    """Return how specific a pattern is: its octets (RFC 9309, section 2.2.2)."""
    return len(normal(pattern))


def _encoded(octet: int) -> bytes:
    if 0x20 < octet < 0x7F and octet not in _NO_URI:  # noqa: PLR2004 - the printable octets of ASCII
        return bytes((octet,))
    return b"%%%02X" % octet


def _decoded(escape: re.Match[bytes]) -> bytes:
    octet = int(escape[0][1:], 16)
    return bytes((octet,)) if octet in _UNRESERVED else escape[0].upper()
