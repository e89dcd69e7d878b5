"""Parse the host of a URL into its canonical text; the part of ``ckey/1`` that is about hosts.

Follows the host parser of the WHATWG URL Standard (https://url.spec.whatwg.org/#host-parsing):
names through UTS #46, IPv4 in all its number forms, IPv6 compressed. Stricter where no such host
could be resolved: empty labels, labels above 63 and names above 253 octets are refused. Ports and
everything after them belong to ``identifiers``.
"""

import re
import unicodedata
from ipaddress import IPv6Address
from urllib.parse import unquote_to_bytes

import idna

_MAX_INPUT = 1024
_MAX_NAME = 253
_MAX_LABEL = 63
_IPV4_BITS = 32
_IPV4_PARTS = 4
_OCTET = 256

# https://url.spec.whatwg.org/#forbidden-domain-code-point
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f#%/:<>?@\[\\\]^|]")
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")
_CANONICAL_IPV4 = re.compile(r"[0-9]+(\.[0-9]+){3}")
_ZERO_RUNS = re.compile(r"(?:(?<=:)|^)0(?::0)+(?=:|$)")
_JOINERS = "\u200c\u200d"
_PUNYCODE = "xn--"


class InvalidHost(ValueError):
    """A host must be a resolvable name or an IP address."""


def parse_host(text: str) -> str:
    """Return the canonical form of a host as it stands in a URL, without leading ``www.``.

    A name comes back in lower case and Punycode, an IPv6 address in brackets.
    Raises InvalidHost.
    """
    if len(text) > _MAX_INPUT:
        raise InvalidHost(f"a host name of {len(text)} characters")
    if text.startswith("["):
        return _parse_ipv6(text)
    name = _to_ascii(_percent_decoded(text)).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _parse_ipv4(labels)
    _require_resolvable(name, labels)
    # "www.com" is somebody's site, "com" is nobody's: two labels must remain.
    while labels[0] == "www" and len(labels) > 2:  # noqa: PLR2004 - said in the line above
        labels = labels[1:]
    return ".".join(labels)


def is_address(host: str) -> bool:
    """Tell an IP address from a name, both in canonical form."""
    return host.startswith("[") or _CANONICAL_IPV4.fullmatch(host) is not None


def _percent_decoded(text: str) -> str:
    if "%" not in text:
        return text
    # Bytes that are not UTF-8 become U+FFFD, which UTS #46 then refuses.
    return unquote_to_bytes(text.encode("utf-8", "replace")).decode("utf-8", "replace")


def _to_ascii(name: str) -> str:
    """Return the name as the URL Standard's domain parser does (https://url.spec.whatwg.org/#idna).

    What is ASCII already stays as it is, its Punycode good or bad, "due to web compatibility"; other
    names go through UTS #46 ToASCII: non-transitional, any hyphens, no STD3.
    """
    ascii_name = name.lower() if name.isascii() else _mapped(name)
    if _FORBIDDEN.search(ascii_name):
        raise InvalidHost(f"forbidden characters in a host: {name[:80]!a}")
    return ascii_name


def _mapped(name: str) -> str:
    try:
        mapped = idna.uts46_remap(name, std3_rules=False)
        labels = [_label_to_unicode(label) for label in mapped.split(".")]
        _require_bidi(labels)
        return ".".join(map(_label_to_ascii, labels))
    except ValueError as error:  # IDNAError and UnicodeError both are
        raise InvalidHost(f"not an internationalised name: {name[:80]!a}") from error


def _label_to_unicode(label: str) -> str:
    if not label.startswith(_PUNYCODE):
        decoded = label
    elif len(label) > _MAX_LABEL:
        raise InvalidHost(f"a label of {len(label)} characters")
    else:
        decoded = label.removeprefix(_PUNYCODE).encode("ascii").decode("punycode")
        if decoded.isascii() or idna.uts46_remap(decoded, std3_rules=False) != decoded:
            raise InvalidHost(f"Punycode that nobody may write: {label}")
    if decoded.isascii():
        return decoded
    idna.check_initial_combiner(decoded)
    if "." in decoded or decoded.startswith(_PUNYCODE):
        raise InvalidHost(f"Punycode that nobody may write: {label}")
    for position, character in enumerate(decoded):
        if character in _JOINERS and not idna.valid_contextj(decoded, position):
            raise InvalidHost("a joiner where it joins nothing")
    return decoded


def _require_bidi(labels: list[str]) -> None:
    # RFC 5893 asks every label of a name to obey as soon as one is written right to left.
    if any(_is_right_to_left(label) for label in labels):
        for label in filter(None, labels):
            idna.check_bidi(label, check_ltr=True)


def _is_right_to_left(label: str) -> bool:
    return any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in label)


def _label_to_ascii(label: str) -> str:
    return label if label.isascii() else _PUNYCODE + label.encode("punycode").decode("ascii")


def _require_resolvable(name: str, labels: list[str]) -> None:
    if not all(labels):
        raise InvalidHost(f"an empty host or label: {name[:80]!a}")
    if len(name) > _MAX_NAME or max(map(len, labels)) > _MAX_LABEL:
        raise InvalidHost(f"longer than a name may be: {name[:80]!a}")


def _parse_ipv4(parts: list[str]) -> str:
    """https://url.spec.whatwg.org/#concept-ipv4-parser."""
    if len(parts) > _IPV4_PARTS or not all(map(_NUMBER.fullmatch, parts)):
        raise InvalidHost(f"neither a name nor an IPv4 address: {'.'.join(parts)[:80]}")
    *octets, last = map(_parse_number, parts)
    room = _IPV4_BITS - 8 * len(octets)
    if any(octet >= _OCTET for octet in octets) or last >> room:
        raise InvalidHost("an IPv4 address out of range")
    value = last
    for position, octet in enumerate(octets):
        value |= octet << (_IPV4_BITS - 8 * (position + 1))
    return ".".join(str(byte) for byte in value.to_bytes(4, "big"))


def _parse_number(part: str) -> int:
    if part[:2] in {"0x", "0X"}:
        return int(part[2:] or "0", 16)
    if part.startswith("0"):
        if not set(part) <= set("01234567"):
            raise InvalidHost(f"not an octal number: {part[:80]}")
        return int(part, 8)
    return int(part)


def _parse_ipv6(text: str) -> str:
    if not text.endswith("]") or "%" in text:
        raise InvalidHost(f"not an IPv6 address: {text[:80]!a}")
    try:
        packed = IPv6Address(text[1:-1]).packed
    except ValueError as error:
        raise InvalidHost(f"not an IPv6 address: {text[:80]!a}") from error
    return f"[{_compressed(packed)}]"


def _compressed(packed: bytes) -> str:
    """RFC 5952, always hexadecimal: ``str(IPv6Address)`` differs between Python versions."""
    text = ":".join(f"{packed[i] << 8 | packed[i + 1]:x}" for i in range(0, 16, 2))
    runs = list(_ZERO_RUNS.finditer(text))
    if not runs:
        return text
    longest = max(runs, key=lambda run: len(run[0]))
    return f"{text[: longest.start()].rstrip(':')}::{text[longest.end() :].lstrip(':')}"
