"""How fast works are registered from a file, beside registering them one by one.

    make bench NAME=imports
    ROWS=100000 make bench NAME=imports

Each row has a title, an address, a SHA-256, a reference and two decisions. Contenders take turns,
so that a busy machine slows both: a file of CHUNK rows is imported, from the bytes uploaded to the
last outcome, then ONE_BY_ONE works of the same kind are registered by ``works.register`` and
``consent.state``. The ratio is the median of the rounds'. Processor time is this process's; the
database's is in the time that passed. Figures are kept in ``.tribute/bench/imports.json``.
"""

import json
import os
import resource
import time
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from statistics import median
from typing import Any

import psycopg
from django.utils import timezone

from registry import consent, imports, uploads, works
from registry.models import Creator, Import
from server import garbage
from server.postgres import superuser_url
from tests.benchmarks import machine
from tests.benchmarks.intake_world import creator, scratch_database
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

ROWS = int(os.environ.get("ROWS", "20000"))
ROUNDS = 5
ONE_BY_ONE = 100
HEADER = "title,medium,url,sha256,reference,train-ai,search"


def main() -> None:
    """Measure, print, keep."""
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
    machine.show(described)
    garbage.look_seldom()  # as in every process of the service
    with scratch_database("bench_import"):
        ada = creator("ada")
        rounds = [_round(ada, number) for number in range(ROUNDS)]
    figures = {
        "rows": ROWS,
        "imported_per_s": round(median(r["import"]["per_s"] for r in rounds)),
        "one_by_one_per_s": round(median(r["one"]["per_s"] for r in rounds)),
        "ratio": round(median(r["import"]["per_s"] / r["one"]["per_s"] for r in rounds), 1),
        "import_cpu_us": round(median(r["import"]["cpu_us"] for r in rounds)),
        "one_by_one_cpu_us": round(median(r["one"]["cpu_us"] for r in rounds)),
        "mib_at_most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "rounds": rounds,
    }
    print(json.dumps({k: v for k, v in figures.items() if k != "rounds"}, indent=2))  # noqa: T201 - a benchmark prints
    print(machine.record("imports", figures, described))  # noqa: T201 - as above


def _round(ada: Creator, number: int) -> dict[str, Any]:
    many = ROWS // ROUNDS
    return {
        "import": _timed(many, lambda: _import(ada, f"many-{number}", many)),
        "one": _timed(ONE_BY_ONE, lambda: _register(ada, f"one-{number}", ONE_BY_ONE)),
    }


def _timed(count: int, deed: Callable[[], None]) -> dict[str, float]:
    started, cpu = time.monotonic(), time.process_time()
    deed()
    seconds = time.monotonic() - started
    return {
        "per_s": count / seconds,
        "cpu_us": (time.process_time() - cpu) * 1e6 / count,
    }


def _import(ada: Creator, name: str, count: int) -> None:
    lines = [HEADER]
    for n in range(count):
        digest = sha256(f"{name}-{n}".encode()).hexdigest()
        lines.append(
            f"Work {n},text,https://ada.example/{name}/{n},{digest},{name}-{n},allow paid,deny"
        )
    content = "\n".join(lines).encode()
    upload = uploads.begin(ada, size=len(content), at=timezone.now())
    uploads.receive(upload, offset=0, blocks=[content], at=timezone.now())
    made = imports.expect(ada, upload, written_as=Import.Format.CSV, at=timezone.now())
    imports.work_off(clock=timezone.now, until=timezone.now() + timedelta(hours=1))
    made.refresh_from_db()
    if made.registered_count != count:
        raise SystemExit(f"{made.registered_count} of {count} rows were registered")


def _register(ada: Creator, name: str, count: int) -> None:
    for n in range(count):
        at = timezone.now()
        work = works.register(
            ada,
            title=f"Work {n}",
            medium=Medium.TEXT,
            identifiers=[
                (IdentifierKind.URL, f"https://ada.example/{name}/{n}"),
                (IdentifierKind.SHA256, sha256(f"{name}-{n}".encode()).hexdigest()),
            ],
            at=at,
        )
        consent.state(
            ada, work, purpose=Purpose.TRAIN_AI, decision=Decision.ALLOW, paid=True, at=at
        )
        consent.state(ada, work, purpose=Purpose.SEARCH, decision=Decision.DENY, at=at)


if __name__ == "__main__":
    main()
