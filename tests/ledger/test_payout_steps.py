"""The table of steps: what is in it can happen, what is not cannot, and PostgreSQL agrees."""

import pytest
from django.db import connection

from ledger import payout_steps
from ledger.errors import WrongState
from ledger.models import Payout
from ledger.vocabulary import PayoutStatus
from tests.factories import NOON

FORBIDDEN = [
    (before, after)
    for before in PayoutStatus
    for after in PayoutStatus
    if after not in payout_steps.STEPS[before]
]


@pytest.mark.parametrize(("before", "after"), FORBIDDEN)
def test_a_step_that_is_not_in_the_table_is_refused(
    before: PayoutStatus, after: PayoutStatus
) -> None:
    payout = Payout(status=before.value)
    with pytest.raises(WrongState):
        payout_steps.move([payout], after, at=NOON)


@pytest.mark.django_db
def test_postgresql_allows_the_same_steps() -> None:
    pairs = [(before, after) for before in PayoutStatus for after in PayoutStatus]
    with connection.cursor() as cursor:
        allowed = []
        for before, after in pairs:
            cursor.execute("SELECT ledger_payout_may(%s, %s)", [before.value, after.value])
            allowed += [(before, after)] if cursor.fetchone()[0] else []
    assert set(allowed) == {
        (before, after)
        for before, after in pairs
        if before == after or after in payout_steps.STEPS[before]
    }


def test_every_state_has_its_row_and_can_be_reached() -> None:
    assert set(payout_steps.STEPS) == set(PayoutStatus)
    reached = {PayoutStatus.PLANNED}.union(*payout_steps.STEPS.values())
    assert reached == set(PayoutStatus)


def test_what_is_over_stays_over() -> None:
    over = {status for status, following in payout_steps.STEPS.items() if not following}
    assert over == {PayoutStatus.FAILED, PayoutStatus.REVERSED, PayoutStatus.CANCELED}
