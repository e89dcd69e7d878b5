"""The same webhooks and the same calls at two processes at once, which are killed at random."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection

import attribution.invariants
import ledger.invariants
from attribution.models import GenerativeModel, Query
from ledger.accounts import AccountKind, account_id
from ledger.balances import balances
from ledger.models import Entry, TopUp
from ledger.money import Money
from ledger.posting import EntryKind
from registry.models import Operator, Work
from tests.attribution.delivering_twice import CALLS, QUERIES
from tests.attribution.world import make_model
from tests.factories import NOON

KILLS, TOPUPS, SEED = 10, 6, 20_260_601


def started(seed: int) -> "subprocess.Popen[bytes]":
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    return subprocess.Popen(
        [sys.executable, "-m", "tests.attribution.delivering_twice", str(seed)],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "server.settings"},
    )


def outcome(process: "subprocess.Popen[bytes]") -> int | None:
    """The code of a process that came to its end by itself; none while it runs or when killed."""
    return None if process.poll() in {None, -signal.SIGKILL} else process.returncode


@pytest.fixture
def model(acme: Operator, chariot: Work, tyger: Work) -> GenerativeModel:
    for _ in range(TOPUPS):
        TopUp.objects.create(
            operator=acme, amount_micros=1_000_000, currency="EUR", gateway="paper", created_at=NOON
        )
    return make_model(acme, [chariot, tyger])


@pytest.mark.timeout(600)
def test_two_killed_at_random_book_everything_once(
    committed_db: None, model: GenerativeModel
) -> None:
    chance = random.Random(SEED)
    running = [started(1), started(2)]
    try:
        for number in range(KILLS):
            time.sleep(chance.uniform(1.2, 3.0))  # beyond its start, amid its work
            victim = chance.randrange(2)
            running[victim].kill()
            running[victim].wait()
            assert outcome(running[victim]) in {None, 0}, "nobody stops for a reason of its own"
            running[victim] = started(10 + number)
        assert [process.wait(timeout=200) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
            process.wait()

    kinds = list(Entry.objects.values_list("kind", flat=True))
    settled = Query.objects.filter(state="settled").count()
    refused = Query.objects.filter(state="refused").count()
    assert kinds.count(EntryKind.TOPUP) == TOPUPS == TopUp.objects.filter(status="paid").count()
    assert kinds.count(EntryKind.QUERY) == settled
    assert settled + refused == CALLS * QUERIES
    assert settled > 0
    prepaid = account_id(AccountKind.OPERATOR_PREPAID, model.operator_id, "EUR")
    reserved = account_id(AccountKind.OPERATOR_RESERVED, model.operator_id, "EUR")
    left = TOPUPS * 1_000_000 - settled * 10_000
    assert balances([prepaid, reserved]) == {
        prepaid: Money(left, "EUR"),
        reserved: Money(0, "EUR"),
    }
    assert ledger.invariants.findings() == []
    assert attribution.invariants.findings() == []
