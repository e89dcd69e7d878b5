"""How fast near-copies are found, next to PostgreSQL's own bits and to an index over segments.

    make bench NAME=near_copies
    … python -m tests.benchmarks.near_copies --works 10000 100000    (a quick look)

Counted is processor time, the process's own and its backend's, since neighbours make clocks swing.
The works' 256-bit codes are drawn at random; among them lie planted copies at every distance
around the bound, and each way's answers are compared before it is timed.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import django
import numpy as np
import psutil
import psycopg

from server.embedded import PROJECT
from server.postgres import superuser_url
from tests.benchmarks import machine

if TYPE_CHECKING:
    from registry.near_copies import ContentCode

DATABASE = "bench_near_copies"
ROUNDS = 7
BATCH = 1_000
SEED = 7
BITS = 256
PLANTED = tuple(range(60, 96))
"""How many bits of the first work's code are changed in each of so many copies."""
SEGMENT_BITS = 16

DRAWN = """
SELECT ('x' || md5(n || 'a') || md5(n || 'b'))::bit(256)::text FROM generate_series(1, %s) AS n
"""
FILL = """
INSERT INTO registry_work (id, title, medium, registered_by_id, registered_at, status,
                           iscc, iscc_type, iscc_bits)
SELECT gen_random_uuid(), 'bench', 'text', gen_random_uuid(), now(), 'active', 'bench', '2.0.0',
       ('x' || md5(n || 'a') || md5(n || 'b'))::bit(256)
  FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""
PLANT = """
INSERT INTO registry_work (id, title, medium, registered_by_id, registered_at, status,
                           iscc, iscc_type, iscc_bits)
VALUES (gen_random_uuid(), 'bench', 'text', gen_random_uuid(), now(), 'active', 'bench', '2.0.0',
        %s::bit varying)
"""
NUMBER = """
INSERT INTO registry_contentcode (work_id, type, bits, code)
SELECT id, 2 << 16, 256,
       int8send(substring(iscc_bits FROM 1 FOR 64)::bit(64)::bigint)
       || int8send(substring(iscc_bits FROM 65 FOR 64)::bit(64)::bigint)
       || int8send(substring(iscc_bits FROM 129 FOR 64)::bit(64)::bigint)
       || int8send(substring(iscc_bits FROM 193 FOR 64)::bit(64)::bigint)
  FROM registry_work AS work
 WHERE NOT EXISTS (SELECT FROM registry_contentcode WHERE work_id = work.id)
"""
SCAN = """
SELECT count(*) FROM registry_work
 WHERE iscc_type = '2.0.0' AND bit_count(iscc_bits # %(bits)s::bit varying) <= 0.30 * 256
"""


def main() -> None:
    """Fill, compare answers, measure each size, print, keep."""
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")
    django.setup()
    # Django's models can be imported only now.
    from tests.benchmarks import ledger_world

    with (
        ledger_world.scratch_database(DATABASE),
        psycopg.connect(superuser_url(DATABASE), autocommit=True) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        described = machine.describe(server)
        machine.show(described)
        ledger_world.migrate(DATABASE)
        server.execute("SET session_replication_role = replica")
        server.execute("SET max_parallel_workers_per_gather = 0")
        figures: dict[str, Any] = {"segments": _strangers_kept_by_segments()}
        _say(f"16 segments of 16 bits keep {figures['segments']:.0%} of all strangers\n")
        filled = 0
        for works in sorted(options.works):
            _fill(server, filled, works)
            filled = works
            figures[str(works)] = _measure(server, works, Path(folder) / str(works))
    path = machine.record("near_copies", figures, described)
    _say(f"\nWritten to {path.relative_to(PROJECT)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the search for near-copies.")
    sizes = [10_000, 100_000, 1_000_000]
    parser.add_argument("--works", type=int, nargs="+", default=sizes)
    return parser.parse_args()


def _fill(server: psycopg.Connection[Any], first: int, last: int) -> None:
    server.execute(FILL, {"first": first + 1, "last": last})
    if not first:
        original = server.execute(DRAWN, [1]).fetchone()
        assert original is not None, "the first size is at least one work"
        for changed in PLANTED:
            flipped = "".join(str(1 - int(bit)) for bit in original[0][:changed])
            server.execute(PLANT, [flipped + original[0][changed:]])
    server.execute(NUMBER)
    server.execute("VACUUM ANALYZE registry_work, registry_contentcode")


def _measure(server: psycopg.Connection[Any], works: int, folder: Path) -> dict[str, float | int]:
    from django.db import connection

    from registry import near_copies
    from registry.code_memory import CodeMemory
    from registry.near_copies import ContentCode

    figures: dict[str, float | int] = {}
    connection.ensure_connection()
    own = psutil.Process(connection.connection.info.backend_pid)
    memory = CodeMemory(folder)
    figures["first_question_s"] = _cpu(memory.groups, own)
    figures["from_file_s"] = _cpu(CodeMemory(folder).groups, own)
    codes = [ContentCode("2.0.0", row[0]) for row in server.execute(DRAWN, [BATCH])]
    _compare(server, codes[:20])
    figures["one_ms"] = 1e3 * median(
        _cpu(partial(near_copies.find, code), own) for code in codes[:99]
    )
    figures["overlay_ms"] = 1e3 * median(_cpu(memory.groups, own) for _ in range(99))
    batch = codes[: min(BATCH, max(50, 100_000_000 // works))]
    spent = median(_cpu(lambda: near_copies.find_many(batch), own) for _ in range(ROUNDS))
    figures["pair_ns"] = spent / len(batch) / works * 1e9
    backend = psutil.Process(server.info.backend_pid)
    figures["postgresql_ms"] = 1e3 * _cpu(partial(_scan, server, codes[:ROUNDS]), backend) / ROUNDS
    _say(
        f"{works:>10,} works: one {figures['one_ms']:.2f} ms (PostgreSQL {figures['postgresql_ms']:.0f} ms), "
        f"of it asking what is new {figures['overlay_ms']:.2f} ms; in batches {figures['pair_ns']:.1f} ns a "
        f"pair; first question {figures['first_question_s']:.2f} s, from the file "
        f"{figures['from_file_s'] * 1e3:.1f} ms"
    )
    return {name: round(figure, 3) for name, figure in figures.items()}


def _compare(server: psycopg.Connection[Any], codes: Sequence[Any]) -> None:
    """Find the same as PostgreSQL does by counting each pair's bits."""
    from registry import near_copies

    found = near_copies.find_many(codes)
    counts = [len(found[code]) for code in codes]
    expected = [server.execute(SCAN, {"bits": code.bits}).fetchone() for code in codes]
    assert counts == [row and row[0] for row in expected], "both ways find the same"
    within = sum(changed <= int(near_copies.FARTHEST * BITS) for changed in PLANTED)
    assert max(counts) >= within + 1, "the planted copies are found"


def _strangers_kept_by_segments() -> float:
    """Return the share of random pairs that multi-index hashing would still have to compare.

    A pair within 76 bits differs in at most 76 // 16 = 4 bits of one of 16 segments of 16.
    """
    chance = np.random.default_rng(SEED)
    pairs = chance.integers(0, 2**SEGMENT_BITS, (200_000, BITS // SEGMENT_BITS), dtype=np.uint16)
    kept = (np.bitwise_count(pairs) <= int(0.30 * BITS) // (BITS // SEGMENT_BITS)).any(axis=1)
    return float(kept.mean())


def _scan(server: psycopg.Connection[Any], codes: Sequence["ContentCode"]) -> None:
    for code in codes:
        server.execute(SCAN, {"bits": code.bits}).fetchall()


def _cpu(work: Callable[[], Any], backend: psutil.Process) -> float:
    """Return the processor seconds of this process and of a backend for one piece of work."""
    there, here = sum(backend.cpu_times()[:2]), time.process_time()
    work()
    return time.process_time() - here + sum(backend.cpu_times()[:2]) - there


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
