"""How many queries a second go from an HTTP request to a posted entry, on this machine.

    make bench NAME=settlement
    WORKS=10000 QUERIES=2000 make bench NAME=settlement

One web server and two workers, each a process, and PostgreSQL share the machine with the client that
reports 1,000 queries a call. A run ends when the last query is settled. Before it the workers settle a
call each, so that they know the manifest, as after their first minute. Reported queries bring 20
scores; outputs of the cascade are 60 words, half of them quoted, and are sent as features. Figures
are kept in ``.tribute/bench/settlement.json``.
"""

import json
import os
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psutil
import psycopg
from django.utils import timezone

from server.embedded import free_port
from server.postgres import superuser_url
from tests.benchmarks import machine
from tests.benchmarks.settlement_world import (
    DATABASE,
    Texts,
    World,
    populate,
    scratch_database,
    settled_count,
    waiting,
)
from tribute.features import reduce

WORKS = int(os.environ.get("WORKS", "100000"))
QUERIES = int(os.environ.get("QUERIES", "10000"))
CALL = 1_000
SCORES = 20
WORKERS = 2
BARS = {"reported": 1_500, "cascade": 150}


def main() -> None:
    """Measure, print, keep."""
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
    machine.show(described)
    with scratch_database() as url:
        world = populate(WORKS)
        results = {
            method: _measure(method, world, url)
            for method in os.environ.get("METHODS", "reported cascade").split()
        }
    figures = {
        "queries_per_s": {method: each["queries_per_s"] for method, each in results.items()},
        "where_the_time_goes": results,
        "works": WORKS,
    }
    path = machine.record("settlement", figures, described)
    for method, each in results.items():
        word = "reached" if each["queries_per_s"] >= BARS[method] else "MISSED"
        print(f"{method:>9}: {each['queries_per_s']:.0f} queries/s, bar {BARS[method]} {word}")  # noqa: T201 - a benchmark prints
        print(f"{'':>11}{each['cpu_ms_per_query']}")  # noqa: T201 - as above
    print(path)  # noqa: T201 - as above


def _measure(method: str, world: World, url: str) -> dict[str, Any]:
    """Report and settle; return the pace, and the CPU that each part took for a query."""
    many = QUERIES if method == "reported" else max(CALL, QUERIES // 5)
    warm = list(_bodies(method, world, WORKERS * CALL, seed=0))
    bodies = list(_bodies(method, world, many, seed=1))
    with _processes(url) as (port, processes):
        already = settled_count()
        for body in warm:
            _post(port, world.secret, body)
        _wait(already + WORKERS * CALL)
        before = _cpu(processes)
        started = time.monotonic()
        for body in bodies:
            _post(port, world.secret, body)
        taken_in = time.monotonic() - started
        _wait(already + WORKERS * CALL + many)
        seconds = time.monotonic() - started
        after = _cpu(processes)
    cpu = {name: round((after[name] - before[name]) * 1_000 / many, 3) for name in after}
    return {
        "queries_per_s": round(many / seconds, 1),
        "queries": many,
        "intake_per_s": round(many / taken_in, 1),
        "cpu_ms_per_query": cpu,
    }


def _bodies(method: str, world: World, many: int, *, seed: int) -> Iterator[bytes]:
    chance, texts = random.Random(seed), Texts(seed=2 + seed)
    at = (timezone.now() - timedelta(hours=1)).isoformat()
    for first in range(0, many, CALL):
        reports = []
        for number in range(first, min(many, first + CALL)):
            said: dict[str, Any] = {"external_id": f"{method}-{seed}-{number}", "occurred_at": at}
            if method == "reported":
                rows = chance.sample(range(1, WORKS + 1), SCORES)
                said |= {"model": world.reported.pk, "scores": _scores(world, rows, chance)}
            else:
                quoted = chance.choice(world.samples).split()[10:40]
                output = " ".join([*quoted, *texts.draw(30).split()])
                said |= {"model": world.cascade.pk, "features": reduce(output).to_json()}
            reports.append(said)
        yield json.dumps({"queries": reports}).encode()


def _scores(world: World, rows: list[int], chance: random.Random) -> dict[str, Any]:
    return {
        "manifest": world.manifest.pk,
        "tool": "bench",
        "rows": rows,
        "scores": [chance.random() for _ in rows],
        "outside_mass": 0.1,
    }


@contextmanager
def _processes(url: str) -> Iterator[tuple[int, dict[str, psutil.Process]]]:
    """Run a web server and a worker beside each other."""
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": url}
    commands = {
        "web": [
            *("-m", "granian", "--interface", "wsgi", "server.wsgi:application"),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        ],
    } | {
        f"worker {number}": ["-m", "tests.benchmarks.settlement_worker", DATABASE]
        for number in range(1, WORKERS + 1)
    }
    running = {
        name: subprocess.Popen(
            [sys.executable, *command], env=environment, stdout=subprocess.DEVNULL
        )
        for name, command in commands.items()
    }
    try:
        _ready(port)
        yield port, {name: psutil.Process(each.pid) for name, each in running.items()}
    finally:
        for each in running.values():
            each.terminate()
        for each in running.values():
            each.wait(30)


def _ready(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the web server did not start")


def _post(port: int, secret: str, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/queries", data=body, headers=headers
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        assert answer.status == 202, answer.status


def _wait(count: int) -> None:
    """Wait until nothing waits, which costs less to ask than what was settled."""
    until = time.monotonic() + 600
    while waiting():
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    if settled_count() < count:
        raise TimeoutError(f"{settled_count()} of {count} queries were settled")


def _cpu(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    """Return CPU seconds of each process with its children, and of PostgreSQL's backends."""
    found = {name: _tree(process) for name, process in processes.items()}
    with psycopg.connect(superuser_url(DATABASE)) as server:
        rows = server.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        ).fetchall()
    backends = [_seconds(pid) for (pid,) in rows]
    return {**found, "postgresql": sum(backends)}


def _tree(process: psutil.Process) -> float:
    own = [process, *process.children(recursive=True)]
    return sum(each.cpu_times().user + each.cpu_times().system for each in own)


def _seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
