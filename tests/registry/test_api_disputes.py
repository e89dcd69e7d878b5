"""Claim conflicts over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from registry.models import ClaimConflict, DisputeEvent
from tests.factories import DAY, NOON, api_client, make_creator, make_operator, make_user, make_work
from tests.registry.test_disputes import dispute

pytestmark = pytest.mark.django_db

UNKNOWN_ID = "clm_01jzj6t3v7e8qs9f3c5m2k4x7a"


def post(client: APIClient, conflict: str, verb: str, body: object) -> Any:
    return client.post(f"/v1/disputes/{conflict}:{verb}", body, format="json")


def test_both_parties_answer_and_staff_decide() -> None:
    conflict = dispute()
    ada, mallory = conflict.other.registered_by, conflict.work.registered_by
    adas, judge = api_client(ada), api_client(make_user(is_staff=True))

    answered = post(adas, conflict.pk, "answer", {"reason": "made_it"})
    post(api_client(mallory), conflict.pk, "answer", {"reason": "concedes"})
    decided = post(judge, conflict.pk, "decide", {"outcome": "other_upheld"})

    assert (answered.status_code, decided.status_code) == (200, 200), decided.data
    assert answered.data["timeline"][1]["creator"] == ada.pk
    read = adas.get(f"/v1/disputes/{conflict.pk}").data
    told = [(step["event"], step["reason"] or step["outcome"]) for step in read["timeline"]]
    assert told == [
        ("opened", ""),
        ("answered", "made_it"),
        ("answered", "concedes"),
        ("decided", "other_upheld"),
    ]
    assert (read["outcome"], read["other"]["registered_by"]) == ("other_upheld", ada.pk)
    assert adas.get("/v1/disputes").data["items"] == [read]
    assert judge.get("/v1/disputes").data["items"] == [read]
    again = post(judge, conflict.pk, "decide", {"outcome": "distinct"})
    assert (again.status_code, again.data["code"]) == (409, "conflict_closed")
    late = post(adas, conflict.pk, "answer", {"reason": "has_permission"})
    assert (late.status_code, late.data["code"]) == (409, "conflict_closed")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": "because"},
        {"reason": None},
        {"reason": ["made_it"]},
        {"reason": "made_it", "text": "It is mine!"},
        ["made_it"],
    ],
)
def test_a_bad_answer_is_refused_and_nothing_written(body: object) -> None:
    conflict = dispute()

    response = post(api_client(conflict.other.registered_by), conflict.pk, "answer", body)

    assert (response.status_code, response.data["code"]) == (400, "invalid_request")
    assert DisputeEvent.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"outcome": "ada"}, {"outcome": ""}, {"outcome": 1}, []])
def test_a_bad_decision_is_refused_and_nothing_written(body: object) -> None:
    conflict = dispute()

    response = post(api_client(make_user(is_staff=True)), conflict.pk, "decide", body)

    assert (response.status_code, response.data["code"]) == (400, "invalid_request")
    assert ClaimConflict.objects.get().resolved_at is None


def test_strangers_see_no_dispute() -> None:
    conflict = dispute()
    for stranger in (make_creator("ben"), make_user(), make_user(is_payout_admin=True)):
        client = api_client(stranger)
        assert client.get("/v1/disputes").data["items"] == []
        assert client.get(f"/v1/disputes/{conflict.pk}").status_code == 404
    ben = api_client(make_creator("eve"))
    person = api_client(make_user())
    assert post(ben, conflict.pk, "answer", {"reason": "made_it"}).status_code == 404
    assert post(person, conflict.pk, "decide", {"outcome": "distinct"}).status_code == 404
    assert post(ben, "x", "answer", {"reason": "made_it"}).status_code == 404
    assert post(ben, UNKNOWN_ID, "answer", {"reason": "made_it"}).status_code == 404


def test_parties_do_not_decide_and_staff_do_not_answer() -> None:
    conflict = dispute()
    ada, judge = conflict.other.registered_by, api_client(make_user(is_staff=True))
    reader = api_client(ada, scopes=["works:read"])

    assert post(api_client(ada), conflict.pk, "decide", {"outcome": "distinct"}).status_code == 403
    assert post(judge, conflict.pk, "answer", {"reason": "made_it"}).status_code == 403
    assert post(reader, conflict.pk, "answer", {"reason": "made_it"}).status_code == 403
    assert reader.get(f"/v1/disputes/{conflict.pk}").status_code == 200
    assert api_client(make_operator("acme")).get("/v1/disputes").status_code == 403
    assert api_client().get("/v1/disputes").status_code == 401


def test_the_list_costs_the_same_for_one_dispute_and_for_three(
    django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    mallory = make_creator("mallory")
    clients = []
    for handle, count in (("ada", 1), ("ben", 3)):
        creator = make_creator(handle)
        clients.append(api_client(creator))
        for number in range(count):
            url = f"https://{handle}.example/{number}"
            make_work(creator, url=url)
            make_work(mallory, url=url, at=NOON + DAY)
        clients[-1].get("/v1/disputes")

    with django_assert_max_num_queries(5) as one:
        assert len(clients[0].get("/v1/disputes").data["items"]) == 1
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(clients[1].get("/v1/disputes").data["items"]) == 3
