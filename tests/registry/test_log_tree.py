"""The sequencer: what it signs, what it refuses to sign, and what a kill leaves behind."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from registry import log, log_files, log_recovery, log_signing, log_tree
from registry.errors import LogBegun, LogDamaged, LogForked, LogNotBegun
from registry.models import LogEntry, LogOutbox
from tests.conftest import test_database_url, truncate
from tests.factories import DAY, NOON, allow, deny, erase, make_creator, make_work
from tribute.log import auditing
from tribute.log.sources import FolderLog
from tribute.log.tiles import tiles_of

pytestmark = pytest.mark.django_db


def add(count: int, name: str = "h") -> None:
    """Put leaves into the outbox."""
    leaves = [
        log.encoded({"t": "ledger.head", "head": f"{name}{n}"}, at=NOON) for n in range(count)
    ]
    log.append_many(leaves, at=NOON)


def signed(folder: Path) -> int:
    """The size of the published tree, once an outsider has proven all of it."""
    return auditing.audit(FolderLog(folder), log_signing.verifier()).checkpoint.size


def test_growing_signs_what_an_outsider_can_prove(log_home: Path) -> None:
    add(300)
    assert log_tree.grow(limit=1_000) == 300
    assert signed(log_home) == 300
    before = (log_home / "checkpoint").read_bytes()

    add(1, "more")
    assert [log_tree.grow(limit=1_000), log_tree.grow(limit=1_000)] == [1, 0]

    assert signed(log_home) == 301
    auditing.audit(FolderLog(log_home), log_signing.verifier(), remembered=before)
    leaves = [entry.leaf for entry in auditing.entries(FolderLog(log_home), log_tree.last_signed())]
    assert leaves == [bytes(row.leaf) for row in LogOutbox.objects.order_by("entry__index")]


def test_a_log_grows_by_so_many_at_a_time(log_home: Path) -> None:
    add(700)
    LogEntry.objects.bulk_create(
        LogEntry(index=index, leaf=leaf)
        for index, leaf in enumerate(LogOutbox.objects.order_by("id")[:600])
    )
    assert [log_tree.grow(limit=300) for _ in range(4)] == [300, 300, 100, 0]
    assert signed(log_home) == 700


def test_only_what_the_tree_needs_lies_in_the_folder(log_home: Path) -> None:
    """Narrow tiles go once the full one is signed; what the newest tree needs is there."""
    for count in (100, 100, 100, 213, 1):
        add(count, f"{LogOutbox.objects.count()}-")
        log_tree.grow(limit=1_000)

    present = {
        str(path.relative_to(log_home)) for path in log_home.rglob("*") if path.is_file()
    } - {"checkpoint"}
    hashes = {tile.path for tile in tiles_of(514)}
    assert hashes <= present
    assert not any(path.startswith(("tile/0/000.p", "tile/entries/000.p")) for path in present)
    assert {"tile/0/002.p/2", "tile/entries/002.p/2", "tile/entries/001"} <= present
    assert not [path for path in present if path.endswith(".new")]


def test_an_empty_embedded_log_begins_by_itself_and_another_does_not(
    log_home: Path, settings: Any
) -> None:
    add(1)
    settings.EMBEDDED = False
    with pytest.raises(LogNotBegun, match="begin"):
        log_tree.grow(limit=10)
    assert not LogEntry.objects.exists()

    call_command("log", "begin")
    assert log_tree.grow(limit=10) == 1
    with pytest.raises(LogBegun):
        log_tree.begin()
    settings.LOG_LAST_SIGNED.unlink()
    with pytest.raises(LogBegun):
        log_tree.begin()
    with pytest.raises(LogNotBegun, match="after a restore"):
        log_tree.grow(limit=10)


def test_erasing_a_person_leaves_the_tree_valid(log_home: Path) -> None:
    ada = make_creator("ada")
    work = make_work(ada)
    allow(work)
    deny(work, at=NOON + DAY)
    log_tree.grow(limit=10)
    before = (log_home / "checkpoint").read_bytes()

    # All that the log has of her is a commitment under this key.
    erase(ada, at=NOON + 2 * DAY)
    log_tree.grow(limit=10)

    found = auditing.audit(FolderLog(log_home), log_signing.verifier(), remembered=before)
    assert found.chained == 2


def test_a_database_from_a_backup_is_refused_and_recovers(
    committed_db: None, log_home: Path
) -> None:
    add(260)
    log_tree.grow(limit=1_000)
    backup = [bytes(row.leaf) for row in LogOutbox.objects.order_by("entry__index")]
    add(40, "lost")
    log_tree.grow(limit=1_000)
    before = (log_home / "checkpoint").read_bytes()
    tiles = {path: path.read_bytes() for path in log_home.rglob("*") if path.is_file()}

    restore(backup)
    with pytest.raises(LogForked, match="300 leaves were signed and the database holds 260"):
        log_tree.grow(limit=1_000)
    add(1, "new")
    with pytest.raises(LogForked):
        log_tree.grow(limit=1_000)
    assert (log.size(), LogOutbox.objects.filter(entry=None).count()) == (260, 1)
    assert {path: path.read_bytes() for path in log_home.rglob("*") if path.is_file()} == tiles

    assert log_recovery.recover(at=NOON) == 40
    assert log_recovery.recover(at=NOON) == 0
    assert log_tree.grow(limit=1_000) == 1
    assert signed(log_home) == 301
    auditing.audit(FolderLog(log_home), log_signing.verifier(), remembered=before)


def test_a_backup_that_was_written_to_is_refused_for_good(
    committed_db: None, log_home: Path
) -> None:
    add(260)
    log_tree.grow(limit=1_000)
    backup = [bytes(row.leaf) for row in LogOutbox.objects.order_by("entry__index")]
    add(40, "lost")
    log_tree.grow(limit=1_000)
    before = (log_home / "checkpoint").read_bytes()

    restore(backup)
    add(50, "other")
    log.sequence(limit=50)

    with pytest.raises(LogForked, match="not those that were signed"):
        log_tree.grow(limit=1_000)
    with pytest.raises(LogForked, match="place 260"):
        log_recovery.recover(at=NOON)
    assert (log_home / "checkpoint").read_bytes() == before


def restore(leaves: list[bytes]) -> None:
    """Make the database what a backup held: these leaves in their places, and nothing else."""
    truncate()
    log.restore(enumerate(leaves), at=NOON)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"])
def test_tiles_that_were_touched_stop_the_log(log_home: Path, path: str) -> None:
    add(300)
    log_tree.grow(limit=1_000)
    tile = log_home / path
    data = tile.read_bytes()
    add(1, "more")

    for spoilt in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1]):
        tile.write_bytes(spoilt)
        if path != "tile/0/000":  # its hash stands one level up, which is what is read
            with pytest.raises((LogDamaged, LogForked)):
                log_tree.grow(limit=10)
    tile.unlink()
    if path != "tile/0/000":
        with pytest.raises(LogDamaged, match=r"tile/\d"):
            log_tree.grow(limit=10)
    tile.write_bytes(data)
    assert log_tree.grow(limit=10) == 1
    assert signed(log_home) == 301


def test_another_key_or_a_forged_checkpoint_stops_the_log(log_home: Path, settings: Any) -> None:
    add(3)
    log_tree.grow(limit=10)
    settings.LOG_SIGNING_KEY = "08" * 32
    with pytest.raises(LogDamaged, match="not signed by this log"):
        log_tree.grow(limit=10)
    with pytest.raises(CommandError, match="log_damaged"):
        call_command("log", "state")
    settings.LOG_SIGNING_KEY = "07" * 32
    settings.LOG_ORIGIN = "other.example/log"
    with pytest.raises(LogDamaged):
        log_tree.grow(limit=10)


def test_a_memory_older_than_what_is_published_stops_the_log(log_home: Path, settings: Any) -> None:
    add(3)
    log_tree.grow(limit=10)
    old = settings.LOG_LAST_SIGNED.read_bytes()
    add(3, "more")
    log_tree.grow(limit=10)
    settings.LOG_LAST_SIGNED.write_bytes(old)
    with pytest.raises(LogForked, match="older than the published checkpoint"):
        log_tree.grow(limit=10)


@pytest.mark.parametrize(
    "moment", ["write_tiles", "signed", "remember", "publish", "forget_narrow", "sequence"]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_anywhere_leaves_the_log_as_it_was_and_it_goes_on(
    committed_db: None, log_home: Path, moment: str, *, after: bool
) -> None:
    add(250)
    log_tree.grow(limit=1_000)
    before = (log_home / "checkpoint").read_bytes()
    add(20, "next")

    assert killed_while_growing(moment, after=after) == -signal.SIGKILL

    found = auditing.audit(FolderLog(log_home), log_signing.verifier(), remembered=before)
    assert found.checkpoint.size in {250, 270}
    add(1, "last")
    log_tree.grow(limit=1_000)
    assert signed(log_home) == 271
    auditing.audit(FolderLog(log_home), log_signing.verifier(), remembered=before)
    assert log_files.checkpoint() == log_files.last_signed()


def killed_while_growing(moment: str, *, after: bool) -> int:
    """Grow the log in a child that dies at a moment; return its exit status."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        module = {"signed": log_signing, "sequence": log}.get(moment, log_files)
        deed = getattr(module, moment)

        def die(*arguments: Any, **named: Any) -> None:
            if after:
                deed(*arguments, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(module, moment, die)
        try:
            log_tree.grow(limit=1_000)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_sequencers_at_once_write_one_log(committed_db: None, log_home: Path) -> None:
    add(500)
    barrier = threading.Barrier(4)
    grown: list[int] = []

    def run() -> None:
        barrier.wait()
        try:
            while more := log_tree.grow(limit=70):
                grown.append(more)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(grown) == 500
    assert signed(log_home) == 500


def test_the_sequencer_waits_for_the_one_before_it(committed_db: None, log_home: Path) -> None:
    add(1)
    with psycopg.connect(test_database_url()) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [log.SEQUENCER_LOCK])
        thread = threading.Thread(target=grow_and_leave)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(20)
    assert signed(log_home) == 1


def grow_and_leave() -> None:
    log_tree.grow(limit=10)
    connection.close()


def test_the_state_says_how_long_the_oldest_leaf_has_waited(log_home: Path) -> None:
    add(2)
    log_tree.grow(limit=10)
    assert log_tree.state(at=NOON + DAY) == log_tree.State(2, 2, DAY - DAY)
    add(1, "more")
    assert log_tree.state(at=NOON + DAY) == log_tree.State(2, 2, DAY)
    log.sequence(limit=1)
    assert log_tree.state(at=NOON + DAY) == log_tree.State(3, 2, DAY)


def test_the_command_grows_says_how_it_does_and_prints_the_key(
    log_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(3)
    call_command("log", "grow")
    call_command("log", "state")
    call_command("log", "recover")
    call_command("log", "key")
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("3 leaves signed; 3 of 3 places signed")
    assert said[1] == "3 of 3 places signed; the oldest leaf waits 0 s"
    assert said[2].startswith("0 leaves put back")
    assert said[3] == str(log_signing.verifier())


def test_the_embedded_key_is_made_once_and_kept(log_home: Path, settings: Any) -> None:
    settings.LOG_SIGNING_KEY = ""
    keys = {str(log_signing.verifier()) for _ in range(2)}
    file = settings.HOME / log_signing.OWN_KEY
    assert len(keys) == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in settings.HOME.iterdir()) == [log_signing.OWN_KEY]
