"""Real texts with known origin: two wordings of the same verses, cut into works and passages.

Owns how chapters, passages and their damaged forms are made. The King James Version is what is
registered; the American Standard Version says the same verses in other words.
"""

import importlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

PASSAGE_WORDS = 80
_CHAPTER = 1_000
_BOOK = 1_000_000


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter in both wordings, verse by verse. work: a sortable name, creator: its book."""

    work: str
    creator: str
    verses: tuple[str, ...]
    reworded: tuple[str, ...]

    @property
    def text(self) -> str:
        """The chapter as it is registered."""
        return "\n".join(self.verses)


@dataclass(frozen=True, slots=True)
class Passage:
    """Some consecutive verses of a chapter, at least PASSAGE_WORDS words, in both wordings."""

    work: str
    text: str
    reworded: str


def chapters(books: Sequence[int], *, most: int, least_words: int = 200) -> list[Chapter]:
    """Return up to ``most`` chapters of each book that have enough words, evenly spread."""
    found = []
    for book in books:
        ids = sorted(verse for verse in _bible("kjv").verse_start_indices if verse // _BOOK == book)
        numbers = sorted({verse // _CHAPTER for verse in ids})
        long = [chapter for number in numbers if (chapter := _chapter(number, least_words))]
        step = max(1, len(long) // most)
        found += long[::step][:most]
    return found


def passages(chapter: Chapter) -> list[Passage]:
    """Cut a chapter into passages; a short end joins the one before."""
    cuts, words = [0], 0
    for number, verse in enumerate(chapter.verses, start=1):
        words += len(verse.split())
        if words >= PASSAGE_WORDS:
            cuts.append(number)
            words = 0
    cuts[-1] = len(chapter.verses)
    return [
        Passage(
            chapter.work,
            "\n".join(chapter.verses[first:last]),
            "\n".join(chapter.reworded[first:last]),
        )
        for first, last in pairwise(cuts)
        if last > first
    ]


def noisy(text: str, chance: random.Random, *, lost: float = 0.4) -> str:
    """Drop ``lost`` of a text's words and shuffle the others within windows of ten."""
    kept = [word for word in text.split() if chance.random() >= lost]
    windows = [kept[at : at + 10] for at in range(0, len(kept), 10)]
    for window in windows:
        chance.shuffle(window)
    return " ".join(word for window in windows for word in window)


def edited(text: str, chance: random.Random, *, share: float) -> str:
    """Replace ``share`` of a text's words by words from elsewhere in it."""
    words = text.split()
    pool = sorted(set(words))
    return " ".join(chance.choice(pool) if chance.random() < share else word for word in words)


def _chapter(number: int, least_words: int) -> Chapter | None:
    bibles = _bible("kjv"), _bible("asv")
    numbers = sorted(v for v in bibles[0].verse_start_indices if v // _CHAPTER == number)
    both = [v for v in numbers if v in bibles[1].verse_start_indices]
    verses = tuple(_verse(bibles[0], verse) for verse in both)
    if sum(len(verse.split()) for verse in verses) < least_words:
        return None
    reworded = tuple(_verse(bibles[1], verse) for verse in both)
    return Chapter(f"wrk_{number:05d}", f"cre_{number // _CHAPTER:02d}", verses, reworded)


def _verse(bible: Any, number: int) -> str:
    return re.sub(r"[\[\]]", "", bible.get_scripture(number)).strip()


@cache
def _bible(version: str) -> Any:
    # Six million characters of Python source: loaded when a text is asked for, and once.
    return importlib.import_module(f"pythonbible_{version}.plain_text_readers_bible").bible
