"""Our books against the provider's list."""

from datetime import datetime, timedelta

import pytest

from ledger import balances, payouts, reconciliation
from ledger.accounts import AccountKind
from ledger.errors import BooksInDoubt
from ledger.gateway import Page, TryAgain
from ledger.gateway_paper import PAGE_SIZE, PaperGateway
from ledger.models import ProviderTransaction, Reconciliation
from ledger.money import Money
from registry.models import Creator, Operator
from tests.factories import NOON
from tests.journal import Journal
from tests.ledger.cast import account, admin, earn_available, payable, top_up

pytestmark = pytest.mark.usefixtures("sound")

DAY = timedelta(days=1)


@pytest.fixture
def paper(acme: Operator, ada: Creator) -> PaperGateway:
    paper = PaperGateway(clock=lambda: NOON)
    top_up(acme, 50, gateway=paper, fee_minor=145)
    earn_available(ada, acme, 3_000_000)
    payable(ada, paper)
    return paper


def test_fees_are_booked_once_and_then_everything_agrees(
    paper: PaperGateway, journal: Journal
) -> None:
    journal()
    for day in range(3):
        (row,) = reconciliation.reconcile(gateway=paper, at=NOON + day * DAY)
        row.refresh_from_db()
        assert row.agrees
        assert row.balance_micros == 48_550_000
    assert (
        journal()
        == """
        platform:processor-fee      -1.450000 EUR
        platform:provider-clearing   1.450000 EUR
    """
    )
    assert ProviderTransaction.objects.count() == 1


def test_payouts_and_withdrawals_agree(paper: PaperGateway) -> None:
    batch = payouts.prepare(admin("mia"), currency="EUR", at=NOON)
    payouts.submit(batch, admin("noah"), at=NOON)
    payouts.approve(batch, admin("olga"), at=NOON)
    payouts.send_due(gateway=paper, at=NOON, limit=9)
    paper._book("payout", -100, "EUR", "po_own")
    paper._book("stripe_fee", -20, "EUR", "fee")
    (row,) = reconciliation.reconcile(gateway=paper, at=NOON)
    row.refresh_from_db()
    assert row.agrees
    own = balances.balance(account(AccountKind.PLATFORM_FEE))
    costs = balances.balance(account(AccountKind.PROCESSOR_FEE))
    assert (own, costs) == (Money(-1_000_000, "EUR"), Money(-1_650_000, "EUR"))


def test_a_transfer_that_we_never_asked_for_is_a_difference_and_blocks_the_next_batch(
    paper: PaperGateway, ada: Creator
) -> None:
    paper.transfer(
        key="stolen",
        payee_account=ada.payee.account,
        amount_minor=7,
        currency="EUR",
        group="x",
        metadata={},
    )
    (row,) = reconciliation.reconcile(gateway=paper, at=NOON)
    row.refresh_from_db()
    assert not row.agrees
    assert row.ledger_micros - row.provider_micros == 70_000
    with pytest.raises(BooksInDoubt):
        payouts.prepare(admin("mia"), currency="EUR", at=NOON)


def test_nothing_is_compared_while_money_moves(
    paper: PaperGateway, acme: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    balance = paper.balance

    def meanwhile() -> object:
        top_up(acme, 7, gateway=paper)
        return balance()

    monkeypatch.setattr(paper, "balance", meanwhile)
    assert reconciliation.reconcile(gateway=paper, at=NOON) == []
    assert not Reconciliation.objects.exists()
    monkeypatch.undo()
    (row,) = reconciliation.reconcile(gateway=paper, at=NOON)
    row.refresh_from_db()
    assert row.agrees


def test_a_list_whose_reading_broke_off_is_read_again_from_where_it_was_last_read_whole(
    acme: Operator,
) -> None:
    days = iter(NOON + number * DAY for number in range(10_000))
    paper = PaperGateway(clock=lambda: next(days))
    for _ in range(3):
        top_up(acme, 50, gateway=paper, fee_minor=100)
    for _ in range(PAGE_SIZE):
        paper._book("stripe_fee", -1, "EUR", "fee")
    late = NOON + 10_000 * DAY
    read = paper.balance_transactions

    def breaks_off(*, since: datetime, cursor: str | None) -> Page:
        if cursor:
            raise TryAgain("429")
        return read(since=since, cursor=cursor)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(paper, "balance_transactions", breaks_off)
        with pytest.raises(TryAgain):
            reconciliation.reconcile(gateway=paper, at=late)
    (row,) = reconciliation.reconcile(gateway=paper, at=late)
    row.refresh_from_db()
    assert row.agrees, row.__dict__
    assert ProviderTransaction.objects.count() == PAGE_SIZE + 3
