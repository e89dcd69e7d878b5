"""The simulation's own promises: routes, keys, webhooks, faults, memory."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import stripe
from stripe.v2.core import Account

from server.stripe_simulator import Settings, Simulator
from server.stripe_simulator.__main__ import main
from tests.server.stripe_simulator.stage import API_KEY, Stage, staged, wait_until

JSON = {"Content-Type": "application/json"}


def error_of(answer: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(answer)["error"]
    return read


def test_unknown_route_is_answered_in_stripes_error_shape(stage: Stage) -> None:
    status, answer = stage.request("GET", "/v1/subscriptions")

    assert (status, error_of(answer)["type"]) == (404, "invalid_request_error")


@pytest.mark.parametrize("key", ["", "Bearer nonsense", "Bearer sk_live_real"])
def test_only_test_keys_are_admitted(stage: Stage, key: str) -> None:
    status, _ = stage.request("GET", "/v1/balance", headers={"Authorization": key})

    assert status == 401


@pytest.mark.parametrize(
    ("form", "code", "param"),
    [
        ("", "parameter_missing", "amount"),
        ("amount=ten&currency=eur&destination=acct_x", "parameter_invalid_integer", "amount"),
        ("amount=0&currency=eur&destination=acct_x", "parameter_invalid_integer", "amount"),
        ("amount=1&destination=acct_x", "parameter_missing", "currency"),
        ("amount=1&currency=eur&destination=acct_x", "resource_missing", "destination"),
        ("amount=1&currency=eur&colour=red", "parameter_unknown", "colour"),
        ("amount[a]=1&amount[a][b]=2", "parameter_invalid_string", "a"),
    ],
)
def test_transfer_names_the_parameter_it_refuses(
    stage: Stage, form: str, code: str, param: str
) -> None:
    status, answer = stage.request("POST", "/v1/transfers", form)

    error = error_of(answer)
    assert (status, error["code"], error["param"]) == (400, code, param)


def test_refused_parameters_are_not_kept_under_the_key(stage: Stage) -> None:
    headers = {"Idempotency-Key": "k"}
    form = "type=account_onboarding&refresh_url=http://r&return_url=http://b&account="

    refused, _ = stage.request("POST", "/v1/account_links", form + "acct_x", headers=headers)
    account = json.loads(stage.request("POST", "/v1/accounts", "country=DE")[1])
    status, _ = stage.request("POST", "/v1/account_links", form + account["id"], headers=headers)

    assert (refused, status) == (403, 200)


def test_replayed_answer_says_so(stage: Stage) -> None:
    client = stage.client()

    answers = [
        client.v1.accounts.create({"country": "DE"}, {"idempotency_key": "k"}) for _ in range(2)
    ]

    headers = [answer.last_response.headers for answer in answers if answer.last_response]
    assert answers[0].id == answers[1].id
    assert [head.get("Idempotent-Replayed") for head in headers] == [None, "true"]


def test_v2_failure_is_not_kept_under_the_key(stage: Stage) -> None:
    stage.fault("error_500", "POST /v2/core/accounts")
    gateway = stage.gateway()

    with pytest.raises(Exception, match="our side"):
        gateway.create_payee(reference="cre_ada", email="ada@example.org", country="DE")

    assert gateway.create_payee(reference="cre_ada", email="ada@example.org", country="DE").id


def test_v2_account_has_only_fields_the_sdk_knows(stage: Stage) -> None:
    ada = stage.onboarded(stage.gateway())

    _, answer = stage.request("GET", f"/v2/core/accounts/{ada.id}?include[0]=requirements")

    account = json.loads(answer)
    assert set(account) <= set(Account.__annotations__)
    assert (account["requirements"], account["configuration"]) == ({"entries": []}, None)


def test_account_link_opens_once(stage: Stage) -> None:
    gateway = stage.gateway()
    ada = gateway.create_payee(reference="cre_ada", email="ada@example.org", country="DE")
    link = gateway.onboarding_link(ada.id, return_url="http://t/back", refresh_url="http://t/again")
    path = link.removeprefix(stage.simulator.url)

    first = stage.request("GET", path)
    second = stage.request("GET", path)

    assert first[0] == 200
    assert "Finish onboarding" in first[1]
    assert second == (303, "http://t/again")


def test_account_link_grows_old(tmp_path: Path) -> None:
    with staged(tmp_path, Settings(link_lifetime_s=-2)) as stage:
        gateway = stage.gateway()
        ada = gateway.create_payee(reference="cre_ada", email="a@example.org", country="DE")
        link = gateway.onboarding_link(ada.id, return_url="http://t/b", refresh_url="http://t/a")

        answer = stage.request("GET", link.removeprefix(stage.simulator.url))

    assert answer == (303, "http://t/a")


def test_checkout_page_says_that_it_is_a_simulation(stage: Stage) -> None:
    gateway = stage.gateway()
    session = stage.paid(gateway, 1_000)

    _, page = stage.request("GET", session.url.removeprefix(stage.simulator.url))

    assert "This is not Stripe" in page
    assert "Already paid" in page


def test_lists_go_by_cursor_in_both_directions(stage: Stage) -> None:
    gateway = stage.gateway()
    ada = stage.onboarded(gateway)
    stage.paid(gateway, 10_000)
    sent = [
        gateway.transfer(
            key=f"k{number}",
            payee_account=ada.id,
            amount_minor=100,
            currency="EUR",
            group="g",
            metadata={},
        ).id
        for number in range(5)
    ][::-1]
    transfers = stage.client().v1.transfers

    first = transfers.list({"limit": 2})
    second = transfers.list({"limit": 2, "starting_after": sent[1]})
    back = transfers.list({"limit": 2, "ending_before": sent[2]})

    assert ([row.id for row in first], first.has_more) == (sent[:2], True)
    assert [row.id for row in second] == sent[2:4]
    assert ([row.id for row in back], back.has_more) == (sent[:2], False)
    assert [row.id for row in transfers.list({"limit": 2}).auto_paging_iter()] == sent


def test_payment_leads_to_its_charge_and_fee(stage: Stage) -> None:
    session = stage.paid(stage.gateway(), 10_000)
    client = stage.client()
    intent_id = client.v1.checkout.sessions.retrieve(session.id).payment_intent
    assert isinstance(intent_id, str)

    intent = client.v1.payment_intents.retrieve(
        intent_id, {"expand": ["latest_charge.balance_transaction"]}
    )

    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert (intent.status, charge.balance_transaction.fee) == ("succeeded", 175)
    assert client.v1.charges.retrieve(charge.id).amount == 10_000
    assert client.v1.balance_transactions.retrieve(charge.balance_transaction.id).net == 9_825


def test_events_can_be_listed_and_read(stage: Stage) -> None:
    stage.paid(stage.gateway(), 10_000)
    events = stage.client().v1.events

    (completed,) = events.list({"type": "checkout.session.completed"}).data

    assert events.retrieve(completed.id).to_dict() == completed.to_dict()


def test_connected_account_sees_its_own_books_only(stage: Stage) -> None:
    gateway = stage.gateway()
    ada = stage.onboarded(gateway, "cre_ada")
    ben = stage.onboarded(gateway, "cre_ben")
    stage.paid(gateway, 10_000)
    gateway.transfer(
        key="k",
        payee_account=ada.id,
        amount_minor=100,
        currency="EUR",
        group="g",
        metadata={},
    )
    stage.inbox.wait_for("payout.paid")

    payouts = stage.client().v1.payouts
    (payout,) = payouts.list({}, {"stripe_account": ada.id}).data

    assert payouts.list({}, {"stripe_account": ben.id}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        payouts.retrieve(payout.id, options={"stripe_account": ben.id})
    with pytest.raises(stripe.PermissionError):
        payouts.list({}, {"stripe_account": "acct_mallory"})


def test_refused_webhooks_are_delivered_again(stage: Stage) -> None:
    stage.inbox.refuse = 3

    stage.paid(stage.gateway(), 10_000)

    assert len(stage.inbox.wait_for("checkout.session.completed")) == 1
    wait_until(lambda: stage.simulator.counts()["deliveries_waiting"] == 0)
    assert stage.simulator.counts()["calls"]["webhooks refused"] == 3
    assert len(stage.inbox.letters) == 3


def test_duplicated_webhooks_bear_the_same_id(stage: Stage) -> None:
    stage.fault("duplicate_webhooks", "checkout.session.completed")

    stage.paid(stage.gateway(), 10_000)

    first, second = stage.inbox.wait_for("checkout.session.completed", 2)
    assert first.event["id"] == second.event["id"]
    assert len(stage.inbox.of("charge.succeeded")) == 1


def test_reordered_webhook_comes_after_later_ones(stage: Stage) -> None:
    stage.fault("reorder_webhooks", "charge.succeeded", seconds=0.1)

    stage.paid(stage.gateway(), 10_000)

    stage.inbox.wait_for("charge.succeeded")
    kinds = [letter.event["type"] for letter in stage.inbox.letters]
    assert kinds == ["payment_intent.succeeded", "checkout.session.completed", "charge.succeeded"]


def test_dropped_webhook_is_still_among_the_events(stage: Stage) -> None:
    stage.fault("drop_webhooks", "charge.succeeded")

    stage.paid(stage.gateway(), 10_000)

    stage.inbox.wait_for("checkout.session.completed")
    assert stage.inbox.of("charge.succeeded") == []
    assert len(stage.client().v1.events.list({"type": "charge.succeeded"}).data) == 1


def test_delayed_webhook_waits(stage: Stage) -> None:
    stage.fault("delay_webhooks", "charge.succeeded", seconds=0.3)
    started = time.monotonic()

    stage.paid(stage.gateway(), 10_000)

    stage.inbox.wait_for("charge.succeeded")
    assert time.monotonic() - started >= 0.3


def test_failed_payout_goes_back_to_the_payees_balance(stage: Stage) -> None:
    gateway = stage.gateway()
    ada = stage.onboarded(gateway)
    stage.paid(gateway, 10_000)
    stage.fault("payout_fails")

    gateway.transfer(
        key="k",
        payee_account=ada.id,
        amount_minor=100,
        currency="EUR",
        group="g",
        metadata={},
    )

    stage.inbox.wait_for("payout.failed")
    assert stage.inbox.of("payout.paid") == []
    balance = stage.client().v1.balance.retrieve(options={"stripe_account": ada.id})
    assert [row.amount for row in balance.available] == [100]


def test_faults_can_be_listed_and_switched_off(stage: Stage) -> None:
    stage.fault("error_429", "GET /v1/balance", times=3)
    listed = json.loads(stage.request("GET", "/_simulator/faults")[1])

    assert stage.request("DELETE", "/_simulator/faults") == (200, '{\n  "faults": []\n}')

    fault = {"fault": "error_429", "route": "GET /v1/balance", "times": 3, "seconds": 0.0}
    assert listed == {"faults": [fault]}
    assert stage.client().v1.balance.retrieve().available == []


@pytest.mark.parametrize("knob", ['{"fault": "earthquake"}', '{"fault": "slow", "seconds": "x"}'])
def test_unknown_fault_is_refused(stage: Stage, knob: str) -> None:
    assert stage.request("POST", "/_simulator/faults", knob)[0] == 400


@pytest.mark.parametrize("body", ["{nonsense", "{}\n["])
def test_broken_json_is_refused(stage: Stage, body: str) -> None:
    assert stage.request("POST", "/v2/core/accounts", body)[0] == 400


def test_state_survives_a_restart(stage: Stage) -> None:
    gateway = stage.gateway()
    stage.inbox.refuse = 1_000
    stage.paid(gateway, 10_000)
    before = gateway.balance()

    stage.restart()

    assert stage.gateway().balance() == before
    stage.inbox.refuse = 0
    assert len(stage.inbox.wait_for("checkout.session.completed")) == 1


@contextmanager
def process(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The simulation as a process of its own; yields it and its port."""
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "server.stripe_simulator", "--state", str(folder / "state")]
    child = subprocess.Popen(
        [*command, "--port-file", str(port_file)], stderr=subprocess.DEVNULL, cwd=Path.cwd()
    )
    try:
        wait_until(port_file.exists)
        yield child, port_file.read_text()
    finally:
        child.kill()
        child.wait()


def opened_accounts(port: str) -> int:
    connection = HTTPConnection("127.0.0.1", int(port), timeout=5)
    connection.request("GET", "/_simulator/state")
    counts = json.loads(connection.getresponse().read())
    connection.close()
    return int(counts["objects"].get("account", 0))


def test_state_survives_a_kill_and_sigterm_ends_in_order(tmp_path: Path) -> None:
    with process(tmp_path) as (child, port):
        client = stripe.StripeClient(API_KEY, base_addresses={"api": f"http://127.0.0.1:{port}"})
        client.v1.accounts.create({"country": "DE"})
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(5) == -signal.SIGKILL

    with process(tmp_path) as (child, port):
        assert opened_accounts(port) == 1
        child.terminate()
        assert child.wait(5) == 0


def test_webhooks_need_secrets_to_sign_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--state", str(tmp_path / "state"), "--webhook-url", "http://127.0.0.1:1/"])

    assert "secret" in capsys.readouterr().err


def test_simulator_listens_on_loopback_alone(tmp_path: Path) -> None:
    with Simulator(tmp_path / "state") as simulator:
        assert simulator.url.startswith("http://127.0.0.1:")
        assert simulator._listener._server.server_address[0] == "127.0.0.1"
