"""Turn URLs, hosts, hashes and ISCCs into canonical keys: the rule ``ckey/1``, in one place.

Equivalent identifiers get equal keys, so that a statement on one address is found under every
harmless variant of it. This module owns the canonical forms, the keys, and the order in which the
keys of a URL are tried. It opens no socket and knows no public-suffix list: whether a domain is
anybody's to speak for is decided where the statement is made.

``ckey/1``: a URL is parsed as the WHATWG URL Standard says (https://url.spec.whatwg.org). Scheme,
user information, fragment, the ports 80 and 443, leading ``www.`` labels, the host's trailing dot
and an empty query are dropped. Escapes of unreserved characters are decoded, other escapes
written in upper case, and characters that RFC 3986 does not permit (a stray ``%`` too) escaped.
Dot segments are resolved; the query keeps its order. Test vectors: ``tests/vectors/ckey1.json``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from iscc_lib import iscc_decode

from tribute.hosts import InvalidHost, is_address, parse_host
from tribute.vocabulary import IdentifierKind

CKEY_VERSION = "ckey/1"
MAX_CHARACTERS = 8192
MAX_DOMAIN_LABELS = 6
MAX_PATH_DEPTH = 15

# The tag keeps the kinds apart: a host and a domain of the same name have different keys.
TAGS = {
    IdentifierKind.DOMAIN: b"\x01",
    IdentifierKind.PATH: b"\x02",
    IdentifierKind.URL: b"\x03",
    IdentifierKind.HOST: b"\x04",
    IdentifierKind.SHA256: b"\x05",
    IdentifierKind.ISCC: b"\x06",
}

# Canonical text must be readable again once a scheme is put before it.
_MAX_CANONICAL = MAX_CHARACTERS - len("https://")
_MAX_ISCC = 128
_MAX_PORT = 65535
_PORT_DIGITS = 5

_C0_AND_SPACE = "".join(map(chr, range(33)))
_REMOVED = str.maketrans("", "", "\t\n\r")
_UNENCODABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_URL = re.compile(
    r"https?:[/\\]*(?P<authority>[^/\\?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.IGNORECASE | re.DOTALL,
)
_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*)(?::(?P<port>[0-9]*))?", re.DOTALL)
_NOT_IN_HOST = re.compile(r"[/\\?#@]")
_ESCAPE_OR_UNSAFE_IN_PATH = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]]")
# The URL Standard's special-query set adds the apostrophe to what is escaped.
_ESCAPE_OR_UNSAFE_IN_QUERY = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&()*+,;=:@/?\[\]]")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE_LENGTH = 3
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ISCC = re.compile(r"[A-Z2-7]+")


class InvalidIdentifier(ValueError):
    """An identifier must have a canonical form under ``ckey/1``."""


@dataclass(frozen=True, slots=True)
class Key:
    """One canonical identifier and its key.

    digest: (32,) bytes, SHA-256 of the kind's tag byte and the UTF-8 of ``canonical``; its first
        16 bytes are what a registry publishes.
    """

    kind: IdentifierKind
    canonical: str
    digest: bytes


def canonical_url(raw: str) -> str:
    """Return the canonical form of an http or https URL: host, path and query, without scheme.

    Raises InvalidIdentifier when there is none: another scheme, no host, a bad port, control
    characters, lone surrogates, or more than 8192 characters.
    """
    return _parse_url(raw).text


def canonical_host(raw: str) -> str:
    """Return the canonical form of a host name or IP address, with a port unless 80 or 443.

    Raises InvalidIdentifier for anything else, a URL included.
    """
    text = _cleaned(raw)
    if _NOT_IN_HOST.search(text):
        raise InvalidIdentifier(f"not a host name: {_shown(raw)}")
    return _parse_authority(text)


def key_of(kind: IdentifierKind, raw: str) -> Key:
    """Return the key of an identifier as people write it.

    A path prefix is a URL whose path ends in ``/`` at most 15 deep, without a query; a domain has
    no port and at most 6 labels: ``candidate_keys`` would never come by anything longer.
    Raises InvalidIdentifier for what has no canonical form, and for an unknown kind.
    """
    match kind:
        case IdentifierKind.URL:
            return _key(kind, canonical_url(raw))
        case IdentifierKind.PATH:
            return _key(kind, _canonical_path_prefix(raw))
        case IdentifierKind.HOST:
            return _key(kind, canonical_host(raw))
        case IdentifierKind.DOMAIN:
            return _key(kind, _canonical_domain(raw))
        case IdentifierKind.SHA256:
            return _key(kind, _canonical_sha256(raw))
        case IdentifierKind.ISCC:
            return _key(kind, _canonical_iscc(raw))
    raise InvalidIdentifier(f"no such kind of identifier: {_shown(str(kind))}")


def key_of_canonical(kind: IdentifierKind, canonical: str) -> Key:
    """Return the key of what is in canonical form already; nothing is checked."""
    return _key(kind, canonical)


def candidate_keys(url: str) -> tuple[Key, ...]:
    """Return every key that may speak for ``url``, the most specific first.

    The exact URL; path prefixes, longest first; the host (with its port, then without); the
    domains that cover the host, longest first, down to two labels. An IP address is its own only
    domain. Raises InvalidIdentifier as ``canonical_url`` does.
    """
    parts = _parse_url(url)
    return (
        _key(IdentifierKind.URL, parts.text),
        *(_key(IdentifierKind.PATH, parts.authority + path) for path in _prefixes(parts.path)),
        *(_key(IdentifierKind.HOST, host) for host in dict.fromkeys((parts.authority, parts.host))),
        *(_key(IdentifierKind.DOMAIN, domain) for domain in _domains(parts.host)),
    )


@dataclass(frozen=True, slots=True)
class _Parts:
    """A canonical URL in pieces; ``query`` holds its question mark, or is empty."""

    authority: str
    path: str
    query: str

    @property
    def text(self) -> str:
        return self.authority + self.path + self.query

    @property
    def host(self) -> str:
        return _without_port(self.authority)


def _parse_url(raw: str) -> _Parts:
    match = _URL.fullmatch(_cleaned(raw))
    if match is None:
        raise InvalidIdentifier(f"not an http or https URL: {_shown(raw)}")
    authority = match["authority"].rpartition("@")[2]
    parts = _Parts(
        _parse_authority(authority),
        _canonical_path(match["path"]),
        _canonical_query(match["query"]),
    )
    if len(parts.text) > _MAX_CANONICAL:
        raise InvalidIdentifier(f"the canonical URL is longer than {_MAX_CANONICAL} characters")
    return parts


def _cleaned(raw: str) -> str:
    if len(raw) > MAX_CHARACTERS:
        raise InvalidIdentifier(f"longer than {MAX_CHARACTERS} characters")
    text = raw.strip(_C0_AND_SPACE).translate(_REMOVED)
    if _UNENCODABLE.search(text):
        raise InvalidIdentifier(f"control characters or lone surrogates: {_shown(raw)}")
    return text


def _parse_authority(text: str) -> str:
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        raise InvalidIdentifier(f"not a host and port: {_shown(text)}")
    try:
        host = parse_host(match["host"])
    except InvalidHost as error:
        raise InvalidIdentifier(str(error)) from error
    # The length first: int() refuses numerals of more than 4300 digits.
    port = (match["port"] or "").lstrip("0") or ("0" if match["port"] else "")
    if len(port) > _PORT_DIGITS or (port and int(port) > _MAX_PORT):
        raise InvalidIdentifier(f"no such port: {_shown(text)}")
    return host if port in {"", "80", "443"} else f"{host}:{port}"


def _without_port(authority: str) -> str:
    if authority.endswith("]"):
        return authority
    head, colon, _ = authority.rpartition(":")
    return head if colon else authority


def _canonical_path(path: str) -> str:
    text = _ESCAPE_OR_UNSAFE_IN_PATH.sub(_escape, path.replace("\\", "/"))
    if "/." not in text:
        return text or "/"
    resolved: list[str] = []
    segments = text.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del resolved[-1:]
        elif segment != ".":
            resolved.append(segment)
    if segments[-1] in {".", ".."}:
        resolved.append("")
    return "/" + "/".join(resolved)


def _canonical_query(query: str | None) -> str:
    return "?" + _ESCAPE_OR_UNSAFE_IN_QUERY.sub(_escape, query) if query else ""


def _escape(match: re.Match[str]) -> str:
    text = match[0]
    if len(text) == _ESCAPE_LENGTH:
        character = chr(int(text[1:], 16))
        return character if character in _UNRESERVED else text.upper()
    return "".join(f"%{byte:02X}" for byte in text.encode())


def _prefixes(path: str) -> Iterator[str]:
    ends = [i + 1 for i, character in enumerate(path) if character == "/"][:MAX_PATH_DEPTH]
    return (path[:end] for end in reversed(ends))


def _domains(host: str) -> Iterator[str]:
    labels = host.split(".")
    if is_address(host) or len(labels) == 1:
        yield host
        return
    for count in range(min(len(labels), MAX_DOMAIN_LABELS), 1, -1):
        yield ".".join(labels[-count:])


def _canonical_path_prefix(raw: str) -> str:
    parts = _parse_url(raw)
    if parts.query or not parts.path.endswith("/"):
        raise InvalidIdentifier(f"a path prefix ends in / and has no query: {_shown(raw)}")
    if parts.path.count("/") > MAX_PATH_DEPTH:
        raise InvalidIdentifier(f"a path prefix is at most {MAX_PATH_DEPTH} deep")
    return parts.text


def _canonical_domain(raw: str) -> str:
    domain = canonical_host(raw)
    if _without_port(domain) != domain:
        raise InvalidIdentifier(f"a domain has no port: {_shown(raw)}")
    if not is_address(domain) and domain.count(".") >= MAX_DOMAIN_LABELS:
        raise InvalidIdentifier(f"a domain has at most {MAX_DOMAIN_LABELS} labels")
    return domain


def _canonical_sha256(raw: str) -> str:
    text = raw.lower()
    if not _SHA256.fullmatch(text):
        raise InvalidIdentifier(f"not 64 hexadecimal digits: {_shown(raw)}")
    return text


def _canonical_iscc(raw: str) -> str:
    text = raw.upper().removeprefix("ISCC:")
    if len(raw) > _MAX_ISCC or not _ISCC.fullmatch(text):
        raise InvalidIdentifier(f"not an ISCC: {_shown(raw)}")
    try:
        iscc_decode(text)
    except ValueError as error:
        raise InvalidIdentifier(f"not an ISCC: {_shown(raw)}: {error}") from error
    return f"ISCC:{text}"


def _key(kind: IdentifierKind, canonical: str) -> Key:
    return Key(kind, canonical, sha256(TAGS[kind] + canonical.encode()).digest())


def _shown(raw: str) -> str:
    return ascii(raw[:80])
