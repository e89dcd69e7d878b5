"""What has waited too long is listed with what resolves it, and knots are undone by two."""

from datetime import timedelta
from typing import Any

import pytest

from ledger import by_hand, gateway_choice, observing, payout_steps, payouts
from ledger.errors import LinesChanged, MakerIsChecker, ReasonMissing, WrongState
from ledger.gateway_paper import PaperGateway
from ledger.models import Payee, PayoutBatch, PayoutEvent
from registry.models import Creator, Operator, User
from tests.factories import DAY, NOON, api_client
from tests.ledger.cast import approved, history, of, send, sent_minor, tamper

pytestmark = pytest.mark.usefixtures("world", "sound")

HOUR = timedelta(hours=1)
LATE = NOON + DAY


def waiting(*, after: timedelta = DAY) -> list[tuple[str, str, str]]:
    found = payouts.stuck(at=NOON + after, older_than=timedelta(hours=12))
    assert all(each.action.endswith(".") for each in found)
    return [(each.kind, each.state, each.trouble) for each in found]


def held(gateway: PaperGateway, creator: Creator) -> None:
    """What was sent turns out to be something else, before we knew of it."""
    payout = of(creator)
    found = gateway.transfer(
        key="by mistake",
        payee_account=payout.account,
        amount_minor=payout.amount_minor - 1,
        currency="EUR",
        group=payout.group,
        metadata={},
    )
    observing.apply_transfer(payout_steps.locked(payout.pk), found, at=NOON)
    assert (of(creator).status, of(creator).trouble) == ("held", "transfer_differs")


def test_what_waits_is_listed_with_its_age(mia: User, noah: User) -> None:
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    assert waiting(after=HOUR) == []
    assert waiting() == [("batch", "draft", "")]
    payouts.submit(batch, mia, at=NOON)
    assert waiting() == [("batch", "submitted", "")]
    payouts.approve(batch, noah, at=NOON)
    assert waiting() == [("payout", "reserved", "")] * 2
    PayoutBatch.objects.update(waits_for="funds")
    assert ("batch", "approved", "funds") in waiting()
    payouts.cancel(batch, noah, at=NOON)
    assert waiting() == []


def test_a_differing_transfer_is_settled_once_it_is_taken_back(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    held(gateway, ada)
    (found,) = [each for each in payouts.stuck(at=LATE, older_than=HOUR) if each.trouble]
    assert "settle the difference" in found.action

    def settle(admin: User, reason: str = "sent by mistake", *, send_again: bool = True) -> None:
        payouts.settle_difference(
            of(ada), admin, gateway=gateway, reason=reason, send_again=send_again, at=NOON
        )

    with pytest.raises(WrongState, match="not taken back"):
        settle(noah)
    (transfer,) = gateway.find_transfers(group=of(ada).group)
    gateway.reverse_transfer(key="back", transfer_id=transfer.id, amount_minor=299)
    with pytest.raises(MakerIsChecker):
        settle(mia)
    with pytest.raises(ReasonMissing):
        settle(noah, " ")
    settle(noah)
    (undone,) = gateway.find_transfers(group=of(ada).group)
    observing.apply_transfer(payout_steps.locked(of(ada).pk), undone, at=NOON)
    assert of(ada).status == "reserved", "the other transfer's late events change nothing"
    event = PayoutEvent.objects.filter(payout=of(ada)).latest("pk")
    assert (event.reason, event.by) == ("sent by mistake", noah)
    assert send(gateway) == 2
    assert of(ada).status == "transferred"
    assert sent_minor(gateway) == 500
    with pytest.raises(WrongState):
        settle(noah)


def test_a_differing_transfer_may_be_called_off(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    held(gateway, ada)
    (transfer,) = gateway.find_transfers(group=of(ada).group)
    gateway.reverse_transfer(key="back", transfer_id=transfer.id, amount_minor=299)
    payouts.settle_difference(
        of(ada), noah, gateway=gateway, reason="not owed", send_again=False, at=NOON
    )
    assert history(ada) == ["reserved", "held", "canceled"]


def test_a_batch_resumes_only_with_exactly_the_lines_approved(
    ben: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    rightful = Payee.objects.get(creator=ben).account
    sql = "UPDATE ledger_payout SET account = %s WHERE amount_micros = 2000000"
    batch = approved(mia, noah)
    tamper("ledger_payout", sql, "acct_of_mallory")
    assert send(gateway) == 0
    assert ("batch", "approved", "lines_changed") in waiting()
    with pytest.raises(LinesChanged):
        payouts.resume(batch, noah, reason="looks fine", at=NOON)
    tamper("ledger_payout", sql, rightful)
    with pytest.raises(MakerIsChecker):
        payouts.resume(batch, mia, reason="looks fine", at=NOON)
    payouts.resume(batch, noah, reason="restored from the backup", at=NOON)
    event = PayoutEvent.objects.filter(payout=of(ben)).latest("pk")
    assert (event.reason, event.by) == ("restored from the backup", noah)
    assert send(gateway) == 2
    with pytest.raises(WrongState):
        payouts.resume(batch, noah, reason="again", at=NOON)


def test_a_bank_that_was_not_answered_for_is_listed(
    ada: Creator, mia: User, noah: User, settings: Any
) -> None:
    settings.PAYER_NAME, settings.PAYER_IBAN = "Tribute", "FR1420041010050500013M02606"
    long_ago = NOON - timedelta(days=4)
    by_hand.register(ada, holder="Ada", iban="DE89370400440532013000", at=long_ago)
    by_hand.issue(approved(mia, noah), noah, at=NOON)
    actions = {each.action for each in payouts.stuck(at=LATE, older_than=HOUR)}
    assert "Tell the bank's answer: mark it paid or failed." in actions


def test_over_http_the_list_is_for_payout_admins(
    ada: Creator,
    mia: User,
    noah: User,
    gateway: PaperGateway,
    monkeypatch: pytest.MonkeyPatch,
    *,
    acme: Operator,
) -> None:
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    batch = approved(mia, noah)
    held(gateway, ada)
    as_noah = api_client(noah)
    items = as_noah.get("/v1/payouts/stuck?hours=0").json()["items"]
    assert {item["kind"] for item in items} == {"payout"}
    assert as_noah.get("/v1/payouts/stuck?hours=-1").status_code == 400
    for stranger in (api_client(ada), api_client(acme)):
        assert stranger.get("/v1/payouts/stuck").status_code == 403
    path, key = f"/v1/payouts/{of(ada).pk}:settle-difference", {"Idempotency-Key": "k"}
    body = {"reason": "no", "send_again": True}
    answer = as_noah.post(path, body, format="json", headers=key)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    path = f"/v1/payout-batches/{batch.pk}:resume"
    answer = as_noah.post(path, {"reason": "no"}, format="json", headers=key)
    assert answer.status_code in {409, 422}
