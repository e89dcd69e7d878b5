import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from server import embedded, postgres
from server.embedded import PROJECT, EmbeddedServerError, living_in
from server.postgres import APPLICATION, OWNER, SUPERUSER, Postgres


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was started and stopped; copying it is ten times faster than making one."""
    server = Postgres(tmp_path_factory.mktemp("made") / "home")
    server.start()
    server.stop()
    return server.home


@pytest.fixture
def server(made_once: Path, tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(shutil.copytree(made_once, tmp_path / "a home"))
    yield server
    server.stop()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "new home")
    yield server
    server.stop()


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home below folders that every user may enter; pytest's own are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def connect(server: Postgres, role: str = OWNER, database: str = "tribute") -> psycopg.Connection:
    return psycopg.connect(server.url(role=role, database=database), autocommit=True)


def command(home: Path, *arguments: str) -> list[str]:
    return ["env", f"TRIBUTE_HOME={home}", sys.executable, "-m", "server.postgres", *arguments]


def save_ada(server: Postgres) -> None:
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'ada' AS name")


def names(server: Postgres) -> list[tuple[str]]:
    with connect(server) as connection:
        return connection.execute("SELECT name FROM kept").fetchall()


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def test_restart_keeps_rows_and_passwords(server: Postgres) -> None:
    assert [server.is_running(), server.start(), server.start()] == [False, True, False]
    save_ada(server)
    password = psycopg.conninfo.conninfo_to_dict(server.url())["password"]

    assert [server.stop(), server.is_running(), server.stop()] == [True, False, False]
    assert server.start()

    assert names(server) == [("ada",)]
    assert psycopg.conninfo.conninfo_to_dict(server.url())["password"] == password


def test_killed_server_recovers_what_was_committed(server: Postgres) -> None:
    server.start()
    save_ada(server)
    postmaster, address = server.postmaster(), server.url()
    assert postmaster is not None

    postmaster.kill()

    assert server.start()
    assert server.url() == address, "processes that had the address find it again"
    assert names(server) == [("ada",)]
    assert server.postmaster() != postmaster


def test_lock_file_of_another_process_does_not_block_the_start(server: Postgres) -> None:
    server.start()
    postmaster = server.postmaster()
    assert postmaster is not None
    left_behind = (server.data / "postmaster.pid").read_text()
    server.stop()

    reused = left_behind.replace(str(postmaster.pid), str(os.getpid()), 1)
    (server.data / "postmaster.pid").write_text(reused)

    assert server.start()


def test_concurrent_starts_make_one_server(new_server: Postgres) -> None:
    with ThreadPoolExecutor(3) as pool:
        started = list(pool.map(lambda _: Postgres(new_server.home).start(), range(3)))

    assert sorted(started) == [False, False, True]
    assert new_server.is_running()


def test_roles_may_do_what_they_are_for_and_no_more(server: Postgres) -> None:
    server.start()

    with connect(server, APPLICATION) as application:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("CREATE TABLE mine (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("CREATE DATABASE mine")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("SET ROLE tribute_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("SET session_replication_role = replica")
    with connect(server, OWNER) as owner:
        owner.execute("CREATE TABLE ours (embedding vector(3))")
        owner.execute("CREATE DATABASE test_tribute")
        owner.execute("SET ROLE tribute_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("SELECT * FROM ours")
    with connect(server, OWNER, "test_tribute") as owner:
        owner.execute("CREATE TABLE ours (embedding vector(3))")
    with connect(server, SUPERUSER) as superuser:
        durable = [
            superuser.execute(f"SHOW {setting}").fetchone()
            for setting in ("fsync", "synchronous_commit", "full_page_writes")
        ]
    assert durable == [("on",)] * 3


def test_passwords_are_read_by_their_owner_only(server: Postgres) -> None:
    server.start()

    readable = [path.name for path in server.home.iterdir() if path.stat().st_mode & 0o077]

    assert not {"postgres", "postgres.json", "postgres.initial"} & set(readable)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url(), password="guessed")


def test_run_hands_on_addresses_and_status_and_stops_what_it_started(server: Postgres) -> None:
    script = 'test "$DATABASE_URL" != "$OWNER_DATABASE_URL" && echo "$DATABASE_URL" && exit 7'

    ran = subprocess.run(
        command(server.home, "run", "sh", "-c", script),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (7, "")
    assert ran.stdout.startswith("postgresql://tribute_app:")
    assert not living_in(server.data)


def test_run_leaves_a_server_that_was_started_by_hand(server: Postgres) -> None:
    server.start()

    with server.borrowed():
        pass

    assert server.is_running()


def test_the_last_of_two_overlapping_runs_stops_the_server(
    server: Postgres, tmp_path: Path
) -> None:
    up, leave = tmp_path / "up", tmp_path / "leave"
    script = f"touch '{up}'; while [ ! -e '{leave}' ]; do sleep 0.02; done"
    with subprocess.Popen(command(server.home, "run", "sh", "-c", script), cwd=PROJECT) as first:
        wait_for(up)
        with server.borrowed():
            leave.touch()
            assert first.wait(60) == 0
            assert server.is_running()

    assert not server.is_running()


def test_a_killed_run_does_not_keep_the_server_for_ever(server: Postgres, tmp_path: Path) -> None:
    up = tmp_path / "up"
    script = f"touch '{up}'; exec sleep 60"
    with subprocess.Popen(
        command(server.home, "run", "sh", "-c", script), cwd=PROJECT, start_new_session=True
    ) as first:
        wait_for(up)
        os.killpg(first.pid, 9)

    with server.borrowed():
        assert server.is_running()

    assert not server.is_running()


def test_machines_without_user_namespaces_run_it_as_nobody(
    open_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise PermissionError("unshare")

    if os.geteuid() == 0:  # others need no such thing
        monkeypatch.setattr(postgres, "_become_nobody", refuse)
    server = Postgres(open_home)

    with server.borrowed():
        postmaster = server.postmaster()
        assert postmaster is not None
        assert postmaster.uids().real != 0

    assert not server.is_running()


def test_user_without_a_name_is_told_to_get_one(
    new_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise PermissionError("unshare")

    monkeypatch.setattr(postgres, "_become_nobody", refuse)
    monkeypatch.setattr(os, "geteuid", lambda: 1_234_567)

    with pytest.raises(EmbeddedServerError, match="user 1234567 to have a name"):
        new_server.start()


def test_half_an_initialisation_is_started_over(new_server: Postgres) -> None:
    unfinished = new_server.home / "postgres.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")

    assert new_server.start()


def test_missing_programs_and_full_disks_are_one_line(
    new_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(embedded, "LEAST_FREE_BYTES", 10**18)
        with pytest.raises(EmbeddedServerError, match=r"^postgres needs .* MB of free disk"):
            new_server.start()
    with monkeypatch.context() as patch:
        patch.setattr("server.postgres.importlib.util.find_spec", lambda _name: None)
        with pytest.raises(EmbeddedServerError, match="make install"):
            new_server.start()


def test_a_start_that_fails_says_why(server: Postgres) -> None:
    server.start()
    server.stop()
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write("nonsense = 1\n")

    with pytest.raises(EmbeddedServerError, match=r"^pg_ctl: .*contains errors.*postgres\.log"):
        server.start()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["status"], 3, "not running"),
        (["stop"], 0, "not running"),
        (["url"], 1, "postgres is not running in"),
        (["psql"], 1, "postgres is not running in"),
        (["run"], 1, "usage: python -m server.postgres"),
        ([], 1, "usage: python -m server.postgres"),
    ],
)
def test_commands_answer_when_nothing_runs(
    arguments: list[str], status: int, says: str, tmp_path: Path
) -> None:
    ran = subprocess.run(
        command(tmp_path, *arguments), cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert ran.returncode == status
    assert (ran.stdout + ran.stderr).startswith(says)
