"""Turn statements into the sentence whose words are the controls, and the answers back. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.wording import BY_VALUE, CHOICES, PURPOSES, UNSAID, Choice, Words, choice_of
from registry.models import Statement


@dataclass(frozen=True, slots=True)
class Clause:
    """One purpose in the sentence: its words, what stands now, and what could be said."""

    purpose: str
    words: Words
    chosen: Choice
    choices: tuple[Choice, ...]


def standing_words(statements: Iterable[Statement], *, at: datetime) -> dict[str, str]:
    """Return, per purpose, the choice that one claimant's statements make at an instant.

    statements: of one subject and one claimant, in any order. The last in force wins.
    """
    in_force = [s for s in statements if s.effective_from <= at]
    in_force.sort(key=lambda s: (s.effective_from, s.sequence))
    return {s.purpose: choice_of(s.decision, paid=s.paid) for s in in_force}


def clauses(chosen: Mapping[str, str]) -> tuple[Clause, ...]:
    """Lay the sentence out; a purpose never spoken about offers staying silent, too."""
    return tuple(
        Clause(
            purpose=purpose,
            words=words.clause,
            chosen=BY_VALUE[chosen.get(purpose, UNSAID.value)],
            choices=CHOICES
            if chosen.get(purpose, UNSAID.value) != UNSAID.value
            else (*CHOICES, UNSAID),
        )
        for purpose, words in PURPOSES.items()
    )


def changes(
    before: Mapping[str, str], answers: Mapping[str, str], *, purposes: Sequence[str] | None = None
) -> dict[str, Choice]:
    """Return what differs between what stood and what was answered, per purpose.

    An answer that is missing or not one of the choices changes nothing, and nobody unsays a word
    by sending the silence of a page that was opened before it was said.
    """
    return {
        purpose: BY_VALUE[answers[purpose]]
        for purpose in (purposes or tuple(PURPOSES))
        if answers.get(purpose) in BY_VALUE
        and answers[purpose] not in {UNSAID.value, before.get(purpose, UNSAID.value)}
    }
