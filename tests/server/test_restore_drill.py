"""The restore drill of docs/operating.md: to a point in time, audited, and the log not forked.

The database is restored; the log's folder and its memory are not. They know more than it does.
"""

import hashlib
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from server.postgres import SUPERUSER, Postgres, program
from tests.ledger.private_server import (
    PrivateServer,
    SmallPostgres,
    end,
    private_server,
    wait_until,
)
from tribute.log import auditing
from tribute.log.notes import VerifierKey
from tribute.log.sources import FolderLog

pytestmark = pytest.mark.timeout(300)

Head = tuple[int, bytes]


class RestoredPostgres(SmallPostgres):
    """One that is ready once it has read the archive up to its instant, and writes."""

    def _prepare(self) -> None:
        with psycopg.connect(self._superuser(), autocommit=True) as connection:
            wait_until(lambda: not _recovers(connection), "the archive is read")
        super()._prepare()


def _recovers(connection: psycopg.Connection) -> bool:
    return bool(connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,))


class Clerk:
    """A process that does what it is told against one database."""

    def __init__(self, server: PrivateServer) -> None:
        self.process = server.run("-m", "tests.server.drill_clerk", talking=True)

    def __call__(self, order: str) -> str:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{order}\n".encode())
        self.process.stdin.flush()
        return str(json.loads(self.process.stdout.readline()))


@contextmanager
def clerk(server: PrivateServer) -> Iterator[Clerk]:
    one = Clerk(server)
    with one.process:
        try:
            yield one
        finally:
            end(one.process)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateServer]:
    """A database that archives its write-ahead log, and a transparency log beside it."""
    with private_server(tmp_path / "live") as server:
        archive = tmp_path / "archive"
        archive.mkdir()
        server.configure(
            archive_mode="on",
            archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f",
        )
        server.environment |= {
            "LOG_FOLDER": str(tmp_path / "log"),
            "LOG_LAST_SIGNED": str(tmp_path / "elsewhere" / "last-signed"),
            "LOG_SIGNING_KEY": "07" * 32,
        }
        yield server


def superuser(server: PrivateServer) -> psycopg.Connection:
    return psycopg.connect(Postgres(server.home).url(role=SUPERUSER), autocommit=True)


def heads(server: PrivateServer) -> list[Head]:
    """The chain's head after each batch."""
    with superuser(server) as connection:
        rows = connection.execute("SELECT seq, hash FROM ledger_batch ORDER BY seq")
        return [(seq, bytes(head)) for seq, head in rows]


def back_up(server: PrivateServer, folder: Path) -> None:
    """A base backup, each file as its manifest says: `pg_verifybackup`, which the wheel lacks."""
    url = Postgres(server.home).url(role=SUPERUSER)
    options = ("--checkpoint=fast", "--manifest-checksums=SHA256", "-d", url, "-D", str(folder))
    subprocess.run([program("pg_basebackup"), *options], check=True, timeout=60)
    files = json.loads((folder / "backup_manifest").read_text())["Files"]
    assert {each["Path"] for each in files} >= {"PG_VERSION", "global/pg_control"}
    for each in files:
        content = (folder / each["Path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["Checksum"], each["Path"]


def now(server: PrivateServer) -> str:
    with superuser(server) as connection:
        row = connection.execute("SELECT clock_timestamp()::text").fetchone()
    assert row
    time.sleep(0.01)  # what follows is later for any clock
    return str(row[0])


def archive_all(server: PrivateServer, archive: Path) -> None:
    """Close the segment being written, and wait until it lies in the archive."""
    with superuser(server) as connection:
        row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
    assert row
    segment = archive / row[0]
    wait_until(segment.exists, "the segment is archived")


def restore(server: PrivateServer, backup: Path, *, archive: Path, to: str) -> None:
    """Put the backup in the lost database's place and let it read the archive up to an instant."""
    home = server.home.with_name("restored")
    home.mkdir()
    backup.rename(home / "postgres")
    os.link(server.home / "postgres.json", home / "postgres.json")
    server.move(RestoredPostgres(home))
    (home / "postgres" / "recovery.signal").touch()
    server.write_settings(
        restore_command=f"cp {archive}/%f %p",
        recovery_target_time=to,
        recovery_target_action="promote",
    )
    server.start()


def test_a_restore_to_a_point_in_time_is_sound_and_the_log_refuses_to_fork(
    server: PrivateServer, tmp_path: Path
) -> None:
    archive, log = tmp_path / "archive", FolderLog(tmp_path / "log")
    with clerk(server) as live:
        live("post before-the-backup")
        live("log grow")
        back_up(server, tmp_path / "backup")
        live("post after-the-backup")
        assert "2 of 2 places signed" in live("log grow")
        instant = now(server)
        live("post lost")
        assert "3 of 3 places signed" in live("log grow")
        verifier = VerifierKey.parse(live("log key").strip())
    archive_all(server, archive)
    original = heads(server)
    signed = auditing.audit(log, verifier).checkpoint
    note = (tmp_path / "log" / "checkpoint").read_bytes()
    server.kill()

    restore(server, tmp_path / "backup", archive=archive, to=instant)

    restored = heads(server)
    assert restored == original[:-1], "all up to the instant, nothing after it"
    with clerk(server) as anew:
        assert anew("audit").startswith("clean")
        assert "refused: 3 leaves were signed and the database holds 2" in anew("log grow")
        anew("post said-again")
        assert "log_forked" in anew("log grow")
        assert (tmp_path / "log" / "checkpoint").read_bytes() == note

        assert anew("log recover").startswith("1 leaves put back")
        assert "4 of 4 places signed" in anew("log grow")
        assert anew("audit").startswith("clean")
    grown = auditing.audit(log, verifier, remembered=note).checkpoint
    assert (signed.size, grown.size) == (3, 4)
    assert heads(server)[: len(restored)] == restored
