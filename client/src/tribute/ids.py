"""Make and read typed identifiers such as ``wrk_01jzj6t3v7e8qs9f3c5m2k4x7a``.

Own the UUIDv7 generator (RFC 9562, section 5.7) and its text form: a prefix that names the type,
an underscore, and the 128 bits as 26 lower-case Crockford base32 digits, which sort like the
values. Which prefixes exist, and what they stand for, is the business of whoever uses them.
"""

import re
import secrets
import threading
import time
from functools import lru_cache
from uuid import UUID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_KNOWN = frozenset(_ALPHABET)
# Python reads base 32 with the letters in their plain order.
_TO_PLAIN = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_PAIR_BITS, _PAIR_MASK = 10, 0x3FF
_DIGITS = 26
_SHIFTS = range(_PAIR_BITS * (_DIGITS // 2 - 1), -1, -_PAIR_BITS)
_PREFIX = re.compile(r"[a-z]{1,16}")

_NANOSECONDS_PER_MILLISECOND = 1_000_000
_RANDOM_BITS = 74
_LOW_BITS = 62
_STEP_BITS = 32
# An id is read and written many times over in one piece of work; a remembered one takes 0.3 kB.
_REMEMBERED = 8_192


class InvalidId(ValueError):
    """A typed id is ``<prefix>_`` and 26 lower-case Crockford base32 digits below 2**128."""


def new_uuid7() -> UUID:
    """Return a fresh UUIDv7, greater than every one this process made before.

    Within one millisecond the 74 random bits grow by a random step (RFC 9562, section 6.2,
    method 2), so that two processes forked in that millisecond still part ways. When the clock
    stands still or goes back, the last instant is kept.
    """
    return _GENERATOR.next()


@lru_cache(maxsize=_REMEMBERED)
def encode(prefix: str, value: UUID) -> str:
    """Write ``value`` as a typed id. Raises InvalidId for a prefix that is not lower-case letters."""
    if not _PREFIX.fullmatch(prefix):
        raise InvalidId(f"a prefix is 1 to 16 lower-case letters, not {prefix!r}")
    bits = value.int
    return f"{prefix}_" + "".join([_PAIRS[bits >> shift & _PAIR_MASK] for shift in _SHIFTS])


@lru_cache(maxsize=_REMEMBERED)
def decode(prefix: str, text: str) -> UUID:
    """Read a typed id that must carry ``prefix``; raises InvalidId for anything else."""
    head, digits = _parts(text)
    if head != prefix:
        raise InvalidId(f"expected an id beginning with {prefix}_, not {head}_")
    bits = int(digits.translate(_TO_PLAIN), len(_ALPHABET))
    if bits >> 128:
        raise InvalidId("the digits stand for more than 128 bits")
    return UUID(int=bits)


def prefix_of(text: str) -> str:
    """Return the prefix of a well-formed typed id; raises InvalidId for anything else."""
    return _parts(text)[0]


def _parts(text: str) -> tuple[str, str]:
    head, underscore, digits = text.partition("_")
    if not underscore or not _PREFIX.fullmatch(head):
        raise InvalidId(f"an id begins with lower-case letters and an underscore: {text[:40]!r}")
    if len(digits) != _DIGITS:
        raise InvalidId(f"expected {_DIGITS} digits after {head}_, not {len(digits)}")
    if not _KNOWN.issuperset(digits):
        raise InvalidId(f"the digits are 0-9 and a-z without i, l, o, u: {digits!r}")
    return head, digits


class _Generator:
    """The last instant and random bits handed out, behind a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._milliseconds = 0
        self._random = 0

    def next(self) -> UUID:
        now = time.time_ns() // _NANOSECONDS_PER_MILLISECOND
        with self._lock:
            if now > self._milliseconds:
                self._milliseconds, self._random = now, secrets.randbits(_RANDOM_BITS)
            else:
                self._random += 1 + secrets.randbits(_STEP_BITS)
                if self._random >> _RANDOM_BITS:
                    self._milliseconds += 1
                    self._random = secrets.randbits(_RANDOM_BITS)
            return _assemble(self._milliseconds, self._random)


def _assemble(milliseconds: int, random: int) -> UUID:
    high, low = random >> _LOW_BITS, random & (1 << _LOW_BITS) - 1
    return UUID(int=milliseconds << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low)


_GENERATOR = _Generator()
