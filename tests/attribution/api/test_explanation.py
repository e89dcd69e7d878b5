"""Whoever a query concerns reads why it paid whom, and nobody else."""

import json

import pytest

from attribution import reckoning
from attribution.models import GenerativeModel, Query
from attribution.worker import settle_due
from registry.models import Creator
from tests.attribution.world import GENERATED, ask
from tests.factories import api_client, make_creator, make_operator, make_user


@pytest.fixture
def query(writer: GenerativeModel) -> Query:
    query = ask(writer, external_id="customer-4711")
    settle_due(at=GENERATED, limit=5)
    return query


def test_the_operator_reads_every_row_and_divides_the_record_again(
    query: Query, writer: GenerativeModel
) -> None:
    answer = api_client(writer.operator).get(f"/v1/queries/{query.pk}/explanation").json()

    assert answer["recomputed"] is True
    assert answer["rule"].startswith("The platform keeps 10 % of the fee.")
    assert answer["fee"] == {"amount_micros": 10_000, "currency": "EUR"}
    amounts = {row["title"]: row["amount"]["amount_micros"] for row in answer["contributions"]}
    assert amounts == {"The Chariot": 4_500, "The Tyger": 3_000}
    assert answer["others"]["amount_micros"] == 0
    rows = reckoning.again(answer["record"])
    assert sorted(row[3] for row in rows) == [1_500, 3_000, 4_500]


def test_a_creator_reads_his_own_row_and_names_nobody_else(
    query: Query, ada: Creator, ben: Creator
) -> None:
    answer = api_client(ada).get(f"/v1/queries/{query.pk}/explanation")

    told = answer.json()
    assert [row["creator"] for row in told["contributions"]] == [ada.pk]
    assert told["others"]["amount_micros"] == 3_000
    assert sorted(row[3] for row in reckoning.again(told["record"])) == [1_500, 3_000, 4_500]
    assert ben.pk not in json.dumps(told)
    assert "customer-4711" not in json.dumps(told)
    assert answer["Cache-Control"] == "no-store"


def test_an_admin_reads_all_of_it(query: Query) -> None:
    pia = api_client(make_user(is_payout_admin=True), scopes=["attribution:review"])

    answer = pia.get(f"/v1/queries/{query.pk}/explanation")

    assert len(answer.json()["contributions"]) == 2


def test_for_anybody_else_it_does_not_exist(query: Query, ada: Creator) -> None:
    path = f"/v1/queries/{query.pk}/explanation"

    assert api_client(make_operator("mallory")).get(path).status_code == 404
    assert api_client(make_creator("zoe")).get(path).status_code == 404
    assert api_client(ada, scopes=["works:read"]).get(path).status_code == 403
    assert api_client().get(path).status_code == 401


def test_a_query_that_waits_is_not_explained(writer: GenerativeModel) -> None:
    query = ask(writer)

    answer = api_client(writer.operator).get(f"/v1/queries/{query.pk}/explanation")

    assert answer.status_code == 409
