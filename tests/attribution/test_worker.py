"""The worker loses nothing: killed, refused a lock, or handed something that cannot be settled."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

import attribution.invariants
import ledger.invariants
from attribution import queries, settlement, worker
from attribution.models import Contribution, GenerativeModel, Query, RoundingCarry
from ledger.models import Entry
from registry.models import Operator, Work
from tests.attribution.world import (
    EIGHT_OF_TYGER,
    FOUR_OF_NOBODY,
    GENERATED,
    MEDLEY,
    TWELVE_OF_CHARIOT,
    ask,
    fund,
    make_model,
    report,
)
from tests.factories import make_operator
from tests.journal import Journal

OUTPUTS = [MEDLEY, TWELVE_OF_CHARIOT, f"{EIGHT_OF_TYGER} {FOUR_OF_NOBODY}", FOUR_OF_NOBODY] * 3

WORKER = """
import os, signal, sys
import django
django.setup()
from django.db import connection
from attribution import contributions, settlement, worker
from attribution.models import Query
from ledger import posting
from tests.attribution.world import GENERATED

def die_after(owner, name):
    work = getattr(owner, name)
    def then_die(*args, **kwargs):
        work(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, then_die)

connection.cursor().execute("SET ROLE tribute_app")
worker.BATCH = 5
worker.settle_due(at=GENERATED, limit=5)
stage = sys.argv[1]
if stage == "weighed":
    die_after(settlement, "_weigh")
elif stage == "posted":
    die_after(posting, "post")
elif stage == "contributed":
    die_after(contributions, "write")
elif stage == "written":
    die_after(settlement, "settle")
worker.settle_due(at=GENERATED, limit=100)
"""


def run_worker(stage: str) -> int:
    """Settle in a process of its own, which kills itself in its second batch; its exit code."""
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    return subprocess.run(
        [sys.executable, "-c", WORKER, stage],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "server.settings"},
        timeout=120,
        check=False,
    ).returncode


def books(journal: Journal, operator: Operator) -> list[str]:
    """What was posted since, with the operator's name left out."""
    return [" ".join(line.split()).replace(operator.handle, "operator") for line in journal().splitlines()]  # fmt: skip


@pytest.mark.parametrize("stage", ["weighed", "posted", "contributed", "written"])
def test_a_killed_worker_leaves_the_same_books_as_an_undisturbed_one(
    committed_db: None, chariot: Work, tyger: Work, stage: str
) -> None:
    journal = Journal()
    told: dict[str, tuple[list[str], dict[str, Any]]] = {}
    for handle, killed in (("acme", False), ("bolt", True)):
        operator = make_operator(handle)
        fund(operator)
        model = make_model(operator, [chariot, tyger], fee_micros=7)
        queries.receive(operator, [report(model, output) for output in OUTPUTS], at=GENERATED)
        journal()
        if killed:
            assert run_worker(stage) == -signal.SIGKILL
            assert Query.objects.of(operator).filter(state="settled").count() == 5
        worker.settle_due(at=GENERATED, limit=100)
        carries = RoundingCarry.objects.filter(model=model).exclude(parts=0)
        told[handle] = (
            books(journal, operator),
            {str(carry.creator_id): carry.parts for carry in carries},
        )
        assert not Query.objects.of(operator).exclude(state="settled").exists()

    assert told["acme"] == told["bolt"]
    assert Entry.objects.count() == 2 + 2 + 2 * len(OUTPUTS), "paid in, held, settled"
    assert ledger.invariants.findings() == []
    assert attribution.invariants.findings() == []


def test_two_workers_share_the_queue_and_settle_each_query_once(
    committed_db: None, writer: GenerativeModel
) -> None:
    queries.receive(writer.operator, [report(writer) for _ in range(30)], at=GENERATED)
    counts: list[int] = []

    def work() -> None:
        try:
            counts.extend(worker.settle_due(at=GENERATED, limit=10) for _ in range(3))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    worker.settle_due(at=GENERATED, limit=100)

    assert not Query.objects.exclude(state="settled").exists()
    assert Contribution.objects.filter(creator__handle="ada").count() == 30
    assert attribution.invariants.findings() == []


def test_a_claimed_query_is_skipped_by_others(committed_db: None, writer: GenerativeModel) -> None:
    first, second = ask(writer), ask(writer)
    seen: list[int] = []

    def other() -> None:
        try:
            seen.append(worker.settle_due(at=GENERATED, limit=100))
        finally:
            connection.close()

    with transaction.atomic():
        Query.objects.select_for_update().get(pk=first.pk)
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (seen, first.state, second.state) == ([1], "received", "settled")


def failing_for(monkeypatch: pytest.MonkeyPatch, error: Exception, culprit: Query) -> None:
    """Make settlement fail whenever the culprit is in the batch."""
    settle: Callable[..., None] = settlement.settle

    def settle_or_fail(batch: list[Query], **at: Any) -> None:
        if culprit in batch:
            raise error
        settle(batch, **at)

    monkeypatch.setattr(settlement, "settle", settle_or_fail)


def test_a_transient_failure_puts_the_batch_off(
    writer: GenerativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = ask(writer)
    with monkeypatch.context() as patch:
        failing_for(patch, OperationalError("the server went away"), query)
        worker.settle_due(at=GENERATED, limit=10)

    query.refresh_from_db()
    assert (query.state, query.attempts, query.reason) == ("received", 1, "OperationalError")
    assert query.due_at == GENERATED + timedelta(seconds=15)
    assert worker.settle_due(at=GENERATED, limit=10) == 0
    assert worker.settle_due(at=query.due_at, limit=10) == 1
    query.refresh_from_db()
    assert query.state == "settled"


def test_one_poisonous_query_does_not_hold_up_the_others(
    writer: GenerativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, fine = ask(writer), ask(writer), ask(writer)
    failing_for(monkeypatch, RuntimeError("a defect"), bad)

    worker.settle_due(at=GENERATED, limit=10)

    for query in (good, bad, fine):
        query.refresh_from_db()
    assert (good.state, bad.state, fine.state) == ("settled", "received", "settled")
    assert (bad.attempts, bad.reason) == (1, "RuntimeError")


def test_a_query_that_never_succeeds_is_parked_and_can_be_tried_again(
    writer: GenerativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = ask(writer)
    with monkeypatch.context() as patch:
        failing_for(patch, RuntimeError("a defect"), query)
        for _ in range(worker.MOST_ATTEMPTS):
            query.refresh_from_db()
            worker.settle_due(at=query.due_at, limit=10)

    query.refresh_from_db()
    assert (query.state, query.attempts) == ("parked", worker.MOST_ATTEMPTS)
    assert worker.retry_parked(query, at=GENERATED)
    assert not worker.retry_parked(query, at=GENERATED)
    worker.settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    assert (query.state, query.reason) == ("settled", "")


def test_settling_again_changes_nothing(writer: GenerativeModel, journal: Journal) -> None:
    ask(writer)
    worker.settle_due(at=GENERATED, limit=10)
    journal()

    assert worker.settle_due(at=GENERATED, limit=10) == 0
    assert journal() == ""
