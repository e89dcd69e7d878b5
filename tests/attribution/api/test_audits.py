"""Audits of shares, over HTTP and on the command line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from attribution.models import GenerativeModel
from attribution.worker import settle_due
from registry.models import Creator
from tests.attribution.world import GENERATED, ask
from tests.factories import api_client, make_operator

LIKELY = [([], -100.0), (["ada"], -70.0), (["ben"], -90.0), (["ada", "ben"], -60.0)]
"""Ada's works add 30 nats whatever else is known, Ben's 10."""


@pytest.fixture
def client(writer: GenerativeModel) -> APIClient:
    return api_client(writer.operator)


def audit(ada: Creator, ben: Creator, **other: Any) -> dict[str, Any]:
    return {
        "groups": [{"name": "ada", "creators": [ada.pk]}, {"name": "ben", "creators": [ben.pk]}],
        "pairs": 2,
        "log_likelihoods": [{"groups": g, "log_likelihood": nats} for g, nats in LIKELY],
    } | other


def test_a_plan_names_every_training_that_an_audit_needs(client: APIClient) -> None:
    groups = [{"name": "ada"}, {"name": "ben"}]

    answer = client.post("/v1/audits/plan", {"groups": groups, "pairs": 1}, format="json")

    assert answer.json() == {"subsets": [[], ["ada"], ["ben"], ["ada", "ben"]]}


def test_an_audit_gives_shapley_shares_beside_what_was_paid(
    client: APIClient, writer: GenerativeModel, ada: Creator, ben: Creator
) -> None:
    query = ask(writer)
    settle_due(at=GENERATED, limit=10)

    answer = client.post("/v1/audits", audit(ada, ben, query=query.pk), format="json")

    assert answer.status_code == 200
    assert answer.json() == {
        "shares": [
            {
                "group": "ada",
                "share_ppm": 750_000,
                "value": 30.0,
                "standard_error": 0.0,
                "paid_ppm": 600_000,
            },
            {
                "group": "ben",
                "share_ppm": 250_000,
                "value": 10.0,
                "standard_error": 0.0,
                "paid_ppm": 400_000,
            },
        ],
        "divergence_ppm": 150_000,
    }


def test_an_audit_needs_no_query(client: APIClient, ada: Creator, ben: Creator) -> None:
    found = client.post("/v1/audits", audit(ada, ben), format="json").json()

    assert [each["paid_ppm"] for each in found["shares"]] == [None, None]
    assert found["divergence_ppm"] is None


def test_what_is_no_audit_is_refused(client: APIClient, ada: Creator, ben: Creator) -> None:
    twice = [{"name": "ada", "creators": [ada.pk]}, {"name": "ben", "creators": [ada.pk]}]
    few = [{"groups": [], "log_likelihood": 0.0}, {"groups": ["ada"], "log_likelihood": 1.0}]
    beyond = [
        {"groups": groups, "log_likelihood": nats}
        for groups, nats in (([], -1e308), (["ada"], 1e308), (["ben"], 1.0), (["ada", "ben"], 1.0))
    ]
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"log_likelihoods": beyond}, 422, "invalid_audit"),
        ({"log_likelihoods": few}, 422, "invalid_audit"),
        ({"groups": twice}, 422, "invalid_audit"),
        ({"groups": [{"name": "ada"}, {"name": "ada"}]}, 400, "invalid_request"),
        ({"groups": [{"name": f"g{n}"} for n in range(21)]}, 400, "invalid_request"),
        ({"pairs": 101}, 400, "invalid_request"),
        ({"query": "qry_00000000000000000000000000"}, 404, "not_found"),
    ]
    for other, status, code in cases:
        answer = client.post("/v1/audits", audit(ada, ben, **other), format="json")
        assert (answer.status_code, answer.json()["code"]) == (status, code), other


def test_a_foreign_or_waiting_query_is_not_compared(
    client: APIClient, writer: GenerativeModel, ada: Creator, ben: Creator
) -> None:
    query = ask(writer)
    mallory = api_client(make_operator("mallory"))

    waiting = client.post("/v1/audits", audit(ada, ben, query=query.pk), format="json")
    foreign = mallory.post("/v1/audits", audit(ada, ben, query=query.pk), format="json")

    assert (waiting.status_code, foreign.status_code) == (409, 404)


def test_the_command_plans_and_reports(
    tmp_path: Path, writer: GenerativeModel, ada: Creator, ben: Creator
) -> None:
    query = ask(writer)
    settle_due(at=GENERATED, limit=10)
    said: dict[str, Any] = {"groups": {"ada": [ada.pk], "ben": [ben.pk]}, "pairs": 1}
    file = tmp_path / "audit.json"
    file.write_text(json.dumps(said))
    planned, reported = io.StringIO(), io.StringIO()

    call_command("audit_shares", str(file), stdout=planned)
    file.write_text(json.dumps(said | {"log_likelihoods": LIKELY}))
    call_command("audit_shares", str(file), query=query.pk, stdout=reported)

    assert planned.getvalue().split("\n")[:4] == ["[]", '["ada"]', '["ben"]', '["ada", "ben"]']
    assert reported.getvalue().strip().split("\n") == [
        "ada: 75.00 %, 30.0000 nats ± 0.0000; was paid 60.00 %",
        "ben: 25.00 %, 10.0000 nats ± 0.0000; was paid 40.00 %",
        "what was paid lies 15.00 % from this",
    ]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"groups": {"ada": []}, "pairs": 0}'])
def test_the_command_refuses_what_is_no_audit(tmp_path: Path, content: str) -> None:
    file = tmp_path / "audit.json"
    file.write_text(content)

    with pytest.raises(CommandError):
        call_command("audit_shares", str(file))
