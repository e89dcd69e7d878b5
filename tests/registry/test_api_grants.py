"""Accepting licences over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from registry import consent, licensing
from registry.models import Creator, Grant, Operator, Work
from tests.factories import NOON, api_client, deny, make_creator, make_operator, make_work
from tests.registry.test_licensing import URL, license_work
from tribute.vocabulary import Decision, Purpose

pytestmark = pytest.mark.django_db

UNKNOWN_ID = "01jzj6t3v7e8qs9f3c5m2k4x7a"


def accept(client: APIClient, body: object) -> Any:
    return client.post("/v1/grants", body, format="json")


def offer(handle: str = "ada", url: str = URL) -> dict[str, str]:
    """A work that its creator licenses, as the body of an acceptance."""
    work = make_work(make_creator(handle), url=url)
    return {"terms": license_work(work).pk, "subject": work.pk, "purpose": "train-ai"}


def test_accepting_turns_the_operators_own_answer_into_allow() -> None:
    body = offer()
    client, other = api_client(make_operator("acme")), api_client(make_operator("other"))
    question = {"items": [{"url": URL}], "purposes": ["train-ai"]}

    def told(asker: APIClient) -> Any:
        asked = asker.post("/v1/checks", question, format="json")
        return asked.json()["answers"][0]["decisions"]["train-ai"]

    before = told(client)["decision"]
    granted = accept(client, body | {"effective_until": "2999-01-01T00:00:00Z"})

    assert granted.status_code == 201, granted.data
    assert (before, told(client)["decision"], told(other)["decision"]) == (
        "license",
        "allow",
        "license",
    )
    assert told(client)["statements"] == [granted.data["id"]]
    assert {name: granted.data[name] for name in body} == body
    assert client.get("/v1/grants").data["items"] == [granted.data]


def test_a_creators_whole_offer_is_accepted_too() -> None:
    ada = make_creator("ada")
    make_work(ada, url=URL)
    terms = licensing.offer(ada, uri="https://ada.example/terms", at=NOON)
    consent.state(ada, ada, purpose=Purpose.SEARCH, decision=Decision.LICENSE, terms=terms, at=NOON)
    body = {"terms": terms.pk, "subject": ada.pk, "purpose": "search"}

    granted = accept(api_client(make_operator("acme")), body)

    assert (granted.status_code, granted.data["subject"]) == (201, ada.pk)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"terms": f"trm_{UNKNOWN_ID}"}, (404, "not_found")),
        ({"terms": "x"}, (404, "not_found")),
        ({"terms": 5}, (400, "invalid_request")),
        ({"terms": None}, (400, "invalid_request")),
        ({"subject": f"wrk_{UNKNOWN_ID}"}, (404, "not_found")),
        ({"subject": f"col_{UNKNOWN_ID}"}, (404, "not_found")),
        ({"subject": f"cre_{UNKNOWN_ID}"}, (404, "not_found")),
        ({"subject": f"usr_{UNKNOWN_ID}"}, (404, "not_found")),
        ({"subject": ""}, (400, "invalid_request")),
        ({"subject": "wrk_\x00"}, (400, "invalid_request")),
        ({"purpose": "dance"}, (400, "invalid_request")),
        ({"purpose": "search"}, (422, "terms_not_offered")),
        ({"effective_until": "2020-01-01T00:00:00Z"}, (422, "effective_until_out_of_range")),
        ({"effective_until": "2999-01-01T00:00:00"}, (400, "invalid_request")),
        ({"effective_until": 5}, (400, "invalid_request")),
        ({"operator": "opr_x"}, (400, "invalid_request")),
    ],
)
def test_a_bad_acceptance_is_refused_and_nothing_written(
    changes: dict[str, Any], expected: tuple[int, str]
) -> None:
    response = accept(api_client(make_operator("acme")), offer() | changes)

    assert (response.status_code, response.data["code"]) == expected
    assert not Grant.objects.exists()


def test_terms_are_accepted_only_on_what_they_are_offered_for() -> None:
    adas, bens = offer("ada"), offer("ben", "https://ben.example/1")

    response = accept(api_client(make_operator("acme")), adas | {"terms": bens["terms"]})

    assert (response.status_code, response.data["code"]) == (422, "terms_not_offered")


def test_an_offer_that_was_taken_back_is_not_accepted() -> None:
    body = offer()
    deny(Work.objects.get())

    response = accept(api_client(make_operator("acme")), body)

    assert (response.status_code, response.data["code"]) == (422, "terms_not_offered")
    assert not Grant.objects.exists()


def test_mallory_sees_no_grant_of_acmes() -> None:
    body = offer()
    accept(api_client(make_operator("acme")), body)

    assert api_client(make_operator("mallory")).get("/v1/grants").data["items"] == []


@pytest.mark.parametrize("make", [make_creator, make_operator])
def test_only_an_operators_key_with_the_scope_accepts(make: Any) -> None:
    owner: Creator | Operator = make("mallory")
    scope = "checks:write" if isinstance(owner, Operator) else "works:write"
    client = api_client(owner, scopes=[scope])

    assert accept(client, offer()).status_code == 403
    assert client.get("/v1/grants").status_code == 403
    assert accept(api_client(), {}).status_code == 401


def test_the_list_costs_the_same_for_one_grant_and_for_three(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    body = offer()
    clients = [api_client(make_operator(handle)) for handle in ("acme", "other")]
    for client, count in zip(clients, (1, 3), strict=True):
        for _ in range(count):
            accept(client, body)
        client.get("/v1/grants")

    with django_assert_max_num_queries(4) as one:
        assert len(clients[0].get("/v1/grants").data["items"]) == 1
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(clients[1].get("/v1/grants").data["items"]) == 3
