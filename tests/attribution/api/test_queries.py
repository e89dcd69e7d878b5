"""Reporting queries over HTTP, and reading what became of them."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from attribution.models import GenerativeModel, Query
from attribution.worker import settle_due
from ledger.models import Entry
from registry.models import Creator, Operator, Work
from tests.attribution.world import GENERATED, MEDLEY, ask, fund, make_model
from tests.factories import api_client, make_operator
from tribute import features

OCCURRED = "2026-06-01T12:00:00Z"


@pytest.fixture
def client(writer: GenerativeModel) -> APIClient:
    return api_client(writer.operator)


def said(model: GenerativeModel, **other: Any) -> dict[str, Any]:
    return {
        "model": model.pk,
        "external_id": "gen-1",
        "occurred_at": OCCURRED,
        "output": MEDLEY,
    } | other


def test_reports_are_accepted_and_repeats_acknowledged(
    client: APIClient, writer: GenerativeModel
) -> None:
    reduced = said(writer, external_id="gen-2", features=features.reduce(MEDLEY).to_json())
    del reduced["output"]
    body = {"queries": [said(writer), reduced]}

    first = client.post("/v1/queries", body, format="json")
    again = client.post("/v1/queries", body, format="json")

    assert (first.status_code, again.status_code) == (202, 202)
    one, two = (Query.objects.get(external_id=name) for name in ("gen-1", "gen-2"))
    accepted = {"state": "received", "duplicate": False, "reason": ""}
    assert first.json() == {
        "queries": [
            {"id": one.pk, "external_id": "gen-1", **accepted},
            {"id": two.pk, "external_id": "gen-2", **accepted},
        ]
    }
    assert [row["duplicate"] for row in again.json()["queries"]] == [True, True]


@pytest.mark.parametrize(
    ("other", "status", "code"),
    [
        ({"model": "nonsense"}, 404, "not_found"),
        ({"model": "mdl_00000000000000000000000000"}, 404, "not_found"),
        ({"model": 5}, 400, "invalid_request"),
        ({"external_id": ""}, 400, "invalid_request"),
        ({"external_id": "x" * 201}, 400, "invalid_request"),
        ({"external_id": "two words"}, 400, "invalid_request"),
        ({"external_id": None}, 400, "invalid_request"),
        ({"occurred_at": "yesterday"}, 400, "invalid_request"),
        ({"occurred_at": "2026-06-01T12:00:00"}, 400, "invalid_request"),
        ({"occurred_at": 1780315200}, 400, "invalid_request"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, 400, "invalid_request"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, 422, "occurred_in_future"),
        ({"output": "x" * 65_537}, 422, "output_too_large"),
        ({"output": ["words"]}, 400, "invalid_request"),
        ({"output": None}, 400, "invalid_request"),
        ({"output": "nul \x00"}, 400, "invalid_request"),
        ({"features": features.reduce("x").to_json()}, 422, "invalid_evidence"),
        ({"features": {}}, 400, "invalid_request"),
        ({"features": "a text"}, 400, "invalid_request"),
        ({"prompt": "Write me a poem"}, 400, "invalid_request"),
        ({"messages": []}, 400, "invalid_request"),
        ({"price": {"amount_micros": 0, "currency": "EUR"}}, 400, "invalid_request"),
        ({"price": {"amount_micros": -5, "currency": "EUR"}}, 400, "invalid_request"),
        ({"price": {"amount_micros": 2**63, "currency": "EUR"}}, 400, "invalid_request"),
        ({"price": {"amount_micros": "5", "currency": "EUR"}}, 400, "invalid_request"),
        ({"price": {"amount_micros": 1.5, "currency": "EUR"}}, 400, "invalid_request"),
        ({"price": {"amount_micros": 5}}, 400, "invalid_request"),
        ({"price": {"amount_micros": 5, "currency": "USD"}}, 422, "invalid_price"),
        ({"price": {"amount_micros": 5, "currency": "XXX"}}, 400, "invalid_request"),
        ({"price": 5}, 400, "invalid_request"),
    ],
)
def test_a_bad_report_is_refused_with_its_whole_call(
    client: APIClient, writer: GenerativeModel, other: dict[str, Any], status: int, code: str
) -> None:
    body = {"queries": [said(writer, external_id="good"), said(writer) | other]}

    answer = client.post("/v1/queries", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Query.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, {"queries": []}, {"queries": {}}, {"queries": [5]}, [], {"queries": [], "x": 1}]
)
def test_a_call_of_another_shape_is_refused(client: APIClient, body: Any) -> None:
    answer = client.post("/v1/queries", body, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


def test_more_than_1000_reports_and_bodies_beyond_the_limit_are_refused(
    client: APIClient, writer: GenerativeModel
) -> None:
    many = {"queries": [said(writer, external_id=f"gen-{n}", output="") for n in range(1_001)]}
    large = {"queries": [said(writer, output="x" * 6_000_000)]}

    assert client.post("/v1/queries", many, format="json").status_code == 400
    answer = client.post("/v1/queries", large, format="json")

    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert not Query.objects.exists()


def test_an_external_id_with_another_body_is_a_conflict(
    client: APIClient, writer: GenerativeModel
) -> None:
    client.post("/v1/queries", {"queries": [said(writer)]}, format="json")

    answer = client.post("/v1/queries", {"queries": [said(writer, output="other")]}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "query_reused")
    assert Query.objects.count() == 1


def test_a_model_without_a_manifest_is_a_conflict(client: APIClient) -> None:
    new = {"name": "Bare", "version": "1", "currency": "EUR", "fee_micros": 1}
    model_id = client.post("/v1/models", new, format="json").json()["id"]
    report = {"model": model_id, "external_id": "x", "occurred_at": OCCURRED, "output": ""}

    answer = client.post("/v1/queries", {"queries": [report]}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (409, "manifest_missing")


def test_a_settled_query_explains_itself(
    client: APIClient, writer: GenerativeModel, chariot: Work, tyger: Work
) -> None:
    query = ask(writer, external_id="gen-1")
    before = client.get(f"/v1/queries/{query.pk}").json()
    settle_due(at=GENERATED, limit=10)

    after = client.get(f"/v1/queries/{query.pk}").json()

    assert (before["state"], before["explanation"]) == ("received", None)
    why = after.pop("explanation")
    assert after == {
        "id": query.pk,
        "model": writer.pk,
        "external_id": "gen-1",
        "state": "settled",
        "reason": "",
        "fee": {"amount_micros": 10_000, "currency": "EUR"},
        "occurred_at": "2026-06-21T12:00:00Z",
        "received_at": "2026-06-21T12:00:00Z",
        "settled_at": "2026-06-21T12:00:00Z",
    }
    assert [(row["work"], row["words"], row["amount"]["amount_micros"]) for row in why["contributions"]] == [
        (chariot.pk, 12, 4_500),
        (tyger.pk, 8, 3_000),
    ]  # fmt: skip
    assert why["remainder"] == {"amount_micros": 1_500, "currency": "EUR"}
    assert why["platform_fee"] == {"amount_micros": 1_000, "currency": "EUR"}
    assert why["entry"] == Entry.objects.order_by("-id")[0].pk


def test_credits_come_with_settlement(
    client: APIClient, writer: GenerativeModel, chariot: Work
) -> None:
    query = ask(writer)
    early = client.get(f"/v1/queries/{query.pk}/credits")
    settle_due(at=GENERATED, limit=10)

    credits_ = client.get(f"/v1/queries/{query.pk}/credits").json()

    assert (early.status_code, early.json()["code"]) == (409, "query_not_settled")
    assert credits_["lines"][0] == {
        "work": chariot.pk,
        "title": "The Chariot",
        "creators": ["Ada"],
        "share_ppm": 500_000,
    }
    assert credits_["text"].startswith("“The Chariot” by Ada (50.0 %)")


def test_other_operators_queries_do_not_exist(writer: GenerativeModel) -> None:
    query = ask(writer)
    mallory = api_client(make_operator("mallory"))

    assert mallory.get("/v1/queries").json()["items"] == []
    for query_id in (query.pk, "qry_00000000000000000000000000", writer.pk, "x"):
        for path in (f"/v1/queries/{query_id}", f"/v1/queries/{query_id}/credits"):
            answer = mallory.get(path)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    body = {"queries": [said(writer)]}
    assert mallory.post("/v1/queries", body, format="json").status_code == 404
    assert Query.objects.count() == 1


def test_queries_are_listed_with_the_same_number_of_statements(
    client: APIClient, writer: GenerativeModel, django_assert_num_queries: Any
) -> None:
    client.get("/v1/queries")
    for count in (1, 3):
        while Query.objects.count() < count:
            ask(writer)
        with django_assert_num_queries(1):
            answer = client.get("/v1/queries")

    assert [row["id"] for row in answer.json()["items"]] == sorted(
        Query.objects.values_list("pk", flat=True), reverse=True
    )


def test_a_creator_reads_what_each_query_paid_and_nobody_elses(
    writer: GenerativeModel, ada: Creator, chariot: Work
) -> None:
    query = ask(writer)
    settle_due(at=GENERATED, limit=10)

    items = api_client(ada).get("/v1/earnings/contributions").json()["items"]

    assert items == [
        {
            "query": query.pk,
            "model": writer.pk,
            "work": chariot.pk,
            "title": "The Chariot",
            "amount": {"amount_micros": 4_500, "currency": "EUR"},
            "words": 12,
            "share_ppm": 500_000,
            "withheld": "",
            "occurred_at": "2026-06-21T12:00:00Z",
            "settled_at": "2026-06-21T12:00:00Z",
        }
    ]


def test_contributions_are_listed_with_the_same_number_of_statements(
    writer: GenerativeModel, ada: Creator, django_assert_num_queries: Any
) -> None:
    client = api_client(ada)
    client.get("/v1/earnings/contributions")
    for _ in range(2):
        ask(writer)
        ask(writer)
        settle_due(at=GENERATED, limit=10)
        with django_assert_num_queries(2):
            client.get("/v1/earnings/contributions")


def test_scopes_keep_kinds_of_owners_apart(acme: Operator, ada: Creator) -> None:
    assert api_client(ada).get("/v1/queries").status_code == 403
    assert api_client(acme).get("/v1/earnings/contributions").status_code == 403
    assert api_client().post("/v1/queries", {}, format="json").status_code == 401


def test_a_query_without_funds_says_so(acme: Operator, chariot: Work) -> None:
    fund(acme, 1)
    query = ask(make_model(acme, [chariot]))
    settle_due(at=GENERATED, limit=10)

    shown = api_client(acme).get(f"/v1/queries/{query.pk}").json()

    assert (shown["state"], shown["reason"], shown["explanation"]) == (
        "refused",
        "insufficient_funds",
        None,
    )


def test_scores_come_with_their_origin(acme: Operator, chariot: Work, tyger: Work) -> None:
    fund(acme)
    model = make_model(acme, [chariot, tyger], method="reported")
    assert model.manifest is not None
    scores = {"manifest": model.manifest.pk, "tool": "trak", "rows": [1, 2], "scores": [1, 0.5]}
    body = {"model": model.pk, "external_id": "gen-1", "occurred_at": OCCURRED, "scores": scores}

    answer = api_client(acme).post("/v1/queries", {"queries": [body]}, format="json")

    assert answer.status_code == 202
    settle_due(at=timezone.now(), limit=10)
    query = Query.objects.get()
    assert (query.state, query.method) == ("settled", "reported")
    assert sum(row.micros for row in query.contributions.filter(work__isnull=False)) == 9_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"scores": [1.0]},
        {"scores": [1.0, "2"]},
        {"scores": [1.0, True]},
        {"scores": [1.0, 10**400]},
        {"rows": [1, 1]},
        {"rows": [0, 1]},
        {"rows": [1, 2.0]},
        {"rows": "12"},
        {"rows": list(range(1, 1_002)), "scores": [1.0] * 1_001},
        {"orientation": "sideways"},
        {"tool": ""},
        {"measured_lds": 2},
        {"outside_mass": -0.1},
        {"outside_mass": None},
        {"settings": []},
        {"scores": [1.7e308, 1.7e308]},
        {"tool": "nul \x00"},
        {"tool": "x" * 121},
        {"settings": {"note": "\x00"}},
        {"settings": {"\x00": 1}},
        {"settings": {"prompt": "Write me a poem. " * 20}},
        {"settings": {"a": [[[[[1]]]]]}},
        {"prompt": "secret"},
    ],
)
def test_malformed_scores_are_refused(acme: Operator, chariot: Work, wrong: dict[str, Any]) -> None:
    model = make_model(acme, [chariot], method="reported")
    assert model.manifest is not None
    good = {"manifest": model.manifest.pk, "tool": "trak", "rows": [1, 2], "scores": [1.0, 0.5]}
    body = {
        "model": model.pk,
        "external_id": "gen-1",
        "occurred_at": OCCURRED,
        "scores": good | wrong,
    }

    answer = api_client(acme).post("/v1/queries", {"queries": [body]}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert not Query.objects.exists()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(
    acme: Operator, chariot: Work, number: str
) -> None:
    model = make_model(acme, [chariot], method="reported")
    body = (
        f'{{"queries": [{{"model": "{model.pk}", "external_id": "gen-1",'
        f' "occurred_at": "{OCCURRED}", "scores": {{"manifest": "{model.manifest_id}",'
        f' "tool": "trak", "rows": [1], "scores": [{number}]}}}}]}}'
    )

    answer = api_client(acme).post("/v1/queries", body, content_type="application/json")

    assert answer.status_code == 400
    assert not Query.objects.exists()


def test_a_parked_query_is_replayed_once(client: APIClient, writer: GenerativeModel) -> None:
    query = ask(writer)
    Query.objects.update(state="parked", reason="evidence_unreadable")

    first = client.post(f"/v1/queries/{query.pk}:retry")
    again = client.post(f"/v1/queries/{query.pk}:retry")

    assert (first.status_code, first.json()["state"]) == (202, "received")
    assert (again.status_code, again.json()["code"]) == (409, "query_not_parked")
    other = api_client(make_operator("other"))
    assert other.post(f"/v1/queries/{query.pk}:retry").status_code == 404


def test_a_settled_query_is_recomputed(client: APIClient, writer: GenerativeModel) -> None:
    query = ask(writer)
    assert client.get(f"/v1/queries/{query.pk}/recomputation").status_code == 409
    settle_due(at=GENERATED, limit=10)

    answer = client.get(f"/v1/queries/{query.pk}/recomputation").json()

    assert (answer["same"], answer["method"]) == (True, "cascade/2")
    assert sum(row["micros"] for row in answer["recomputed"]) == 9_000
    assert answer["inputs"]["words"] == 24
    other = api_client(make_operator("other"))
    assert other.get(f"/v1/queries/{query.pk}/recomputation").status_code == 404


def test_credits_are_signed_beside_an_answer(
    client: APIClient, writer: GenerativeModel, settings: Any, tmp_path: Path
) -> None:
    settings.CONTENT_CREDENTIALS_IDENTITY = str(tmp_path / "c2pa" / "identity.pem")
    query = ask(writer)
    settle_due(at=GENERATED, limit=1)
    path = f"/v1/queries/{query.pk}/credits:sign"

    def answer(content_type: str = "text/plain") -> SimpleUploadedFile:
        return SimpleUploadedFile("answer", MEDLEY.encode(), content_type=content_type)

    signed = client.post(path, {"asset": answer()})
    assert (signed.status_code, signed["Content-Type"]) == (200, "application/c2pa")
    assert query.pk.encode() in signed.content

    inside = client.post(path, {"asset": answer(), "mode": "embedded"})
    assert (inside.status_code, inside.json()["code"]) == (422, "asset_not_signable")
    assert client.post(path, {"mode": "sidecar"}).status_code == 400
    other = api_client(make_operator("borealis"))
    assert other.post(path, {"asset": answer()}).status_code == 404
    settings.CONTENT_CREDENTIALS_IDENTITY = ""
    absent = client.post(path, {"asset": answer()})
    assert (absent.status_code, absent.json()["code"]) == (501, "signing_not_configured")
