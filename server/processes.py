"""Child processes: run one to its end, or keep a named few alive.

Owns signals, restarts, readiness and log files of the processes the demo starts.
Knows neither Django nor what the processes do.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Self

COMMAND_NOT_FOUND = 127
"""What a shell returns for a command it cannot find."""
POLL_SECONDS = 0.05
CALM_SECONDS = 60.0
"""A child that lived this long has its earlier deaths forgiven."""

LEASH = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() == int(sys.argv[1]):
    os.execvpe(sys.argv[2], sys.argv[2:], os.environ)
"""
"""Linux: ask for SIGTERM when the parent dies (PR_SET_PDEATHSIG), then become the command.

A small program rather than ``preexec_fn``, which may deadlock in a process with threads.
"""


class ChildFailed(Exception):
    """A supervised process must become ready and stay alive; this one did not."""


def run_to_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``command`` in the foreground and return its exit status, as a shell would.

    Ctrl-C reaches the command from the terminal, so it is ignored here: the command
    decides when it ends. SIGTERM and SIGHUP are passed on. 128 + n means signal n.
    """
    try:
        child = subprocess.Popen(command, env=dict(environment))  # noqa: S603 - the caller's own command line
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return COMMAND_NOT_FOUND

    def pass_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """A handler rather than SIG_IGN, which the child would have inherited."""

    previous = {
        signal.SIGINT: signal.signal(signal.SIGINT, ignore),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
        signal.SIGHUP: signal.signal(signal.SIGHUP, pass_on),
    }
    try:
        status = child.wait()
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def answers(url: str, *, seconds: float = 2.0) -> bool:
    """Whether a GET of ``url`` succeeds; goes past any proxy, since it asks this machine."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=seconds):
            return True
    except (urllib.error.URLError, OSError):
        return False


@dataclass(slots=True)
class _Child:
    """One supervised process and its history."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    born: float = 0.0
    deaths: int = 0
    retry_at: float | None = None
    given_up: bool = field(default=False)

    def spawn(self) -> None:
        """Start it in a session of its own: Ctrl-C is the supervisor's to handle."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - the demo's own commands
                _on_leash(self.command),
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.born, self.retry_at = time.monotonic(), None

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        said = next((line.strip() for line in reversed(lines) if line.strip()), "said nothing")
        status = self.process.returncode if self.process else None
        return f"{self.name} ended with status {status}: {said} (log: {self.log})"

    def end(self, grace_seconds: float) -> None:
        """SIGTERM for the process, which knows its own children; SIGKILL for what is left."""
        if self.process is None:
            return
        if self.is_alive():
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Keeps named child processes alive until the ``with`` block ends.

    Output goes to ``<log_folder>/<name>.log``. A child that dies is started again
    after 0.5 s, 1 s, 2 s and so on; one that dies ``most_deaths`` times without
    living a minute in between is given up, which ``wait`` raises. ``report`` receives one
    sentence per event. On Linux the children also end when this process is killed;
    ``start`` belongs in a thread that lives as long as the supervisor.
    """

    def __init__(
        self,
        log_folder: Path,
        *,
        report: Callable[[str], object],
        most_deaths: int = 5,
        grace_seconds: float = 10.0,
    ) -> None:
        self._log_folder = log_folder
        self._report = report
        self._most_deaths = most_deaths
        self._grace_seconds = grace_seconds
        self._children: dict[str, _Child] = {}
        self._lock = threading.RLock()
        self._stopping = False
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        ready: str | Callable[[], bool] | None = None,
        within_seconds: float = 60.0,
    ) -> None:
        """Start a child and return when it is ready: a URL that answers, or a true call.

        Raises ChildFailed when it ends before, or is not ready in time.
        """
        child = _Child(name, command, environment or {}, self._log_folder / f"{name}.log")
        try:
            child.spawn()
            _await_ready(child, ready, within_seconds)
        except BaseException:
            child.end(self._grace_seconds)
            raise
        with self._lock:
            self._children[name] = child

    def pid(self, name: str) -> int:
        """The process number of a child now; it changes when the child is restarted."""
        with self._lock:
            process = self._children[name].process
        assert process is not None
        return process.pid

    def is_alive(self, name: str) -> bool:
        """Whether the child runs at this moment."""
        with self._lock:
            return self._children[name].is_alive()

    def wait(self, *, seconds: float | None = None) -> None:
        """Return after ``seconds``, or at ``stop``. Raises ChildFailed when one was given up."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not self._over.wait(POLL_SECONDS):
            with self._lock:
                lost = [child for child in self._children.values() if child.given_up]
            if lost:
                raise ChildFailed(lost[0].last_words())
            if deadline is not None and time.monotonic() >= deadline:
                return

    def stop(self) -> None:
        """End all children, the last started first. The watcher thread ends after them."""
        with self._lock:
            self._stopping = True
            for child in reversed(self._children.values()):
                child.end(self._grace_seconds)
        self._over.set()
        if self._watcher.is_alive():
            self._watcher.join()

    def _watch(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            with self._lock:
                if not self._stopping:
                    for child in self._children.values():
                        self._look_after(child)

    def _look_after(self, child: _Child) -> None:
        now = time.monotonic()
        if child.given_up or child.is_alive():
            return
        if child.retry_at is None:
            self._mourn(child, now)
        elif now >= child.retry_at:
            child.spawn()
            self._report(f"{child.name} was started again")

    def _mourn(self, child: _Child, now: float) -> None:
        child.deaths = 1 if now - child.born > CALM_SECONDS else child.deaths + 1
        child.given_up = child.deaths >= self._most_deaths
        child.retry_at = now + 0.25 * 2**child.deaths
        self._report(child.last_words())
        if child.given_up:
            self._report(f"{child.name} died {child.deaths} times and is given up")


def _on_leash(command: Sequence[str]) -> list[str]:
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-ISc", LEASH, str(os.getpid()), *command]


def _await_ready(child: _Child, ready: str | Callable[[], bool] | None, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _is_ready(ready):
        if not child.is_alive():
            raise ChildFailed(child.last_words())
        if time.monotonic() > deadline:
            raise ChildFailed(f"{child.name} was not ready after {seconds:g} s (log: {child.log})")
        time.sleep(POLL_SECONDS)


def _is_ready(ready: str | Callable[[], bool] | None) -> bool:
    if isinstance(ready, str):
        return answers(ready)
    return ready is None or ready()
