"""Kill the worker and the broker in the middle of settlement: the final books do not change."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from django.db import connection

import attribution.invariants
import ledger.invariants
from attribution import queries, worker
from attribution.models import Query
from ledger.models import Account
from ledger.vocabulary import AccountKind
from registry.models import Operator
from server.broker import Broker
from server.embedded import living_in
from server.postgres import APPLICATION, Postgres
from server.processes import Supervisor
from tests.attribution.world import CHARIOT, GENERATED, MEDLEY, TYGER, fund, make_model, report
from tests.factories import allow, make_creator, make_operator, make_work

QUERIES = 2_400
A_CALL = 800
PATIENCE_S = 90.0
CELERY = [sys.executable, "-m", "celery", "--app", "server.celery"]


def test_killing_worker_and_broker_in_mid_settlement_changes_nothing(
    committed_db: None, tmp_path: Path
) -> None:
    chariot = make_work(make_creator("ada"), title="The Chariot", text=CHARIOT)
    tyger = make_work(make_creator("ben"), title="The Tyger", text=TYGER)
    allow(chariot)
    allow(tyger)
    calm, disturbed = make_operator("calm"), make_operator("disturbed")
    for operator in (calm, disturbed):
        fund(operator, QUERIES * 10_000)
        model = make_model(operator, [chariot, tyger], fee_micros=9_999)
        reports = [report(model, MEDLEY, external_id=f"gen-{n}") for n in range(QUERIES)]
        for first in range(0, QUERIES, A_CALL):
            queries.receive(operator, reports[first : first + A_CALL], at=GENERATED)
        if operator == calm:
            while worker.settle_due(at=GENERATED, limit=QUERIES):
                pass
    before = books()

    settle_through_calamity(disturbed, tmp_path)

    earned = {owner: books()[owner] - before[owner] for owner in before if owner[0] != "calm"}
    assert states(disturbed) == {"settled": QUERIES}
    assert earned["ada", AccountKind.CREATOR_PENDING] == before["ada", AccountKind.CREATOR_PENDING]
    assert earned["ben", AccountKind.CREATOR_PENDING] == before["ben", AccountKind.CREATOR_PENDING]
    assert earned["", AccountKind.PLATFORM_FEE] == before["", AccountKind.PLATFORM_FEE]
    assert earned["", AccountKind.POOL] == before["", AccountKind.POOL]
    assert earned["disturbed", AccountKind.OPERATOR_RESERVED] == -QUERIES * 9_999
    assert ledger.invariants.findings() == []
    assert attribution.invariants.findings() == []


def settle_through_calamity(operator: Operator, folder: Path) -> None:
    """Let real processes settle; kill the worker, then the broker, each in the middle."""
    broker = Broker(folder / "broker")
    name = str(connection.settings_dict["NAME"])
    said: list[str] = []
    try:
        broker.start()
        environment = {
            "DATABASE_URL": Postgres().url(role=APPLICATION, database=name),
            "BROKER_URL": broker.url(),
            "TRIBUTE_EMBEDDED": "1",
            # A log of its own: the one in the tests' home was signed for another database.
            "LOG_FOLDER": str(folder / "transparency-log"),
            "LOG_LAST_SIGNED": str(folder / "log-last-signed"),
        }
        with Supervisor(folder / "log", report=said.append) as supervisor:
            worker_command = [*CELERY, "worker", "--concurrency", "1", "--loglevel", "WARNING"]
            supervisor.start("worker", worker_command, environment=environment)
            timetable = [*CELERY, "beat", "--loglevel", "WARNING"]
            supervisor.start("timetable", timetable, environment=environment)
            wait_until(lambda: 0 < states(operator)["settled"] < QUERIES, said)
            os.killpg(supervisor.pid("worker"), signal.SIGKILL)
            for process in living_in(broker.data):
                process.kill()
            left = QUERIES - states(operator)["settled"]
            broker.start()
            wait_until(lambda: states(operator)["settled"] == QUERIES, said)
    finally:
        broker.stop()
    assert 0 < left < QUERIES, "the calamity struck in the middle"


def wait_until(done: Callable[[], bool], said: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, said
        time.sleep(0.02)


def states(operator: Operator) -> Counter[str]:
    return Counter(Query.objects.of(operator).values_list("state", flat=True))


def books() -> dict[tuple[str, int], int]:
    """Every balance by its owner's handle and the account's kind."""
    return {
        (
            getattr(account.creator or account.operator, "handle", ""),
            account.kind,
        ): account.balance.balance_micros
        for account in Account.objects.select_related("creator", "operator", "balance")
    }
