"""Taking a payout back from its payee: answers that are lost or refused, and the money that returns once."""

import pytest

from ledger import taking_back
from ledger.errors import WrongState
from ledger.gateway import InsufficientFunds, OutcomeUnknown
from ledger.gateway_paper import PaperGateway
from ledger.vocabulary import PayoutStatus
from registry.models import Creator, User
from tests.factories import DAY, NOON
from tests.journal import Journal
from tests.ledger.cast import approved, hear, of, send, sent_minor, take_back

pytestmark = pytest.mark.usefixtures("sound")


@pytest.mark.usefixtures("world")
def test_taking_back_makes_the_money_available_again_once(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, journal: Journal
) -> None:
    approved(mia, noah)
    send(gateway)
    journal()
    gateway.fail_next("reverse_transfer", OutcomeUnknown("timed out"), after=True)
    back = taking_back.propose(of(ada), mia, gateway=gateway, reason="wrong person", at=NOON)
    with pytest.raises(OutcomeUnknown):
        taking_back.carry_out(back, noah, gateway=gateway, factor="totp", at=NOON)
    back.refresh_from_db()
    assert journal() == ""
    taking_back.carry_out(back, noah, gateway=gateway, factor="totp", at=NOON)
    hear(gateway)
    assert (
        journal()
        == """
        platform:provider-clearing  -3.000000 EUR
        creator:ada:available        3.000000 EUR
    """
    )
    assert of(ada).status == PayoutStatus.REVERSED
    with pytest.raises(WrongState):
        taking_back.carry_out(back, noah, gateway=gateway, factor="totp", at=NOON)
    with pytest.raises(WrongState):
        take_back(ada, mia, noah, gateway=gateway)
    assert sent_minor(gateway) == 200


@pytest.mark.usefixtures("world")
def test_a_refused_reversal_leaves_the_payout_and_may_be_tried_anew(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    gateway.pay_out(of(ada).transfer_id)
    back = taking_back.propose(of(ada), mia, gateway=gateway, reason="wrong person", at=NOON)
    with pytest.raises(InsufficientFunds):
        taking_back.carry_out(back, noah, gateway=gateway, factor="totp", at=NOON)
    gateway.pay_out(of(ada).transfer_id, status="failed")
    gateway._bank_payouts.clear()
    back.refresh_from_db()
    with pytest.raises(WrongState, match="answered"):
        taking_back.carry_out(back, noah, gateway=gateway, factor="totp", at=NOON)
    take_back(ada, mia, noah, gateway=gateway)
    assert of(ada).status == PayoutStatus.REVERSED


@pytest.mark.usefixtures("world")
def test_a_reversal_whose_answer_and_event_were_lost_is_found_when_said_again_days_later(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    gateway.fail_next("reverse_transfer", OutcomeUnknown("timed out"), after=True)
    back = taking_back.propose(of(ada), mia, gateway=gateway, reason="wrong person", at=NOON)
    with pytest.raises(OutcomeUnknown):
        taking_back.carry_out(back, noah, gateway=gateway, factor="totp", at=NOON)
    back.refresh_from_db()
    gateway._answers.clear()  # providers forget keys after a day
    later = NOON + 2 * DAY
    taking_back.carry_out(back, noah, gateway=gateway, factor="totp", at=later)
    assert of(ada).status == PayoutStatus.REVERSED
    assert sent_minor(gateway) == 200
