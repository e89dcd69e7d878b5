"""What a creator downloads: lines that add up, as of any instant, and no formulas."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from ledger import balances, maturity, payouts, statements
from ledger.accounts import AccountKind
from ledger.errors import UnknownAccount
from ledger.gateway_paper import PaperGateway
from ledger.models import Batch
from ledger.money import Money
from ledger.posting import EntryKind
from registry.models import Creator, Operator
from tests.factories import NOON
from tests.journal import Journal
from tests.ledger.cast import LATER, account, admin, earn, earn_available, payable, top_up

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def paper() -> PaperGateway:
    return PaperGateway(clock=lambda: NOON)


@pytest.fixture
def funded(acme: Operator, paper: PaperGateway) -> Operator:
    top_up(acme, 50, gateway=paper)
    return acme


def this_month() -> str:
    return f"{datetime.now(UTC):%Y-%m}"


def test_earnings_mature_after_the_holding_period_and_not_before(
    ada: Creator, funded: Operator, journal: Journal
) -> None:
    earn(ada, funded, 1_000_000)
    posted_at = Batch.objects.latest("seq").posted_at
    month = timedelta(days=30)
    early = posted_at + month - timedelta(microseconds=1)
    assert maturity.mature(at=early, holding=month) == 0
    journal()
    assert maturity.mature(at=posted_at + month, holding=month) == 1
    assert maturity.mature(at=posted_at + month, holding=month) == 0
    assert (
        journal()
        == """
        creator:ada:pending    -1.000000 EUR
        creator:ada:available   1.000000 EUR
    """
    )


def test_only_what_is_old_enough_matures_and_debits_take_the_oldest(
    ada: Creator, funded: Operator
) -> None:
    earn(ada, funded, 1_000_000)
    cutoff = Batch.objects.latest("seq").posted_at
    earn(ada, funded, 500_000)
    assert maturity.mature(at=cutoff, holding=timedelta()) == 1
    assert maturity.mature(at=cutoff, holding=timedelta()) == 0
    pending = balances.balance(account(AccountKind.CREATOR_PENDING, ada))
    assert pending == Money(500_000, "EUR")
    assert maturity.mature(at=LATER, holding=timedelta(days=30)) == 1


def test_any_past_balance_is_known(ada: Creator, funded: Operator) -> None:
    pending = account(AccountKind.CREATOR_PENDING, ada)
    instants = []
    for _ in range(3):
        earn(ada, funded, 5)
        instants.append(Batch.objects.latest("seq").posted_at)
    assert [balances.as_of(pending, at).micros for at in instants] == [5, 10, 15]
    before = instants[0] - timedelta(microseconds=1)
    assert balances.as_of(pending, before) == Money(0, "EUR")
    with pytest.raises(UnknownAccount):
        balances.as_of(2**31 - 1, NOON)
    with pytest.raises(UnknownAccount):
        balances.balance(2**31 - 1)


def test_a_line_drills_down_to_its_entries(ada: Creator, ben: Creator, funded: Operator) -> None:
    earn(ada, funded, 5)
    earn(ben, funded, 7)
    pending = account(AccountKind.CREATOR_PENDING, ada)
    (line,) = balances.lines(pending)
    (entry,) = balances.entries(line)
    assert (line.credit_micros, line.balance_micros) == (5, 5)
    assert entry.kind == EntryKind.QUERY
    assert pending in entry.accounts


def test_a_statement_adds_up_to_the_payout(
    ada: Creator, funded: Operator, paper: PaperGateway
) -> None:
    for micros in (1_000_001, 2_000_003):
        earn_available(ada, funded, micros)
    payable(ada, paper)
    batch = payouts.prepare(admin("mia"), currency="EUR", at=NOON)
    payouts.submit(batch, admin("noah"), at=NOON)
    payouts.approve(batch, admin("olga"), at=NOON)
    payouts.send_due(gateway=paper, at=NOON, limit=9)

    lines = statements.lines(ada, this_month())
    sent = [line for line in lines if line.what == (EntryKind.PAYOUT_SENT,)]
    assert sum(line.debit.micros for line in sent) == batch.payouts.get().amount_micros
    earned = [line for line in lines if line.what == (EntryKind.QUERY,)]
    assert sum(line.credit.micros for line in earned) == 3_000_004
    for kind in {line.account for line in lines}:
        of_kind = [line for line in lines if line.account == kind]
        net = sum(line.credit.micros - line.debit.micros for line in of_kind)
        assert net == of_kind[-1].balance.micros


def test_a_statement_is_safe_in_a_spreadsheet(ada: Creator, funded: Operator) -> None:
    earn(ada, funded, 1_000_001)
    for name in (
        "=cmd|' /C calc'!A1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "＝1+1",
        'Ada "the, first"\n',
    ):
        ada.display_name = name
        rows = list(csv.DictReader(io.StringIO(statements.csv(ada, this_month()), newline="")))
        assert [row["what"] for row in rows] == ["opening balance", "query", "closing balance"]
        assert [row["balance"] for row in rows] == ["0.000000", "1.000001", "1.000001"]
        assert not rows[0]["creator"].startswith(("=", "+", "-", "@", "\t", "＝"))
        assert rows[0]["creator"].removeprefix("'") == name


def test_a_month_without_lines_is_empty(ada: Creator, funded: Operator) -> None:
    earn(ada, funded, 1)
    assert statements.lines(ada, "2001-01") == []
    assert statements.csv(ada, "2001-01").splitlines() == [",".join(statements.COLUMNS)]
