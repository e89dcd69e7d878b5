"""The sentence of consent: what stands, what may be said, what a saved page changes."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal import sentences
from portal.wording import BY_VALUE, CHOICES, PURPOSES
from registry.models import Statement
from tests.factories import NOON
from tribute.vocabulary import Decision, Purpose

PURPOSE = st.sampled_from(sorted(PURPOSES))
WORDS = st.dictionaries(PURPOSE, st.sampled_from(sorted(BY_VALUE)))


def statement(sequence: int, decision: Decision, *, after: timedelta = timedelta(0)) -> Statement:
    return Statement(
        purpose=Purpose.TRAIN_AI,
        decision=decision,
        paid=decision == Decision.ALLOW,
        sequence=sequence,
        effective_from=NOON + after,
    )


def test_the_last_word_in_force_stands() -> None:
    said = [statement(2, Decision.DENY), statement(1, Decision.ALLOW)]

    assert sentences.standing_words(said, at=NOON) == {"train-ai": "deny"}


def test_a_word_for_later_does_not_stand_yet() -> None:
    said = [statement(1, Decision.ALLOW), statement(2, Decision.DENY, after=timedelta(days=1))]

    assert sentences.standing_words(said, at=NOON) == {"train-ai": "paid"}
    assert sentences.standing_words(said, at=NOON + timedelta(days=2)) == {"train-ai": "deny"}


def test_silence_is_offered_only_where_nothing_was_said() -> None:
    first, *others = sentences.clauses({"train-ai": "deny"})

    assert first.choices == CHOICES
    assert {clause.choices[-1].value for clause in others} == {"unknown"}
    assert [clause.purpose for clause in (first, *others)] == list(PURPOSES)


@given(before=WORDS, answers=WORDS)
def test_saving_never_unsays_and_records_only_what_differs(
    before: dict[str, str], answers: dict[str, str]
) -> None:
    changed = sentences.changes(before, answers)

    assert all(choice.value != "unknown" for choice in changed.values())
    assert all(before.get(p) != choice.value for p, choice in changed.items())
    assert changed.keys() <= answers.keys()


def test_what_is_no_choice_changes_nothing() -> None:
    assert sentences.changes({}, {"train-ai": "everything", "nonsense": "allow"}) == {}
