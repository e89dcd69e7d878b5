"""Proof of control by each method, and what becomes of it when it is looked for again."""

import json
from datetime import datetime

import pytest

from registry import checks, collections
from registry.checks import CheckItem
from registry.collections import LOOK_AGAIN_AFTER, Sources
from registry.errors import ControlNotShown, FetchFailed, LookUpFailed
from registry.fetching import Fetched
from registry.models import Collection, LogOutbox, Operator, PastControl
from tests.factories import DAY, NOON, allow, make_creator, make_operator, make_work
from tribute.vocabulary import IdentifierKind, Purpose

pytestmark = pytest.mark.django_db

URL = "https://ada.example/1"
DUE = NOON + 60 * DAY


def claim(value: str = "ada.example", kind: str = "domain", handle: str = "ada") -> Collection:
    creator = make_creator(handle, verified=False)
    return collections.claim(creator, kind=IdentifierKind(kind), value=value, at=NOON)


def records(collection: Collection, *more: str) -> Sources:
    """A name server that has the challenge, and no web server."""
    wanted = collections.challenge(collection)
    known = {wanted.name: [*more, wanted.body]}
    return Sources(look_up=lambda name: known.get(name, []))


def nothing(url: str) -> Fetched:
    raise FetchFailed(f"{url} did not answer")


def no_server(name: str) -> list[str]:
    raise LookUpFailed(f"{name} could not be looked up")


NOWHERE = Sources(fetch=nothing, beginning=nothing, look_up=no_server)


def verify(collection: Collection, sources: Sources, *, at: datetime = NOON) -> Collection:
    return collections.verify(
        collection,
        fetch=sources.fetch,
        beginning=sources.beginning,
        look_up=sources.look_up,
        at=at,
    )


def page(collection: Collection, url: str) -> Sources:
    body = collections.challenge(collection).body
    html = f'<head><meta name="tribute-challenge" content="{body}"></head>' + "x" * 9_999

    def beginning(asked: str) -> Fetched:
        return Fetched(asked, 200 if asked == url else 404, {}, html.encode(), "192.0.2.1")

    return Sources(fetch=nothing, beginning=beginning, look_up=no_server)


def leaves() -> list[str]:
    rows = LogOutbox.objects.order_by("id")
    return [json.loads(bytes(row.leaf))["t"] for row in rows]


def test_a_record_among_others_shows_control() -> None:
    claimed = claim()
    assert collections.challenge(claimed).name == "_tribute-challenge.ada.example"

    verify(claimed, records(claimed, "v=spf1 -all"))

    assert (claimed.method, claimed.control_proven_at) == ("dns-txt", NOON)
    assert json.loads(bytes(LogOutbox.objects.get().leaf))["method"] == "dns-txt"


@pytest.mark.parametrize(
    ("kind", "value", "front"),
    [
        ("domain", "ada.example", "https://www.ada.example/"),
        ("host", "ada.example", "http://ada.example/"),
        ("path", "https://web.example/~ada/", "https://web.example/~ada/"),
    ],
)
def test_a_tag_on_the_front_page_shows_control(kind: str, value: str, front: str) -> None:
    claimed = claim(value, kind)

    verify(claimed, page(claimed, front))

    assert (claimed.method, claimed.control_proven_at) == ("meta", NOON)


@pytest.mark.parametrize("value", ["https://web.example/~ada/", "127.0.0.1"])
def test_no_record_speaks_for_a_path_or_an_address(value: str) -> None:
    claimed = claim(value, "path" if "/" in value else "host")

    assert collections.challenge(claimed).name is None
    with pytest.raises(ControlNotShown):
        verify(claimed, Sources(look_up=lambda _name: [collections.challenge(claimed).body]))


def test_anothers_record_and_tag_prove_nothing() -> None:
    adas, mallorys = claim(), claim(handle="mallory")

    for sources in (records(adas), page(adas, "https://ada.example/"), NOWHERE):
        with pytest.raises(ControlNotShown):
            verify(mallorys, sources)
    assert leaves() == []


def test_what_is_still_there_is_good_for_sixty_days_more() -> None:
    claimed = claim()
    verify(claimed, records(claimed))

    early = collections.recheck(sources=NOWHERE, at=DUE - DAY, limit=9)
    ended = collections.recheck(sources=page(claimed, "https://ada.example/"), at=DUE, limit=9)

    claimed.refresh_from_db()
    assert (early, ended) == (0, 0)
    assert (claimed.control_proven_at, claimed.method) == (NOON, "meta")
    assert claimed.recheck_at == DUE + 60 * DAY
    assert leaves() == ["control.proven"]


def test_the_third_failure_in_a_row_ends_the_proof_and_keeps_the_past() -> None:
    claimed, acme = claim(), make_operator("acme")
    allow(make_work(claimed.creator, url=URL))
    verify(claimed, records(claimed))
    assert told(acme, 61) == "allow"

    rounds = [DUE + n * LOOK_AGAIN_AFTER for n in range(4)]
    ended = [collections.recheck(sources=NOWHERE, at=at, limit=9) for at in rounds]

    claimed.refresh_from_db()
    assert ended == [0, 0, 1, 0]
    assert (claimed.control_proven_at, claimed.method, claimed.recheck_at) == (None, "", None)
    past = PastControl.objects.get()
    assert (past.method, past.proven_at, past.ended_at) == ("dns-txt", NOON, rounds[2])
    assert leaves()[1:] == ["control.proven", "check.batch", "control.ended"]
    assert (told(acme, 80), told(acme, 80, as_of=61)) == ("unknown", "allow")

    verify(claimed, records(claimed), at=NOON + 90 * DAY)
    assert (told(acme, 91, as_of=80), told(acme, 91)) == ("unknown", "allow")


def told(operator: Operator, day: int, *, as_of: int | None = None) -> str:
    asked = checks.check(
        operator,
        [CheckItem(url=URL)],
        [Purpose.TRAIN_AI],
        at=NOON + day * DAY,
        as_of=None if as_of is None else NOON + as_of * DAY,
    )
    return str(asked.results[0]["decisions"]["train-ai"]["decision"])


def test_one_success_forgives_earlier_failures() -> None:
    claimed = claim()
    verify(claimed, records(claimed))

    for sources in (NOWHERE, NOWHERE, records(claimed), NOWHERE, NOWHERE):
        claimed.refresh_from_db()
        assert claimed.recheck_at is not None
        assert collections.recheck(sources=sources, at=claimed.recheck_at, limit=9) == 0

    claimed.refresh_from_db()
    assert (claimed.control_proven_at, claimed.recheck_failures) == (NOON, 2)


def test_whoever_shows_control_while_it_is_looked_for_has_the_last_word() -> None:
    claimed = claim()
    verify(claimed, records(claimed))
    Collection.objects.update(recheck_failures=2)

    def meanwhile(name: str) -> list[str]:
        verify(claimed, records(claimed), at=DUE)
        raise LookUpFailed(f"{name} could not be looked up")

    ended = collections.recheck(sources=Sources(look_up=meanwhile), at=DUE, limit=9)

    claimed.refresh_from_db()
    assert (ended, claimed.recheck_failures, claimed.control_proven_at) == (0, 0, NOON)


def test_a_round_takes_the_longest_due_and_no_more_than_its_limit() -> None:
    due = [claim(f"{name}.example", handle=name) for name in ("ada", "ben", "eve")]
    for collection in due:
        verify(collection, records(collection))
    Collection.objects.filter(pk=due[2].pk).update(recheck_at=NOON)

    collections.recheck(sources=NOWHERE, at=DUE, limit=2)

    failures = [Collection.objects.get(pk=c.pk).recheck_failures for c in due]
    assert failures == [1, 0, 1]
