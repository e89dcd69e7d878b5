"""A table of n-gram postings against sorted arrays mapped from files, by the number of texts.

    make bench NAME=ngram_index
    TEXTS="1000 10000 100000 1000000" make bench NAME=ngram_index

A text has 115 n-grams that no other has. An output asks for 55, of which 25 are in one text; outputs
are asked about a thousand at a time, as settlement does. Both answer the same question and are
compared. Processor time is the client's and its backend's together; the table's rows are copied in the
order of its key, which flatters it: texts that come one at a time write all over the index.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import psycopg
from numpy.typing import NDArray
from psycopg import sql

from attribution import ngrams
from attribution.ngrams import Segment
from server.postgres import superuser_url
from tests.benchmarks import machine

DATABASE = "bench_ngram_index"
SIZES = [int(size) for size in os.environ.get("TEXTS", "1000 10000 100000").split()]
LARGEST_TABLE = int(os.environ.get("LARGEST_TABLE", "1000000"))
NGRAMS, ASKED, HELD = 115, 55, 25
OUTPUTS = 1_000
SCANNED = 256
ADDED = 200
_COPIED_AT_ONCE = 1_000_000

FIND = """
SELECT wanted.hash, posting.text
  FROM unnest(%(hashes)b::bigint[]) AS wanted (hash)
 CROSS JOIN LATERAL (
       SELECT text FROM posting WHERE hash = wanted.hash ORDER BY text LIMIT %(most)s
       ) AS posting
"""

Hashes = NDArray[np.uint64]


class Asked(NamedTuple):
    """Texts that are there, texts that are added one at a time, and n-grams to look for."""

    old: Hashes
    new: Hashes
    wanted: Hashes


def main() -> None:
    """Measure both at every size, print, keep."""
    with psycopg.connect(superuser_url(), autocommit=True) as server:
        described = machine.describe(server)
        machine.show(described)
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE))
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        try:
            found = {size: dict(_measure(size)) for size in SIZES}
        finally:
            server.execute(drop)
    path = machine.record("ngram_index", {"by_texts": found}, described)
    print(path)  # noqa: T201 - a benchmark prints


def _measure(texts: int) -> Iterator[tuple[str, dict[str, float]]]:
    chance = np.random.default_rng(texts)
    hashes = chance.integers(0, 2**64, (texts + ADDED, NGRAMS), np.uint64)
    old, new = hashes[:texts], hashes[texts:]
    wanted = _wanted(old, chance)
    with tempfile.TemporaryDirectory() as folder:
        array = _Array(Path(folder))
        yield "array", _figures("array", array, Asked(old, new, wanted))
    if texts <= LARGEST_TABLE:
        with psycopg.connect(superuser_url(DATABASE), autocommit=True) as connection:
            table = _Table(connection)
            yield "table", _figures("table", table, Asked(old, new, wanted))
            assert table.answer == array.answer, "both find the same"


def _wanted(old: Hashes, chance: np.random.Generator) -> Hashes:
    quoted = old[chance.integers(0, len(old), OUTPUTS)]
    first = int(chance.integers(0, NGRAMS - HELD))
    others = chance.integers(0, 2**64, (OUTPUTS, ASKED - HELD), np.uint64)
    return np.unique(np.concatenate([quoted[:, first : first + HELD], others], axis=1))


def _figures(name: str, index: "_Array | _Table", asked: Asked) -> dict[str, float]:
    old, new, wanted = asked
    texts = len(old)
    build = index.seconds(lambda: index.build(old))
    index.find(wanted)
    find = min(index.seconds(lambda: index.find(wanted)) for _ in range(3))
    bytes_a_posting = index.size() / old.size
    add = index.seconds(lambda: [index.add(text, texts + n) for n, text in enumerate(new)])
    figures = {
        "build_s": round(build, 2),
        "bytes_a_posting": round(bytes_a_posting, 1),
        "find_us_an_output": round(find / OUTPUTS * 1e6, 1),
        "add_us_a_text": round(add / ADDED * 1e6, 1),
    }
    print(f"{texts:>9} {name:>6} {figures}", flush=True)  # noqa: T201 - a benchmark prints
    return figures


class _Array:
    """Segments as ``attribution.ngram_index`` keeps them, the large one mapped from a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments: list[Segment] = []
        self.answer: set[tuple[int, int]] = set()

    def seconds(self, work: Callable[[], object]) -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    def build(self, old: Hashes) -> None:
        texts = [text.astype(">u8").tobytes() for text in old]
        built = ngrams.build(texts, first=0)
        np.save(self._folder / "hashes.npy", built.hashes)
        np.save(self._folder / "texts.npy", built.texts)
        hashes, numbers = (
            np.load(self._folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)
            for name in ("hashes", "texts")
        )
        self._segments = [Segment(0, len(old), hashes, numbers)]

    def add(self, text: Hashes, number: int) -> None:
        segment = ngrams.build([text.astype(">u8").tobytes()], first=number)
        while len(self._segments) > 1 and self._segments[-1].count <= segment.count:
            segment = ngrams.merge([self._segments.pop(), segment])
        self._segments.append(segment)

    def find(self, wanted: Hashes) -> None:
        places, texts = ngrams.find(self._segments, wanted, most=SCANNED)
        self.answer = set(zip(wanted[places].tolist(), texts.tolist(), strict=True))

    def size(self) -> int:
        return sum(each.hashes.nbytes + each.texts.nbytes for each in self._segments)


class _Table:
    """A row for each n-gram and text, in the order of its key."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._backend = psutil.Process(connection.info.backend_pid)
        self.answer: set[tuple[int, int]] = set()
        connection.execute("DROP TABLE IF EXISTS posting")
        connection.execute("CREATE TABLE posting (hash bigint, text int, PRIMARY KEY (hash, text))")

    def seconds(self, work: Callable[[], object]) -> float:
        served = self._served()
        started = time.process_time()
        work()
        return time.process_time() - started + self._served() - served

    def _served(self) -> float:
        times = self._backend.cpu_times()
        return float(times.user + times.system)

    def build(self, old: Hashes) -> None:
        flat = old.ravel().view(np.int64)
        order = np.argsort(flat, kind="stable")
        numbers = (order // NGRAMS).astype(np.int32)
        row = np.dtype([("n", ">i2"), ("a", ">i4"), ("hash", ">i8"), ("b", ">i4"), ("text", ">i4")])
        copying = "COPY posting FROM STDIN (FORMAT binary)"
        with self._connection.cursor() as cursor, cursor.copy(copying) as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
            for at in range(0, len(flat), _COPIED_AT_ONCE):
                some = order[at : at + _COPIED_AT_ONCE]
                rows = np.zeros(len(some), row)
                rows["n"], rows["a"], rows["b"] = 2, 8, 4
                rows["hash"], rows["text"] = flat[some], numbers[at : at + _COPIED_AT_ONCE]
                copy.write(rows.tobytes())
            copy.write(b"\xff\xff")
        self._connection.execute("VACUUM ANALYZE posting")

    def add(self, text: Hashes, number: int) -> None:
        self._connection.execute(
            "INSERT INTO posting SELECT hash, %s FROM unnest(%b::bigint[]) AS ngram (hash)",
            [number, text.view(np.int64).tolist()],
        )

    def find(self, wanted: Hashes) -> None:
        asked = {"hashes": wanted.view(np.int64).tolist(), "most": SCANNED}
        rows = self._connection.execute(FIND, asked, binary=True).fetchall()
        self.answer = {(hash_ % 2**64, text) for hash_, text in rows}

    def size(self) -> int:
        row = self._connection.execute("SELECT pg_total_relation_size('posting')").fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    main()
