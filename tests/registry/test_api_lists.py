"""Every list of the API page by page, and cursors and limits that are none."""

import base64
from typing import Any

import pytest

from tests.factories import NOON, allow, api_client, make_creator, make_work

pytestmark = pytest.mark.django_db

ADAS_WORK = "wrk_01m8mpc1ffehjrtza9m5sn658s"


def cursor(token: str) -> str:
    return base64.b64encode(token.encode()).decode()


def test_pages_follow_each_other_both_ways() -> None:
    ada = make_creator("ada")
    works = [make_work(ada).pk for _ in range(5)]
    client = api_client(ada)

    first = client.get("/v1/works?limit=2").json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    back = client.get(second["previous"]).json()

    pages = [[row["id"] for row in page["items"]] for page in (first, second, third)]
    assert [*pages[0], *pages[1], *pages[2]] == works[::-1]
    assert (third["next"], back["items"]) == (None, first["items"])


def test_a_cursor_of_somebody_else_leads_to_ones_own_rows() -> None:
    ada, ben = make_creator("ada"), make_creator("ben")
    mine = make_work(ada).pk
    for _ in range(3):
        make_work(ben)
    bens = api_client(ben).get("/v1/works?limit=1").json()["next"]

    page = api_client(ada).get(bens).json()

    assert {row["id"] for row in page["items"]} <= {mine}


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "%00",
        "%FF",
        "!",
        "cD0x=",
        cursor("p=1"),
        cursor("p=%00"),
        cursor("p=col_01m8mpc1ffehjrtza9m5sn658s"),
        cursor(f"p={ADAS_WORK}&p={ADAS_WORK}"),
        cursor(f"p={ADAS_WORK}&q=1"),
        cursor("o=-1"),
        cursor("o=1001"),
        cursor("o=x"),
        cursor("o=" + "9" * 5_000),
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused(wrong: str) -> None:
    answer = api_client(make_creator("ada")).get(f"/v1/works?cursor={wrong}")

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/cursor")


@pytest.mark.parametrize("wrong", ["", "0", "-1", "201", "1e2", "null", "٣", "9" * 5_000])
def test_what_is_no_limit_is_refused(wrong: str) -> None:
    answer = api_client(make_creator("ada")).get("/v1/works", {"limit": wrong})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/limit")


def test_a_cursor_of_another_list_is_refused() -> None:
    ada = make_creator("ada")
    for _ in range(2):
        allow(make_work(ada), at=NOON)
    client = api_client(ada)
    works: Any = client.get("/v1/works?limit=1").json()

    answer = client.get(works["next"].replace("/v1/works", "/v1/statements"))

    assert answer.status_code == 400
