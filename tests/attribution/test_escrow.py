"""What a claim held is handed over once it is known whose it is, and not before."""

from datetime import timedelta

import pytest

from attribution import escrow
from attribution.indexing import index_works
from attribution.models import GenerativeModel
from ledger import invariants
from registry import appeals, claims, disputes
from registry.models import ClaimConflict, Creator
from tests.attribution.test_settlement import settle
from tests.attribution.world import (
    CHARIOT,
    GENERATED,
    INGESTED,
    TWELVE_OF_CHARIOT,
    ask,
)
from tests.factories import DAY, make_creator, make_user, make_work
from tests.journal import Journal

HOLDING = timedelta(days=30)
Outcome = ClaimConflict.Outcome
FINAL = GENERATED + DAY + appeals.APPEAL_WITHIN


@pytest.fixture
def held(writer: GenerativeModel) -> ClaimConflict:
    """Ada's poem earned 0.009 EUR while Mallory stood by a claim on it."""
    mallory = make_creator("mallory", at=INGESTED + DAY)
    make_work(mallory, text=CHARIOT, at=INGESTED + DAY)
    conflict = ClaimConflict.objects.get()
    claims.stand_by(conflict, mallory, at=GENERATED)
    index_works(limit=10, at=GENERATED)
    ask(writer, TWELVE_OF_CHARIOT)
    settle()
    return conflict


def release(at: object) -> int:
    return escrow.release(at=at, holding=HOLDING, limit=10)  # type: ignore[arg-type]


def test_a_lapsed_claim_gives_everything_back(held: ClaimConflict, journal: Journal) -> None:
    journal()
    end = GENERATED + claims.HOLDS_FOR
    assert release(end - DAY) == 0

    assert (release(end), release(end)) == (1, 0)

    assert (
        journal()
        == """
        creator:ada:disputed    -0.009000 EUR
        creator:ada:available    0.009000 EUR
    """
    )
    assert invariants.findings() == []


@pytest.mark.parametrize(
    ("outcome", "winner"), [(Outcome.OTHER_UPHELD, "ada"), (Outcome.WORK_UPHELD, "mallory")]
)
def test_a_decision_hands_over_once_it_can_change_no_more(
    held: ClaimConflict, journal: Journal, outcome: Outcome, winner: str
) -> None:
    disputes.decide(held, by=make_user(is_staff=True), outcome=outcome, at=GENERATED + DAY)
    journal()
    assert release(FINAL - DAY) == 0

    assert release(FINAL) == 1

    assert f"creator:{winner}:available" in journal()
    assert invariants.findings() == []


def test_an_appeal_keeps_it_until_it_is_answered(held: ClaimConflict, journal: Journal) -> None:
    judge, second = make_user(is_staff=True), make_user(is_staff=True)
    disputes.decide(held, by=judge, outcome=Outcome.WORK_UPHELD, at=GENERATED + DAY)
    ada = Creator.objects.get(handle="ada")
    ground = held.events.model.Ground.NEW_EVIDENCE
    appeals.appeal(held, ada, ground=ground, at=GENERATED + 2 * DAY)
    journal()
    assert release(FINAL + DAY) == 0

    appeals.review(held, by=second, outcome=Outcome.OTHER_UPHELD, at=FINAL + DAY)

    assert release(FINAL + DAY) == 1
    assert "creator:ada:available" in journal()
