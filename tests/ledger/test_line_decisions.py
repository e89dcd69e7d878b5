"""One line of a batch can be kept back, let go on, or taken out; the others do not notice."""

import pytest

from ledger import line_decisions, payouts
from ledger.errors import NotPayoutAdmin, ReasonMissing, WrongState
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, PayoutBatch
from registry.models import Creator, User
from tests.factories import NOON, make_user
from tests.journal import Journal
from tests.ledger.cast import approved, history, of, send, sent_minor

pytestmark = pytest.mark.usefixtures("sound", "world")


def test_what_is_held_is_not_sent_until_it_is_released(
    mia: User, noah: User, ada: Creator, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    line_decisions.hold(of(ada), noah, reason="odd amount", at=NOON)
    assert send(gateway) == 1
    assert of(ada).trouble == line_decisions.BY_ADMIN
    assert send(gateway) == 0, "no program releases what a person holds"

    line_decisions.release(of(ada), mia, reason="it was right", at=NOON)

    assert send(gateway) == 1
    assert history(ada) == ["reserved", "held", "reserved", "sending", "transferred"]
    reasons = AdminAction.objects.filter(payout=of(ada)).order_by("pk")
    assert [each.reason for each in reasons] == ["odd amount", "it was right"]


def test_a_line_taken_out_of_a_draft_is_not_approved(
    mia: User, noah: User, ada: Creator, ben: Creator, gateway: PaperGateway
) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    line_decisions.cancel(of(ada), mia, reason="under review", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    payouts.approve(batch, noah, at=NOON)

    assert send(gateway) == 1
    assert sent_minor(gateway) == of(ben).amount_minor
    assert of(ada).status == "canceled"


def test_a_line_taken_out_after_submission_leaves_the_approval_for_the_rest(
    mia: User, noah: User, ada: Creator, ben: Creator
) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    payouts.submit(batch, mia, at=NOON)
    line_decisions.cancel(of(ada), noah, reason="under review", at=NOON)
    payouts.approve(batch, noah, at=NOON)
    assert (of(ada).status, of(ben).status) == ("canceled", "reserved")


def test_a_line_taken_out_after_approval_gives_its_money_back(
    mia: User, noah: User, ada: Creator, journal: Journal
) -> None:
    approved(mia, noah)
    journal()
    line_decisions.cancel(of(ada), noah, reason="under review", at=NOON)
    assert (
        journal()
        == """
        creator:ada:in-payout    -3.000000 EUR
        creator:ada:available     3.000000 EUR
    """
    )


def test_a_batch_of_which_nothing_is_left_is_over(
    mia: User, noah: User, ada: Creator, ben: Creator
) -> None:
    payouts.prepare(mia, currency="EUR", at=NOON)
    for creator in (ada, ben):
        line_decisions.cancel(of(creator), noah, reason="stop", at=NOON)
    batch = PayoutBatch.objects.get()
    assert (batch.status, batch.canceled_by) == ("canceled", noah)
    payouts.prepare(mia, currency="EUR", at=NOON)


def test_the_last_open_line_taken_out_closes_the_batch(
    mia: User, noah: User, ada: Creator, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    line_decisions.hold(of(ada), noah, reason="odd", at=NOON)
    send(gateway)
    line_decisions.cancel(of(ada), noah, reason="fraud", at=NOON)
    assert PayoutBatch.objects.get().status == "closed"


def test_what_is_sent_is_neither_held_nor_taken_out(
    mia: User, noah: User, ada: Creator, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    for deed in (line_decisions.hold, line_decisions.cancel, line_decisions.release):
        with pytest.raises(WrongState):
            deed(of(ada), noah, reason="too late", at=NOON)
    assert not AdminAction.objects.filter(payout=of(ada)).exists()


def test_each_decision_takes_an_admin_and_a_reason(mia: User, noah: User, ada: Creator) -> None:
    approved(mia, noah)
    mallory = make_user("mallory@example.org")
    for deed in (line_decisions.hold, line_decisions.cancel, line_decisions.release):
        with pytest.raises(NotPayoutAdmin):
            deed(of(ada), mallory, reason="mine", at=NOON)
        with pytest.raises(ReasonMissing):
            deed(of(ada), noah, reason=" ", at=NOON)
    assert of(ada).status == "reserved"
