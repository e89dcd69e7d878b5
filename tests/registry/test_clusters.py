"""Clusters: proposed by likeness, merged and separated by people, and each step kept."""

import json

import pytest

from attribution import rosters
from registry import clusters
from registry.errors import ClusterTooLarge, MayNotDecide, NotClustered
from registry.models import Cluster, ClusterEvent, ClusterMember, LogOutbox, Work
from tests.attribution.world import ingest
from tests.factories import DAY, NOON, allow, make_creator, make_operator, make_user, make_work
from tests.registry.test_works import TEXT

pytestmark = pytest.mark.django_db

Reason = ClusterEvent.Reason


def edited(step: int) -> str:
    words = TEXT.split()
    return " ".join(word if n % step else f"edit{n}" for n, word in enumerate(words))


def members() -> dict[str, str]:
    rows = ClusterMember.objects.select_related("work").order_by("id")
    return {row.work.title: row.state for row in rows}


def copies(count: int = 3) -> list[Work]:
    """Ada's text, and slightly edited ones of Mallory's, each a day later."""
    ada, mallory = make_creator("ada"), make_creator("mallory")
    original = make_work(ada, text=TEXT, title="original")
    edits = [
        make_work(mallory, text=edited(90 + number), title=f"copy {number}", at=NOON + number * DAY)
        for number in range(1, count)
    ]
    return [original, *edits]


def test_near_copies_are_proposed_as_one_cluster() -> None:
    copies()
    assert Cluster.objects.count() == 1
    assert members() == {"original": "proposed", "copy 1": "proposed", "copy 2": "proposed"}
    assert {event.kind for event in ClusterEvent.objects.all()} == {"proposed"}
    assert ClusterMember.objects.get(work__title="original").near_to is None
    assert ClusterMember.objects.get(work__title="copy 2").near_to.title == "original"  # type: ignore[union-attr]


def test_ones_own_near_copies_are_proposed_as_well_and_strangers_to_nothing() -> None:
    ada = make_creator("ada")
    make_work(ada, text=TEXT, title="original")
    make_work(ada, text=edited(90), title="second edition")
    make_work(ada, text="another thing altogether " * 30, title="other")
    assert members() == {"original": "proposed", "second edition": "proposed"}


def test_merging_joins_whole_clusters_and_separating_takes_a_work_out() -> None:
    original, copy, third = copies()
    alone = make_work(make_creator("ben"), title="alone")
    judge = make_user(is_staff=True)

    merged = clusters.merge([original, alone], by=judge, reason=Reason.EDITION, at=NOON + 5 * DAY)
    clusters.separate(merged, third, by=judge, reason=Reason.INDEPENDENT, at=NOON + 6 * DAY)

    assert members() == {
        "original": "merged",
        "copy 1": "merged",
        "copy 2": "separated",
        "alone": "merged",
    }
    found = clusters.pairs_of([copy.pk])
    assert found.merged == {
        frozenset(pair)
        for pair in ((original.pk, copy.pk), (original.pk, alone.pk), (copy.pk, alone.pk))
    }
    assert found.apart == {frozenset((third.pk, other.pk)) for other in (original, copy, alone)}
    assert found.proposed == frozenset()
    leaves = [json.loads(bytes(row.leaf)) for row in LogOutbox.objects.order_by("id")]
    assert [(leaf["t"], leaf["kind"], len(leaf["works"])) for leaf in leaves] == [
        ("cluster.decided", "merged", 4),
        ("cluster.decided", "separated", 1),
    ]


def test_two_clusters_become_one_and_say_so() -> None:
    original, _, _ = copies()
    ben = make_creator("ben")
    other = make_work(ben, text="quite another text here " * 40, title="other")
    make_work(ben, text="quite another text here " * 40 + "indeed", title="other copy")
    assert Cluster.objects.count() == 2

    home = clusters.merge(
        [original, other], by=make_user(is_staff=True), reason=Reason.SAME_WORK, at=NOON + 5 * DAY
    )

    assert set(members().values()) == {"merged"}
    assert {row.cluster_id for row in ClusterMember.objects.all()} == {home.pk}
    assert ClusterEvent.objects.get(kind="joined").into == home


def test_a_separated_work_may_be_merged_again() -> None:
    original, copy, _ = copies()
    judge = make_user(is_staff=True)
    cluster = Cluster.objects.get()
    clusters.separate(cluster, copy, by=judge, reason=Reason.BY_CHANCE, at=NOON + 5 * DAY)
    clusters.merge([original, copy], by=judge, reason=Reason.SAME_WORK, at=NOON + 6 * DAY)
    assert members()["copy 1"] == "merged"
    kinds = ClusterEvent.objects.filter(work=copy).order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["proposed", "separated", "merged"]


def test_a_copy_of_a_separated_leader_stays_paired_with_nobody_it_was_not_near_to() -> None:
    original, copy, third = copies()
    clusters.separate(
        Cluster.objects.get(),
        original,
        by=make_user(is_staff=True),
        reason=Reason.SHARED_SOURCE,
        at=NOON + 5 * DAY,
    )
    found = clusters.pairs_of([copy.pk, third.pk])
    assert (found.proposed, found.merged) == (frozenset(), frozenset())


@pytest.mark.parametrize("staff", [False, True])
def test_nobody_but_uninvolved_staff_reviews(staff: bool) -> None:  # noqa: FBT001
    original, copy, _ = copies()
    person = make_user(is_staff=staff)
    if staff:
        copy.registered_by.members.add(person)
    cluster = Cluster.objects.get()
    with pytest.raises(MayNotDecide):
        clusters.merge([original, copy], by=person, reason=Reason.SAME_WORK, at=NOON)
    with pytest.raises(MayNotDecide):
        clusters.separate(cluster, copy, by=person, reason=Reason.BY_CHANCE, at=NOON)
    assert not clusters.decidable_by(person).exists()


def test_what_is_no_cluster_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = make_user(is_staff=True)
    alone = make_work(make_creator("ben"), title="alone")
    with pytest.raises(NotClustered):
        clusters.merge([alone, alone], by=judge, reason=Reason.SAME_WORK, at=NOON)
    original, copy, _ = copies()
    with pytest.raises(NotClustered):
        clusters.separate(Cluster.objects.get(), alone, by=judge, reason=Reason.BY_CHANCE, at=NOON)
    monkeypatch.setattr(clusters, "MOST_WORKS", 2)
    with pytest.raises(ClusterTooLarge):
        clusters.merge([original, copy], by=judge, reason=Reason.SAME_WORK, at=NOON)


def test_clusters_wait_until_a_person_has_looked() -> None:
    original, copy, _ = copies()
    judge = make_user(is_staff=True)
    assert clusters.waiting(clusters.decidable_by(judge)).count() == 1
    clusters.merge([original, copy], by=judge, reason=Reason.SAME_WORK, at=NOON + 5 * DAY)
    assert clusters.waiting(clusters.decidable_by(judge)).count() == 0


def test_money_follows_what_people_found() -> None:
    """A merged work has its leader's place in attribution, a separated one its own."""
    ada, ben, judge = make_creator("ada"), make_creator("ben"), make_user(is_staff=True)
    original, edition = make_work(ada, text=TEXT), make_work(ada, text=edited(90), at=NOON + DAY)
    other = make_work(ben, text="another thing altogether " * 30, at=NOON + DAY)
    works = [original, edition, other]
    for work in works:
        allow(work, at=work.registered_at)
    manifest = ingest(make_operator("acme"), works)
    ids = {work.pk for work in works}
    assert rosters.of_manifest(manifest).leader_of(ids) == {
        original.pk: original.pk,
        edition.pk: original.pk,
        other.pk: other.pk,
    }

    home = clusters.merge([original, other], by=judge, reason=Reason.EDITION, at=NOON + 30 * DAY)
    clusters.separate(home, edition, by=judge, reason=Reason.INDEPENDENT, at=NOON + 31 * DAY)

    assert rosters.of_manifest(manifest).leader_of(ids) == {
        original.pk: original.pk,
        edition.pk: edition.pk,
        other.pk: original.pk,
    }
    assert rosters.of_manifest(manifest).followers() == {other.pk}
