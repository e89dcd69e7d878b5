"""Two people, or a person and the worker, at the same payouts in the same instant."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from ledger import invariants, line_decisions, payouts
from ledger.errors import BooksInDoubt, PayoutError
from ledger.gateway_paper import PaperGateway
from ledger.models import AdminAction, Payout, PayoutBatch
from ledger.vocabulary import BatchStatus
from registry.models import Creator, Operator, User
from tests import factories
from tests.factories import NOON
from tests.ledger.cast import admin, approved, earn_available, payable, sent_minor, top_up

pytestmark = pytest.mark.usefixtures("committed_db")
CREATORS = 6


@pytest.fixture
def gateway() -> PaperGateway:
    return PaperGateway(clock=lambda: NOON)


@pytest.fixture
def people(committed_db: None) -> tuple[User, User, User]:
    return admin("mia"), admin("noah"), admin("olga")


@pytest.fixture
def owed(committed_db: None, gateway: PaperGateway) -> None:
    """Six creators are owed a euro each."""
    acme: Operator = factories.make_operator("acme")
    top_up(acme, 50, gateway=gateway)
    creators: list[Creator] = [factories.make_creator(f"c{n}") for n in range(CREATORS)]
    for creator in creators:
        earn_available(creator, acme, 1_000_000)
        payable(creator, gateway)


def at_once(*deeds: Callable[[], object]) -> list[BaseException | None]:
    """Run deeds in threads of their own, started at once; returns what each raised."""
    barrier = threading.Barrier(len(deeds))
    raised: list[BaseException | None] = [None] * len(deeds)

    def run(place: int, deed: Callable[[], object]) -> None:
        try:
            barrier.wait()
            deed()
        except BaseException as trouble:  # noqa: BLE001 - handed to the test's own thread
            raised[place] = trouble
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def submitted(mia: User) -> PayoutBatch:
    return payouts.submit(payouts.prepare(mia, currency="EUR", at=NOON), mia, at=NOON)


def done(*deeds: str) -> int:
    return AdminAction.objects.filter(deed__in=deeds).count()


@pytest.mark.usefixtures("owed")
def test_of_two_approvals_one_counts(people: tuple[User, User, User]) -> None:
    mia, noah, olga = people
    batch = submitted(mia)
    raised = at_once(
        lambda: payouts.approve(batch, noah, at=NOON), lambda: payouts.approve(batch, olga, at=NOON)
    )
    assert sum(trouble is None for trouble in raised) == 1
    assert all(isinstance(trouble, PayoutError) for trouble in raised if trouble)
    assert (done("approved"), Payout.objects.filter(status="reserved").count()) == (1, CREATORS)
    assert invariants.findings() == []


@pytest.mark.usefixtures("owed")
def test_an_approval_and_a_cancellation_leave_one_or_the_other(
    people: tuple[User, User, User],
) -> None:
    mia, noah, _olga = people
    batch = submitted(mia)
    raised = at_once(
        lambda: payouts.approve(batch, noah, at=NOON), lambda: payouts.cancel(batch, mia, at=NOON)
    )
    assert all(trouble is None or isinstance(trouble, PayoutError) for trouble in raised)
    batch.refresh_from_db()
    assert batch.status == BatchStatus.CANCELED
    assert set(Payout.objects.values_list("status", flat=True)) == {"canceled"}
    assert invariants.findings() == []


@pytest.mark.usefixtures("owed")
def test_a_submission_and_a_line_taken_out_leave_lines_as_submitted(
    people: tuple[User, User, User],
) -> None:
    mia, noah, _olga = people
    batch = payouts.prepare(mia, currency="EUR", at=NOON)
    line = batch.payouts.order_by("pk")[0]
    raised = at_once(
        lambda: payouts.submit(batch, mia, at=NOON),
        lambda: line_decisions.cancel(line, noah, reason="not this one", at=NOON),
    )
    assert raised == [None, None]
    payouts.approve(batch, noah, at=NOON)
    line.refresh_from_db()
    assert line.status == "canceled"
    assert Payout.objects.filter(status="reserved").count() == CREATORS - 1
    assert invariants.findings() == []


@pytest.mark.usefixtures("owed")
def test_calling_off_while_two_workers_send_pays_or_gives_back_each_once(
    people: tuple[User, User, User], gateway: PaperGateway
) -> None:
    mia, noah, olga = people
    batch = approved(mia, noah)

    def send() -> None:
        payouts.send_due(gateway=gateway, at=NOON, limit=100)

    raised = at_once(send, send, lambda: payouts.cancel(batch, olga, at=NOON), send)
    assert raised == [None] * 4
    statuses = list(Payout.objects.values_list("status", flat=True))
    assert set(statuses) <= {"transferred", "canceled"}
    assert sent_minor(gateway) == 100 * statuses.count("transferred")
    assert invariants.findings() == []


@pytest.mark.usefixtures("owed")
def test_two_who_draw_up_at_once_draw_up_one_batch(people: tuple[User, User, User]) -> None:
    mia, noah, _olga = people
    raised = at_once(
        lambda: payouts.prepare(mia, currency="EUR", at=NOON),
        lambda: payouts.prepare(noah, currency="EUR", at=NOON),
    )
    assert sum(trouble is None for trouble in raised) == 1
    assert not any(isinstance(trouble, BooksInDoubt) for trouble in raised)
    assert Payout.objects.count() == CREATORS
