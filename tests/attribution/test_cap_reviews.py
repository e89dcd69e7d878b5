"""What passed a cap waits until a person decides, once, where it goes."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, transaction

from attribution import cap_reviews
from attribution.errors import EarningsClaimed, NothingHeld, OwnMatter
from attribution.models import CapReview, GenerativeModel
from attribution.worker import settle_due
from ledger.errors import MakerIsChecker
from ledger.money import Money
from registry import appeals, claims, disputes
from registry.models import ClaimConflict, Creator, Operator, User, Work
from tests.attribution.world import (
    CHARIOT,
    GENERATED,
    INGESTED,
    TWELVE_OF_CHARIOT,
    ask,
    fund,
    make_model,
)
from tests.factories import DAY, allow, api_client, make_creator, make_user, make_work
from tests.journal import Journal

MONTH = timedelta(days=30)
RELEASED, REDIRECTED = CapReview.Decision.RELEASED, CapReview.Decision.REDIRECTED
pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def pia(db: None) -> User:
    return make_user("pia@example.org", is_payout_admin=True)


@pytest.fixture
def ours(ada: Creator, ben: Creator) -> Work:
    work = make_work(ada, title="Ours", text=CHARIOT, shares={ada.pk: 700_000, ben.pk: 300_000})
    allow(work)
    return work


@pytest.fixture
def capped(acme: Operator, ours: Work) -> GenerativeModel:
    """A model that lets a work earn 10,000 micros a day: one of its queries."""
    fund(acme)
    return make_model(acme, [ours], work_cap_micros=10_000)


def decide(
    work: Work,
    decision: CapReview.Decision,
    admin: User,
    *,
    reason: str = "fine",
    at: datetime = GENERATED,
) -> list[Money]:
    """One admin proposes it, another confirms."""
    proposal = cap_reviews.propose(work, admin, decision, reason=reason, at=at)
    other = make_user(is_payout_admin=True)
    return cap_reviews.carry_out(proposal, other, factor="totp", holding=MONTH, at=at)


def settled(model: GenerativeModel, times: int = 1) -> None:
    for _ in range(times):
        ask(model, TWELVE_OF_CHARIOT)
    settle_due(at=GENERATED, limit=10)


def test_what_waits_is_listed_with_its_evidence(capped: GenerativeModel, ours: Work) -> None:
    settled(capped, times=3)

    (found,) = cap_reviews.held()
    (day,) = cap_reviews.evidence(ours)

    assert (found.work, found.amount, found.queries) == (ours, Money(18_000, "EUR"), 2)
    assert (day.operator, day.model, day.cap) == ("Acme", "Writer 1", Money(10_000, "EUR"))
    assert (day.held, day.queries) == (Money(18_000, "EUR"), 2)


def test_released_money_goes_to_who_earned_it(
    capped: GenerativeModel, ours: Work, pia: User, journal: Journal
) -> None:
    settled(capped, times=2)
    journal()

    moved = decide(ours, RELEASED, pia, reason="a school day")

    assert moved == [Money(9_000, "EUR")]
    assert (
        journal()
        == """
        platform:unclaimed   -0.009000 EUR
        creator:ada:pending   0.006300 EUR
        creator:ben:pending   0.002700 EUR
    """
    )
    review = CapReview.objects.get()
    assert (review.decision, review.amount_micros, review.reason) == (
        "released",
        9_000,
        "a school day",
    )
    assert cap_reviews.held() == []


def test_redirected_money_goes_to_the_pool(
    capped: GenerativeModel, ours: Work, pia: User, journal: Journal
) -> None:
    settled(capped, times=2)
    journal()

    decide(ours, REDIRECTED, pia, reason="a robot")

    assert (
        journal()
        == """
        platform:unclaimed  -0.009000 EUR
        platform:pool        0.009000 EUR
    """
    )
    assert CapReview.objects.get().decision == "redirected"


def test_it_is_decided_once_and_later_money_waits_anew(
    capped: GenerativeModel, ours: Work, pia: User
) -> None:
    with pytest.raises(NothingHeld):
        decide(ours, REDIRECTED, pia)
    settled(capped, times=2)
    decide(ours, RELEASED, pia)
    with pytest.raises(NothingHeld):
        decide(ours, RELEASED, pia)

    settled(capped)

    assert [each.amount.micros for each in cap_reviews.held()] == [9_000]


def test_the_database_keeps_decisions(capped: GenerativeModel, ours: Work, pia: User) -> None:
    settled(capped, times=2)
    decide(ours, RELEASED, pia)

    for deed in (CapReview.objects.all().delete, lambda: CapReview.objects.update(reason="x")):
        with pytest.raises(DatabaseError), transaction.atomic():
            deed()


def test_admins_decide_over_http_and_nobody_else(
    capped: GenerativeModel, ours: Work, pia: User, ada: Creator
) -> None:
    settled(capped, times=2)
    admin, path = api_client(pia), f"/v1/held-by-cap/{ours.pk}"
    for client in (api_client(make_user("mallory@example.org")), api_client(ada)):
        assert client.get("/v1/held-by-cap").status_code == 403
        assert client.get(path).status_code == 403
        for deed in ("release", "redirect"):
            assert client.post(f"{path}:{deed}", {"reason": "x"}, format="json").status_code == 403

    (held,) = admin.get("/v1/held-by-cap").json()["items"]
    assert held["amount"] == {"amount_micros": 9_000, "currency": "EUR"}
    assert admin.get(path).json()["days"][0]["queries"] == 1
    assert admin.post(f"{path}:release", {}, format="json").status_code == 400
    tried = admin.post(f"{path}:redirect", {"reason": "?", "dry_run": True}, format="json").json()
    assert (tried["id"], tried["lines"]["totals"]) == (None, {"EUR": 9_000})
    proposed = admin.post(f"{path}:redirect", {"reason": "a robot"}, format="json")
    assert (proposed.status_code, proposed.json()["digest"]) == (201, tried["digest"])
    again = admin.post(f"{path}:release", {"reason": "x"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "proposal_open")
    assert cap_reviews.held(), "nothing moved: a second person confirms on the page"


def claimed(*, at: datetime = GENERATED) -> tuple[Creator, ClaimConflict]:
    """Mallory registers a copy later, proves who she is and stands by her claim."""
    mallory = make_creator("mallory", at=INGESTED + DAY)
    make_work(mallory, text=CHARIOT, at=INGESTED + DAY)
    conflict = ClaimConflict.objects.get()
    claims.stand_by(conflict, mallory, at=at)
    return mallory, conflict


def test_what_a_claim_holds_is_no_cap_s_to_release(
    capped: GenerativeModel, ours: Work, pia: User, journal: Journal
) -> None:
    claimed()
    journal()

    settled(capped, times=2)

    assert "unclaimed" not in journal()
    with pytest.raises(NothingHeld):
        decide(ours, RELEASED, pia)


def test_money_held_by_a_cap_waits_for_a_later_claim(
    capped: GenerativeModel, ours: Work, pia: User, journal: Journal
) -> None:
    settled(capped, times=2)
    _, conflict = claimed()
    journal()

    with pytest.raises(EarningsClaimed):
        decide(ours, RELEASED, pia)

    judge = make_user(is_staff=True)
    upheld = ClaimConflict.Outcome.WORK_UPHELD
    disputes.decide(conflict, by=judge, outcome=upheld, at=GENERATED + DAY)
    with pytest.raises(EarningsClaimed):
        decide(ours, RELEASED, pia, at=GENERATED + DAY)
    assert journal() == ""

    final = GENERATED + DAY + appeals.APPEAL_WITHIN
    decide(ours, RELEASED, pia, at=final)

    assert "creator:mallory" in journal()


def test_nobody_decides_about_own_earnings(
    capped: GenerativeModel, ours: Work, ben: Creator, pia: User
) -> None:
    settled(capped, times=2)
    ben.members.add(pia)

    with pytest.raises(OwnMatter):
        decide(ours, RELEASED, pia)
    with pytest.raises(OwnMatter):
        decide(ours, REDIRECTED, pia)


def test_who_proposed_does_not_confirm_and_later_money_is_not_part_of_it(
    capped: GenerativeModel, ours: Work, pia: User, journal: Journal
) -> None:
    settled(capped, times=2)
    proposal = cap_reviews.propose(ours, pia, RELEASED, reason="fine", at=GENERATED)
    settled(capped)
    with pytest.raises(MakerIsChecker):
        cap_reviews.carry_out(proposal, pia, factor="totp", holding=MONTH, at=GENERATED)
    other = make_user(is_payout_admin=True)
    moved = cap_reviews.carry_out(proposal, other, factor="totp", holding=MONTH, at=GENERATED)
    assert moved == [Money(9_000, "EUR")]
    assert [each.amount.micros for each in cap_reviews.held()] == [9_000]
