"""How fast, and in how much memory, a manifest is received, matched and reported.

    make bench NAME=manifests
    ROWS=10000000 make bench NAME=manifests

Rows are synthetic: addresses on 50,000 hosts in the order of a crawl, one in fifty that of a
registered work, one in a hundred a repetition of an earlier row, one in twenty with a content
code, of which a tenth are near-copies of an earlier one. They are uploaded in pieces, then one
worker process reads, matches and counts; its memory is its own largest. Recall is that of the
samples by which near-copies meet (registry.near_pairs), against comparing all pairs. Figures are
kept in ``.tribute/bench/manifests.json``.
"""

import json
import os
import random
import resource
import subprocess
import sys
import time
from base64 import b32encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import psutil
import psycopg
from django.utils import timezone

from registry import manifests, near_pairs, uploads
from registry.models import Manifest
from server import garbage
from server.postgres import superuser_url
from tests.benchmarks import machine
from tests.benchmarks.intake_world import operator_and_works, scratch_database

ROWS = int(os.environ.get("ROWS", "200000"))
WORKS = 1_000
HOSTS = 50_000
PAGES_A_HOST = 40
CODE_EVERY = 20
RECALL_CODES = 30_000


def main() -> None:
    """Measure, print, keep."""
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
    machine.show(described)
    with scratch_database("bench_manifests") as url:
        figures = _measured(url)
    figures["recall_of_samples"] = recall()
    print(json.dumps(figures, indent=2))  # noqa: T201 - a benchmark prints
    print(machine.record("manifests", figures, described))  # noqa: T201 - as above


def _measured(url: str) -> dict[str, Any]:
    operator = operator_and_works(WORKS)
    upload = uploads.begin(operator, size=None, at=timezone.now())
    started, cpu = time.monotonic(), time.process_time()
    upload = uploads.receive(upload, offset=0, blocks=_lines(ROWS), at=timezone.now())
    upload = uploads.finish(upload, at=timezone.now())
    uploaded = {"seconds": time.monotonic() - started, "cpu": time.process_time() - cpu}
    manifest = manifests.expect(
        operator, upload, written_as=Manifest.Format.JSON_LINES, at=timezone.now()
    )
    worked = _worked_off(url)
    manifest.refresh_from_db()
    if manifest.status != Manifest.Status.READY:
        raise SystemExit(f"the manifest is {manifest.status}: {manifest.failure}")
    summary = manifest.summary or {}
    counts = {name: n for name, n in summary.items() if isinstance(n, int)}
    return {
        "rows": ROWS,
        "bytes": upload.received,
        "upload_seconds": round(uploaded["seconds"], 1),
        "rows_per_s": round(ROWS / worked["seconds"]),
        **worked,
        "cpu_us_per_row": round(worked["worker_cpu_seconds"] * 1e6 / ROWS, 1),
        "matched": manifest.matched_count,
        "violations": manifest.violations_count,
        **counts,
    }


def _worked_off(url: str) -> dict[str, Any]:
    """Let a process of its own do a worker's part; return its time, processor time and memory."""
    environment = {**os.environ, "DATABASE_URL": url}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.manifests", "work"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    worked: dict[str, Any] = json.loads(done.stdout)
    return {"seconds": round(time.monotonic() - started, 1), **worked}


def work() -> None:
    """Work off what is uploaded, and print what it took."""
    garbage.look_seldom()  # as in every process of the service
    before = psutil.Process().memory_info().rss
    manifests.work_off(clock=timezone.now, until=timezone.now() + timedelta(days=1))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(  # noqa: T201 - what the other process reads
        json.dumps(
            {
                "worker_cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
                "worker_mib_at_rest": before // 2**20,
                "worker_mib_at_most": used.ru_maxrss // 1024,
            }
        )
    )


def _lines(rows: int) -> Iterator[bytes]:
    chance = random.Random(7)
    last = b"00" * 32
    block: list[bytes] = []
    for number in range(rows):
        host, page = divmod(number, PAGES_A_HOST)
        address = f"https://host{host % HOSTS}.example/{host // HOSTS}/articles/{page}.html"
        if number % 50 == 0:
            address = f"https://ada.example/{chance.randrange(WORKS)}"
        elif number % 100 == 1:
            address = f"https://host{host % HOSTS}.example/{host // HOSTS}/articles/2.html"
        code = ""
        if number % CODE_EVERY == 2:
            near = number % (CODE_EVERY * 10) == 2
            last = _changed(last, chance) if near else chance.randbytes(32).hex().encode()
            code = f',"iscc":"{_iscc(bytes.fromhex(last.decode()))}"'
        block.append(
            f'{{"url":"{address}","ingested_at":"2026-05-{1 + number % 28:02}T00:00:00Z"{code}}}\n'.encode()
        )
        if len(block) == 1_000:
            yield b"".join(block)
            block = []
    yield b"".join(block)


def _changed(code: bytes, chance: random.Random) -> bytes:
    """Return a code that differs in some 30 of its 256 bits."""
    number = int(code, 16)
    for bit in chance.sample(range(256), 30):
        number ^= 1 << bit
    return f"{number:064x}".encode()


def _iscc(digest: bytes) -> str:
    """Return the text code of 256 bits (ISO 24138): its header, then the digest."""
    return "ISCC:" + b32encode(bytes([0x20, 0x07]) + digest).decode().rstrip("=")


def recall() -> dict[str, float]:
    """Return what part of near-copies at some distances the samples find."""
    chance = np.random.default_rng(3)
    found = {}
    for differing in (8, 26, 46, 64, 76):
        half = RECALL_CODES // 2
        codes = chance.integers(0, 2**63, (RECALL_CODES, 4), dtype=np.int64).astype(np.uint64)
        for i in range(half):
            flipped = chance.choice(256, differing, replace=False)
            codes[half + i] = codes[i]
            for bit in flipped:
                codes[half + i, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
        best, _ = near_pairs.nearest_before(codes, most=0.30)
        found[f"{differing / 256:.2f}"] = round(float((best[half:] == np.arange(half)).mean()), 3)
    return found


if __name__ == "__main__":
    work() if sys.argv[1:] == ["work"] else main()
