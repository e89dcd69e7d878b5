from typing import Any

import pytest

from tribute.filtering import Filtered, keep_allowed
from tribute.transport import Answer, Answered
from tribute.vocabulary import Decision, Purpose


def answer(train: str, search: str = "allow") -> Answer:
    return Answer(
        "0",
        {
            purpose: Answered(Decision(decision), "work." + decision, (), None, "")
            for purpose, decision in ((Purpose.TRAIN_AI, train), (Purpose.SEARCH, search))
        },
    )


ITEMS = ["allowed", "denied", "licensed", "half denied", "half unknown", "unknown"]
ANSWERS = [
    answer("allow"),
    answer("deny"),
    answer("license"),
    answer("unknown", "deny"),
    answer("unknown"),
    answer("unknown", "unknown"),
]


def test_only_complete_permission_keeps_an_item() -> None:
    assert keep_allowed(ITEMS, ANSWERS) == Filtered(
        kept=("allowed",),
        dropped=("denied", "licensed", "half denied", "half unknown", "unknown"),
        flagged=(),
    )


def test_unknown_items_are_kept_or_flagged_on_request() -> None:
    assert keep_allowed(ITEMS, ANSWERS, unknown="keep") == Filtered(
        kept=("allowed", "half unknown", "unknown"),
        dropped=("denied", "licensed", "half denied"),
        flagged=(),
    )
    assert keep_allowed(ITEMS, ANSWERS, unknown="flag") == Filtered(
        kept=("allowed",),
        dropped=("denied", "licensed", "half denied"),
        flagged=("half unknown", "unknown"),
    )


def test_an_answer_without_decisions_is_unknown() -> None:
    empty = Answer("0", {})

    assert not empty.allowed
    assert keep_allowed(["item"], [empty]).dropped == ("item",)


def test_items_and_answers_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="1 answers to 2 items"):
        keep_allowed(["a", "b"], [answer("allow")])


def test_the_choice_for_unknown_is_one_of_three() -> None:
    word: Any = "allow"
    with pytest.raises(ValueError, match="deny, keep, flag"):
        keep_allowed(["a"], [answer("allow")], unknown=word)
