"""A PostgreSQL of a test's own: migrated, always at one address, to be killed or kept short.

A full disk is played with RLIMIT_FSIZE, the one shortage that needs no rights: no file of the
server's may grow beyond so many bytes, and it hears "file too large" where a full file system
says "no space left". PostgreSQL treats both alike, since it ignores SIGXFSZ for this purpose.
"""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from server import postgres
from server.embedded import EmbeddedServerError, free_port
from server.postgres import Postgres

PROJECT = Path(__file__).resolve().parents[2]
WAL_SEGMENT_BYTES = 1 << 20
"""A segment of the write-ahead log, as small as it may be; a smaller limit stops the log itself."""


class SmallPostgres(Postgres):
    """One whose log comes in small files, so that a small limit is one for the tables alone."""

    def _run(self, tool: str, *arguments: object) -> None:
        small = ["--wal-segsize=1"] if tool == "initdb" else []
        super()._run(tool, *arguments, *small)


class PrivateServer:
    """One home's PostgreSQL and what programs need to reach it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._server: Postgres = SmallPostgres(home)
        self._server.start()
        self.environment = {
            **os.environ,
            **self._server.environment(),
            "TRIBUTE_EMBEDDED": "1",
            "DJANGO_SETTINGS_MODULE": "server.settings",
        }
        migrate = ("manage.py", "migrate", "-v0", "--database", "owner")
        assert self.run(*migrate).wait() == 0

    def start(self) -> None:
        self._server.start()

    def move(self, server: Postgres) -> None:
        """Go on with another data directory, at the same address; the one before is stopped."""
        self.home, self._server = server.home, server

    def configure(self, **settings: str) -> None:
        """Set parameters of PostgreSQL's own, and restart it with them."""
        self.write_settings(**settings)
        self.restart()

    def write_settings(self, **settings: str) -> None:
        """Set parameters for the next start."""
        with (self.home / "postgres" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def stop(self) -> None:
        self._server.stop()

    def kill(self) -> None:
        """The postmaster and all its children at once, as when the power goes."""
        postmaster = self._server.postmaster()
        assert postmaster
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            try:
                os.kill(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        psutil.wait_procs(family, timeout=10)

    def restart(self, *, file_bytes: int = resource.RLIM_INFINITY) -> None:
        """Stop it, and start it where no file may become larger than ``file_bytes``."""
        self.stop()
        allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, most))
        try:
            self.start()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (allowed, most))

    def run(self, *command: str, talking: bool = False) -> "subprocess.Popen[bytes]":
        """Start a program of the project's; ``talking``: to be told things, and to answer."""
        pipe = subprocess.PIPE if talking else None
        return subprocess.Popen(
            [sys.executable, *command], cwd=PROJECT, env=self.environment, stdin=pipe, stdout=pipe
        )

    def keys(self) -> list[str]:
        """The key of every entry."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            return [str(key) for (key,) in connection.execute("SELECT key FROM ledger_entry")]

    def is_sound(self) -> bool:
        """Whether the audit has nothing to say."""
        return self.run("manage.py", "audit").wait() == 0


@contextmanager
def private_server(home: Path) -> Iterator[PrivateServer]:
    """A migrated server that keeps its address over restarts, and is gone afterwards."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres, "free_port", lambda _last: port)
        homes = {home}
        try:
            server = PrivateServer(home)
            try:
                yield server
            finally:
                homes.add(server.home)
        finally:
            try:
                for each in homes:
                    Postgres(each).stop()
            except EmbeddedServerError as trouble:
                pytest.fail(f"the private server did not stop: {trouble}")


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def end(*processes: "subprocess.Popen[bytes]") -> None:
    """Kill processes that this test started."""
    for process in processes:
        process.kill()
        process.wait()


def written(file: Path) -> list[str]:
    """The whole lines of a file that somebody may be writing."""
    return file.read_text().split() if file.exists() else []
