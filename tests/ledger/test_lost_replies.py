"""Replies lost again and again, in every pattern: each payout reaches its creator exactly once."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import invariants, payouts
from ledger.errors import LedgerError
from ledger.gateway import OutcomeUnknown, TryAgain
from ledger.gateway_paper import PaperGateway
from ledger.models import Payout
from registry.models import Operator
from tests import factories
from tests.factories import NOON
from tests.ledger.cast import admin, approved, earn_available, hear, payable, top_up

CREATORS = 2
ROUND = timedelta(minutes=6)
"""Longer than anything may still be under way, so that each round also looks lost payouts up."""

LOSSES = st.sampled_from(
    [
        ("transfer", OutcomeUnknown, True),
        ("transfer", OutcomeUnknown, False),
        ("transfer", TryAgain, False),
        ("find_transfers", TryAgain, False),
        ("find_transfers", OutcomeUnknown, False),
        None,
    ]
)


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("db")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rounds=st.lists(st.lists(LOSSES, max_size=4), min_size=1, max_size=8))
def test_however_replies_are_lost_everybody_is_paid_once(
    gateway: PaperGateway,
    rounds: list[list[tuple[str, type[OutcomeUnknown | TryAgain], bool] | None]],
) -> None:
    story = Operator.objects.count()
    acme = factories.make_operator(f"acme-{story}")
    top_up(acme, 50, gateway=gateway)
    creators = [factories.make_creator(f"c-{story}-{number}") for number in range(CREATORS)]
    for number, creator in enumerate(creators, 1):
        earn_available(creator, acme, number * 1_000_000)
        payable(creator, gateway)
    batch = approved(admin(f"mia{acme.handle}"), admin(f"noah{acme.handle}"))
    at = NOON
    for losses in rounds:
        for loss in filter(None, losses):
            method, error, after = loss
            gateway.fail_next(method, error("lost", "nobody heard it"), after=after)
        at += ROUND
        step(gateway, at=at)
    gateway._failures.clear()
    for _ in range(3):
        at += timedelta(hours=25)
        step(gateway, at=at)

    rows = Payout.objects.filter(batch=batch)
    groups = {payout.group for payout in rows}
    sent = [each for each in gateway._transfers.values() if each.group in groups]
    assert sorted(each.group for each in sent) == sorted(groups), "one transfer for each payout"
    amounts = {each.group: each.amount_minor for each in sent}
    assert amounts == {payout.group: payout.amount_micros // 10_000 for payout in rows}
    assert sorted(amounts.values()) == [100, 200]
    assert {payout.status for payout in rows} == {"transferred"}
    assert invariants.findings() == []


def step(gateway: PaperGateway, *, at: object) -> None:
    """One ring of the timetable's bells; what the provider turned away waits for the next."""
    for deed in (
        lambda: payouts.resolve_unknown(gateway=gateway, at=at),  # type: ignore[arg-type]
        lambda: payouts.send_due(gateway=gateway, at=at, limit=9),  # type: ignore[arg-type]
        lambda: hear(gateway, at=at),  # type: ignore[arg-type]
    ):
        try:
            deed()
        except (TryAgain, OutcomeUnknown, LedgerError):
            continue
