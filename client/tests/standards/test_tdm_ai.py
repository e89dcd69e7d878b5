"""The five examples of the TDM·AI documentation (JSON format for usage declarations)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.tdm_ai import parse
from tribute.vocabulary import Decision, Purpose

ALLOW, DENY = Decision.ALLOW, Decision.DENY
TRAIN_AI, TRAIN_OTHER, AI_INPUT, SEARCH, MINING = Purpose


def declared(**words: Any) -> bytes:
    spelled = {name.replace("_", "-"): value for name, value in words.items()}
    return json.dumps({"iscc": "ISCC:EXAMPLE5QH7FTV7N5YVD5UMF4TUKFFGDGCOI4U"} | spelled).encode()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (declared(all="false"), dict.fromkeys(Purpose, DENY)),
        (
            declared(all="true", train_ai="false"),
            {TRAIN_AI: DENY, TRAIN_OTHER: DENY, MINING: ALLOW},
        ),
        (
            declared(all="true", train_genai="false"),
            {TRAIN_AI: DENY, TRAIN_OTHER: ALLOW, MINING: ALLOW},
        ),
        (
            declared(all="false", ai_use="false", search="false"),
            dict.fromkeys(Purpose, DENY),
        ),
        (
            declared(all="true", train_genai="false", ai_use="true", search="true"),
            {TRAIN_AI: DENY, TRAIN_OTHER: ALLOW, AI_INPUT: ALLOW, SEARCH: ALLOW, MINING: ALLOW},
        ),
        # The introductory example
        (
            declared(all="false", ai_use="true", search="true"),
            {TRAIN_AI: DENY, TRAIN_OTHER: DENY, AI_INPUT: ALLOW, SEARCH: ALLOW, MINING: DENY},
        ),
    ],
)
def test_the_documentations_examples(data: bytes, expected: dict[Purpose, Decision]) -> None:
    assert parse(data, proven=True).decisions == expected


def test_an_unproven_declaration_can_only_refuse() -> None:
    parsed = parse(declared(all="true", train_genai="false"))

    assert parsed.decisions == {TRAIN_AI: DENY}
    assert [p.code for p in parsed.problems] == ["tdm_ai_unproven"]


def test_a_statement_keeps_its_word_and_work() -> None:
    statement, *_ = parse(declared(train_genai="false", policy="CDSM Art. 4")).statements

    assert statement.raw == "train-genai: false"
    assert statement.scope.startswith("ISCC:")
    assert statement.params == (("policy", "CDSM Art. 4"),)


@pytest.mark.parametrize("value", [True, 1, "True", "yes", None, [], {}])
def test_another_value_permits_nothing(value: Any) -> None:
    parsed = parse(declared(all="true", train_genai=value), proven=True)

    assert TRAIN_AI not in parsed.decisions
    assert [p.code for p in parsed.problems] == ["tdm_ai_bad_value"]
    assert parse(declared(all="false", train_genai=value)).decisions[TRAIN_AI] == DENY


def test_jsons_own_false_is_a_refusal() -> None:
    assert parse(declared(train_genai=False)).decisions == {TRAIN_AI: DENY}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "tdm_ai_unreadable"),
        (b"[" * 100_000, "tdm_ai_unreadable"),
        (b'{"all": "true"}', "tdm_ai_no_iscc"),
        (b'{"iscc": 7, "all": "true"}', "tdm_ai_no_iscc"),
    ],
)
def test_no_declaration_says_nothing(data: bytes, code: str) -> None:
    parsed = parse(data)

    assert parsed.statements == ()
    assert [p.code for p in parsed.problems] == [code]


VALUES = st.sampled_from(["true", "false", True, False, "x", None, 0])
WORDS = st.sampled_from(["all", "train-ai", "train-genai", "ai-use", "search", "policy", "intent"])


@given(st.dictionaries(WORDS, VALUES), st.binary(max_size=50))
def test_any_declaration_is_read_without_raising(words: dict[str, Any], data: bytes) -> None:
    stated = parse(declared(**words), proven=True).decisions

    assert Decision.ALLOW not in stated.values() or "true" in words.values()
    assert parse(data).statements == ()
