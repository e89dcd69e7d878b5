"""Claims, appeals and clusters over HTTP."""

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from registry import disputes
from registry.models import ClaimConflict, Cluster
from tests.factories import DAY, api_client, deny, make_creator, make_operator, make_user, make_work
from tests.registry.test_clusters import copies
from tests.registry.test_disputes import dispute
from tests.registry.test_works import TEXT
from tribute.fingerprints import text_code
from tribute.vocabulary import IdentifierKind

pytestmark = pytest.mark.django_db

Outcome = ClaimConflict.Outcome


def post(client: APIClient, path: str, body: object = None) -> Any:
    return client.post(f"/v1/{path}", body, format="json")


def test_a_claim_is_stood_by_admitted_decided_appealed_and_reviewed() -> None:
    conflict = dispute()
    mallory, ada = api_client(conflict.work.registered_by), api_client(conflict.other.registered_by)
    judge, second = api_client(make_user(is_staff=True)), api_client(make_user(is_staff=True))
    at = f"disputes/{conflict.pk}"

    steps = [
        post(mallory, f"{at}:claim"),
        post(judge, f"{at}:admit"),
        post(judge, f"{at}:decide", {"outcome": "work_upheld"}),
        post(ada, f"{at}:appeal", {"reason": "wrong_on_facts"}),
        post(second, f"{at}:review", {"outcome": "other_upheld"}),
    ]

    assert [step.status_code for step in steps] == [200] * 5, [step.data for step in steps]
    read = ada.get(f"/v1/{at}").data
    assert [step["event"] for step in read["timeline"]] == [
        "opened",
        "claimed",
        "admitted",
        "decided",
        "appealed",
        "reviewed",
    ]
    assert read["outcome"] == "other_upheld"
    assert None not in (read["claimed_at"], read["admitted_at"], read["appealed_at"])
    assert read["reviewed_at"] is not None


def test_the_rules_are_told_by_their_codes() -> None:
    conflict = dispute()
    mallory, ada = api_client(conflict.work.registered_by), api_client(conflict.other.registered_by)
    person = make_user(is_staff=True)
    judge, at = api_client(person), f"disputes/{conflict.pk}"
    disputes.decide(conflict, by=person, outcome=Outcome.OTHER_UPHELD, at=timezone.now())

    refused = [
        post(ada, f"{at}:claim"),
        post(mallory, f"{at}:claim"),
        post(judge, f"{at}:admit"),
        post(judge, f"{at}:review", {"outcome": "distinct"}),
        post(ada, f"{at}:appeal", {"reason": "new_evidence"}),
        post(mallory, f"{at}:appeal", {"reason": "because"}),
    ]
    assert post(mallory, f"{at}:appeal", {"reason": "new_evidence"}).status_code == 200
    refused.append(post(judge, f"{at}:review", {"outcome": "distinct"}))

    assert [(r.status_code, r.data["code"]) for r in refused] == [
        (403, "not_a_party"),
        (409, "conflict_closed"),
        (409, "conflict_closed"),
        (409, "nothing_to_review"),
        (409, "not_appealable"),
        (400, "invalid_request"),
        (403, "same_reviewer"),
    ]


@pytest.mark.parametrize("verb", ["claim", "admit", "appeal", "review"])
def test_strangers_find_no_dispute(verb: str) -> None:
    conflict = dispute()
    for stranger in (make_creator("eve"), make_user(), make_user(is_payout_admin=True)):
        response = post(api_client(stranger), f"disputes/{conflict.pk}:{verb}", {})
        assert response.status_code in {403, 404}
    assert api_client().post(f"/v1/disputes/{conflict.pk}:{verb}").status_code == 401


def test_a_match_is_appealed_by_an_operator_and_lifted_by_staff() -> None:
    ada = make_creator("ada")
    work = make_work(ada, identifiers=[(IdentifierKind.ISCC, text_code(TEXT))])
    deny(work)
    words = TEXT.split()
    iscc = text_code(" ".join(w if n % 90 else f"edit{n}" for n, w in enumerate(words)))
    acme, judge = api_client(make_operator("acme")), api_client(make_user(is_staff=True))
    body = {"iscc": iscc, "work": work.pk, "reason": "made_independently"}

    made = post(acme, "match-appeals", body)
    assert (made.status_code, made.data["finding"]) == (200, None), made.data
    decided = post(judge, f"match-appeals/{made.data['id']}:decide", {"lifted": True})

    assert (decided.status_code, decided.data["finding"]["lifted"]) == (200, True)
    assert acme.get("/v1/match-appeals").data["items"] == [decided.data]
    assert acme.get(f"/v1/match-appeals/{made.data['id']}").data == decided.data
    eve = api_client(make_creator("eve"))
    assert eve.get("/v1/match-appeals").data["items"] == []
    assert eve.get(f"/v1/match-appeals/{made.data['id']}").status_code == 404
    assert post(eve, f"match-appeals/{made.data['id']}:decide", {}).status_code == 403
    again = post(judge, f"match-appeals/{made.data['id']}:decide", {"lifted": False})
    assert (again.status_code, again.data["code"]) == (409, "conflict_closed")


@pytest.mark.parametrize(
    ("iscc", "code"),
    [("nonsense", "invalid_identifier"), (text_code("far from it " * 90), "not_a_match")],
)
def test_an_appeal_is_about_an_iscc_that_is_like_the_work(iscc: str, code: str) -> None:
    work = make_work(make_creator("ada"), identifiers=[(IdentifierKind.ISCC, text_code(TEXT))])
    body = {"iscc": iscc, "work": work.pk, "reason": "by_chance"}
    response = post(api_client(make_operator("acme")), "match-appeals", body)
    assert (response.status_code, response.data["code"]) == (422, code)


def test_staff_merge_and_separate() -> None:
    original, copy, third = copies()
    judge, cluster = api_client(make_user(is_staff=True)), Cluster.objects.get()

    merged = post(judge, "clusters:merge", {"works": [original.pk, copy.pk], "reason": "same_work"})
    body = {"work": third.pk, "reason": "by_chance"}
    separated = post(judge, f"clusters/{cluster.pk}:separate", body)

    assert (merged.status_code, separated.status_code) == (200, 200), merged.data
    states = {row["work"]["id"]: row["state"] for row in separated.data["members"]}
    assert states == {original.pk: "merged", copy.pk: "merged", third.pk: "separated"}
    assert separated.data["timeline"][-1]["reason"] == "by_chance"
    assert judge.get("/v1/clusters").data["items"] == [separated.data]
    assert judge.get(f"/v1/clusters/{cluster.pk}").data == separated.data
    again = post(judge, f"clusters/{cluster.pk}:separate", body)
    assert (again.status_code, again.data["code"]) == (422, "not_clustered")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"works": ["wrk_1"], "reason": "edition"},
        {"works": ["wrk_1", "wrk_2"], "reason": "independent"},
        {"works": ["wrk_1", "wrk_2"], "reason": "edition", "note": "Mine!"},
    ],
)
def test_a_bad_merger_is_refused(body: object) -> None:
    response = post(api_client(make_user(is_staff=True)), "clusters:merge", body)
    assert (response.status_code, response.data["code"]) == (400, "invalid_request")


def test_clusters_are_for_uninvolved_staff() -> None:
    original, copy, _ = copies()
    cluster = Cluster.objects.get()
    involved = make_user(is_staff=True)
    copy.registered_by.members.add(involved)
    for stranger in (make_user(), involved):
        client = api_client(stranger)
        assert client.get("/v1/clusters").data["items"] == []
        assert client.get(f"/v1/clusters/{cluster.pk}").status_code == 404
        body = {"works": [original.pk, copy.pk], "reason": "edition"}
        assert post(client, "clusters:merge", body).status_code == 403
    assert api_client(make_creator("eve")).get("/v1/clusters").status_code == 403


def test_the_list_costs_the_same_for_one_cluster_and_for_three(
    django_assert_num_queries: Any, django_assert_max_num_queries: Any
) -> None:
    judge = api_client(make_user(is_staff=True))
    ada, mallory = make_creator("ada"), make_creator("mallory")

    def pair(number: int) -> None:
        url = f"https://ada.example/{number}"
        make_work(ada, url=url)
        make_work(mallory, url=url, at=ada.created_at + DAY)

    pair(1)
    judge.get("/v1/clusters")
    with django_assert_max_num_queries(6) as one:
        assert len(judge.get("/v1/clusters").data["items"]) == 1
    pair(2)
    pair(3)
    with django_assert_num_queries(len(one.captured_queries)):
        assert len(judge.get("/v1/clusters").data["items"]) == 3
