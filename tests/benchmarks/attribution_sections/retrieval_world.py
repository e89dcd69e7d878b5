"""Outputs whose origin is known: repeated, reworded, damaged, mixed, and from nowhere.

Owns which books are registered and how outputs are drawn. Books of both halves are by the same
translators in the same words, which makes strangers hard to tell; none of the strangers' books
retells a registered one, as Chronicles does Kings.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.attribution_sections.corpus import (
    Chapter,
    Passage,
    chapters,
    noisy,
    passages,
)
from tribute.features import words_of

KINDS = ("verbatim", "reworded", "noisy", "mixture", "stranger")
STRANGE_FOR_CALIBRATION = (17, 18, 21, 25, 26)  # Esther, Job, Ecclesiastes, Lamentations, Ezekiel
STRANGE_FOR_TEST = (8, 20, 22, 27, 44, 59, 66)  # Ruth, Proverbs, Song, Daniel, Acts, James, Rev.

_REGISTERED = [
    book for book in range(1, 67) if book not in {*STRANGE_FOR_CALIBRATION, *STRANGE_FOR_TEST}
]


@dataclass(frozen=True, slots=True)
class Output:
    """What was generated. pieces: in order, how many words come from which work ("": of none)."""

    kind: str
    text: str
    pieces: tuple[tuple[str, int], ...]

    @property
    def origins(self) -> dict[str, float]:
        """Return each registered work's true share, by words."""
        words = sum(count for _, count in self.pieces)
        found: dict[str, float] = {}
        for work, count in self.pieces:
            if work:
                found[work] = found.get(work, 0.0) + count / words
        return found

    def origins_of(self, words: Collection[int]) -> dict[str, float]:
        """Return each work's share of some of the words, by their numbers from 0."""
        owners = [work for work, count in self.pieces for _ in range(count)]
        found: dict[str, float] = {}
        for word in words:
            if owners[word]:
                found[owners[word]] = found.get(owners[word], 0.0) + 1 / len(words)
        return found


@dataclass(frozen=True, slots=True)
class World:
    """Registered chapters, their passages, and outputs to calibrate on and to test on.

    Outputs to test on come from other chapters than those to calibrate on, strangers from other
    books.
    """

    chapters: Sequence[Chapter]
    passages: Mapping[str, Sequence[Passage]]
    calibration: Sequence[Output]
    test: Sequence[Output]


def build(*, outputs: int, seed: int, chapters_a_book: int = 3) -> World:
    """Draw ``outputs`` of each kind for the calibration, and as many for the test."""
    chance = random.Random(seed)
    registered = chapters(_REGISTERED, most=chapters_a_book)
    cut = {chapter.work: passages(chapter) for chapter in registered}
    works = list(cut)
    chance.shuffle(works)
    half = len(works) // 2
    drawn = [
        [
            _draw(kind, [cut[work] for work in sources], strange, chance)
            for kind in KINDS
            for _ in range(outputs)
        ]
        for sources, strange in (
            (works[:half], _strange(STRANGE_FOR_CALIBRATION)),
            (works[half:], _strange(STRANGE_FOR_TEST)),
        )
    ]
    return World(registered, cut, drawn[0], drawn[1])


def _strange(books: Sequence[int]) -> list[Passage]:
    return [passage for chapter in chapters(books, most=20) for passage in passages(chapter)]


def _draw(
    kind: str,
    sources: Sequence[Sequence[Passage]],
    strange: Sequence[Passage],
    chance: random.Random,
) -> Output:
    if kind == "stranger":
        passage = chance.choice(strange)
        return _output(kind, [("", chance.choice([passage.text, passage.reworded]))])
    if kind == "mixture":
        return _mixture(sources, chance)
    passage = chance.choice(chance.choice(sources))
    text = passage.text if kind == "verbatim" else passage.reworded
    made = noisy(text, chance) if kind == "noisy" else text
    return _output(kind, [(passage.work, made)])


def _mixture(sources: Sequence[Sequence[Passage]], chance: random.Random) -> Output:
    """Join passages of two or three works, each in the wording that is registered or in the other."""
    drawn = [chance.choice(each) for each in chance.sample(sources, chance.choice([2, 3]))]
    return _output("mixture", [(p.work, chance.choice([p.text, p.reworded])) for p in drawn])


def _output(kind: str, pieces: Sequence[tuple[str, str]]) -> Output:
    """Join texts of known origin; words are counted as features count them."""
    counted = tuple((work, len(words_of(text))) for work, text in pieces)
    return Output(kind, "\n".join(text for _, text in pieces), counted)
