"""Outputs whose origin is known: repeated, reworded, damaged, mixed, and from nowhere.

Owns which books are registered and how outputs are drawn. Books of both halves are by the same
translators in the same words, which makes strangers hard to tell; none of the strangers' books
retells a registered one, as Chronicles does Kings.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.attribution_sections.corpus import (
    Chapter,
    Passage,
    chapters,
    noisy,
    passages,
)

KINDS = ("verbatim", "reworded", "noisy", "mixture", "stranger")
STRANGE_FOR_CALIBRATION = (17, 18, 21, 25, 26)  # Esther, Job, Ecclesiastes, Lamentations, Ezekiel
STRANGE_FOR_TEST = (8, 20, 22, 27, 44, 59, 66)  # Ruth, Proverbs, Song, Daniel, Acts, James, Rev.

_REGISTERED = [
    book for book in range(1, 67) if book not in {*STRANGE_FOR_CALIBRATION, *STRANGE_FOR_TEST}
]


@dataclass(frozen=True, slots=True)
class Output:
    """What was generated, and each registered work's true share of it, by words."""

    kind: str
    text: str
    origins: Mapping[str, float]


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
        return Output(kind, chance.choice([passage.text, passage.reworded]), {})
    if kind == "mixture":
        return _mixture(sources, chance)
    passage = chance.choice(chance.choice(sources))
    text = passage.text if kind == "verbatim" else passage.reworded
    return Output(kind, noisy(text, chance) if kind == "noisy" else text, {passage.work: 1.0})


def _mixture(sources: Sequence[Sequence[Passage]], chance: random.Random) -> Output:
    """Join passages of two or three works, each in the wording that is registered or in the other."""
    drawn = [chance.choice(each) for each in chance.sample(sources, chance.choice([2, 3]))]
    texts = [chance.choice([passage.text, passage.reworded]) for passage in drawn]
    words = [len(text.split()) for text in texts]
    origins = {p.work: count / sum(words) for p, count in zip(drawn, words, strict=True)}
    return Output("mixture", "\n".join(texts), origins)
