"""An admin hands over money that was set apart: to its earners, or to who is right; with a reason."""

from datetime import timedelta

import pytest

from ledger import aside_decisions
from ledger.accounts import AccountKind
from ledger.errors import NotPayoutAdmin, ReasonMissing, WrongState
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, SetAside
from ledger.money import Money
from registry.models import Creator, Operator, User
from tests.factories import DAY, NOON, make_user
from tests.journal import Journal
from tests.ledger.cast import top_up
from tests.ledger.test_set_asides import DISPUTED, OTHER, UNCLAIMED, WORK, credit

pytestmark = pytest.mark.usefixtures("sound", "funded")
HOLDING = timedelta(days=30)


@pytest.fixture
def funded(acme: Operator, gateway: PaperGateway) -> None:
    top_up(acme, 50, gateway=gateway)


def test_everybody_gets_back_exactly_the_own_part(
    acme: Operator, ada: Creator, ben: Creator, noah: User, journal: Journal
) -> None:
    credit(acme, DISPUTED, ada, 3_333, at=NOON - 40 * DAY)
    credit(acme, DISPUTED, ada, 7)
    credit(acme, DISPUTED, ben, 1_000)
    credit(acme, DISPUTED, ben, 500, subject=OTHER)
    journal()

    moved = aside_decisions.release(WORK, noah, reason="a real success", holding=HOLDING, at=NOON)

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
    action = AdminAction.objects.get()
    assert (action.subject, action.reason, action.facts) == (
        WORK,
        "a real success",
        {"EUR": 4_340},
    )


def test_one_creator_gets_all_of_it(
    acme: Operator, ada: Creator, ben: Creator, noah: User, journal: Journal
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    credit(acme, UNCLAIMED, None, 900)
    journal()
    for kind in (DISPUTED, UNCLAIMED):
        aside_decisions.reassign(
            kind, WORK, noah, to=ben, reason="Ben wrote it", holding=HOLDING, at=NOON
        )
    assert (
        journal()
        == """
        creator:ada:disputed     -0.003000 EUR
        creator:ben:pending       0.003000 EUR

        platform:unclaimed       -0.000900 EUR
        creator:ben:pending       0.000900 EUR
    """
    )
    assert [each.facts["to"] for each in AdminAction.objects.all()] == [ben.pk, ben.pk]


def test_said_again_nothing_waits_and_nothing_is_on_record(
    acme: Operator, ada: Creator, noah: User
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    aside_decisions.release(WORK, noah, reason="right", holding=HOLDING, at=NOON)
    with pytest.raises(WrongState):
        aside_decisions.release(WORK, noah, reason="right", holding=HOLDING, at=NOON)
    assert AdminAction.objects.count() == 1


def test_nobody_else_decides_nobody_without_a_reason_and_nothing_goes_to_who_left(
    acme: Operator, ada: Creator, noah: User
) -> None:
    credit(acme, DISPUTED, ada, 3_000)
    with pytest.raises(NotPayoutAdmin):
        aside_decisions.release(WORK, make_user(), reason="mine", holding=HOLDING, at=NOON)
    with pytest.raises(ReasonMissing):
        aside_decisions.release(WORK, noah, reason="", holding=HOLDING, at=NOON)
    ada.erased_at = NOON
    with pytest.raises(WrongState):
        aside_decisions.reassign(
            AccountKind.CREATOR_DISPUTED, WORK, noah, to=ada, reason="x", holding=HOLDING, at=NOON
        )
    assert SetAside.objects.get().released_at is None
