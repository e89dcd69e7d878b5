"""How fast POST /v1/checks answers, next to the same look-up by ``= ANY`` in PostgreSQL.

    make bench NAME=checks_endpoint
    … python -m tests.benchmarks.checks_endpoint --urls 100000 --domains 3000 --paths 2000

The real endpoint: a request through Django and all its middleware to the view, with authentication, the
overlay of what changed, explained answers, a receipt and its leaf in the log, committed. Counted is
processor time of this process and of its PostgreSQL backend together. ``= ANY`` is given every
candidate key ready-made, in the table that the snapshot was made of, and counts its backend alone;
``postgresql`` is the endpoint itself when there is no snapshot; ``decisions`` is the snapshot by itself,
Arrow in and out, a word an item and no receipt. What a client does is not counted. Each round asks
about 10,000 addresses that no round asked about before.
"""

import argparse
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import django
import orjson
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

django.setup()

from django.db import connection  # noqa: E402 - models need the set-up above
from rest_framework.test import APIClient  # noqa: E402

from registry import served, snapshots  # noqa: E402
from registry.api.arrow_bodies import items_in  # noqa: E402
from registry.remembered import Remembered  # noqa: E402
from server.postgres import superuser_url  # noqa: E402
from tests.benchmarks import machine  # noqa: E402
from tests.benchmarks.checks_service import DATABASE, Service, service  # noqa: E402
from tests.benchmarks.checks_world import Sizes, write_crawl  # noqa: E402
from tribute.arrow_checks import MEDIA_TYPE, stream  # noqa: E402
from tribute.identifiers import InvalidIdentifier, candidate_keys  # noqa: E402
from tribute.snapshot import Snapshot  # noqa: E402
from tribute.snapshot.manifest import verify  # noqa: E402
from tribute.snapshot.publishing import state_folder  # noqa: E402
from tribute.snapshot.tables import load  # noqa: E402
from tribute.vocabulary import Purpose  # noqa: E402

ITEMS = 10_000
ROUNDS = 7
WARM_UP = 3
ANY = "SELECT key, subject, statements::text FROM registry_decisionindex WHERE key = ANY(%b)"

Ask = Callable[[], object]
Way = Callable[[list[str]], Ask]
"""Writes the body of a question, which is the client's business; then somebody asks it."""


def main() -> None:
    """Fill a registry, ask it every way in turn, print, keep."""
    parser = argparse.ArgumentParser(description="Measure online checks.")
    parser.add_argument("--urls", type=int, default=10_000_000)
    parser.add_argument("--domains", type=int, default=300_000)
    parser.add_argument("--paths", type=int, default=200_000)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    # As a web server starts: with all views loaded, and what is loaded set apart.
    importlib.import_module("server.wsgi")
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
    machine.show(described)
    figures = measure(Sizes(options.urls, options.domains, options.paths, 0))
    path = machine.record("checks_endpoint", figures, described)
    say(f"\nWritten to {path}")


def measure(sizes: Sizes) -> dict[str, Any]:
    """Measure both regimes in a registry of ``sizes``; print and return the figures."""
    sizes = replace(sizes, rows=ITEMS * (ROUNDS + WARM_UP))
    say(f"\nFilling a registry with {sizes.urls + sizes.domains + sizes.paths:,} keys …")
    with tempfile.TemporaryDirectory() as place, service(sizes, Path(place)) as asked:
        figures: dict[str, Any] = {"keys": asked.keys}
        for regime in ("dense", "sparse"):
            crawl = Path(place) / f"{regime}.parquet"
            write_crawl(crawl, sizes, dense=regime == "dense", seed=5)
            urls = pq.read_table(crawl, columns=["url"]).column("url").to_pylist()
            figures[regime] = _measured(asked, urls)
            _report(regime, figures[regime])
    return figures


def _measured(asked: Service, urls: Sequence[str]) -> dict[str, float]:
    """Return the median processor milliseconds a round of each way, and the ratios to = ANY."""
    served.forget()
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {asked.secret}")
    ways: dict[str, Way] = {
        "json": partial(_post_json, client),
        "arrow": partial(_post_arrow, client),
        "postgresql": partial(_post_without_snapshot, client),
        "decisions": partial(_decide_alone, _opened_again()),
    }
    memories = {name: Remembered() for name in ways}
    spent: dict[str, list[float]] = {name: [] for name in [*ways, "any"]}
    with psycopg.connect(superuser_url(DATABASE), autocommit=True) as server:
        for number, batch in enumerate(_batches(urls)):
            times = {}
            for name, way in ways.items():
                # Nobody finds what another way has looked up a moment ago.
                _remember_in(memories[name])
                times[name] = _time_of(way, batch)
            times["any"] = _time_of_any(server, batch)
            for name, seconds in times.items():
                spent[name] += [seconds * 1000] if number >= WARM_UP else []
    result = {f"{name}_ms": round(median(times), 1) for name, times in spent.items()}
    for name in ("json", "arrow", "decisions"):
        for other in ("any", "postgresql"):
            ratios = [b / a for a, b in zip(spent[name], spent[other], strict=True)]
            result[f"{name}_vs_{other}"] = round(median(ratios), 2)
    return result


def _batches(urls: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(urls)
    while batch := list(islice(rest, ITEMS)):
        yield batch


def _remember_in(memory: Remembered) -> None:
    if served._process.opened is not None:
        served._process.opened._remembered = memory


def _time_of(way: Way, batch: list[str]) -> float:
    ask = way(batch)
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    before = time.process_time() + _busy(backend)
    ask()
    return time.process_time() + _busy(backend) - before


def _busy(process: int) -> float:
    """Return the processor seconds a process took, to the nanosecond, where /proc tells."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def _post_json(client: APIClient, batch: list[str]) -> Ask:
    body = orjson.dumps({"items": [{"url": url} for url in batch], "purposes": ["train-ai"]})

    def ask() -> None:
        answer = client.post("/v1/checks", data=body, content_type="application/json")
        _take(answer)

    return ask


def _take(answer: Any) -> None:
    """See that there is an answer, and let go of all by which the test client holds it and its question.

    Else they stay until Python looks for garbage; what a web server hands over does not.
    """
    assert answer.status_code == 201, answer.content[:500]
    del answer.json
    vars(answer.wsgi_request).clear()


def _post_arrow(client: APIClient, batch: list[str]) -> Ask:
    body = _stream(batch)

    def ask() -> None:
        answer = client.post(
            "/v1/checks?purposes=train-ai",
            data=body,
            content_type=MEDIA_TYPE,
            HTTP_ACCEPT=MEDIA_TYPE,
        )
        _take(answer)

    return ask


def _stream(batch: list[str]) -> bytes:
    return stream(pa.RecordBatch.from_arrays([pa.array(batch)], ["url"]))


def _post_without_snapshot(client: APIClient, batch: list[str]) -> Ask:
    post = _post_json(client, batch)

    def ask() -> None:
        with mock.patch.object(served, "view", return_value=None):
            post()

    return ask


def _opened_again() -> Snapshot:
    """Return the registry's newest release as a pipeline has it."""
    manifest = verify(bytes(snapshots.newest().manifest), public_key=snapshots.public_key())
    return Snapshot(manifest, load(state_folder(snapshots.home(), manifest.seq)))


def _decide_alone(snapshot: Snapshot, batch: list[str]) -> Ask:
    """Answer a stream with one word an item: no statements, no receipt, nothing kept, no HTTP."""
    body, words = _stream(batch), pa.array(["unknown", "allow", "license", "deny"])

    def ask() -> bytes:
        asked = items_in(body)
        found = snapshot.check(asked.columns["url"], [Purpose.TRAIN_AI])
        codes = pa.array(found.codes[:, 0].astype("i1"))
        said = pa.DictionaryArray.from_arrays(codes, words)
        return stream(pa.RecordBatch.from_arrays([said], ["train-ai"]))

    return ask


def _time_of_any(server: psycopg.Connection[Any], batch: Sequence[str]) -> float:
    """Look every candidate key up, ready-made; count the backend alone."""
    keys = list({key.digest for url in batch for key in _keys(url)})
    before = _busy(server.info.backend_pid)
    server.execute(ANY, [keys], binary=True, prepare=True).fetchall()
    return _busy(server.info.backend_pid) - before


def _keys(url: str) -> Sequence[Any]:
    try:
        return candidate_keys(url)
    except InvalidIdentifier:
        return ()


def _report(regime: str, figures: dict[str, float]) -> None:
    say(f"\n{regime}, {ITEMS:,} items a call:")
    for name in ("json", "arrow", "decisions", "postgresql", "any"):
        rate = ITEMS / figures[f"{name}_ms"] * 1000
        times = ""
        if f"{name}_vs_any" in figures:
            plain, whole = figures[f"{name}_vs_any"], figures[f"{name}_vs_postgresql"]
            times = f"{plain:8.2f} × = ANY, {whole:.1f} × without snapshot"
        say(f"  {name:<12}{figures[f'{name}_ms']:9.1f} ms{rate:>12,.0f} URLs/s{times}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
