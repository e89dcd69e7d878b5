"""Answers from the snapshot are those of PostgreSQL, whatever changed since, and whatever breaks."""

import random
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from registry import checks, consent, decision_index, licensing, receipts, served, snapshots
from registry.asked import CheckItem
from registry.models import Check, DecisionIndex, SnapshotRelease
from tests.factories import DAY, NOON, allow, deny, make_creator, make_operator, make_work
from tests.registry.lives import HOUR, Life, place
from tribute import receipts as verifier
from tribute.snapshot.publishing import state_folder
from tribute.vocabulary import Decision, Purpose


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """A registry's home with no snapshot in it yet; what other tests left open is let go."""
    settings.HOME = tmp_path
    served.forget()
    yield tmp_path / "snapshots"
    served.forget()


def ask(items: list[dict[str, str]], at: datetime = NOON, **how: Any) -> Check:
    operator = how.pop("operator", None) or make_operator(f"acme{random.randrange(10**9)}")
    asked = [CheckItem(**item) for item in items]
    return checks.check(operator, asked, how.pop("purposes", list(Purpose)), at=at, **how)


def first_decision(check: Check) -> str:
    return str(check.results[0]["decisions"][Purpose.TRAIN_AI]["decision"])


def assert_both_ways_alike(items: list[dict[str, str]], at: datetime, operator: Any) -> None:
    asked = [CheckItem(**item) for item in items]
    purposes = random.sample(list(Purpose), random.randint(1, 5))
    fast = checks.check(operator, asked, purposes, at=at)
    assert served.state()["from"] == "snapshot"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served, "view", lambda **_: None)
        slow = checks.check(operator, asked, purposes, at=at)
    assert fast.results == slow.results
    assert fast.answered.lines.equals(slow.answered.lines)
    assert fast.request_digest == slow.request_digest


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [0, 1, None])
def test_both_ways_give_the_same_answers_in_random_worlds(seed: int | None) -> None:
    """Snapshots are published now and then; in between, the changes are laid over the last one."""
    seed = random.randrange(10**9) if seed is None else seed
    sys.stdout.write(f"seed {seed}\n")
    life, acme = Life(random.Random(seed)), make_operator("acme")
    at = NOON
    for step in range(5):
        at += HOUR
        for _ in range(5):
            life.live(at)
        if step in {0, 1, 3}:
            snapshots.build(at=at)
        items = [dict(item) for item in life.items]
        items += [{**one, **other} for one, other in zip(items, items[12:], strict=False)]
        items += [{"url": "no address"}, {"sha256": "0" * 64}, {"sha256": "g" * 64}, {}]
        items += [{"id": "3", "url": "https://a.org/"}, {"id": "3", "url": "https://a.org/"}]
        life.chance.shuffle(items)
        for _ in range(2):
            assert_both_ways_alike(items, at, acme)
        assert_both_ways_alike(items, at + HOUR / 2, acme)


@pytest.mark.django_db
def test_a_statement_counts_at_once_without_a_new_snapshot() -> None:
    ada = make_creator("ada")
    snapshots.build(at=NOON)
    page = [{"url": "https://ada.org/deep/page?x=1"}]
    assert first_decision(ask(page)) == "unknown"

    decisions = []
    for kind, value in (("domain", "ada.org"), ("path", "https://ada.org/deep/")):
        site = place(ada, kind, value)
        for state in (allow, deny, allow):
            state(site)
            decisions.append(first_decision(ask(page)))

    assert decisions == ["allow", "deny", "allow"] * 2
    assert served.state() == {"from": "snapshot", "seq": 0, "changed_since": 2}


@pytest.mark.django_db
def test_answers_remembered_end_when_a_later_statement_begins() -> None:
    site = place(make_creator("ada"), "domain", "ada.org")
    allow(site)
    deny(site, effective_from=NOON + DAY)
    snapshots.build(at=NOON)
    page = [{"url": "https://ada.org/"}]

    said = [first_decision(ask(page, NOON + hours * HOUR)) for hours in (0, 1, 23, 24, 1, 25)]

    assert said == ["allow", "allow", "allow", "deny", "allow", "deny"]


@pytest.mark.django_db
def test_a_grant_opens_for_its_operator_alone_though_answers_are_remembered() -> None:
    ada, acme, other = make_creator("ada"), make_operator("acme"), make_operator("other")
    work = make_work(ada, url="https://ada.org/1")
    terms = licensing.offer(ada, uri="https://ada.org/terms", at=NOON)
    consent.state(
        ada, work, purpose=Purpose.TRAIN_AI, decision=Decision.LICENSE, terms=terms,
        effective_from=NOON, at=NOON,
    )  # fmt: skip
    snapshots.build(at=NOON)
    page = [{"url": "https://ada.org/1"}]
    before = [first_decision(ask(page, operator=each)) for each in (acme, other, acme)]
    licensing.accept(acme, terms, subject=work, purpose=Purpose.TRAIN_AI, at=NOON)
    after = [first_decision(ask(page, operator=each)) for each in (acme, other, acme)]

    assert before == ["license"] * 3
    assert after == ["allow", "license", "allow"]


def test_an_uncommitted_change_is_seen_once_it_is_committed(committed_db: None) -> None:
    """Transactions end in another order than they begin: none is lost between two looks."""
    ada = make_creator("ada")
    slow_site, fast_site = place(ada, "domain", "slow.org"), place(ada, "domain", "fast.org")
    snapshots.build(at=NOON)
    stated, looked = threading.Event(), threading.Event()

    def state_slowly() -> None:
        with transaction.atomic():
            deny(slow_site)
            stated.set()
            assert looked.wait(20)
        connection.close()

    slow = threading.Thread(target=state_slowly)
    slow.start()
    assert stated.wait(20)
    deny(fast_site)
    pages = [{"url": "https://slow.org/"}, {"url": "https://fast.org/"}]

    def decisions() -> list[str]:
        return [a["decisions"][Purpose.TRAIN_AI]["decision"] for a in ask(pages).results]

    before = decisions()
    looked.set()
    slow.join()

    assert before == ["unknown", "deny"]
    assert decisions() == ["deny", "deny"]


def call_incomplete(_state: Path) -> None:
    release = SnapshotRelease.objects.get()
    SnapshotRelease.objects.all().delete()
    release.complete = False
    release.save(force_insert=True)


def forget_releases(_state: Path) -> None:
    SnapshotRelease.objects.all().delete()


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda state: (state / "domain.code").unlink(), "cannot be used"),
        (lambda state: spoil(state / "domain.high"), "cannot be used"),
        (lambda state: (state / "domain.low").write_bytes(b"123"), "cannot be used"),
        (call_incomplete, "does not list every key"),
        (forget_releases, "no snapshot has been published"),
    ],
)
def test_without_a_sound_snapshot_postgresql_answers(home: Path, harm: Any, reason: str) -> None:
    deny(place(make_creator("ada"), "domain", "ada.org"))
    release = snapshots.build(at=NOON)
    harm(state_folder(home, release.seq))

    for _ in range(2):
        assert first_decision(ask([{"url": "https://ada.org/"}])) == "deny"
        state = served.state()
        assert state["from"] == "database"
        assert reason in str(state["reason"])


@pytest.mark.django_db
def test_an_expired_snapshot_answers_nothing() -> None:
    site = place(make_creator("ada"), "domain", "ada.org")
    snapshots.build(at=NOON)
    deny(site)

    assert first_decision(ask([{"url": "https://ada.org/"}], NOON + 7 * DAY)) == "deny"
    assert "expired" in str(served.state()["reason"])
    snapshots.build(at=NOON + 7 * DAY)
    served.forget()
    assert first_decision(ask([{"url": "https://ada.org/"}], NOON + 7 * DAY)) == "deny"
    assert served.state()["seq"] == 1


@pytest.mark.django_db
def test_after_very_many_changes_postgresql_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "MOST_CHANGED", 3)
    ada = make_creator("ada")
    snapshots.build(at=NOON)
    pages = [{"url": f"https://ada.org/{number}"} for number in range(5)]
    seen = []
    for page in pages:
        deny(make_work(ada, url=page["url"]))
        assert first_decision(ask([page])) == "deny"
        seen.append(served.state()["from"])

    assert seen == ["snapshot"] * 3 + ["database"] * 2
    snapshots.build(at=NOON)
    assert first_decision(ask(pages)) == "deny"
    assert served.state() == {"from": "snapshot", "seq": 1, "changed_since": 0}


@pytest.mark.django_db
def test_a_newer_snapshot_is_opened_beside_the_work() -> None:
    site = place(make_creator("ada"), "domain", "ada.org")
    snapshots.build(at=NOON)
    ask([{"url": "https://ada.org/"}])
    deny(site)
    snapshots.build(at=NOON + HOUR)

    for _ in range(2):
        assert first_decision(ask([{"url": "https://ada.org/"}])) == "deny"
        opening = served._process.opening
        assert opening is not None
        opening.join()

    assert first_decision(ask([{"url": "https://ada.org/"}])) == "deny"
    assert served.state() == {"from": "snapshot", "seq": 1, "changed_since": 0}


@pytest.mark.django_db
def test_another_registrys_snapshot_is_not_believed(home: Path) -> None:
    """The database was put back to a backup: what this process opened is of a past that never was."""
    deny(place(make_creator("ada"), "domain", "ada.org"))
    snapshots.build(at=NOON)
    ask([{"url": "https://ada.org/"}])
    SnapshotRelease.objects.all().delete()
    snapshots.build(at=NOON + timedelta(seconds=1))

    assert first_decision(ask([{"url": "https://ada.org/"}])) == "deny"
    opened = served._process.opened
    assert opened is not None
    assert opened.sha256 == bytes(SnapshotRelease.objects.get().sha256)


@pytest.mark.django_db
def test_receipts_hold_for_answers_from_the_snapshot() -> None:
    deny(place(make_creator("ada"), "domain", "ada.org"))
    snapshots.build(at=NOON)
    items = [{"url": f"https://ada.org/{n}"} for n in range(7)] + [
        {"url": "no address", "id": "é\n"}
    ]
    kept = Check.objects.get(pk=ask(items).pk)

    signed = receipts.receipt(kept)
    proven = verifier.verify_receipt(signed, public_key=receipts.public_key(), items=items)

    for position in range(len(items)):
        row = receipts.row(kept, position)
        leaf = verifier.row_digest(row["item"], row["answer"], salt=bytes.fromhex(row["salt"]))
        path = [bytes.fromhex(sibling) for sibling in row["path"]]
        assert verifier.verify_inclusion(
            leaf, index=position, size=len(items), path=path, root=proven.answers_root
        )


def spoil_sayings(said: Path) -> None:
    spoil(said / "sayings.blob")


@pytest.mark.django_db
def test_addresses_need_no_question_to_the_decision_index(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_creator("ada")
    deny(place(ada, "domain", "ada.org"))
    allow(make_work(ada, url="https://ada.org/1"))
    snapshots.build(at=NOON)
    pages = [{"url": url} for url in ("https://ada.org/1", "https://a.ada.org/", "https://b.org/")]
    expected = ask(pages).results
    for name in ("read", "as_of"):
        monkeypatch.setattr(decision_index, name, lambda *_: pytest.fail("asked"))

    assert ask(pages).results == expected
    assert served.state()["from"] == "snapshot"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "harm", [spoil_sayings, lambda said: (said / "sayings.json").unlink(), shutil.rmtree]
)
def test_without_sound_sayings_the_decision_index_is_read(home: Path, harm: Any) -> None:
    site = place(make_creator("ada"), "domain", "ada.org")
    deny(site)
    release = snapshots.build(at=NOON)
    harm(snapshots.said_folder(home, release.seq))

    assert first_decision(ask([{"url": "https://ada.org/"}])) == "deny"
    assert served.state()["from"] == "snapshot"
    assert served._process.opened is not None
    assert served._process.opened._said is None
    # They are not built upon: the next release says everything anew.
    if not (snapshots.said_folder(home, release.seq) / "sayings.json").exists():
        assert snapshots.build(at=NOON + HOUR).kind == "base"


@pytest.mark.django_db
def test_what_is_taken_back_after_a_snapshot_is_not_said_from_it() -> None:
    """The key leads nowhere any more, so that only the list of changed keys tells."""
    ada = make_creator("ada")
    site = place(ada, "domain", "ada.org")
    deny(site)
    snapshots.build(at=NOON)
    page = [{"url": "https://ada.org/"}]
    assert first_decision(ask(page)) == "deny"

    DecisionIndex.objects.filter(key=site.key).delete()
    assert first_decision(ask(page)) == "unknown"
