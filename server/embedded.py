"""What the private servers (PostgreSQL, broker) have in common: home, locks, verbs.

Owns the project's private folder, who may start and stop a server in it, and the
command line both servers share. Leaves what to start to ``postgres`` and ``broker``.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import psutil

from server.processes import run_to_end

PROJECT = Path(__file__).resolve().parent.parent
LEAST_FREE_BYTES = 300_000_000
"""A new data directory takes about 60 MB; PostgreSQL stops when a log segment fails."""

STOP_SECONDS = 60
NOT_RUNNING = 3
"""Exit status of ``status``, as service scripts use it."""


class EmbeddedServerError(Exception):
    """A private server must start, answer and stop; this one could not."""


def default_home() -> Path:
    """The folder that holds data, passwords and logs: TRIBUTE_HOME, or .tribute here."""
    return Path(os.environ.get("TRIBUTE_HOME") or PROJECT / ".tribute").expanduser().resolve()


def free_port(wanted: int | None = None) -> int:
    """``wanted`` when nobody listens there on 127.0.0.1, else another free TCP port.

    Taken from below the range in which kernels find ports for outgoing connections,
    so that the port is still free when a server that was killed comes back.
    """
    others = secrets.SystemRandom().sample(range(20_000, 30_000), 100)
    for port in [wanted, *others] if wanted else others:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise EmbeddedServerError("no free TCP port on 127.0.0.1 in 100 tries")


@contextlib.contextmanager
def held_port(wanted: int) -> Iterator[int]:
    """``free_port(wanted)``, which nobody else is given until the context ends.

    Two demos started together would both find ``wanted`` free, and share it: granian, like every
    server that binds with SO_REUSEPORT, listens beside another, and requests go to either. Only
    such a server can listen on a held port; what is bound and does not listen gets no request.
    """
    with socket.socket() as holder:
        while True:
            port = free_port(wanted)
            with contextlib.suppress(OSError):
                holder.bind(("127.0.0.1", port))
                break
        # Only now, so that of two who try at once one is refused.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield port


def living_in(folder: Path) -> list[psutil.Process]:
    """Every living process that works in ``folder``; zombies do not count."""
    if not folder.exists():
        return []
    return [process for process in psutil.process_iter() if _lives_in(process, str(folder))]


def _lives_in(process: psutil.Process, folder: str) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.cwd() == folder
    except psutil.AccessDenied:
        # Run as another user, where we may not look: the command line is public.
        with contextlib.suppress(psutil.Error):
            return folder in process.cmdline()
    except psutil.Error:
        return False  # it ended while we looked
    return False


def wait_until_gone(folder: Path) -> None:
    """Return when no process works in ``folder`` any more, within STOP_SECONDS."""
    deadline = time.monotonic() + STOP_SECONDS
    while stragglers := living_in(folder):
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"process {stragglers[0].pid} in {folder} did not stop")
        time.sleep(0.02)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner can read it."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def last_complaint(log: Path, words: Sequence[str], *, since: int) -> str:
    """The last line with one of ``words``, else the last, of what came after ``since`` bytes."""
    with log.open("rb") as file:
        file.seek(since)
        lines = file.read().decode(errors="replace").splitlines() or ["no reason given"]
    found = (line for line in reversed(lines) if any(word in line for word in words))
    return f"{next(found, lines[-1]).strip()} (log: {log})"


class EmbeddedServer(ABC):
    """One server process whose data, password and log live in the project's home.

    Whoever starts it with ``start`` owns it until ``stop``. Whoever only borrows it
    (``borrowed``, the verb ``run``) holds a shared file lock meanwhile, and the last
    borrower of a server that a borrower started stops it. The kernel drops the lock
    of a borrower that was killed, so nothing is left to clean up by hand.
    """

    name: ClassVar[str]

    def __init__(self, home: Path | None = None) -> None:
        self.home = home.resolve() if home else default_home()
        self.log = self.home / "log" / f"{self.name}.log"

    @abstractmethod
    def is_running(self) -> bool:
        """Whether this home's server answers, with this home's password."""

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The variables by which the application finds the running server."""

    @abstractmethod
    def url(self) -> str:
        """The address of the running server for the application."""

    @abstractmethod
    def _launch(self) -> None:
        """Start the server and return when it answers; the lock is held."""

    @abstractmethod
    def _halt(self) -> None:
        """Stop the server and return when it is gone; the lock is held."""

    def start(self) -> bool:
        """Start the server, and leave it running. False when it already ran."""
        with self._locked():
            self._lent.unlink(missing_ok=True)
            return self._start_locked()

    def stop(self) -> bool:
        """Stop the server, whoever uses it. False when it was not running."""
        if not self.home.exists():
            return False
        with self._locked():
            was_running = self.is_running()
            self._halt()
            self._lent.unlink(missing_ok=True)
            return was_running

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[dict[str, str]]:
        """Run the block with the server up; yields the variables that lead to it.

        Stops the server afterwards only if a borrower started it and none is left.
        """
        with self._borrowers_file() as borrowers:
            with self._locked():
                fcntl.flock(borrowers, fcntl.LOCK_SH)
                if self._start_locked():
                    self._lent.touch()
            try:
                yield self.environment()
            finally:
                with self._locked():
                    if self._lent.exists() and _is_last(borrowers):
                        self._halt()
                        self._lent.unlink(missing_ok=True)

    def _start_locked(self) -> bool:
        if self.is_running():
            return False
        if (free := shutil.disk_usage(self.home).free) < LEAST_FREE_BYTES:
            raise EmbeddedServerError(
                f"{self.name} needs {LEAST_FREE_BYTES // 10**6} MB of free disk below "
                f"{self.home}; {free // 10**6} MB are left"
            )
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        self._launch()
        return True

    @property
    def _lent(self) -> Path:
        """Exists while the running server was started by a borrower."""
        return self.home / f"{self.name}.lent"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / f"{self.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _borrowers_file(self) -> Iterator[int]:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / f"{self.name}.borrowers").open("a") as file:
            yield file.fileno()


def _is_last(borrowers: int) -> bool:
    """Whether no other process holds the shared lock; the caller holds the start lock."""
    try:
        fcntl.flock(borrowers, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def command_line(server: EmbeddedServer, arguments: Sequence[str]) -> int:
    """Obey ``start | stop | status | url | run COMMAND...``; returns the exit status."""
    try:
        return _obey(server, list(arguments))
    except EmbeddedServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _obey(server: EmbeddedServer, arguments: list[str]) -> int:
    match arguments:
        case ["start"]:
            _say("started" if server.start() else "already running")
        case ["stop"]:
            _say("stopped" if server.stop() else "not running")
        case ["status"]:
            running = server.is_running()
            _say("running" if running else "not running")
            return 0 if running else NOT_RUNNING
        case ["url"]:
            if not server.is_running():
                raise EmbeddedServerError(f"{server.name} is not running in {server.home}")
            _say(server.url())
        case ["run", *command] if command:
            with server.borrowed() as variables:
                return run_to_end(command, {**os.environ, **variables})
        case _:
            verbs = "start | stop | status | url | run COMMAND..."
            raise EmbeddedServerError(f"usage: python -m server.{server.name} {verbs}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
