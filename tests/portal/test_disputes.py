"""Disputes, appeals and clusters in the browser: parties follow and answer, reviewers decide."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from registry import appeals, disputes
from registry.models import (
    ClaimConflict,
    Cluster,
    ClusterMember,
    Creator,
    MatchAppeal,
    MatchFinding,
)
from tests.attribution.world import CHARIOT
from tests.factories import make_user, make_work
from tests.portal.conftest import World, signed_in
from tests.portal.reading import read
from tests.registry.test_appeals import near_pair

Outcome = ClaimConflict.Outcome


@pytest.fixture
def conflict(world: World) -> ClaimConflict:
    """Mallory registers Ada's text again; Rita and Rolf review."""
    for name in ("rita", "rolf"):
        make_user(f"{name}@example.org", name=name.capitalize(), is_staff=True)
    mallory = Creator.objects.get(handle="mallory")
    make_work(mallory, title="The Coach", text=CHARIOT, at=timezone.now())
    return ClaimConflict.objects.get()


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    read(response.content.decode())
    return response.content.decode()


def act(client: Client, path: str, data: dict[str, str] | None = None) -> str:
    response = client.post(path, data or {}, follow=True)
    assert response.status_code == 200, path
    return response.content.decode()


def test_a_dispute_runs_its_whole_course(conflict: ClaimConflict) -> None:
    ada, mallory, rita, rolf = (signed_in(n) for n in ("ada", "mallory", "rita", "rolf"))
    mine, theirs = f"/disputes/{conflict.pk}/", f"/reviews/disputes/{conflict.pk}/"
    assert "The Coach" in page(ada, "/disputes/")
    assert "goes on earning" in page(ada, mine)
    assert "I stand by my claim" not in page(ada, mine)

    act(ada, f"{mine}answer", {"reason": "made_it"})
    assert "What both works earn is set aside" in act(mallory, f"{mine}claim")
    assert "is set aside until this is decided" in page(ada, mine)
    assert "The Coach" in page(rita, "/reviews/")
    act(rita, f"{theirs}admit")
    act(rita, f"{theirs}decide", {"outcome": "work_upheld"})
    assert "The Coach" not in page(rita, "/reviews/")
    assert "Another person will decide" in act(ada, f"{mine}appeal", {"ground": "wrong_on_facts"})
    assert "somebody else has to decide" in act(rita, f"{theirs}decide", {"outcome": "work_upheld"})
    act(rolf, f"{theirs}decide", {"outcome": "other_upheld"})

    conflict.refresh_from_db()
    assert (conflict.outcome, conflict.first_outcome) == ("other_upheld", "work_upheld")
    kinds = conflict.events.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [
        "opened",
        "answered",
        "claimed",
        "admitted",
        "decided",
        "appealed",
        "reviewed",
    ]
    assert "Decided for good" in page(mallory, mine)


def test_what_cannot_be_done_is_said_in_plain_words(conflict: ClaimConflict) -> None:
    ada = signed_in("ada")
    path = f"/disputes/{conflict.pk}/"
    assert "Choose one of the answers" in act(ada, f"{path}answer", {"reason": "because"})
    assert "can be appealed no more" in act(ada, f"{path}appeal", {"ground": "not_heard"})
    judge = make_user(is_staff=True)
    disputes.decide(conflict, by=judge, outcome=Outcome.DISTINCT, at=timezone.now())
    assert "was decided meanwhile" in act(ada, f"{path}answer", {"reason": "made_it"})


@pytest.mark.parametrize("who", ["ben", "olga", "pia", "ada"])
def test_reviews_do_not_exist_for_others(conflict: ClaimConflict, who: str) -> None:
    client, cluster = signed_in(who), Cluster.objects.get()
    for path in (
        "/reviews/",
        f"/reviews/disputes/{conflict.pk}/",
        f"/reviews/clusters/{cluster.pk}/",
    ):
        assert client.get(path).status_code == 404
    for path in (
        f"/reviews/disputes/{conflict.pk}/decide",
        f"/reviews/disputes/{conflict.pk}/admit",
        f"/reviews/clusters/{cluster.pk}/merge",
        f"/reviews/clusters/{cluster.pk}/separate",
    ):
        assert client.post(path, {"outcome": "distinct"}).status_code == 404
    conflict.refresh_from_db()
    assert (conflict.resolved_at, conflict.admitted_at) == (None, None)


def test_strangers_find_no_dispute(conflict: ClaimConflict) -> None:
    ben = signed_in("ben")
    assert conflict.pk not in page(ben, "/disputes/")
    assert ben.get(f"/disputes/{conflict.pk}/").status_code == 404
    for verb in ("answer", "claim", "appeal"):
        assert ben.post(f"/disputes/{conflict.pk}/{verb}").status_code == 404


def test_a_reviewer_merges_and_separates(conflict: ClaimConflict) -> None:
    rita, cluster = signed_in("rita"), Cluster.objects.get()
    path = f"/reviews/clusters/{cluster.pk}/"
    assert "The Coach" in page(rita, path)

    act(rita, f"{path}merge", {"reason": "same_work", "work": ""})
    states = set(ClusterMember.objects.values_list("state", flat=True))
    assert states == {"merged"}
    assert "nothing of this id" in act(rita, f"{path}merge", {"reason": "same_work", "work": "x"})
    act(rita, f"{path}separate", {"work": conflict.work_id, "reason": "independent"})

    assert ClusterMember.objects.get(work=conflict.work_id).state == "separated"
    assert "It was made independently" in page(rita, path)


@pytest.mark.parametrize("lifted", ["yes", "no"])
def test_a_reviewer_decides_about_a_match(db: None, lifted: str) -> None:
    make_user("rita@example.org", is_staff=True)
    ada, iscc = near_pair()
    appeal = appeals.appeal_match(
        ada,
        iscc=iscc,
        work=ada.registered_works.get(),
        reason=MatchAppeal.Reason.BY_CHANCE,
        at=timezone.now(),
    )
    rita = signed_in("rita")
    assert "Alike by chance" in page(rita, "/reviews/")

    act(rita, f"/reviews/matches/{appeal.pk}/decide", {"lifted": lifted})

    assert MatchFinding.objects.get().lifted is (lifted == "yes")
    assert "Alike by chance" not in page(rita, "/reviews/")


def test_lists_cost_the_same_for_one_dispute_and_for_three(
    conflict: ClaimConflict, world: World
) -> None:
    ada, rita = signed_in("ada"), signed_in("rita")
    mallory = conflict.work.registered_by
    for path, client in (("/disputes/", ada), ("/reviews/", rita)):
        client.get(path)
        with CaptureQueriesContext(connection) as before:
            client.get(path)
        for _ in range(2):
            url = f"https://ada.example/{Cluster.objects.count()}"
            make_work(world.ada, url=url)
            make_work(mallory, url=url, at=timezone.now())
        with CaptureQueriesContext(connection) as after:
            client.get(path)
        assert len(after) == len(before)
