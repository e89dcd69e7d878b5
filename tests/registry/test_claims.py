"""What a later claim holds: Mallory registers near-copies, and should gain little by it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from registry import claims, collections, creators, disputes
from registry.errors import ClaimNotProven, ConflictClosed, MayNotDecide, NotAParty, TooManyClaims
from registry.fetching import Fetched
from registry.models import ClaimConflict, Creator, DisputeEvent, Work
from tests.factories import DAY, NOON, make_creator, make_user, make_work
from tribute.vocabulary import IdentifierKind

pytestmark = pytest.mark.django_db

LATER = NOON + 10 * DAY
Outcome = ClaimConflict.Outcome


def rivals(
    *, first_verified: bool = True, later_verified: bool = True
) -> tuple[ClaimConflict, Creator, Creator]:
    """Ada registered an address, Mallory the same a day later; anybody could."""
    ada, mallory = (
        make_creator("ada", verified=first_verified),
        make_creator("mallory", verified=later_verified),
    )
    make_work(ada, url="https://pages.example/1")
    make_work(mallory, url="https://pages.example/1", at=NOON + DAY)
    return ClaimConflict.objects.get(), ada, mallory


def prove(creator: Creator, host: str, *, at: datetime = NOON) -> None:
    place = collections.claim(creator, kind=IdentifierKind.HOST, value=host, at=at)
    wanted = collections.challenge(place)
    body = wanted.body.encode()
    collections.verify(place, fetch=lambda url: Fetched(url, 200, {}, body, "192.0.2.1"), at=at)


def held(conflict: ClaimConflict, at: datetime = LATER) -> set[str]:
    sides = {conflict.work_id: "later", conflict.other_id: "earlier"}
    return {sides[work] for work in claims.held(sides, at=at)}


def test_a_near_copy_alone_holds_only_its_own_earnings() -> None:
    conflict, _, _ = rivals()
    assert held(conflict) == {"later"}


def test_a_proven_claimant_who_stands_by_the_claim_holds_both_for_a_while() -> None:
    conflict, _, mallory = rivals()

    claims.stand_by(conflict, mallory, at=NOON + 2 * DAY)
    claims.stand_by(conflict, mallory, at=NOON + 20 * DAY)

    assert held(conflict) == {"later", "earlier"}
    end = NOON + 2 * DAY + claims.HOLDS_FOR
    assert held(conflict, end - timedelta(seconds=1)) == {"later", "earlier"}
    assert held(conflict, end) == {"later"}
    claimed = DisputeEvent.objects.get(kind="claimed")
    assert (claimed.creator, claimed.work_id, claimed.recorded_at) == (
        mallory,
        conflict.work_id,
        NOON + 2 * DAY,
    )


def test_an_unproven_claimant_cannot_stand_by_a_claim() -> None:
    conflict, _, mallory = rivals(later_verified=False)
    with pytest.raises(ClaimNotProven):
        claims.stand_by(conflict, mallory, at=LATER)
    assert held(conflict) == {"later"}


def test_control_of_the_place_is_proof_as_identity_is() -> None:
    conflict, _, mallory = rivals(later_verified=False)
    prove(mallory, "elsewhere.example")
    with pytest.raises(ClaimNotProven):
        claims.stand_by(conflict, mallory, at=LATER)

    prove(mallory, "pages.example")

    claims.stand_by(conflict, mallory, at=LATER)
    assert held(conflict) == {"later", "earlier"}


def test_where_only_the_later_side_is_proven_the_earlier_earns_nothing_meanwhile() -> None:
    """Whoever copies first and registers first does not live off it while the author proves."""
    conflict, ada, mallory = rivals(first_verified=False, later_verified=False)
    assert held(conflict) == {"later"}

    creators.verify_identity(mallory, at=NOON + 3 * DAY)
    assert held(conflict, NOON + 2 * DAY) == {"later"}
    assert held(conflict) == {"later", "earlier"}

    creators.verify_identity(ada, at=NOON + 4 * DAY)
    assert held(conflict) == {"later"}


def test_staff_who_find_a_claim_plausible_hold_both_until_it_is_decided() -> None:
    conflict, _, _ = rivals(later_verified=False)
    judge = make_user(is_staff=True)

    claims.admit(conflict, by=judge, at=NOON + 2 * DAY)
    claims.admit(conflict, by=judge, at=NOON + 3 * DAY)

    assert held(conflict, NOON + 900 * DAY) == {"later", "earlier"}
    assert DisputeEvent.objects.get(kind="admitted").decided_by == judge
    disputes.decide(conflict, by=judge, outcome=Outcome.OTHER_UPHELD, at=LATER)
    assert held(conflict) == set()


@pytest.mark.parametrize("fields", [{}, {"is_payout_admin": True}, {"is_staff": True}])
def test_nobody_but_uninvolved_staff_admits(fields: dict[str, Any]) -> None:
    conflict, _, mallory = rivals()
    person = make_user(**fields)
    if person.is_staff:
        mallory.members.add(person)
    with pytest.raises(MayNotDecide):
        claims.admit(conflict, by=person, at=LATER)
    assert held(conflict) == {"later"}


def test_only_the_later_side_stands_by_a_claim() -> None:
    conflict, ada, _ = rivals()
    for stranger in (ada, make_creator("eve")):
        with pytest.raises(NotAParty):
            claims.stand_by(conflict, stranger, at=LATER)


def test_a_decided_claim_is_neither_stood_by_nor_admitted() -> None:
    conflict, _, mallory = rivals()
    judge = make_user(is_staff=True)
    disputes.decide(conflict, by=judge, outcome=Outcome.DISTINCT, at=NOON + 2 * DAY)
    with pytest.raises(ConflictClosed):
        claims.stand_by(conflict, mallory, at=LATER)
    with pytest.raises(ConflictClosed):
        claims.admit(conflict, by=judge, at=LATER)


def copies(count: int) -> tuple[Creator, list[ClaimConflict]]:
    ada, mallory = make_creator("ada"), make_creator("mallory")
    works: list[Work] = []
    for number in range(count):
        url = f"https://ada.example/{number}"
        make_work(ada, url=url)
        works.append(make_work(mallory, url=url, at=NOON + DAY))
    return mallory, [ClaimConflict.objects.get(work=work) for work in works]


def test_a_claimant_has_few_claims_open_at_a_time() -> None:
    mallory, conflicts = copies(claims.MOST_OPEN + 1)
    *first, last = conflicts
    for conflict in first:
        claims.stand_by(conflict, mallory, at=LATER)

    with pytest.raises(TooManyClaims):
        claims.stand_by(last, mallory, at=LATER)
    # What a person found plausible counts no longer.
    claims.admit(first[0], by=make_user(is_staff=True), at=LATER)
    claims.stand_by(last, mallory, at=LATER)


def test_who_lost_often_holds_nothing_until_a_year_has_passed() -> None:
    mallory, conflicts = copies(claims.MOST_LOST + 1)
    *lost, last = conflicts
    judge = make_user(is_staff=True)
    for conflict in lost:
        claims.stand_by(conflict, mallory, at=LATER)
        disputes.decide(conflict, by=judge, outcome=Outcome.OTHER_UPHELD, at=LATER)

    with pytest.raises(TooManyClaims):
        claims.stand_by(last, mallory, at=LATER + 364 * DAY)
    claims.stand_by(last, mallory, at=LATER + 365 * DAY)


def test_many_works_are_asked_about_in_five_queries(django_assert_max_num_queries: Any) -> None:
    mallory, conflicts = copies(3)
    claims.stand_by(conflicts[0], mallory, at=LATER)
    everything = {side for c in conflicts for side in (c.work_id, c.other_id)}

    with django_assert_max_num_queries(5):
        found = claims.held(everything, at=LATER)

    assert found == {*(conflict.work_id for conflict in conflicts), conflicts[0].other_id}
