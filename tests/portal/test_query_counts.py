"""Lists ask the database as often for three rows as for one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from attribution import worker
from ledger import gateway_choice, topups
from ledger.money import Money
from registry import collections
from tests.attribution.world import GENERATED, ask, make_model
from tests.factories import NOON, allow, make_key, make_work
from tests.portal.conftest import World, signed_in
from tribute.vocabulary import IdentifierKind


def more_works(world: World) -> None:
    for number in range(2):
        allow(make_work(world.ada, url=f"https://ada.example/more/{number}"))


def more_sites(world: World) -> None:
    for name in ("one", "two"):
        collections.claim(world.ada, kind=IdentifierKind.HOST, value=f"{name}.example", at=NOON)


def more_queries(world: World) -> None:
    for _ in range(2):
        ask(world.model)
    worker.settle_due(at=GENERATED + timedelta(minutes=1), limit=10)


def more_keys(world: World) -> None:
    for number in range(2):
        make_key(world.acme, name=f"key {number}")


def more_models(world: World) -> None:
    for version in ("2", "3"):
        make_model(world.acme, [world.tyger], version=version)


def more_topups(world: World) -> None:
    for _ in range(2):
        topups.start(
            world.acme,
            amount=Money(50_000_000, "EUR"),
            gateway=gateway_choice.configured(),
            at=NOON,
        )


@pytest.mark.parametrize(
    ("who", "path", "grow"),
    [
        ("ada", "/works/", more_works),
        ("ada", "/consent/", more_works),
        ("ada", "/sites/", more_sites),
        ("ada", "/earnings/", more_queries),
        ("olga", "/operator/usage/", more_queries),
        ("olga", "/operator/keys/", more_keys),
        ("olga", "/operator/models/", more_models),
        ("olga", "/operator/balance/", more_topups),
    ],
)
def test_a_list_asks_as_often_for_three_rows_as_for_one(
    who: str, path: str, grow: Callable[[World], None], world: World
) -> None:
    topups.start(
        world.acme, amount=Money(50_000_000, "EUR"), gateway=gateway_choice.configured(), at=NOON
    )
    # A work with an address: places are asked about only where there are some.
    allow(make_work(world.ada, url="https://ada.example/first"))
    client = signed_in(who)
    client.get(path)

    one = _count(client, path)
    grow(world)
    three = _count(client, path)

    assert three == one


def _count(client: Any, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(path).status_code == 200
    return len(asked)
