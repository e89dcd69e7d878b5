"""A check's answers, counted and read a line at a time."""

import pytest

from registry import checks
from registry.check_reports import CheckReport
from registry.checks import CheckItem
from tests.factories import NOON, allow, deny, make_creator, make_operator, make_work
from tribute.vocabulary import Decision, Purpose

pytestmark = pytest.mark.django_db


@pytest.fixture
def report() -> CheckReport:
    ada = make_creator("ada")
    allow(make_work(ada, url="https://ada.example/yes"))
    deny(make_work(ada, url="https://ada.example/no"), purpose=Purpose.AI_INPUT)
    items = [
        CheckItem(url="https://ada.example/yes"),
        CheckItem(url="https://ada.example/no", id="mine"),
        CheckItem(url="no address"),
        CheckItem(url="https://ada.example/yes"),
        CheckItem(url="https://elsewhere.example/", id="mine"),
    ]
    purposes = [Purpose.TRAIN_AI, Purpose.AI_INPUT]
    made = checks.check(make_operator("acme"), items, purposes, at=NOON)
    return CheckReport(made.answered, made.purposes)


def test_each_purpose_is_counted_by_itself(report: CheckReport) -> None:
    nothing = dict.fromkeys(Decision, 0)
    assert report.counts == {
        Purpose.TRAIN_AI: nothing | {Decision.ALLOW: 2, Decision.UNKNOWN: 3},
        Purpose.AI_INPUT: nothing | {Decision.DENY: 1, Decision.UNKNOWN: 4},
    }


def test_what_was_malformed_or_repeated_was_not_understood(report: CheckReport) -> None:
    assert report.not_understood == 2
    assert [bool(line.problem) for line in report.lines(range(5))] == [
        *(False, False, True, False, True)
    ]


def test_lines_are_found_by_their_decision(report: CheckReport) -> None:
    allowed = report.positions(Purpose.TRAIN_AI, Decision.ALLOW)
    assert [line.position for line in report.lines(allowed)] == [0, 3]
    [denied] = report.lines(report.positions(Purpose.AI_INPUT, Decision.DENY))
    assert denied.item == {"url": "https://ada.example/no", "id": "mine"}
    assert denied.decisions["ai-input"]["rule"] == "work.deny"
    assert list(report.positions(Purpose.SEARCH, Decision.UNKNOWN)) == []
