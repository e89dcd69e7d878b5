"""What is said through one web process counts in the next check of every other, whatever is published.

Real web servers of two processes each; statements go to one, checks to all, while snapshots are built
and published without pause, and the builder is killed in the middle of its work.
"""

import os
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection
from django.utils import timezone

from registry import checks, collections, served
from registry.asked import CheckItem
from registry.models import SnapshotRelease
from server.embedded import free_port
from server.postgres import APPLICATION, Postgres
from server.processes import Supervisor
from tests.factories import make_creator, make_key, make_operator
from tribute.vocabulary import IdentifierKind, Purpose

STATEMENTS = 24
SERVERS = 2
WORKERS = 2
ASKED_OF_EACH_SERVER = 2
KILLED_EVERY = 8
PATIENCE_S = 120.0
HOST = "https://places.example"
PUBLISH = """
import django
django.setup()
import time
from registry import tasks
while True:
    tasks.build_snapshots()
    time.sleep(0.02)
"""


@pytest.mark.timeout(600)
def test_a_statement_counts_in_every_process_while_snapshots_are_published(
    committed_db: None, tmp_path: Path, settings: Any
) -> None:
    settings.HOME = tmp_path
    ada, acme = make_creator("ada"), make_operator("acme")
    keys = {who: make_key(who)[1] for who in (ada, acme)}
    places = [
        collections.claim(
            ada, kind=IdentifierKind.PATH, value=f"{HOST}/{number}/", at=timezone.now()
        )
        for number in range(STATEMENTS)
    ]
    said: list[str] = []
    misses, sources = [], set()
    with Supervisor(tmp_path / "log", report=said.append, most_deaths=STATEMENTS) as supervisor:
        addresses = [start_server(supervisor, number, tmp_path) for number in range(SERVERS)]
        supervisor.start(
            "builder", [sys.executable, "-c", PUBLISH], environment=surroundings(tmp_path)
        )
        wait_for_releases(1)
        for number, place in enumerate(places):
            statement = {"subject": place.pk, "purpose": "train-ai", "decision": "deny"}
            call(addresses[number % SERVERS], "/v1/statements", keys[ada], statement)
            asked = {"items": [{"url": f"{HOST}/{number}/page"}], "purposes": ["train-ai"]}
            for address in addresses * ASKED_OF_EACH_SERVER:
                (answer,) = call(address, "/v1/checks", keys[acme], asked)["answers"]
                decision = answer["decisions"]["train-ai"]["decision"]
                misses += [] if decision == "deny" else [(number, address, decision)]
            sources.add(call(addresses[0], "/readyz")["checks"]["from"])
            if number % KILLED_EVERY == KILLED_EVERY - 1:
                os.killpg(supervisor.pid("builder"), signal.SIGKILL)
                before = SnapshotRelease.objects.order_by("-seq")[0].seq
                wait_for_releases(before + 2)

    assert misses == []
    assert "snapshot" in sources, said
    assert_alike_from_the_last_release(places, acme)


def assert_alike_from_the_last_release(places: list[Any], acme: Any) -> None:
    """What the killed builders left behind spoilt nothing: a fresh reader finds every statement."""
    served.forget()
    items = [CheckItem(url=f"{HOST}/{number}/x") for number in range(len(places))]
    asked = checks.check(acme, items, [Purpose.TRAIN_AI], at=timezone.now())
    assert {a["decisions"]["train-ai"]["decision"] for a in asked.results} == {"deny"}
    assert served.state()["from"] == "snapshot"


def start_server(supervisor: Supervisor, number: int, home: Path) -> str:
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "server.wsgi:application"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(WORKERS)),
    ]
    address = f"http://127.0.0.1:{port}"
    supervisor.start(
        f"web{number}", command, environment=surroundings(home), ready=f"{address}/readyz"
    )
    return address


def surroundings(home: Path) -> dict[str, str]:
    name = str(connection.settings_dict["NAME"])
    return {
        "DATABASE_URL": Postgres().url(role=APPLICATION, database=name),
        "DJANGO_SETTINGS_MODULE": "server.settings",
        "TRIBUTE_EMBEDDED": "1",
        "TRIBUTE_HOME": str(home),
    }


def wait_for_releases(count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not SnapshotRelease.objects.filter(seq__gte=count - 1).exists():
        assert time.monotonic() < deadline, "the builder publishes nothing"
        time.sleep(0.05)


def call(address: str, path: str, key: str = "", body: Any = None) -> Any:
    """Ask on a connection of its own, which any process of the server may take."""
    request = urllib.request.Request(address + path, orjson.dumps(body) if body else None)
    request.add_header("Content-Type", "application/json")
    request.add_header("Connection", "close")
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return orjson.loads(answer.read())
