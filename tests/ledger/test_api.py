"""The ledger over HTTP: who may see and do what, and what bad input leaves behind: nothing."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from ledger import gateway_choice, payouts, webhooks
from ledger.gateway_paper import PaperGateway
from ledger.models import Entry, PayoutBatch, Proposal, ProviderEvent, TopUp
from registry.models import Creator, Operator, User
from tests.factories import NOON, api_client, make_operator, make_user
from tests.ledger.cast import (
    LATER,
    admin,
    approved,
    earn,
    earn_available,
    hear,
    of,
    payable,
    send,
    top_up,
)

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture(autouse=True)
def paper(monkeypatch: pytest.MonkeyPatch) -> PaperGateway:
    gateway = PaperGateway(clock=lambda: NOON)
    monkeypatch.setattr(gateway_choice, "configured", lambda: gateway)
    return gateway


@pytest.fixture
def as_acme(acme: Operator) -> APIClient:
    return api_client(acme)


@pytest.fixture
def as_ada(ada: Creator) -> APIClient:
    return api_client(ada)


def post(client: APIClient, path: str, body: Any = None, *, key: str = "k1") -> Any:
    if isinstance(body, bytes):
        return client.post(
            path, body, content_type="application/json", headers={"Idempotency-Key": key}
        )
    return client.post(path, body, format="json", headers={"Idempotency-Key": key})


def euros(amount: int) -> dict[str, Any]:
    return {"amount_micros": amount * 1_000_000, "currency": "EUR"}


# Operators --------------------------------------------------------------------------------------


def test_paying_in_ends_in_the_balance(as_acme: APIClient, paper: PaperGateway) -> None:
    started = post(as_acme, "/v1/topups", {"amount": euros(50)})
    assert started.status_code == 201
    assert started.json()["status"] == "open"
    assert as_acme.get("/v1/balance").json() == {"balances": [], "reserved": []}

    paper.pay("cs_paper_1")
    hear(paper)
    assert as_acme.get("/v1/balance").json() == {"balances": [euros(50)], "reserved": []}
    (listed,) = as_acme.get("/v1/topups").json()["items"]
    assert (listed["id"], listed["status"], listed["settled"]) == (
        started.json()["id"],
        "paid",
        euros(50),
    )


def test_paying_in_said_twice_opens_one_page(as_acme: APIClient) -> None:
    first = post(as_acme, "/v1/topups", {"amount": euros(50)})
    again = post(as_acme, "/v1/topups", {"amount": euros(50)})
    assert again.json() == first.json()
    assert TopUp.objects.count() == 1
    assert post(as_acme, "/v1/topups", {"amount": euros(51)}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"amount": {"amount_micros": 0, "currency": "EUR"}},
        {"amount": {"amount_micros": -50_000_000, "currency": "EUR"}},
        {"amount": {"amount_micros": 2**63, "currency": "EUR"}},
        {"amount": {"amount_micros": 2**64, "currency": "EUR"}},
        {"amount": {"amount_micros": "50000000", "currency": "EUR"}},
        {"amount": {"amount_micros": True, "currency": "EUR"}},
        {"amount": {"amount_micros": None, "currency": "EUR"}},
        {"amount": {"amount_micros": 50_000_000, "currency": "EUROS"}},
        {"amount": {"amount_micros": 50_000_000}},
        {"amount": {"amount_micros": 50_000_000, "currency": "EUR", "extra": 1}},
        {"amount": euros(50), "extra": 1},
        {"amount": 50},
        {},
        [],
        b'{"amount": {"amount_micros": NaN, "currency": "EUR"}}',
        b'{"amount": {"amount_micros": 5e7, "currency": "EUR"}}',
        b'{"amount": {"amount_micros": 50000000.0, "currency": "EUR"}}',
        b'{"amount": {"amount_micros": Infinity, "currency": "EUR"}}',
        b"not JSON",
    ],
)
def test_malformed_amounts_are_refused_and_nothing_is_written(
    as_acme: APIClient, body: Any
) -> None:
    answer = post(as_acme, "/v1/topups", body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not TopUp.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    "amount",
    [
        {"amount_micros": 1, "currency": "EUR"},
        {"amount_micros": 5_000_001, "currency": "EUR"},
        {"amount_micros": 2**63 - 1, "currency": "EUR"},
        {"amount_micros": 50_000_000, "currency": "JPY"},
    ],
)
def test_amounts_outside_the_limits_are_refused(as_acme: APIClient, amount: Any) -> None:
    answer = post(as_acme, "/v1/topups", {"amount": amount})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_amount")
    assert not TopUp.objects.exists()


def test_an_operator_sees_only_its_own(as_acme: APIClient, paper: PaperGateway) -> None:
    top_up(make_operator("mallory"), 50, gateway=paper)
    assert as_acme.get("/v1/balance").json() == {"balances": [], "reserved": []}
    assert as_acme.get("/v1/topups").json()["items"] == []


# Creators ---------------------------------------------------------------------------------------


def test_earnings_tell_where_the_money_is(
    as_ada: APIClient, ada: Creator, acme: Operator, paper: PaperGateway
) -> None:
    assert as_ada.get("/v1/earnings").json() == {"earnings": []}
    top_up(acme, 50, gateway=paper)
    earn_available(ada, acme, 3_000_000)
    earn(ada, acme, 1_000_000)
    (row,) = as_ada.get("/v1/earnings").json()["earnings"]
    assert row == {
        "earned": euros(4),
        "pending": euros(1),
        "available": euros(3),
        "disputed": euros(0),
        "reserved": euros(0),
        "in_payout": euros(0),
        "debt": euros(0),
        "paid": euros(0),
    }


@pytest.mark.parametrize("period", ["2026-13", "26-01", "0000-01", "9999-12", "2026-1", "%00"])
def test_a_period_is_a_month(as_ada: APIClient, period: str) -> None:
    answer = as_ada.get(f"/v1/statements-of-account/{period}.csv")
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_period")


def test_a_key_reads_whether_the_creator_can_be_paid_and_changes_nothing(
    as_ada: APIClient, ada: Creator, paper: PaperGateway
) -> None:
    assert as_ada.get("/v1/payee").status_code == 404
    payable(ada, paper)
    assert as_ada.get("/v1/payee").json()["can_receive"] is True
    assert as_ada.post("/v1/payee", {}, format="json").status_code == 405


# Payout admins ----------------------------------------------------------------------------------


@pytest.fixture
def due(ada: Creator, acme: Operator, paper: PaperGateway) -> None:
    top_up(acme, 50, gateway=paper)
    earn_available(ada, acme, 3_000_000)
    payable(ada, paper)


@pytest.mark.usefixtures("due")
def test_a_batch_is_drawn_up_submitted_and_called_off() -> None:
    mia, noah = admin("mia"), admin("noah")
    as_mia, as_noah = api_client(mia), api_client(noah)
    made = post(as_mia, "/v1/payout-batches", {"currency": "EUR"})
    assert made.status_code == 201
    (line,) = made.json()["payouts"]
    assert (line["amount"], line["status"]) == (euros(3), "planned")
    batch = f"/v1/payout-batches/{made.json()['id']}"

    assert post(as_mia, f"{batch}:submit").json()["status"] == "submitted"
    payouts.approve(PayoutBatch.objects.get(), noah, at=NOON)

    read = as_noah.get(batch).json()
    assert read["payouts"][0]["status"] == "reserved"
    assert len(read["lines_digest"]) == 64
    assert as_mia.get("/v1/payout-batches").json()["items"][0]["id"] == read["id"]
    assert post(as_mia, f"{batch}:cancel").json()["status"] == "canceled"
    assert as_mia.get("/v1/reconciliations").json()["items"] == []
    assert as_mia.get("/v1/missed-events").json()["by_type"] == {}


@pytest.mark.usefixtures("due")
def test_what_takes_two_is_tried_proposed_and_withdrawn_and_no_key_confirms_it(
    ada: Creator, paper: PaperGateway
) -> None:
    mia, noah = admin("mia"), admin("noah")
    approved(mia, noah)
    send(paper)
    as_mia, as_noah = api_client(mia), api_client(noah)
    asked = {"deed": "take_back", "subject": of(ada).pk, "reason": "wrong person"}

    tried = post(as_mia, "/v1/proposals", {**asked, "dry_run": True}, key="dry")
    assert (tried.status_code, tried.json()["id"]) == (200, None)
    assert tried.json()["lines"]["micros"] == 3_000_000
    assert not Proposal.objects.exists()
    made = post(as_mia, "/v1/proposals", asked)
    assert (made.status_code, made.json()["digest"]) == (201, tried.json()["digest"])
    assert post(as_mia, "/v1/proposals", asked).json() == made.json(), "the same request"
    again = post(as_noah, "/v1/proposals", asked, key="other")
    assert (again.status_code, again.json()["code"]) == (409, "proposal_open")

    path = f"/v1/proposals/{made.json()['id']}"
    assert post(as_noah, f"{path}:confirm", {}).status_code == 405
    (waiting,) = as_noah.get("/v1/proposals?status=open").json()["items"]
    assert waiting == as_noah.get(path).json() == made.json()
    done = post(as_noah, f"{path}:withdraw", {"reason": "not needed"})
    assert (done.json()["status"], done.json()["answer"]) == ("withdrawn", "not needed")
    assert as_noah.get("/v1/proposals?status=open").json()["items"] == []
    assert of(ada).status == "transferred"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"deed": "adjust", "subject": "999", "reason": "x"}, 422),
        ({"deed": "adjust", "subject": "one", "reason": "x"}, 422),
        ({"deed": "take_back", "subject": "pay_x", "reason": "x"}, 404),
        ({"deed": "release_aside", "subject": "wrk_x", "reason": "x"}, 409),
        ({"deed": "reassign_aside", "subject": "wrk_x", "reason": "x"}, 400),
        ({"deed": "release_aside", "subject": "wrk_x", "to": "cre_x", "reason": "x"}, 400),
        ({"deed": "release_capped", "subject": "wrk_x", "reason": "x"}, 400),
        ({"deed": "adjust", "subject": "1", "reason": ""}, 400),
    ],
)
def test_bad_proposals_leave_nothing(body: dict[str, str], status: int) -> None:
    as_mia = api_client(admin("mia"))
    assert post(as_mia, "/v1/proposals", body).status_code == status
    assert not Proposal.objects.exists()


@pytest.mark.usefixtures("due")
def test_no_key_approves_whatever_its_scopes() -> None:
    as_mia, as_noah = api_client(admin("mia")), api_client(admin("noah"))
    made = post(as_mia, "/v1/payout-batches", {"currency": "EUR"}).json()
    batch = f"/v1/payout-batches/{made['id']}"
    post(as_mia, f"{batch}:submit")

    answer = post(as_noah, f"{batch}:approve")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert PayoutBatch.objects.get().status == "submitted"
    documented = as_noah.get("/v1/openapi.json").json()["paths"]
    assert not [path for path in documented if path.endswith(":approve")]


@pytest.mark.usefixtures("due")
def test_nobody_else_comes_near_payouts(as_acme: APIClient, as_ada: APIClient) -> None:
    made = post(api_client(admin("mia")), "/v1/payout-batches", {"currency": "EUR"})
    batch = f"/v1/payout-batches/{made.json()['id']}"
    mallory: User = make_user("mallory@example.org")
    approver = api_client(admin("noah"), scopes=["payouts:approve"])
    for client in (as_acme, as_ada, api_client(mallory)):
        for path in (batch, "/v1/payout-batches", "/v1/reconciliations"):
            assert client.get(path).status_code == 403
        for step in ("submit", "cancel"):
            assert post(client, f"{batch}:{step}").status_code == 403
    for client in (as_acme, as_ada, api_client(mallory), approver):
        assert post(client, "/v1/payout-batches", {"currency": "EUR"}).status_code == 403
    assert api_client().get(batch).status_code == 401
    assert PayoutBatch.objects.get().status == "draft"


def test_an_unknown_currency_or_batch_is_refused() -> None:
    client = api_client(admin("mia"))
    answer = post(client, "/v1/payout-batches", {"currency": "XXX"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_currency")
    for name in ("bat_01jzj6t3v7e8qs9f3c5m2k4x7a", "nonsense"):
        assert client.get(f"/v1/payout-batches/{name}").status_code == 404
        assert post(client, f"/v1/payout-batches/{name}:submit").status_code == 404


@pytest.mark.usefixtures("due")
def test_a_page_of_batches_costs_the_same_for_one_and_three(
    django_assert_num_queries: Any, ada: Creator, acme: Operator
) -> None:
    mia = admin("mia")
    client = api_client(mia)
    for number in range(3):
        made = post(client, "/v1/payout-batches", {"currency": "EUR"}, key=f"{number}").json()
        if number in (0, 2):
            with django_assert_num_queries(3, exact=False):
                assert len(client.get("/v1/payout-batches").json()["items"]) == number + 1
        post(client, f"/v1/payout-batches/{made['id']}:cancel", key=f"c{number}")


# The provider -----------------------------------------------------------------------------------


def test_a_genuine_event_is_stored_once_and_a_forged_one_not(
    acme: Operator, paper: PaperGateway
) -> None:
    body, signature = paper.signed(_paid(acme, paper))
    provider = Client()

    def tell(payload: bytes, signed: str) -> Any:
        return provider.post(
            "/webhooks/stripe",
            payload,
            content_type="application/json",
            headers={"Stripe-Signature": signed},
        )

    forged = tell(body, "0" * 64)
    assert (forged.status_code, forged.json()["code"]) == (400, "webhook_invalid_signature")
    assert tell(body.replace(b"evt", b"evx"), signature).status_code == 400
    assert tell(b"[]", paper._sign(b"[]")).json()["code"] == "webhook_invalid_payload"
    assert not ProviderEvent.objects.exists()
    assert tell(body, signature).json() == {"stored": True}
    assert tell(body, signature).json() == {"stored": False}
    assert provider.get("/webhooks/stripe").status_code == 405
    webhooks.process_stored(gateway=paper, at=LATER, limit=10)
    assert TopUp.objects.get().status == "paid"


def _paid(acme: Operator, paper: PaperGateway) -> Any:
    post(api_client(acme), "/v1/topups", {"amount": euros(50)})
    paper.pay("cs_paper_1")
    return paper.events[-1]
