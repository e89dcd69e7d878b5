"""What is published offline is what the registry answers online, release after release."""

import hashlib
import json
import random
import shutil
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from registry import checks, snapshots
from registry.checks import CheckItem
from registry.errors import NotFound
from registry.models import SnapshotChange, SnapshotRelease
from tests.described import DescribedClient
from tests.factories import (
    DAY,
    NOON,
    allow,
    deny,
    make_creator,
    make_operator,
    make_work,
)
from tests.registry.lives import HOUR, POEM, Life, place
from tribute.snapshot import FolderSource, Snapshot, sync
from tribute.snapshot.manifest import BASE, DELTA
from tribute.snapshot.publishing import files_folder, state_folder
from tribute.vocabulary import Purpose


class Mirror:
    """A pipeline's copy, kept up to date from the registry's folder."""

    def __init__(self, place: Path) -> None:
        self.root, self.folder = place / "registry", place / "mine"

    def publish(self, at: datetime = NOON) -> SnapshotRelease:
        release = snapshots.build(at=at, root=self.root)
        (files_folder(self.root) / "manifest.json").write_bytes(release.manifest)
        return release

    def open(self, at: datetime = NOON, *, plain: bool = False) -> Snapshot:
        key = snapshots.public_key()
        sync(FolderSource(files_folder(self.root)), self.folder, public_key=key, at=at)
        return Snapshot.open(self.folder, public_key=key, at=at, plain=plain)


@pytest.fixture
def mirror(tmp_path: Path) -> Mirror:
    return Mirror(tmp_path)


def assert_alike(snapshot: Snapshot, items: list[dict[str, str]], at: datetime) -> list[str]:
    """Compare with the answers online; return those for the first purpose."""
    purposes = list(Purpose)
    acme = make_operator(f"acme{random.randrange(10**9)}", at=NOON - 9 * DAY)
    online = checks.check(acme, [CheckItem(**item) for item in items], purposes, at=at).results
    offline = snapshot.check(
        [item.get("url") for item in items],
        purposes,
        sha256=[item.get("sha256") for item in items],
        iscc=[item.get("iscc") for item in items],
        at=at,
    )
    for row, answer in enumerate(online):
        for purpose in purposes:
            said = answer["decisions"][purpose]
            assert offline.decision(row, purpose).value == said["decision"], (items[row], said)
            assert offline.rule(row, purpose) == said["rule"], (items[row], said)
    return [answer["decisions"][purposes[0]]["decision"] for answer in online]


@pytest.mark.django_db
def test_a_snapshot_answers_as_the_registry_does(mirror: Mirror) -> None:
    ada, ben = make_creator("ada"), make_creator("ben", verified=False)
    deny(place(ada, "domain", "ada.org"))
    allow(place(ada, "path", "https://ada.org/open/"))
    allow(place(ben, "host", "ben.org", proven=False))
    deny(place(ben, "host", "ben.org:8080", proven=False), Purpose.SEARCH)
    poem = make_work(ada, text=POEM, url="https://elsewhere.net/poem?x=1")
    allow(poem)
    deny(poem, Purpose.AI_INPUT)
    make_work(ben, url="https://ben.org/silent")
    deny(ben, Purpose.DATA_MINING)
    allow(ada, Purpose.TRAIN_OTHER)
    assert poem.iscc is not None
    mirror.publish()

    answers = assert_alike(
        mirror.open(),
        [
            {"url": "https://deep.ada.org/"},
            {"url": "http://www.ada.org/open/x#y"},
            {"url": "https://ben.org/"},
            {"url": "https://ben.org:8080/x"},
            {"url": "https://ben.org/silent"},
            {"url": "https://elsewhere.net/poem?x=1"},
            {"url": "https://elsewhere.net/poem"},
            {"sha256": hashlib.sha256(POEM.encode()).hexdigest()},
            {"iscc": poem.iscc},
            {"url": "https://ada.org/", "sha256": hashlib.sha256(POEM.encode()).hexdigest()},
            {"url": "no address"},
        ],
        NOON,
    )

    assert answers == [
        "deny", "allow", "unknown", "unknown", "unknown", "allow", "unknown", "allow", "unknown",
        "allow", "unknown",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_delta_shows_what_changed_and_nothing_else(mirror: Mirror) -> None:
    ada = make_creator("ada")
    site = place(ada, "domain", "ada.org")
    allow(site)
    first = mirror.publish()
    idle = mirror.publish(NOON + HOUR)
    deny(site, at=NOON + 2 * HOUR)
    work = make_work(ada, url="https://ada.net/new", at=NOON + 2 * HOUR)
    allow(work, at=NOON + 2 * HOUR)
    second = mirror.publish(NOON + 3 * HOUR)

    files = [
        {file["table"]: file["rows"] for file in json.loads(bytes(r.manifest))["files"]}
        for r in (idle, second)
    ]
    assert [first.kind, idle.kind, second.kind] == [BASE, DELTA, DELTA]
    assert files == [{}, {"domain": 1, "url": 1, "host": 1, "codes": 2}]
    assert SnapshotChange.objects.filter(seq=None).count() == 0
    answers = assert_alike(
        mirror.open(NOON + 3 * HOUR),
        [{"url": "https://ada.org/"}, {"url": "https://ada.net/new"}],
        NOON + 3 * HOUR,
    )
    assert answers == ["deny", "allow"]


def test_no_change_is_lost_to_a_release_beside_it(committed_db: None, mirror: Mirror) -> None:
    """A statement that was not committed when a release was made is in the next."""
    site = place(make_creator("ada"), "domain", "ada.org")
    allow(site)
    mirror.publish()
    stated, published = threading.Event(), threading.Event()

    def state_slowly() -> None:
        with transaction.atomic():
            deny(site, at=NOON + HOUR)
            stated.set()
            assert published.wait(20)
        connection.close()

    slow = threading.Thread(target=state_slowly)
    slow.start()
    assert stated.wait(20)
    before = mirror.publish(NOON + HOUR)
    published.set()
    slow.join()
    after = mirror.publish(NOON + HOUR)

    counts = [len(json.loads(bytes(r.manifest))["files"]) for r in (before, after)]
    assert counts == [0, 2]
    items = [{"url": "https://ada.org/"}]
    assert assert_alike(mirror.open(NOON + HOUR), items, NOON + HOUR) == ["deny"]


@pytest.mark.django_db
def test_a_later_statement_takes_effect_offline(mirror: Mirror) -> None:
    ada = make_creator("ada")
    site = place(ada, "domain", "ada.org")
    allow(site)
    deny(site, effective_from=NOON + DAY)
    mirror.publish()
    snapshot, items = mirror.open(), [{"url": "https://ada.org/"}]

    assert assert_alike(snapshot, items, NOON) == ["allow"]
    assert assert_alike(snapshot, items, NOON + DAY - timedelta(microseconds=1)) == ["allow"]
    assert assert_alike(snapshot, items, NOON + DAY) == ["deny"]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(4))
def test_release_after_release_a_snapshot_keeps_up(mirror: Mirror, seed: int) -> None:
    """A registry lives at random; its mirror follows by deltas and is right at every step."""
    life = Life(random.Random(seed))
    at = NOON

    for step in range(6):
        at += HOUR
        for _ in range(6):
            life.live(at)
        release = mirror.publish(at)
        assert release.kind == (DELTA if step else BASE)
        assert_alike(mirror.open(at, plain=step % 2 == 1), life.items, at)
        assert_alike(mirror.open(at), life.items, at + HOUR / 2)

    shutil.rmtree(mirror.folder)
    assert_alike(mirror.open(at), life.items, at)


@pytest.mark.django_db
def test_a_base_follows_when_the_last_state_is_lost_or_old(mirror: Mirror) -> None:
    deny(place(make_creator("ada"), "domain", "ada.org"))
    kinds = [mirror.publish().kind, mirror.publish().kind]
    (state_folder(mirror.root, 1) / "domain.code").write_bytes(b"1234")
    kinds.append(mirror.publish().kind)
    shutil.rmtree(state_folder(mirror.root, 2))
    kinds.append(mirror.publish().kind)
    kinds.append(mirror.publish(NOON + 7 * DAY).kind)

    assert kinds == [BASE, DELTA, BASE, BASE, BASE]
    assert assert_alike(mirror.open(NOON + 7 * DAY), [{"url": "https://ada.org/"}], NOON + 7 * DAY)
    assert list(SnapshotRelease.objects.order_by("seq").values_list("seq", flat=True)) == [3, 4]
    names = {path.name.partition("-")[0] for path in files_folder(mirror.root).iterdir()}
    assert names == {"3", "4", "3.json", "4.json", "manifest.json"}


@pytest.mark.django_db
@pytest.mark.parametrize(("times", "expected"), [(1, BASE), (100, BASE), (200, DELTA)])
def test_a_base_follows_very_many_changes(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch, times: int, expected: str
) -> None:
    """Of many keys, or of few keys very often: they are not all read, and all are marked."""
    ada = make_creator("ada")
    sites = [place(ada, "domain", f"{name}.org") for name in ("ada", "ben", "eve")]
    mirror.publish()
    monkeypatch.setattr(snapshots, "MOST_CHANGES", 2 if times < 200 else 3)
    monkeypatch.setattr(snapshots, "MOST_TIMES_CHANGED", times)
    for site in sites:
        deny(site, at=NOON + HOUR)

    assert mirror.publish(NOON + HOUR).kind == expected

    assert not SnapshotChange.objects.filter(seq=None).exists()
    items = [{"url": f"https://{name}.org/"} for name in ("ada", "ben", "eve")]
    assert assert_alike(mirror.open(NOON + HOUR), items, NOON + HOUR) == ["deny"] * 3


@pytest.mark.django_db
def test_a_registry_without_statements_publishes_too(mirror: Mirror) -> None:
    with pytest.raises(NotFound):
        snapshots.newest()
    release = mirror.publish()

    assert snapshots.newest() == release
    assert assert_alike(mirror.open(), [{"url": "https://ada.org/"}], NOON) == ["unknown"]


@pytest.mark.django_db
def test_the_snapshot_is_served_with_ranges(mirror: Mirror, settings: Any) -> None:
    settings.HOME = mirror.root.parent
    client = DescribedClient()
    assert client.get("/v1/snapshot").status_code == 404
    deny(place(make_creator("ada"), "domain", "ada.org"))
    release = snapshots.build(at=NOON)

    manifest = client.get("/v1/snapshot")
    assert manifest.content == bytes(release.manifest)
    again = client.get("/v1/snapshot", HTTP_IF_NONE_MATCH=manifest["ETag"])
    assert again.status_code == 304

    (file, *_) = json.loads(manifest.content)["files"]
    address = f"/v1/snapshot/files/{file['name']}"
    whole = b"".join(client.get(address))
    assert hashlib.sha256(whole).hexdigest() == file["sha256"]
    part = client.get(address, HTTP_RANGE="bytes=10-19")
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 10-19/{len(whole)}")
    assert b"".join(part) == whole[10:20]
    assert b"".join(client.get(address, HTTP_RANGE="bytes=10-")) == whole[10:]
    assert b"".join(client.get(address, HTTP_RANGE="bytes=-10")) == whole[-10:]
    beyond = client.get(address, HTTP_RANGE=f"bytes={len(whole)}-")
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(whole)}")
    for odd in ("bytes=a-b", "bytes=5-2", "rows=1-2", "bytes=0-1,3-4"):
        assert b"".join(client.get(address, HTTP_RANGE=odd)) == whole


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "nothing.arrow",
        "..",
        "%2e%2e%2fmanifest.json",
        "a/b",
        "a" * 5000,
        "%ff",
        "%F0%9F%92%A9" * 90,
    ],
)
def test_nothing_but_published_files_is_served(mirror: Mirror, settings: Any, name: str) -> None:
    settings.HOME = mirror.root.parent
    snapshots.build(at=NOON)

    assert DescribedClient().get(f"/v1/snapshot/files/{name}").status_code == 404
