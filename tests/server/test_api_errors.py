"""Whatever comes in, an API client gets a problem with a stable code."""

import re

import pytest
from django.db import OperationalError
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from registry import operators

PROBLEM = "application/problem+json"
UNKNOWN = "xxx_00000000000000000000000000"


def addresses() -> list[str]:
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return [re.sub(r"{\w+}", UNKNOWN, path) for path in document["paths"]]


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["options", "patch", "delete", "trace"])
def test_methods_that_are_not_offered_are_problems(client: Client, method: str) -> None:
    answers = {path: getattr(client, method)(path) for path in addresses()}

    assert len(answers) > 30
    assert {path: a.status_code for path, a in answers.items() if a.status_code >= 500} == {}
    assert {a["Content-Type"] for a in answers.values()} == {PROBLEM}


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/works/../../etc/passwd", "/webhooks/nobody"])
def test_addresses_that_lead_nowhere_are_problems(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, PROBLEM)
    assert answer.json()["code"] == "not_found"


@pytest.mark.django_db
def test_a_database_that_is_away_is_said_to_be_for_a_while(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(operators, "authenticate", gone)
    answer = client.get("/v1/works", headers={"Authorization": "Bearer trb_live_x"})

    assert (answer.status_code, answer["Content-Type"]) == (503, PROBLEM)
    assert (answer.json()["code"], answer["Retry-After"]) == ("database_unavailable", "5")
    assert "refused" not in answer.content.decode()


@pytest.mark.django_db
def test_people_get_a_page_where_programs_get_a_problem(client: Client) -> None:
    answer = client.get("/nowhere/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
