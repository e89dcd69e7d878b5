"""Reduce a text to what may travel: hashes of its word n-grams, in order, and nothing else.

An operator reduces an output before it leaves the house, a registry reduces a work before it is
indexed; shared passages show as runs of equal hashes. The hashes are not keyed, so short and
guessable texts can be confirmed by guessing: this keeps texts out of sight, it is not encryption.
Weighing what was found belongs to the attribution methods.

``features/1``: the text is normalised (NFKC, case folded, NFKC) and cut into words: runs of
letters, digits and combining marks, except that each Chinese, Japanese kana or other ideographic
character is a word of its own, since those scripts put no spaces between words. A hash is the
first 8 bytes, big-endian, of BLAKE2b with an 8-byte digest over the n words joined by spaces.
"""

import base64
import binascii
import struct
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Self

VERSION = "features/1"
NGRAM_SIZE = 6
MAX_WORDS = 2_000_000

_MIN_NGRAM_SIZE = 2
_MAX_NGRAM_SIZE = 32
_HASH_BYTES = 8
_MAX_HASH = 2**64 - 1
_HEADER = struct.Struct(">4sBI")
_MAGIC = b"TFE1"
_FIELDS = {"version", "ngram_size", "words", "hashes"}
# Kana, then the blocks of unified ideographs (NFKC has folded the compatibility ones).
_WORDS_OF_THEIR_OWN = (
    (0x3041, 0x3096),
    (0x30A1, 0x30FA),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0x20000, 0x323AF),
)


class InvalidFeatures(ValueError):
    """Features must be of a known version, complete, consistent, and within the limits."""


@dataclass(frozen=True, slots=True)
class Features:
    """A reduced text.

    ngram_size: words in an n-gram, 2 to 32.
    words: how many words the text has, at most 2,000,000.
    hashes: (max(0, words - ngram_size + 1),) unsigned 64-bit integers; the i-th is of the words
        i to i + ngram_size - 1.
    Raises InvalidFeatures when these do not hold together.
    """

    words: int
    hashes: tuple[int, ...]
    ngram_size: int = NGRAM_SIZE
    version: str = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise InvalidFeatures(f"unknown version {self.version!r}")
        if not _MIN_NGRAM_SIZE <= self.ngram_size <= _MAX_NGRAM_SIZE:
            raise InvalidFeatures(f"n-grams of {self.ngram_size} words")
        if not 0 <= self.words <= MAX_WORDS:
            raise InvalidFeatures(f"{self.words} words, of at most {MAX_WORDS}")
        if len(self.hashes) != max(0, self.words - self.ngram_size + 1):
            raise InvalidFeatures(f"{len(self.hashes)} hashes do not fit {self.words} words")
        if self.hashes and not 0 <= min(self.hashes) <= max(self.hashes) <= _MAX_HASH:
            raise InvalidFeatures("a hash beyond 64 bits")

    def to_json(self) -> dict[str, str | int]:
        """Return the JSON form; ``hashes`` is the base64 of 8 big-endian bytes a hash."""
        return {
            "version": self.version,
            "ngram_size": self.ngram_size,
            "words": self.words,
            "hashes": base64.b64encode(self._packed()).decode("ascii"),
        }

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read the parsed JSON form; raises InvalidFeatures for anything else."""
        if not isinstance(data, Mapping) or set(data) != _FIELDS:
            raise InvalidFeatures(f"features are an object of {', '.join(sorted(_FIELDS))}")
        version, size, words, hashes = (
            data[name] for name in ("version", "ngram_size", "words", "hashes")
        )
        if not isinstance(version, str) or not isinstance(hashes, str):
            raise InvalidFeatures("version and hashes are strings")
        if type(size) is not int or type(words) is not int:
            raise InvalidFeatures("ngram_size and words are whole numbers")
        if len(hashes) > _base64_length(MAX_WORDS * _HASH_BYTES):
            raise InvalidFeatures("too many hashes")
        try:
            packed = base64.b64decode(hashes.encode(), validate=True)
        except (binascii.Error, UnicodeEncodeError) as error:
            raise InvalidFeatures(f"hashes are not base64: {error}") from error
        return cls(words, _unpacked(packed), size, version)

    def to_bytes(self) -> bytes:
        """Return the compact form: 9 bytes, and 8 for each hash."""
        return _HEADER.pack(_MAGIC, self.ngram_size, self.words) + self._packed()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the compact form; raises InvalidFeatures for anything else."""
        if len(data) < _HEADER.size:
            raise InvalidFeatures("cut off")
        magic, ngram_size, words = _HEADER.unpack_from(data)
        if magic != _MAGIC:
            raise InvalidFeatures("not features")
        return cls(words, _unpacked(data[_HEADER.size :]), ngram_size)

    def _packed(self) -> bytes:
        return struct.pack(f">{len(self.hashes)}Q", *self.hashes)


def reduce(text: str, *, ngram_size: int = NGRAM_SIZE) -> Features:
    """Reduce a text to its features; one shorter than an n-gram has no hashes.

    Raises InvalidFeatures for lone surrogates and for more than 2,000,000 words.
    """
    try:
        words = [word.encode() for word in words_of(text)]
    except UnicodeEncodeError as error:
        raise InvalidFeatures("the text has lone surrogates") from error
    if len(words) > MAX_WORDS:
        raise InvalidFeatures(f"{len(words)} words, of at most {MAX_WORDS}")
    hashes = tuple(
        int.from_bytes(
            blake2b(b" ".join(words[i : i + ngram_size]), digest_size=_HASH_BYTES).digest(), "big"
        )
        for i in range(len(words) - ngram_size + 1)
    )
    return Features(len(words), hashes, ngram_size)


def words_of(text: str) -> list[str]:
    """Return the normalised words of a text, in order."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    spacing = {
        ord(character): replacement
        for character in set(folded)
        if (replacement := _replacement(character)) != character
    }
    return folded.translate(spacing).split()


def _replacement(character: str) -> str:
    if any(first <= ord(character) <= last for first, last in _WORDS_OF_THEIR_OWN):
        return f" {character} "
    if character.isalnum() or unicodedata.category(character).startswith("M"):
        return character
    # A lone surrogate stays, so that encoding it is refused rather than passed over.
    return character if unicodedata.category(character) == "Cs" else " "


def _unpacked(packed: bytes) -> tuple[int, ...]:
    count, rest = divmod(len(packed), _HASH_BYTES)
    if rest:
        raise InvalidFeatures("a hash has 8 bytes")
    return struct.unpack(f">{count}Q", packed)


def _base64_length(size: int) -> int:
    return 4 * -(-size // 3)
