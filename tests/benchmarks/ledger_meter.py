"""Rounds of measured work: wall clock, processor time of both sides, bytes of write-ahead log.

Neighbours on a machine make rates swing two- or threefold within minutes, so contenders take turns
in short rounds and the medians are compared; processor time swings far less.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Protocol

import psutil
import psycopg


@dataclass(frozen=True, slots=True)
class Work:
    """What a contender did in a round. seconds: wall clock; client_seconds: processor."""

    queries: int
    seconds: float
    client_seconds: float


class Contender(Protocol):
    """Somebody who posts queries. ``backend`` is the process that serves it in PostgreSQL."""

    name: str
    backend: int

    def work(self, seconds: float) -> Work:
        """Post for so long; time spent on inventing the queries does not count."""


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one contender.

    rate: queries a second. cpu_us, wal_bytes: microseconds and bytes a query. stored: bytes by
    which the ledger's tables grew in the whole round.
    """

    queries: int
    stored: int
    rate: float
    cpu_us: float
    wal_bytes: float


def time_batches(batch: Callable[[], Callable[[], int]], seconds: float) -> Work:
    """Run batches until their time is used up; ``batch()`` prepares one, untimed."""
    queries, spent, processor = 0, 0.0, 0.0
    while spent < seconds:
        run = batch()
        clock, busy = time.perf_counter(), time.process_time()
        queries += run()
        spent += time.perf_counter() - clock
        processor += time.process_time() - busy
    return Work(queries, spent, processor)


def measure(
    contender: Contender,
    seconds: float,
    server: psycopg.Connection[Any],
    *,
    stored: Callable[[], int],
) -> Round:
    """Let a contender work alone for a round and see what it took, per query."""
    backend = psutil.Process(contender.backend)
    before = stored()
    log, busy = _log_position(server), _processor(backend)
    work = contender.work(seconds)
    cpu = _processor(backend) - busy + work.client_seconds
    log = _log_position(server) - log
    return Round(
        queries=work.queries,
        stored=stored() - before,
        rate=work.queries / work.seconds,
        cpu_us=1e6 * cpu / work.queries,
        wal_bytes=log / work.queries,
    )


def typical(rounds: Sequence[Round], figure: str) -> float:
    """The median over rounds of ``rate``, ``cpu_us`` or ``wal_bytes``."""
    return float(median(getattr(each, figure) for each in rounds))


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """How many times as fast we were: the median over rounds played one after the other."""
    return median(our.rate / their.rate for our, their in zip(ours, theirs, strict=True))


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _log_position(server: psycopg.Connection[Any]) -> int:
    row = server.execute("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    assert row is not None, "a function gives one row"
    return int(row[0])
