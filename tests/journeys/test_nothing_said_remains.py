"""A sentence that was only ever in an output is looked for in every file that the service writes.

Real processes take the reports over HTTP and settle them; then the raw files are searched, as they
lie on the disk: PostgreSQL's tables and write-ahead log, a dump, the broker's files, every log, and
the service's own folder. The search is proved by things that are there.
"""

import base64
import json
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from attribution.models import GenerativeModel, Query
from registry.models import Operator
from server.broker import Broker
from server.embedded import free_port
from server.postgres import APPLICATION, Postgres, program
from server.processes import Supervisor
from tests.attribution.world import CHARIOT, GENERATED, TWELVE_OF_CHARIOT, fund, make_model
from tests.conftest import test_database_url
from tests.factories import allow, make_creator, make_key, make_operator, make_work
from tribute import features

PATIENCE_S = 120.0
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"


@dataclass(frozen=True)
class Service:
    """A web server, a worker and a timetable of their own, and where they write."""

    url: str
    folder: Path
    supervisor: Supervisor
    environment: dict[str, str]

    def start_worker(self) -> None:
        celery = [sys.executable, "-m", "celery", "--app", "server.celery"]
        for name, command in (
            ("worker", ["worker", "--concurrency", "1"]),
            ("timetable", ["beat"]),
        ):
            self.supervisor.start(
                name, [*celery, *command, "--loglevel", "DEBUG"], environment=self.environment
            )


@pytest.fixture
def writer(committed_db: None) -> GenerativeModel:
    chariot = make_work(make_creator("ada"), title="The Chariot", text=CHARIOT)
    allow(chariot)
    acme = make_operator("acme")
    fund(acme)
    return make_model(acme, [chariot])


@pytest.fixture
def service(committed_db: None, tmp_path: Path) -> Iterator[Service]:
    """Everything logs as much as it can."""
    broker = Broker(tmp_path / "broker")
    broker.start()
    try:
        port = free_port()
        name = str(connection.settings_dict["NAME"])
        environment = {
            "DATABASE_URL": Postgres().url(role=APPLICATION, database=name),
            "BROKER_URL": broker.url(),
            "TRIBUTE_EMBEDDED": "1",
            "TRIBUTE_HOME": str(tmp_path / "home"),
            "LOG_LEVEL": "DEBUG",
        }
        with Supervisor(tmp_path / "log", report=print) as supervisor:
            supervisor.start(
                "web",
                [
                    *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                    *("server.wsgi:application", "--host", "127.0.0.1", "--port", str(port)),
                    *("--log-level", "debug", "--access-log"),
                ],
                environment=environment,
                ready=f"http://127.0.0.1:{port}/readyz",
            )
            yield Service(f"http://127.0.0.1:{port}", tmp_path, supervisor, environment)
    finally:
        broker.stop()


def test_an_output_is_in_no_file_while_it_waits_and_after(
    service: Service, writer: GenerativeModel
) -> None:
    words = [_word() for _ in range(14)]
    canary = " ".join(words)
    output = f"{TWELVE_OF_CHARIOT} {canary}"
    reduced = features.reduce(output)
    secret = make_key(writer.operator)[1]

    good: list[dict[str, Any]] = [
        {"output": output},
        {"features": reduced.to_json()},
        {"output": output.upper()},
    ]
    bad: list[dict[str, Any]] = [{"output": output, "prompt": canary}, {"output": f"{canary} \0"}, {"output": [canary]},
           {"features": canary}, {"output": output * 1_000}, {canary: "x"}]  # fmt: skip
    assert [_report(service, writer, secret, each) for each in good] == [202] * 3
    assert all(400 <= _report(service, writer, secret, each) < 500 for each in bad)

    needles = _needles(words, output, reduced)
    waiting = _search(service, needles)
    service.start_worker()
    _wait(lambda: _states(writer.operator) == {"settled": 3})
    settled = _search(service, needles)

    assert (waiting.said, settled.said) == ([], [])
    assert {"base", "pg_wal", "dump"} <= waiting.known
    assert {"broker", "log"} <= settled.known


def _needles(words: list[str], output: str, reduced: features.Features) -> list[bytes]:
    """Some of the words in several scripts of bytes, and what the features are packed as."""
    form = reduced.to_json()
    found = [
        each.encode(code)
        for word in words[4:7]
        for each, code in ((word, "utf-8"), (word.upper(), "utf-8"), (word, "utf-16-le"))
    ]
    found += [base64.b64encode(output.encode())[-80:-8], output.encode().hex()[-80:].encode()]
    found += [str(form["hashes"])[-48:-8].encode(), reduced.to_bytes()[-48:]]
    new = reduced.hashes[-3]
    return [*found, new.to_bytes(8, "big"), new.to_bytes(8, "little"), str(new).encode()]


@dataclass(frozen=True)
class Found:
    """Files that hold what was said; and kinds of files in which the search finds what it should."""

    said: list[str]
    known: set[str]

    def look(self, name: str, content: bytes, needles: list[bytes]) -> None:
        if any(needle in content for needle in needles):
            self.said.append(name)
        if any(known in content for known in (b"The Chariot", b"attribution.settle_queries")):
            self.known.add(name.split("/", maxsplit=1)[0])


def _search(service: Service, needles: list[bytes]) -> Found:
    """Look through everything as it lies on the disk: the log of writes before it is recycled."""
    found, data = Found([], set()), Postgres().data
    dump = [str(program("pg_dump")), "--dbname", test_database_url(), "--inserts"]
    with psycopg.connect(test_database_url(), autocommit=True) as server:
        server.execute("SELECT pg_switch_wal()")
        _look_below(data / "pg_wal", data, found, needles)
        server.execute("CHECKPOINT")
        _look_below(data, data, found, needles)
    found.look("dump", subprocess.run(dump, capture_output=True, check=True).stdout, needles)
    _look_below(service.folder, service.folder, found, needles)
    _look_below(Postgres().home / "log", Postgres().home, found, needles)
    return found


def _look_below(folder: Path, root: Path, found: Found, needles: list[bytes]) -> None:
    for path in folder.rglob("*"):
        content = _content(path)
        if content is not None:
            found.look(str(path.relative_to(root)), content, needles)


def _content(path: Path) -> bytes | None:
    """The file's bytes; none for what is no file, or was just removed."""
    try:
        return path.read_bytes() if path.is_file() else None
    except FileNotFoundError:
        return None


def _report(service: Service, model: GenerativeModel, secret: str, said: dict[str, Any]) -> int:
    body = {
        "model": model.pk,
        "external_id": f"gen-{secrets.token_hex(4)}",
        "occurred_at": GENERATED.isoformat(),
    }
    request = urllib.request.Request(
        f"{service.url}/v1/queries",
        data=json.dumps({"queries": [body | said]}).encode(),
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _states(operator: Operator) -> Counter[str]:
    return Counter(Query.objects.of(operator).values_list("state", flat=True))


def _wait(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _word() -> str:
    """A word that was never said: eight syllables."""
    chance = secrets.SystemRandom()
    return "".join(chance.choice(CONSONANTS) + chance.choice(VOWELS) for _ in range(8))
