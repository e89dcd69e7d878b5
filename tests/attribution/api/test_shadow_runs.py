"""Shadow runs over HTTP: operators agree, admins compare, two of them decide."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from attribution import adjusting, shadowing
from attribution.models import Adjustment, GenerativeModel, KeptEvidence
from attribution.worker import settle_due
from tests.attribution.world import GENERATED, TWELVE_OF_CHARIOT, ask
from tests.factories import api_client, make_operator, make_user

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def pia(db: None) -> APIClient:
    return api_client(make_user("pia@example.org", is_payout_admin=True))


@pytest.fixture
def quinn(db: None) -> APIClient:
    return api_client(make_user("quinn@example.org", is_payout_admin=True))


def keep(model: GenerativeModel, days: Any, client: APIClient | None = None) -> Any:
    client = client or api_client(model.operator)
    path = f"/v1/models/{model.pk}/evidence-retention"
    return client.put(path, {"days": days}, format="json")


def started(model: GenerativeModel, admin: APIClient) -> str:
    body = {
        "model": model.pk,
        "method": "uniform",
        "settled_from": "2026-06-01T00:00:00Z",
        "settled_until": "2026-07-01T00:00:00Z",
    }
    answer = admin.post("/v1/shadow-runs", body, format="json")
    assert answer.status_code == 201
    found: str = answer.json()["id"]
    return found


def test_a_run_is_started_proposed_accepted_and_booked(
    writer: GenerativeModel, pia: APIClient, quinn: APIClient
) -> None:
    assert keep(writer, 30).json() == {"days": 30}
    ask(writer, TWELVE_OF_CHARIOT)
    settle_due(at=GENERATED, limit=1)
    path = f"/v1/shadow-runs/{started(writer, pia)}"
    assert pia.post(f"{path}:propose", {"reason": "x"}, format="json").status_code == 409
    for _ in range(2):
        shadowing.advance_all(limit=10)

    found = pia.get(path).json()
    assert found["state"] == "ready"
    assert {each["name"]: each["micros"] for each in found["differences"]} == {
        "Ada": -4_500,
        "Ben": 4_500,
    }
    (result,) = pia.get(f"{path}/results").json()["items"]
    assert sorted(change["micros"] for change in result["changes"]) == [-4_500, 4_500]

    assert pia.post(f"{path}:propose", {"reason": "fairer"}, format="json").status_code == 200
    own = pia.post(f"{path}:accept")
    assert (own.status_code, own.json()["code"]) == (403, "proposer_accepts")
    assert quinn.post(f"{path}:accept").json()["state"] == "accepted"
    for _ in range(2):
        adjusting.post_accepted(at=GENERATED, limit=10)
    assert quinn.get(path).json()["state"] == "posted"
    assert quinn.post(f"{path}:dismiss").status_code == 409
    assert Adjustment.objects.count() == 2


def test_consent_is_the_operators_and_ends_at_once(writer: GenerativeModel) -> None:
    keep(writer, 30)
    ask(writer)
    settle_due(at=GENERATED, limit=1)
    assert KeptEvidence.objects.count() == 1

    assert keep(writer, 5, api_client(make_operator("borealis"))).status_code == 404
    assert keep(writer, 401).status_code == 400
    assert keep(writer, None).json() == {"days": None}

    assert KeptEvidence.objects.count() == 0


def test_only_admins_see_runs(writer: GenerativeModel, pia: APIClient) -> None:
    keep(writer, 30)
    ask(writer)
    settle_due(at=GENERATED, limit=1)
    run = started(writer, pia)
    mallory = api_client(make_user("mallory@example.org"))

    for path in ("/v1/shadow-runs", f"/v1/shadow-runs/{run}", f"/v1/shadow-runs/{run}/results"):
        assert mallory.get(path).status_code == 403
        assert api_client(writer.operator).get(path).status_code == 403
    for deed in ("propose", "accept", "dismiss"):
        path = f"/v1/shadow-runs/{run}:{deed}"
        assert mallory.post(path, {"reason": "x"}, format="json").status_code == 403
    assert [each["id"] for each in pia.get("/v1/shadow-runs").json()["items"]] == [run]


def test_without_kept_evidence_nothing_is_started(writer: GenerativeModel, pia: APIClient) -> None:
    body = {"model": writer.pk, "method": "uniform"}

    answer = pia.post("/v1/shadow-runs", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_kept")
