from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribute import standards, verdict
from tribute.standards.statement import (
    HIDING_CODES,
    Parsed,
    Problem,
    Standard,
    Statement,
    at_location,
    cautious,
    combine,
    current,
    limited,
)
from tribute.vocabulary import Decision, Purpose

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SAID = st.sampled_from([Decision.ALLOW, Decision.DENY, Decision.LICENSE])


def said(
    decision: Decision,
    standard: Standard = Standard.AIPREF,
    *,
    layer: int = 0,
    terms: str | None = None,
) -> Statement:
    return Statement(
        Purpose.TRAIN_AI, decision, "a:1", standard, "v", "raw", terms_uri=terms, layer=layer
    )


STATEMENTS = st.lists(
    st.builds(
        lambda decision, standard, layer: said(decision, standard, layer=layer),
        SAID,
        st.sampled_from(Standard),
        st.integers(0, 2),
    ),
    max_size=6,
)


def test_the_most_restrictive_standard_wins() -> None:
    allowed, licensed = said(Decision.ALLOW), said(Decision.LICENSE, Standard.RSL)

    combined = combine([allowed, licensed])

    assert combined[Purpose.TRAIN_AI].decision == Decision.LICENSE
    assert combined[Purpose.TRAIN_AI].deciding == (licensed,)
    assert combined[Purpose.SEARCH].decision == Decision.UNKNOWN
    assert combined[Purpose.SEARCH].deciding == ()


def test_a_higher_layer_replaces_a_lower_one_of_its_own_standard_only() -> None:
    file, header = (
        said(Decision.DENY, Standard.TDMREP),
        said(Decision.ALLOW, Standard.TDMREP, layer=1),
    )
    robots = said(Decision.LICENSE, Standard.RSL)

    assert current([file, header, robots]) == (header, robots)
    assert combine([file, header])[Purpose.TRAIN_AI].decision == Decision.ALLOW


def test_what_is_unknown_is_not_stated() -> None:
    with pytest.raises(ValueError, match="unknown"):
        said(Decision.UNKNOWN)


def test_parsed_answers_add_up() -> None:
    problem = Problem("a", "code", "message")
    both = Parsed((said(Decision.DENY),)) + Parsed((said(Decision.ALLOW),), (problem,))

    assert both.decisions == {Purpose.TRAIN_AI: Decision.DENY}
    assert both.problems == (problem,)


def decide(*statements: Statement, proven: bool | dict[Standard, bool]) -> verdict.Verdict:
    found = at_location(statements, location="loc", claimant="ada.example", at=NOON, proven=proven)
    return verdict.decide(Purpose.TRAIN_AI, statements=found, asker=None, at=NOON)


def test_the_verdict_reads_a_proven_location_as_it_stands() -> None:
    answer = decide(said(Decision.LICENSE, terms="https://ada.example/terms"), proven=True)

    assert answer.rule == "location.license"
    (deciding,) = answer.deciding
    assert isinstance(deciding, verdict.Statement)
    assert deciding.terms == "https://ada.example/terms"


def test_an_unproven_location_may_only_refuse() -> None:
    assert decide(said(Decision.ALLOW), proven=False).rule == "none.unknown"
    assert decide(said(Decision.LICENSE), proven=False).rule == "location.deny"
    assert decide(said(Decision.DENY), proven=False).rule == "location.deny"
    assert decide(said(Decision.ALLOW), proven={Standard.RSL: True}).rule == "none.unknown"


@given(STATEMENTS)
def test_the_verdict_agrees_with_combining(statements: list[Statement]) -> None:
    combined = combine(statements)[Purpose.TRAIN_AI]

    assert decide(*statements, proven=True).decision == combined.decision


@given(STATEMENTS, SAID)
def test_another_standard_never_loosens_an_answer(
    statements: list[Statement], decision: Decision
) -> None:
    kept = [s for s in statements if s.standard != Standard.TDM_AI]
    order = [Decision.UNKNOWN, Decision.ALLOW, Decision.LICENSE, Decision.DENY]

    before = combine(kept)[Purpose.TRAIN_AI].decision
    after = combine([*kept, said(decision, Standard.TDM_AI)])[Purpose.TRAIN_AI].decision

    assert order.index(after) >= order.index(before)


def test_nothing_is_permitted_while_something_could_not_be_read() -> None:
    allowed, denied = said(Decision.ALLOW), said(Decision.DENY, Standard.RSL)
    unread = Problem("rsl.xml", "rsl_unreadable", "not well formed")
    harmless = Problem("rsl.xml", "rsl_unknown_use", "no use of RSL")

    def decision(parsed: Parsed) -> Decision:
        return cautious(parsed)[Purpose.TRAIN_AI].decision

    assert decision(Parsed((allowed,), (harmless,))) == Decision.ALLOW
    assert decision(Parsed((allowed,), (unread,))) == Decision.UNKNOWN
    assert decision(Parsed((allowed, denied), (unread,))) == Decision.DENY


def test_every_problem_that_hides_something_has_a_parser_that_reports_it() -> None:
    sources = "".join(
        path.read_text()
        for folder in (Path(standards.__file__).parent, Path(verdict.__file__).parent)
        for path in folder.glob("*.py")
        if path.name != "statement.py"
    )

    assert {code for code in HIDING_CODES if f'"{code}"' not in sources} == set()


def test_problems_are_limited_but_none_that_hides_something_is_lost() -> None:
    harmless = [Problem(f"a:{n}", "rsl_unknown_use", "") for n in range(100)]
    hiding = Problem("a", "robots_truncated", "")

    kept = limited([*harmless, hiding], "a")

    assert kept[0] == hiding
    assert (len(kept), kept[-1].message) == (52, "50 more of the kind")
    assert limited(harmless[:3], "a") == tuple(harmless[:3])
