"""What Spawning's generator writes, stray slash included."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute.standards.ai_txt import parse, statements_for, write
from tribute.standards.policy import Policy
from tribute.vocabulary import Decision, Purpose

TRAINING = [Purpose.TRAIN_AI, Purpose.TRAIN_OTHER]
GENERATED = b"""\
# Spawning AI
# Prevent datasets from using the following file types

User-Agent: */
Disallow: *.jpg
Disallow: *.PNG
Allow: *.txt
Allow: /
"""
CLOSED = b"User-agent: *\nAllow: *.txt\nDisallow: *\nDisallow: /\n"
WISHES = st.dictionaries(st.sampled_from(Purpose), st.sampled_from(Decision))


@pytest.mark.parametrize(
    ("data", "path", "decision"),
    [
        (GENERATED, "/a/cat.jpg", Decision.DENY),
        (GENERATED, "/a/CAT.JPG?size=2", Decision.DENY),
        (GENERATED, "/a/cat.png", Decision.DENY),
        (GENERATED, "/a/cat.txt", Decision.ALLOW),
        (GENERATED, "/a/cat.webp", Decision.ALLOW),
        (CLOSED, "/a/cat.txt", Decision.ALLOW),
        (CLOSED, "/a/cat.txt.jpg", Decision.DENY),
        (CLOSED, "/a/", Decision.DENY),
        (b"Allow: /a\nDisallow: /a", "/a", Decision.DENY),
    ],
)
def test_the_longest_rule_wins_and_a_refusal_between_equals(
    data: bytes, path: str, decision: Decision
) -> None:
    parsed = statements_for(parse(data), f"https://ada.example{path}")

    assert {parsed.decisions[purpose] for purpose in TRAINING} == {decision}


def test_a_statement_keeps_its_line() -> None:
    statement, *_ = statements_for(parse(GENERATED), "/cat.jpg").statements

    assert (statement.source, statement.raw, statement.scope) == (
        "ai.txt:5",
        "Disallow: *.jpg",
        "*.jpg",
    )


def test_no_rule_says_nothing() -> None:
    assert statements_for(parse(b"User-agent: *\nDisallow:"), "/a").statements == ()
    assert statements_for(parse(GENERATED), "nonsense").statements == ()
    assert [p.code for p in parse(b"<html>").problems] == ["ai_txt_unreadable_line"]


def test_a_truncated_file_permits_nothing() -> None:
    parsed = statements_for(parse(b"Allow: /\n" + b"#" * 600_000), "/a")

    assert parsed.statements == ()
    assert [p.code for p in parsed.problems] == ["ai_txt_truncated"]


@given(WISHES, st.sampled_from(["/", "/a/"]))
def test_what_is_written_is_never_looser(wishes: dict[Purpose, Decision], path: str) -> None:
    policy = Policy(wishes, path=path)
    result = write(policy)

    stated = statements_for(parse(result.text.encode()), path + "x.jpg").decisions
    differing = {d.purpose: (d.wanted, d.stated) for d in result.differences}
    for purpose in Purpose:
        wish, said = policy.wish(purpose), stated.get(purpose, Decision.UNKNOWN)
        assert differing.get(purpose, (wish, wish)) == (wish, said)
        assert said != Decision.ALLOW or wish == Decision.ALLOW
        if purpose in TRAINING and wish == Decision.DENY:
            assert said == Decision.DENY


@given(st.binary(max_size=200), st.text(max_size=20))
def test_any_file_is_read_without_raising(data: bytes, url: str) -> None:
    stated = statements_for(parse(data), url).decisions

    assert Decision.ALLOW not in stated.values() or b"llow" in data.lower()
