"""An admin hands over money that was set apart: to its earners, or to who is right; with a reason."""

from datetime import timedelta

import pytest

from ledger import aside_decisions, set_asides
from ledger.errors import LinesChanged, NotPayoutAdmin, OwnMatter, ReasonMissing, WrongState
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, Proposal, SetAside
from ledger.money import Money
from registry.models import ClaimConflict, Creator, Operator, User
from tests.factories import DAY, NOON, make_creator, make_user, make_work
from tests.journal import Journal
from tests.ledger.cast import top_up
from tests.ledger.test_set_asides import DISPUTED, OTHER, UNCLAIMED, WORK, credit

pytestmark = pytest.mark.usefixtures("sound", "funded")
HOLDING = timedelta(days=30)


@pytest.fixture
def funded(acme: Operator, gateway: PaperGateway) -> None:
    top_up(acme, 50, gateway=gateway)


def test_everybody_gets_back_exactly_the_own_part(
    acme: Operator, ada: Creator, ben: Creator, mia: User, *, noah: User, journal: Journal
) -> None:
    credit(acme, DISPUTED, ada, 3_333, at=NOON - 40 * DAY)
    credit(acme, DISPUTED, ada, 7)
    credit(acme, DISPUTED, ben, 1_000)
    credit(acme, DISPUTED, ben, 500, subject=OTHER)
    journal()

    proposal = aside_decisions.propose(WORK, mia, reason="a real success", at=NOON)
    moved = confirmed(proposal, noah)

    assert moved == [Money(4_340, "EUR")]
    assert (
        journal()
        == """
        creator:ada:disputed     -0.003340 EUR
        creator:ada:available     0.003333 EUR
        creator:ada:pending       0.000007 EUR

        creator:ben:disputed     -0.001000 EUR
        creator:ben:pending       0.001000 EUR
    """
    )
    action = AdminAction.objects.get(deed="aside_released")
    assert (action.by, action.subject, action.reason, action.facts) == (
        noah,
        WORK,
        "a real success",
        {"EUR": 4_340, "factor": "totp"},
    )
    assert action.proposal == proposal


def test_one_creator_gets_all_of_it(
    acme: Operator, ada: Creator, ben: Creator, mia: User, *, noah: User, journal: Journal
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    credit(acme, UNCLAIMED, None, 900)
    journal()
    for kind in (DISPUTED, UNCLAIMED):
        proposal = aside_decisions.propose(
            WORK, mia, kind=kind, to=ben, reason="Ben wrote it", at=NOON
        )
        confirmed(proposal, noah)
    assert (
        journal()
        == """
        creator:ada:disputed     -0.003000 EUR
        creator:ben:pending       0.003000 EUR

        platform:unclaimed       -0.000900 EUR
        creator:ben:pending       0.000900 EUR
    """
    )
    given = AdminAction.objects.filter(deed="aside_reassigned")
    assert [each.facts["to"] for each in given] == [ben.pk, ben.pk]


def test_said_again_nothing_waits_and_nothing_is_on_record(
    acme: Operator, ada: Creator, mia: User, noah: User
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    proposal = aside_decisions.propose(WORK, mia, reason="right", at=NOON)
    confirmed(proposal, noah)
    with pytest.raises(WrongState):
        confirmed(proposal, noah)
    with pytest.raises(WrongState):
        aside_decisions.propose(WORK, mia, reason="right", at=NOON)
    assert AdminAction.objects.filter(deed="aside_released").count() == 1


def test_nobody_else_decides_nobody_without_a_reason_and_nothing_goes_to_who_left(
    acme: Operator, ada: Creator, ben: Creator, mia: User, noah: User
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    with pytest.raises(NotPayoutAdmin):
        aside_decisions.propose(WORK, make_user(), reason="mine", at=NOON)
    with pytest.raises(ReasonMissing):
        aside_decisions.propose(WORK, noah, reason="", at=NOON)
    proposal = aside_decisions.propose(WORK, mia, kind=DISPUTED, to=ben, reason="x", at=NOON)
    Creator.objects.filter(pk=ben.pk).update(
        erased_at=NOON, commitment_key=None, handle="erased-1", display_name="erased-1"
    )
    with pytest.raises(WrongState):
        confirmed(proposal, noah)
    ben.refresh_from_db()
    with pytest.raises(WrongState):
        aside_decisions.propose(OTHER, mia, kind=DISPUTED, to=ben, reason="x", at=NOON)
    assert SetAside.objects.get().released_at is None


def test_what_is_earned_later_is_not_part_of_it(
    acme: Operator, ada: Creator, mia: User, noah: User
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    proposal = aside_decisions.propose(WORK, mia, reason="right", at=NOON)
    credit(acme, DISPUTED, ada, 40)
    assert confirmed(proposal, noah) == [Money(3_000, "EUR")]
    assert SetAside.objects.get(released_at=None).amount_micros == 40


def test_what_was_released_meanwhile_is_not_given_as_proposed(
    acme: Operator, ada: Creator, mia: User, noah: User
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    credit(acme, DISPUTED, ada, 40)
    proposal = aside_decisions.propose(WORK, mia, reason="right", at=NOON)
    first = SetAside.objects.order_by("pk")[0].pk
    set_asides.give_back(WORK, holding=HOLDING, at=NOON, through=first)
    with pytest.raises(LinesChanged):
        confirmed(proposal, noah)
    assert not AdminAction.objects.filter(deed="aside_released").exists()


def test_nobody_decides_about_the_own_creators_money(
    acme: Operator, ada: Creator, ben: Creator, mia: User, noah: User
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    ben.members.add(mia)
    with pytest.raises(OwnMatter):
        aside_decisions.propose(WORK, mia, kind=DISPUTED, to=ben, reason="Ben wrote it", at=NOON)
    proposal = aside_decisions.propose(WORK, mia, reason="right", at=NOON)
    ada.members.add(noah)
    with pytest.raises(OwnMatter):
        confirmed(proposal, noah)
    assert SetAside.objects.get().released_at is None


def test_owners_of_a_work_and_of_one_that_contests_it_are_concerned(
    acme: Operator, ada: Creator, ben: Creator, mia: User
) -> None:
    ours, theirs = make_work(ada), make_work(ben)
    credit(acme, UNCLAIMED, None, 3_000, subject=ours.pk)
    cleo = make_creator("cleo")
    ClaimConflict.objects.create(
        work=ours, other=theirs, kind=ClaimConflict.Kind.NEAR, opened_at=NOON
    )
    ben.members.add(mia)
    with pytest.raises(OwnMatter):
        aside_decisions.propose(ours.pk, mia, kind=UNCLAIMED, to=cleo, reason="x", at=NOON)


def confirmed(proposal: Proposal, admin: User) -> list[Money]:
    return aside_decisions.carry_out(proposal, admin, factor="totp", holding=HOLDING, at=NOON)
