"""A comparison that differs is explained part by part, and can be ended by booking it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import adjusting, balances, differences, payouts, reconciliation
from ledger.accounts import AccountKind
from ledger.differences import Movement, Part, unmatched
from ledger.errors import NotPayoutAdmin, ReasonMissing, WrongState
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, Reconciliation
from ledger.money import Money
from registry.models import Creator, Operator, User
from tests.factories import NOON, make_user
from tests.ledger.cast import (
    account,
    adjust,
    approved,
    earn_available,
    hear,
    payable,
    send,
    top_up,
)

DAY = timedelta(days=1)
STOLEN = 700


@pytest.fixture
def paper(acme: Operator, ada: Creator, gateway: PaperGateway) -> PaperGateway:
    top_up(acme, 50, gateway=gateway, fee_minor=145)
    earn_available(ada, acme, 3_000_000)
    payable(ada, gateway)
    return gateway


def compare(paper: PaperGateway, *, days: int = 0) -> Reconciliation:
    (row,) = reconciliation.reconcile(gateway=paper, at=NOON + days * DAY)
    row.refresh_from_db()
    return row


def steal(paper: PaperGateway, ada: Creator) -> None:
    """Money leaves the provider that nobody here asked for."""
    account = ada.payee.account
    paper.transfer(
        key="stolen",
        payee_account=account,
        amount_minor=STOLEN,
        currency="EUR",
        group="x",
        metadata={},
    )


def parts(row: Reconciliation) -> dict[str, Part]:
    return {part.kind: part for part in differences.explain(row)}


@pytest.mark.usefixtures("sound")
def test_parts_of_sound_books_differ_nowhere(
    paper: PaperGateway, mia: User, noah: User, acme: Operator
) -> None:
    approved(mia, noah)
    send(paper)
    topup = top_up(acme, 20, gateway=paper)
    paper.return_payment(topup.payment_id, 500)
    paper._book("payout", -100, "EUR", "po_own")
    hear(paper)
    row = compare(paper)

    found = differences.explain(row)

    assert row.agrees
    assert [part.difference.micros for part in found] == [0] * 5
    assert sum(part.ours.micros for part in found) == row.ledger_micros


@pytest.mark.usefixtures("sound")
def test_a_transfer_nobody_asked_for_is_named(paper: PaperGateway, ada: Creator) -> None:
    compare(paper)
    steal(paper, ada)
    row = compare(paper, days=1)

    found = parts(row)

    assert found["transfers"].difference == Money(-7_000_000, "EUR")
    (loose,) = found["transfers"].only_theirs
    assert (loose.of, loose.money) == ("transfer", Money(-7_000_000, "EUR"))
    assert [kind for kind, part in found.items() if part.difference.micros] == ["transfers"]


@pytest.mark.usefixtures("sound")
def test_a_kind_of_movement_that_is_unknown_is_named(paper: PaperGateway) -> None:
    compare(paper)
    paper._book("network_cost", -30, "EUR", "nc_1")

    found = parts(compare(paper, days=1))

    assert found["other"].difference == Money(-300_000, "EUR")
    assert [each.id for each in found["other"].only_theirs] == ["nc_1"]


@pytest.mark.usefixtures("sound")
def test_a_difference_that_is_booked_blocks_no_longer(
    paper: PaperGateway, ada: Creator, mia: User, noah: User
) -> None:
    steal(paper, ada)
    row = compare(paper)
    before = balances.balance(account(AccountKind.PLATFORM_FEE)).micros

    adjust(row, mia, noah, reason="stolen, reported")

    lost = balances.balance(account(AccountKind.PLATFORM_FEE)).micros - before
    assert lost == -7_000_000
    again = reconciliation.compare_again(mia, gateway=paper, at=NOON + DAY)
    again[0].refresh_from_db()
    assert again[0].agrees
    payouts.prepare(mia, currency="EUR", at=NOON + DAY)
    proposed, adjusted, compared = AdminAction.objects.order_by("pk")[:3]
    assert (proposed.by, adjusted.by, proposed.proposal) == (mia, noah, adjusted.proposal)
    assert (adjusted.reason, adjusted.facts["micros"]) == ("stolen, reported", -7_000_000)
    assert compared.facts == {"compared": 1, "differing": 0}


@pytest.mark.usefixtures("sound")
def test_only_the_newest_difference_of_now_is_booked_and_once(
    paper: PaperGateway, ada: Creator, mia: User, noah: User
) -> None:
    good = compare(paper)
    steal(paper, ada)
    row = compare(paper, days=1)
    with pytest.raises(WrongState):
        adjusting.propose(good, mia, reason="no difference", at=NOON)
    with pytest.raises(ReasonMissing):
        adjusting.propose(row, mia, reason="", at=NOON)
    with pytest.raises(NotPayoutAdmin):
        adjusting.propose(row, make_user(), reason="mine", at=NOON)
    proposal = adjusting.propose(row, mia, reason="stolen", at=NOON)
    adjusting.carry_out(proposal, noah, factor="totp", at=NOON)
    with pytest.raises(WrongState):
        adjusting.carry_out(proposal, noah, factor="totp", at=NOON)
    with pytest.raises(WrongState, match="compare again"):
        adjusting.propose(row, mia, reason="stolen", at=NOON)


@pytest.mark.usefixtures("sound")
def test_what_has_changed_since_it_was_proposed_is_not_booked(
    paper: PaperGateway, ada: Creator, mia: User, noah: User
) -> None:
    steal(paper, ada)
    proposal = adjusting.propose(compare(paper), mia, reason="stolen", at=NOON)
    compare(paper, days=1)
    with pytest.raises(WrongState, match="compare again"):
        adjusting.carry_out(proposal, noah, factor="totp", at=NOON)
    proposal.refresh_from_db()
    assert proposal.is_open


@pytest.mark.usefixtures("sound")
def test_a_provider_that_contradicts_itself_is_not_booked(
    paper: PaperGateway, noah: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper._book("network_cost", -30, "EUR", "nc_1")
    known = paper.balance()
    paper._book("network_cost", -40, "EUR", "nc_2")
    monkeypatch.setattr(paper, "balance", lambda: known)
    row = compare(paper)
    with pytest.raises(WrongState, match="differ from one another"):
        adjusting.propose(row, noah, reason="x", at=NOON)


amounts = st.lists(st.integers(1, 4), max_size=8)


@given(some=amounts, others=amounts, same=st.lists(st.integers(1, 4), max_size=4))
def test_what_is_unmatched_on_both_sides_makes_up_the_difference(
    some: list[int], others: list[int], same: list[int]
) -> None:
    def moved(prefix: str, found: list[int]) -> list[Movement]:
        return [
            Movement(f"{prefix}{i}", "x", NOON, Money(micros, "EUR"))
            for i, micros in enumerate(found)
        ]

    ours, theirs = moved("a", some) + moved("s", same), moved("b", others) + moved("s", same)
    left = sum(each.money.micros for each in unmatched(ours, theirs))
    right = sum(each.money.micros for each in unmatched(theirs, ours))
    assert left - right == sum(some) - sum(others)
