"""The examples of draft-ietf-aipref-vocab (01, 02 and 07), sections 6 and 6.5."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards import aipref
from tribute.standards.statement import Standard, Statement
from tribute.vocabulary import Decision, Purpose

WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))


def read(preference: str) -> dict[Purpose, Decision]:
    return aipref.parse(preference.encode(), source="example").decisions


def test_the_drafts_example_is_read() -> None:
    parsed = aipref.parse(b"train-ai=y, search=n", source="header:content-usage", scope="/a/")

    assert parsed.statements == (
        Statement(
            Purpose.TRAIN_AI,
            Decision.ALLOW,
            "header:content-usage",
            Standard.AIPREF,
            "draft-ietf-aipref-vocab-07",
            "train-ai=y, search=n",
            "/a/",
        ),
        Statement(
            Purpose.SEARCH,
            Decision.DENY,
            "header:content-usage",
            Standard.AIPREF,
            "draft-ietf-aipref-vocab-07",
            "train-ai=y, search=n",
            "/a/",
        ),
    )
    assert parsed.problems == ()


@pytest.mark.parametrize(
    ("preference", "expected"),
    [
        # vocab-07, section 6.5.1: the last duplicate counts, and is no token
        ('train-ai=y, train-ai, search=n, search="n"', {}),
        # section 6.5.2: parameters are no preferences
        ("train-ai;allow=n, train-ai=y", {"train-ai": "allow"}),
        ('train-ai;has;parameters="?"', {}),
        # section 6.5: the whole field is refused for one upper-case key
        ("Train-AI=y, search=y", {}),
        ("train-ai=Y", {}),
        ("train-ai=yes", {}),
        ("unheard-of=n, train-ai=n", {"train-ai": "deny"}),
    ],
)
def test_preferences_follow_the_processing_rules(preference: str, expected: dict[str, str]) -> None:
    assert read(preference) == expected


@pytest.mark.parametrize(
    ("preference", "vocabulary", "expected"),
    [
        (
            "ai=y, genai=n",  # vocab-01, section 6
            "draft-ietf-aipref-vocab-01",
            {"train-other": "allow", "train-ai": "deny"},
        ),
        (
            "tdm=n, search=y",
            "draft-ietf-aipref-vocab-01",
            {
                "train-ai": "deny",
                "train-other": "deny",
                "ai-input": "deny",
                "search": "allow",
                "data-mining": "deny",
            },
        ),
        (
            "all=y, train-ai=n",
            "draft-ietf-aipref-vocab-02",
            {
                "train-ai": "deny",
                "train-other": "deny",
                "ai-input": "allow",
                "search": "allow",
                "data-mining": "allow",
            },
        ),
        (
            "train-genai=n",
            "draft-ietf-aipref-vocab-03",
            {"train-ai": "deny"},
        ),
        (
            "ai-output=n, train-ai=y",
            "draft-ietf-aipref-vocab-04",
            {"train-ai": "allow", "ai-input": "deny", "search": "deny"},
        ),
    ],
)
def test_older_words_are_read_in_their_own_draft(
    preference: str, vocabulary: str, expected: dict[str, str]
) -> None:
    parsed = aipref.parse(preference.encode(), source="example")

    assert parsed.decisions == expected
    assert {s.vocabulary for s in parsed.statements} == {vocabulary}


def test_mixing_drafts_loses_no_refusal() -> None:
    assert read("ai=y, genai=y, train-ai=n")[Purpose.TRAIN_AI] == "deny"
    assert read("ai-output=y, all=n")[Purpose.TRAIN_AI] == "deny"


def test_an_unreadable_inner_word_inherits_only_refusals() -> None:
    assert "train-ai" not in read("all=y, train-genai=?1")
    assert read("all=n, train-genai=?1")[Purpose.TRAIN_AI] == "deny"


def test_header_lines_form_one_dictionary() -> None:
    assert aipref.parse_header(["train-ai=y", "search=n"]).decisions == {
        "train-ai": "allow",
        "search": "deny",
    }
    assert aipref.parse_header(["train-ai=y", "search n"]).decisions == {}
    assert aipref.parse_header([]).problems == ()


def test_what_cannot_be_parsed_is_a_problem_and_no_permission() -> None:
    parsed = aipref.parse(b"train-ai=y;", source="robots.txt:3")

    assert parsed.statements == ()
    assert [(p.source, p.code) for p in parsed.problems] == [("robots.txt:3", "aipref_unparsable")]


@given(WISHES)
def test_what_is_written_reads_back_and_never_looser(wanted: dict[Purpose, Decision]) -> None:
    stated = aipref.parse(aipref.write(wanted).encode(), source="x").decisions

    for purpose in (Purpose.TRAIN_AI, Purpose.SEARCH):
        wish = wanted.get(purpose, Decision.UNKNOWN)
        expected = Decision.DENY if wish == Decision.LICENSE else wish
        assert stated.get(purpose, "unknown") == expected
    assert set(stated) <= {"train-ai", "search"}


@given(st.binary(max_size=300))
def test_any_octets_are_read_without_raising(preference: bytes) -> None:
    stated = aipref.parse(preference, source="x").decisions

    assert Decision.ALLOW not in stated.values() or b"=y" in preference
