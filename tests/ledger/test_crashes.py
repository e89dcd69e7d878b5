"""kill -9 of PostgreSQL while posters run: what was acknowledged is there, the books are sound."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID

import psutil
import psycopg
import pytest

from server import postgres
from server.embedded import free_port
from server.postgres import Postgres

PROJECT = Path(__file__).resolve().parents[2]
KILLS = 4


def run(*command: str, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, *command], cwd=PROJECT, env=environment)


def kill(server: Postgres) -> None:
    """The postmaster and all its children at once, as when the power goes."""
    postmaster = server.postmaster()
    assert postmaster
    family = [postmaster, *postmaster.children(recursive=True)]
    for process in family:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    psutil.wait_procs(family, timeout=10)


@pytest.mark.timeout(170)
def test_postgresql_killed_again_and_again_loses_nothing_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr(postgres, "free_port", lambda: port)  # the posters know one address
    server = Postgres(tmp_path)
    server.start()
    try:
        environment = {**os.environ, **server.environment(), "TRIBUTE_EMBEDDED": "1"}
        migrated = run(
            "manage.py", "migrate", "-v0", "--database", "owner", environment=environment
        )
        assert migrated.wait() == 0
        files = [tmp_path / f"acknowledged-{name}" for name in "ab"]
        posters = [
            run("-m", "tests.ledger.posting_forever", str(file), file.name, environment=environment)
            for file in files
        ]
        try:
            for _ in range(KILLS):
                grown = [file.stat().st_size if file.exists() else 0 for file in files]
                deadline = time.monotonic() + 30
                while any(
                    not file.exists() or file.stat().st_size <= size
                    for file, size in zip(files, grown, strict=True)
                ):
                    assert time.monotonic() < deadline, "the posters go on after each crash"
                    time.sleep(0.05)
                kill(server)
                server.start()
        finally:
            for poster in posters:
                poster.kill()
                poster.wait()
        acknowledged = {UUID(key) for file in files for key in file.read_text().split()}
        with psycopg.connect(server.url()) as connection:
            posted = {key for (key,) in connection.execute("SELECT key FROM ledger_entry")}
        assert len(acknowledged) >= 40 * KILLS
        assert acknowledged - posted == set()
        assert run("manage.py", "audit", environment=environment).wait() == 0
    finally:
        server.stop()
