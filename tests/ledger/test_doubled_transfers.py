"""Several transfers for one payout: somebody sent one by hand, or the provider made two."""

from typing import Any

import pytest

from ledger import observing, payout_steps, payouts, reconciliation
from ledger.errors import MakerIsChecker, ReasonMissing, TransfersDoubled, WrongState
from ledger.gateway import OutcomeUnknown, TransferResult
from ledger.gateway_paper import PaperGateway
from ledger.models import PayoutEvent, Reconciliation
from registry.models import Creator, User
from tests.factories import NOON
from tests.ledger.cast import adjust, admin, approved, hear, history, of, send, sent_minor
from tests.ledger.test_stuck import HOUR, LATE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world", "sound")]


def by_hand(gateway: PaperGateway, creator: Creator, *, less: int = 0) -> TransferResult:
    """Somebody sends the payout in the provider's own pages, and names the payout."""
    payout = of(creator)
    return gateway.transfer(
        key=f"by hand {less}",
        payee_account=payout.account,
        amount_minor=payout.amount_minor - less,
        currency=payout.currency,
        group=payout.group,
        metadata={},
    )


def looked_at(gateway: PaperGateway, creator: Creator) -> None:
    """An event of the payout's group made us look."""
    payout = payout_steps.locked(of(creator).pk)
    observing.apply_transfers(payout, gateway.find_transfers(group=payout.group), at=LATE)


def back(gateway: PaperGateway, transfer: TransferResult) -> None:
    gateway.reverse_transfer(
        key=f"back {transfer.id}", transfer_id=transfer.id, amount_minor=transfer.amount_minor
    )


def unanswered(mia: User, noah: User, gateway: PaperGateway) -> None:
    """Ada's transfer is made, and the answer is lost."""
    approved(mia, noah)
    for _ in range(2):
        gateway.fail_next("transfer", OutcomeUnknown("timed out"), after=True)
    send(gateway)


def state(creator: Creator) -> tuple[str, str]:
    return of(creator).status, of(creator).trouble


@pytest.mark.parametrize("less", [0, 1])
def test_two_found_at_look_up_are_no_success_and_block_the_next_batch(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, less: int
) -> None:
    unanswered(mia, noah, gateway)
    other = by_hand(gateway, ada, less=less)
    payouts.resolve_unknown(gateway=gateway, at=NOON + HOUR)
    assert state(ada) == ("held", "transfers_doubled")
    (found,) = [each for each in payouts.stuck(at=NOON, older_than=HOUR) if each.kind == "payout"]
    assert (found.id, found.trouble) == (of(ada).pk, "transfers_doubled")
    assert "Take the transfers that are too many back" in found.action
    with pytest.raises(TransfersDoubled):
        payouts.prepare(mia, currency="EUR", at=NOON)
    assert payouts.resolve_unknown(gateway=gateway, at=LATE) == 0

    back(gateway, other)
    assert payouts.resolve_unknown(gateway=gateway, at=LATE) == 1
    assert state(ada) == ("transferred", "")
    assert sent_minor(gateway) == 500
    assert history(ada) == ["reserved", "sending", "unknown", "held", "held", "transferred"]


def test_a_second_transfer_after_success_is_heard_and_survives_the_banks_news(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    send(gateway)
    other = by_hand(gateway, ada)
    hear(gateway)
    assert state(ada) == ("transferred", "transfers_doubled")
    gateway.pay_out(of(ada).transfer_id)
    hear(gateway)
    assert state(ada) == ("paid", "transfers_doubled")
    back(gateway, other)
    hear(gateway)
    assert state(ada) == ("paid", "")


def test_of_two_alike_that_were_both_taken_back_the_money_is_the_creators_again(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    unanswered(mia, noah, gateway)
    other = by_hand(gateway, ada)
    (_, first) = gateway.find_transfers(group=of(ada).group)
    payouts.resolve_unknown(gateway=gateway, at=NOON + HOUR)
    back(gateway, other)
    back(gateway, first)
    payouts.resolve_unknown(gateway=gateway, at=LATE)
    assert of(ada).status == "reversed"


def test_the_platform_may_bear_what_cannot_be_taken_back(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    unanswered(mia, noah, gateway)
    by_hand(gateway, ada)
    payouts.resolve_unknown(gateway=gateway, at=NOON + HOUR)

    def bear(admin: User, reason: str = "spent", *, send_again: bool = False) -> None:
        payouts.settle_difference(
            of(ada), admin, gateway=gateway, reason=reason, send_again=send_again, at=LATE
        )

    with pytest.raises(MakerIsChecker):
        bear(mia)
    with pytest.raises(ReasonMissing):
        bear(noah, " ")
    with pytest.raises(WrongState, match="was not taken back"):
        bear(noah, send_again=True)
    bear(noah)
    assert state(ada) == ("transferred", "transfers_borne:2")
    event = PayoutEvent.objects.filter(payout=of(ada)).latest("pk")
    assert (event.reason, event.by) == ("spent", noah)
    with pytest.raises(WrongState):
        bear(noah)
    hear(gateway)
    assert state(ada) == ("transferred", "transfers_borne:2"), "what was decided stays decided"

    reconciliation.reconcile(gateway=gateway, at=LATE)
    row = Reconciliation.objects.latest("pk")
    assert (row.agrees, row.ledger_micros - row.provider_micros) == (False, 3_000_000)
    adjust(row, admin("olga"), noah, reason="sent by hand, spent", at=LATE)
    reconciliation.reconcile(gateway=gateway, at=LATE)
    assert Reconciliation.objects.latest("pk").agrees

    by_hand(gateway, ada, less=2)
    looked_at(gateway, ada)
    assert state(ada) == ("transferred", "transfers_doubled"), "a third was not decided about"


def test_none_asked_for_is_borne_by_nobody_and_an_admin_may_look_up(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    others = [by_hand(gateway, ada, less=1), by_hand(gateway, ada, less=2)]
    looked_at(gateway, ada)
    assert state(ada) == ("held", "transfers_doubled")
    with pytest.raises(WrongState, match="none of the transfers"):
        payouts.settle_difference(
            of(ada), noah, gateway=gateway, reason="no", send_again=False, at=LATE
        )
    back(gateway, others[0])
    back(gateway, others[1])
    payouts.look_up(of(ada), mia, gateway=gateway, at=LATE)
    assert state(ada) == ("held", "transfer_differs")
    payouts.settle_difference(
        of(ada), noah, gateway=gateway, reason="both taken back", send_again=True, at=LATE
    )
    assert state(ada) == ("reserved", "")


def test_a_doubled_payout_is_settled_on_its_page(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, *, client: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("ledger.gateway_choice.configured", lambda: gateway)
    unanswered(mia, noah, gateway)
    by_hand(gateway, ada)
    payouts.resolve_unknown(gateway=gateway, at=NOON + HOUR)
    path = f"/payout-lines/{of(ada).pk}"
    client.force_login(mia)
    assert b"Let the platform bear" not in client.get(f"{path}/").content
    client.force_login(noah)
    page = client.get(f"{path}/").content.decode()
    assert "the provider has more than one transfer for it" in page
    assert "Let the platform bear the rest" in page
    assert client.post(f"{path}/bear", {"reason": "spent"}).status_code == 302
    assert state(ada) == ("transferred", "transfers_borne:2")
    assert "the platform bears a second transfer" in client.get(f"{path}/").content.decode()


@pytest.mark.parametrize("less", [1, 100])
def test_another_transfer_found_while_a_payout_is_held_for_its_payee_keeps_it_held(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway, less: int
) -> None:
    batch = approved(mia, noah)
    gateway.charge_payee(of(ada).account, 1_000, "EUR")
    send(gateway)
    assert state(ada) == ("held", "payee_owes_provider")
    other = by_hand(gateway, ada, less=less)
    looked_at(gateway, ada)
    looked_at(gateway, ada)
    assert state(ada) == ("held", "transfer_differs")

    gateway.charge_payee(of(ada).account, -1_000, "EUR")
    assert send(gateway, at=LATE) == 0, "one transfer stands"
    payouts.cancel(batch, mia, at=LATE)
    assert state(ada) == ("held", "transfer_differs"), "money left: it is not given back"

    back(gateway, other)
    payouts.settle_difference(
        of(ada), noah, gateway=gateway, reason="taken back", send_again=True, at=LATE
    )
    assert send(gateway, at=LATE) == 1
    assert state(ada) == ("transferred", "")


def test_what_another_provider_has_says_nothing_of_a_difference(
    ada: Creator, mia: User, noah: User, gateway: PaperGateway
) -> None:
    approved(mia, noah)
    gateway.charge_payee(of(ada).account, 1_000, "EUR")
    send(gateway)
    by_hand(gateway, ada, less=1)
    looked_at(gateway, ada)

    class Elsewhere(PaperGateway):
        name = "elsewhere"

    with pytest.raises(WrongState):
        payouts.settle_difference(
            of(ada), noah, gateway=Elsewhere(), reason="none there", send_again=True, at=LATE
        )
    assert state(ada) == ("held", "transfer_differs")
