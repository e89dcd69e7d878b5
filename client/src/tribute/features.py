"""Reduce a text to what may travel: hashes of its word n-grams, in order, and nothing else.

An operator reduces an output before it leaves the house, a registry reduces a work before it is
indexed; shared passages show as runs of equal hashes. The hashes are not keyed, so short and
guessable texts can be confirmed by guessing: this keeps texts out of sight, it is not encryption.
Weighing what was found belongs to the attribution methods.

The text is normalised (NFKC, case folded, NFKC) and cut into words: runs of letters, digits and
combining marks, except that each Chinese, Japanese kana or other ideographic character is a word
of its own, since those scripts put no spaces between words.

``features/1``, still read, has n-grams only. A hash is the first 8 bytes, big-endian, of BLAKE2b
with an 8-byte digest over the n words joined by spaces.

``features/2`` adds, for each block of 50 words (the last may be shorter), how often which word
occurs in it, the words hashed to 24 bits: the first 3 bytes of BLAKE2b with an 8-byte digest over
the word, personalised ``tribute term``. Blocks say which words a text has and not their order; a
word can be guessed from its hash, so that a block shows its vocabulary to whoever holds it.
"""

import base64
import binascii
import struct
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import Self

FIRST_VERSION = "features/1"
VERSION = "features/2"
NGRAM_SIZE = 6
BLOCK_WORDS = 50
TERM_BITS = 24
MAX_WORDS = 2_000_000

_MIN_NGRAM_SIZE = 2
_MAX_NGRAM_SIZE = 32
_HASH_BYTES = 8
_MAX_HASH = 2**64 - 1
_HEADER = struct.Struct(">4sBI")
_MAGICS = {FIRST_VERSION: b"TFE1", VERSION: b"TFE2"}
_FIELDS = {"version", "ngram_size", "words", "hashes"}
_TERM_BYTES = 4
_PERSON = b"tribute term"
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


Block = tuple[tuple[int, int], ...]
"""Which words a block has and how often: (hash of 24 bits, count), by rising hash."""


@dataclass(frozen=True, slots=True)
class Features:
    """A reduced text.

    ngram_size: words in an n-gram, 2 to 32.
    words: how many words the text has, at most 2,000,000.
    hashes: (max(0, words - ngram_size + 1),) unsigned 64-bit integers; the i-th is of the words
        i to i + ngram_size - 1.
    blocks: of ``features/2``, one for each 50 words begun; the counts of a block add up to its
        words.
    Raises InvalidFeatures when these do not hold together.
    """

    words: int
    hashes: tuple[int, ...]
    ngram_size: int = NGRAM_SIZE
    version: str = FIRST_VERSION
    blocks: tuple[Block, ...] = ()

    def __post_init__(self) -> None:
        if self.version not in _MAGICS:
            raise InvalidFeatures(f"unknown version {self.version!r}")
        if not _MIN_NGRAM_SIZE <= self.ngram_size <= _MAX_NGRAM_SIZE:
            raise InvalidFeatures(f"n-grams of {self.ngram_size} words")
        if not 0 <= self.words <= MAX_WORDS:
            raise InvalidFeatures(f"{self.words} words, of at most {MAX_WORDS}")
        if len(self.hashes) != max(0, self.words - self.ngram_size + 1):
            raise InvalidFeatures(f"{len(self.hashes)} hashes do not fit {self.words} words")
        if self.hashes and not 0 <= min(self.hashes) <= max(self.hashes) <= _MAX_HASH:
            raise InvalidFeatures("a hash beyond 64 bits")
        self._check_blocks()

    def _check_blocks(self) -> None:
        lengths = _block_lengths(self.words) if self.version == VERSION else []
        if [sum(count for _, count in block) for block in self.blocks] != lengths:
            raise InvalidFeatures("the blocks do not fit the words")
        for block in self.blocks:
            terms = [term for term, _ in block]
            if any(one >= other for one, other in pairwise(terms)):
                raise InvalidFeatures("the words of a block rise, each once")
            if not 0 <= terms[0] <= terms[-1] < 2**TERM_BITS or min(n for _, n in block) < 1:
                raise InvalidFeatures("a word of a block is out of bounds")

    def to_json(self) -> dict[str, str | int]:
        """Return the JSON form, in base64 ``hashes`` (8 big-endian bytes each) and ``blocks``.

        ``blocks`` is, for each block, one byte for the number of its words' hashes and then for
        each 3 bytes of hash and one of count.
        """
        form: dict[str, str | int] = {
            "version": self.version,
            "ngram_size": self.ngram_size,
            "words": self.words,
            "hashes": base64.b64encode(_pack(self.hashes)).decode("ascii"),
        }
        if self.version == VERSION:
            form["blocks"] = base64.b64encode(_pack_blocks(self.blocks)).decode("ascii")
        return form

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Read the parsed JSON form; raises InvalidFeatures for anything else."""
        if not isinstance(data, Mapping):
            raise InvalidFeatures("features are an object")
        version = data.get("version")
        fields = _FIELDS | ({"blocks"} if version == VERSION else set())
        if not isinstance(version, str) or set(data) != fields:
            raise InvalidFeatures(f"features are an object of {', '.join(sorted(fields))}")
        size, words = data["ngram_size"], data["words"]
        if type(size) is not int or type(words) is not int:
            raise InvalidFeatures("ngram_size and words are whole numbers")
        hashes = _unpack(_decode(data["hashes"], most=MAX_WORDS * _HASH_BYTES))
        most = MAX_WORDS * (_TERM_BYTES + 1)
        blocks = _unpack_blocks(_decode(data.get("blocks", ""), most=most))
        return cls(words, hashes, size, version, blocks)

    def to_bytes(self) -> bytes:
        """Return the compact form: 9 bytes, 8 for each hash, and the blocks as in the JSON form."""
        head = _HEADER.pack(_MAGICS[self.version], self.ngram_size, self.words)
        return head + _pack(self.hashes) + _pack_blocks(self.blocks)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read the compact form; raises InvalidFeatures for anything else."""
        version, ngram_size, words, hashes, blocks = sections(data)
        return cls(words, _unpack(hashes), ngram_size, version, _unpack_blocks(blocks))


def sections(data: bytes) -> tuple[str, int, int, bytes, bytes]:
    """Cut the compact form: version, ngram_size, words, and the bytes of hashes and of blocks.

    For reading many at once; only the header is checked. Raises InvalidFeatures.
    """
    if len(data) < _HEADER.size:
        raise InvalidFeatures("cut off")
    magic, ngram_size, words = _HEADER.unpack_from(data)
    version = next((each for each, known in _MAGICS.items() if known == magic), None)
    if version is None:
        raise InvalidFeatures("not features")
    hashes = _HEADER.size + _HASH_BYTES * max(0, words - ngram_size + 1)
    if version == FIRST_VERSION:
        hashes = max(hashes, len(data))
    return version, ngram_size, words, data[_HEADER.size : hashes], data[hashes:]


def reduce(text: str, *, ngram_size: int = NGRAM_SIZE) -> Features:
    """Reduce a text to its features, in the newest version; a short one may have no hashes.

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
    return Features(len(words), hashes, ngram_size, VERSION, _blocks_of(words))


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


def _blocks_of(words: Sequence[bytes]) -> tuple[Block, ...]:
    term_of = {word: _term(word) for word in set(words)}
    terms = [term_of[word] for word in words]
    blocks = (terms[at : at + BLOCK_WORDS] for at in range(0, len(terms), BLOCK_WORDS))
    return tuple(tuple(sorted(Counter(block).items())) for block in blocks)


def _term(word: bytes) -> int:
    return int.from_bytes(
        blake2b(word, digest_size=_HASH_BYTES, person=_PERSON).digest()[:3], "big"
    )


def _block_lengths(words: int) -> list[int]:
    return [min(BLOCK_WORDS, words - at) for at in range(0, words, BLOCK_WORDS)]


def _pack(hashes: Sequence[int]) -> bytes:
    return struct.pack(f">{len(hashes)}Q", *hashes)


def _unpack(packed: bytes) -> tuple[int, ...]:
    count, rest = divmod(len(packed), _HASH_BYTES)
    if rest:
        raise InvalidFeatures("a hash has 8 bytes")
    return struct.unpack(f">{count}Q", packed)


def _pack_blocks(blocks: Sequence[Block]) -> bytes:
    return b"".join(
        struct.pack(f">B{len(block)}I", len(block), *(term << 8 | count for term, count in block))
        for block in blocks
    )


def _unpack_blocks(packed: bytes) -> tuple[Block, ...]:
    blocks = []
    at = 0
    while at < len(packed):
        end = at + 1 + _TERM_BYTES * packed[at]
        if end > len(packed) or packed[at] == 0:
            raise InvalidFeatures("a block is cut off")
        terms = struct.unpack_from(f">{packed[at]}I", packed, at + 1)
        blocks.append(tuple((term >> 8, term & 0xFF) for term in terms))
        at = end
    return tuple(blocks)


def _decode(text: object, *, most: int) -> bytes:
    if not isinstance(text, str):
        raise InvalidFeatures("hashes and blocks are strings")
    if len(text) > 4 * -(-most // 3):
        raise InvalidFeatures("too many hashes")
    try:
        return base64.b64decode(text.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidFeatures(f"not base64: {error}") from error
