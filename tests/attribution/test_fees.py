"""An operator spends what it has: fees are kept aside at the door, and leave their hold once."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

import attribution.invariants
import ledger.invariants
from attribution import fees, queries, settlement, worker
from attribution.errors import NotFunded
from attribution.models import GenerativeModel, Query
from attribution.queries import QueryReport, receive
from ledger import balances, holds
from ledger.accounts import AccountKind, account_id
from ledger.models import Hold
from registry.models import Operator, Work
from tests.attribution.world import GENERATED, MEDLEY, ask, fund, make_model, report
from tests.factories import api_client
from tests.journal import Journal
from tests.ledger.cast import tamper

OVER = GENERATED + fees.HELD_FOR


@pytest.fixture
def poor(acme: Operator, chariot: Work, tyger: Work) -> GenerativeModel:
    """Acme's model, with money for two queries and a half."""
    fund(acme, 25_000)
    return make_model(acme, [chariot, tyger])


def money(operator: Operator) -> tuple[int, int]:
    """Prepaid and reserved, in micros."""
    kinds = (AccountKind.OPERATOR_PREPAID, AccountKind.OPERATOR_RESERVED)
    numbers = [account_id(kind, operator.pk, "EUR") for kind in kinds]
    found = balances.balances(numbers)
    return found[numbers[0]].micros, found[numbers[1]].micros


def states(operator: Operator) -> list[str]:
    rows = Query.objects.of(operator).order_by("external_id")
    return list(rows.values_list("state", flat=True))


def named(model: GenerativeModel, *numbers: int) -> list[QueryReport]:
    return [report(model, external_id=f"gen-{number}") for number in numbers]


@pytest.mark.usefixtures("sound")
def test_one_hold_keeps_the_fees_of_a_whole_call(poor: GenerativeModel, journal: Journal) -> None:
    journal()

    receive(poor.operator, named(poor, 1, 2), at=GENERATED)

    assert (
        journal()
        == """
        operator:acme:prepaid    -0.020000 EUR
        operator:acme:reserved    0.020000 EUR
    """
    )
    hold = Hold.objects.get()
    assert (hold.left_micros, hold.expires_at) == (20_000, OVER)


@pytest.mark.usefixtures("sound")
def test_what_is_not_funded_is_refused_at_the_door_in_order_and_for_good(
    poor: GenerativeModel,
) -> None:
    acme = poor.operator
    said = named(poor, 3, 1, 2)
    answers = receive(acme, said, at=GENERATED)

    told = [(each.external_id, each.state, each.reason) for each in answers]
    assert told == [
        ("gen-3", "received", ""),
        ("gen-1", "received", ""),
        ("gen-2", "refused", "insufficient_funds"),
    ]
    refused = Query.objects.get(external_id="gen-2")
    assert (refused.evidence, refused.hold_id) == (None, None)

    fund(acme, 100_000)
    again = receive(acme, said, at=GENERATED)
    assert [(each.state, each.duplicate) for each in again] == [
        ("received", True),
        ("received", True),
        ("refused", True),
    ]
    assert receive(acme, named(poor, 4), at=GENERATED)[0].state == "received"
    worker.settle_due(at=GENERATED, limit=10)
    assert states(acme) == ["settled", "refused", "settled", "settled"]
    assert money(acme) == (95_000, 0)


@pytest.mark.usefixtures("sound")
def test_a_cheaper_query_after_a_refused_one_is_still_taken(
    acme: Operator, chariot: Work, poor: GenerativeModel
) -> None:
    cheap = make_model(acme, [chariot], fee_micros=5_000, version="2")
    told = receive(acme, [*named(poor, 1, 2, 3), *named(cheap, 4)], at=GENERATED)

    assert [each.state for each in told] == ["received", "received", "refused", "received"]
    assert money(acme) == (0, 25_000)


@pytest.mark.usefixtures("sound")
def test_an_operator_that_paid_nothing_is_refused_everything(acme: Operator, chariot: Work) -> None:
    model = make_model(acme, [chariot])

    answers = receive(acme, named(model, 1, 2), at=GENERATED)

    assert {each.state for each in answers} == {"refused"}
    assert not Hold.objects.exists()


@pytest.mark.usefixtures("sound")
def test_the_answer_over_http_says_why(poor: GenerativeModel) -> None:
    client = api_client(poor.operator)
    said = [
        {
            "model": poor.pk,
            "external_id": f"gen-{number}",
            "occurred_at": GENERATED.isoformat(),
            "output": MEDLEY,
        }
        for number in range(3)
    ]

    response = client.post("/v1/queries", {"queries": said}, format="json")

    told = [(each["state"], each["reason"]) for each in response.json()["queries"]]
    assert told == [("received", ""), ("received", ""), ("refused", "insufficient_funds")]


@pytest.mark.usefixtures("sound")
def test_a_parked_query_gives_its_fee_back_and_is_replayed_when_funded(
    poor: GenerativeModel, settings: Any
) -> None:
    keys, acme = settings.EVIDENCE_KEYS, poor.operator
    query = ask(poor)
    settings.EVIDENCE_KEYS = ["another secret of at least 32 characters"]
    worker.settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    assert (query.state, query.hold_id, money(acme)) == ("parked", None, (25_000, 0))

    settings.EVIDENCE_KEYS = keys
    receive(acme, named(poor, 1, 2), at=GENERATED)
    with pytest.raises(NotFunded):
        worker.retry_parked(query, at=GENERATED)
    client = api_client(acme)
    refused = client.post(f"/v1/queries/{query.pk}:retry")
    assert (refused.status_code, refused.json()["code"]) == (402, "query_not_funded")

    fund(acme, 5_000)
    assert worker.retry_parked(query, at=GENERATED)
    assert money(acme) == (0, 30_000)
    worker.settle_due(at=GENERATED, limit=10)
    assert states(acme) == ["settled"] * 3


@pytest.mark.usefixtures("sound")
def test_a_query_that_never_succeeds_gives_its_fee_back(
    poor: GenerativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = ask(poor), ask(poor)
    settle = settlement.settle

    def settle_or_fail(batch: list[Query], **at: Any) -> None:
        if bad in batch:
            raise RuntimeError("a defect")
        settle(batch, **at)

    monkeypatch.setattr(settlement, "settle", settle_or_fail)
    for _ in range(worker.MOST_ATTEMPTS):
        bad.refresh_from_db()
        worker.settle_due(at=bad.due_at, limit=10)

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (good.state, bad.state, money(poor.operator)) == ("settled", "parked", (15_000, 0))


@pytest.mark.usefixtures("sound")
def test_a_hold_that_expired_leaves_its_queries_to_what_is_prepaid(poor: GenerativeModel) -> None:
    acme = poor.operator
    receive(acme, named(poor, 1, 2), at=GENERATED)
    assert holds.expire_due(at=OVER - timedelta(seconds=1)) == 0
    assert holds.expire_due(at=OVER) == 1
    assert money(acme) == (25_000, 0)
    assert attribution.invariants.findings() == []

    receive(acme, named(poor, 3), at=OVER)
    worker.settle_due(at=OVER, limit=10)

    assert states(acme) == ["settled", "refused", "settled"], "15,000 were left for the first two"
    assert money(acme) == (5_000, 0)


@pytest.mark.usefixtures("sound")
def test_part_of_a_hold_expires_once_the_rest_was_paid(poor: GenerativeModel) -> None:
    acme = poor.operator
    receive(acme, named(poor, 1, 2), at=GENERATED)
    worker.settle_due(at=GENERATED, limit=1)
    assert holds.expire_due(at=OVER) == 1

    hold = Hold.objects.get()
    assert (hold.status, hold.settled_micros, hold.returned_micros) == ("expired", 10_000, 10_000)
    worker.settle_due(at=OVER, limit=10)
    assert (states(acme), money(acme)) == (["settled", "settled"], (5_000, 0))


@pytest.mark.usefixtures("sound")
def test_a_query_accepted_before_there_were_holds_is_paid_from_prepaid(
    poor: GenerativeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(fees, "name_holds", lambda _queries: None)
        patch.setattr(queries, "_reserve", lambda _fresh, _kept, **_at: False)
        query = ask(poor)
    worker.settle_due(at=GENERATED, limit=10)
    query.refresh_from_db()
    assert (query.state, money(poor.operator)) == ("settled", (15_000, 0))


@pytest.mark.parametrize(
    ("table", "sql"),
    [
        ("ledger_hold", "UPDATE ledger_hold SET settled_micros = settled_micros - 1"),
        ("attribution_query", "UPDATE attribution_query SET fee_micros = 1 WHERE state='received'"),
        ("attribution_query", "UPDATE attribution_query SET hold_id = NULL WHERE state='received'"),
        ("attribution_query", "UPDATE attribution_query SET state='parked', reason='x' WHERE state='received'"),
    ],
)  # fmt: skip
def test_the_audit_finds_holds_that_are_not_what_queries_owe(
    poor: GenerativeModel, table: str, sql: str
) -> None:
    receive(poor.operator, named(poor, 1, 2), at=GENERATED)
    worker.settle_due(at=GENERATED, limit=1)
    assert attribution.invariants.findings() == []

    tamper(table, sql)

    found = {finding.invariant for finding in attribution.invariants.findings()}
    assert "holds_are_what_queries_owe" in found


def test_calls_at_once_never_hold_more_than_there_is(
    committed_db: None, poor: GenerativeModel
) -> None:
    barrier = threading.Barrier(4)

    def send(first: int) -> None:
        try:
            barrier.wait()
            for number in range(first, first + 3):
                receive(poor.operator, named(poor, number), at=GENERATED)
        finally:
            connection.close()

    senders = [threading.Thread(target=send, args=[10 * first]) for first in range(4)]
    for each in senders:
        each.start()
    for each in senders:
        each.join()

    assert sorted(states(poor.operator)) == ["received"] * 2 + ["refused"] * 10
    assert money(poor.operator) == (5_000, 20_000)
    worker.settle_due(at=GENERATED, limit=100)
    assert ledger.invariants.findings() == []
    assert attribution.invariants.findings() == []


INTAKE = """
import os, signal, sys
import django
django.setup()
from django.db import connection
from attribution import fees, queries
from attribution.models import GenerativeModel, Query
from ledger import drawing
from ledger.models import Hold
from tests.attribution.test_fees import named
from tests.attribution.world import GENERATED

def die_after(owner, name):
    work = getattr(owner, name)
    def then_die(*args, **kwargs):
        work(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(owner, name, then_die)

connection.cursor().execute("SET ROLE tribute_app")
model = GenerativeModel.objects.get()
queries.receive(model.operator, named(model, 1), at=GENERATED)
stage = sys.argv[1]
if stage == "written":
    die_after(queries, "_keep")
elif stage == "posted":
    die_after(drawing, "post")
elif stage == "held":
    die_after(Hold.objects, "create")
elif stage == "answered":
    die_after(queries, "_answer")
queries.receive(model.operator, named(model, 2, 3), at=GENERATED)
"""


@pytest.mark.parametrize("stage", ["written", "posted", "held", "answered"])
def test_a_killed_intake_holds_nothing_and_is_said_again(
    committed_db: None, poor: GenerativeModel, stage: str
) -> None:
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    killed = subprocess.run(
        [sys.executable, "-c", INTAKE, stage],
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "server.settings"},
        timeout=120,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert (states(poor.operator), money(poor.operator)) == (["received"], (15_000, 10_000))
    assert attribution.invariants.findings() == []

    receive(poor.operator, named(poor, 2, 3), at=GENERATED)

    assert states(poor.operator) == ["received", "received", "refused"]
    assert money(poor.operator) == (5_000, 20_000)
    assert ledger.invariants.findings() == []
    assert attribution.invariants.findings() == []
