"""The steps add up, and the record gives the same amounts to whoever divides it again."""

import json
import re
from typing import Any

import pytest

from attribution import reckoning
from attribution.errors import NotSettled
from attribution.models import GenerativeModel, Query
from attribution.reckoning import reckon, record_of
from attribution.worker import settle_due
from registry.models import Creator, Operator, Work
from tests.attribution.world import (
    CHARIOT,
    GENERATED,
    MEDLEY,
    REWORDED,
    TYGER,
    ask,
    fund,
    make_model,
)
from tests.factories import allow, make_work


@pytest.fixture
def query(acme: Operator, ada: Creator, ben: Creator) -> Query:
    """Ada and Ben own the Chariot together, Ben the Tyger."""
    chariot = make_work(ada, title="C", text=CHARIOT, shares={ada.pk: 700_000, ben.pk: 300_000})
    tyger = make_work(ben, title="T", text=TYGER)
    for work in (chariot, tyger):
        allow(work)
    fund(acme)
    return settled(make_model(acme, [chariot, tyger]))


def settled(model: GenerativeModel, output: str | None = MEDLEY) -> Query:
    query = ask(model, output)
    settle_due(at=GENERATED, limit=5)
    query.refresh_from_db()
    return query


def again(document: dict[str, Any]) -> list[list[Any]]:
    """Divide a downloaded record, as a stranger would who has nothing else."""
    return [list(row) for row in reckoning.again(json.loads(json.dumps(document)))]


def test_the_steps_add_up_to_the_fee(query: Query) -> None:
    found = reckon(query)

    assert (found.eligible, found.looked_at, found.weighed) == (2, 2, 2)
    assert found.recomputed is True
    amounts = [split.amount.micros for work in found.works for split in work.splits]
    assert sum(amounts) + found.explanation.remainder.micros == found.net.micros == 9_000
    parts = {
        (work.title, split.creator): split.ppm for work in found.works for split in work.splits
    }
    assert parts == {("C", "Ada"): 700_000, ("C", "Ben"): 300_000, ("T", "Ben"): 1_000_000}


def test_a_creator_sees_his_own_parts_alone(query: Query, ada: Creator) -> None:
    found = reckon(query, creator=ada)

    assert [(w.title, [s.creator for s in w.splits]) for w in found.works] == [("C", ["Ada"])]
    shown = sum(split.amount.micros for work in found.works for split in work.splits)
    rest = found.explanation.others.micros + found.explanation.remainder.micros
    assert shown + rest == found.net.micros


def test_the_record_gives_the_amounts_again(query: Query) -> None:
    document = record_of(query)

    assert again(document) == sorted(document["paid"])
    assert document["yours"] == {}


@pytest.mark.parametrize("method", ["verbatim", "cascade", "similarity", "shapley", "uniform"])
def test_a_creators_record_names_nobody_else_and_gives_the_same(
    acme: Operator, ada: Creator, ben: Creator, method: str
) -> None:
    works = [make_work(ada, title="C", text=CHARIOT), make_work(ben, title="T", text=TYGER)]
    for work in works:
        allow(work)
    fund(acme)
    query = settled(make_model(acme, works, method=method), None if method == "uniform" else MEDLEY)

    document = record_of(query, creator=ada)

    assert again(document) == sorted(document["paid"])
    named = json.dumps(document)
    assert ben.pk not in named
    assert works[1].pk not in named
    assert set(document["yours"].values()) <= {ada.pk, works[0].pk}
    mine = [row[3] for row in document["paid"] if document["yours"].get(row[1]) == ada.pk]
    own = query.contributions.filter(creator=ada).values_list("micros", flat=True)
    assert sum(mine) == sum(own)


@pytest.mark.parametrize("method", ["cascade", "similarity", "shapley"])
def test_a_creators_record_hides_works_that_are_merely_alike(
    acme: Operator, ben: Creator, shelf: list[Work], method: str
) -> None:
    fund(acme)
    query = settled(make_model(acme, shelf, method=method), f"{MEDLEY} {REWORDED}")
    chariot = shelf[0]
    assert query.record is not None
    assert chariot.pk in bytes(query.record).decode()

    document = record_of(query, creator=ben)

    assert again(document) == sorted(document["paid"])
    named = set(re.findall(r"(?:wrk|cre)_\w+", json.dumps(document)))
    assert named <= {shelf[1].pk, ben.pk}


def test_a_record_of_another_version_is_shown_but_not_recomputed(query: Query) -> None:
    query.method_version = "0"

    found = reckon(query)

    assert found.recomputed is None
    assert f"{query.method}/0" in found.why_not


def test_a_query_that_waits_has_no_reckoning(query: Query) -> None:
    with pytest.raises(NotSettled):
        reckon(ask(query.model))
