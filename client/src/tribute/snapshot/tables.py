"""The tables of a snapshot: keys in order, what each leads to, and what those codes mean.

Owns their layout on disk and in transport, the digest that a manifest signs, and the merging of a
delta. Transport is one Arrow IPC file per shard. At rest each column is one plain little-endian
file, which every process on a machine maps and none copies; ``docs/snapshots.md`` has the layout.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from tribute.receipts import canonical_json
from tribute.snapshot.errors import Corrupt, SwappedShard
from tribute.snapshot.scores import PURPOSES
from tribute.vocabulary import IdentifierKind

KEY_TABLES = (
    IdentifierKind.DOMAIN,
    IdentifierKind.HOST,
    IdentifierKind.PATH,
    IdentifierKind.URL,
    IdentifierKind.SHA256,
    IdentifierKind.ISCC,
)
CODES = "codes"
TABLES = (*(kind.value for kind in KEY_TABLES), CODES)

# In the host table the upper bits of a code say what else is registered on that very host, so
# that readers need not ask: how deep the deepest path rule is, and whether there are URLs.
GATE_SHIFT = 27
GATE_URLS = 16
CODE_MASK = (1 << GATE_SHIFT) - 1

Numbers = np.ndarray[Any, np.dtype[Any]]
Columns = Mapping[str, Numbers]

_KEY_COLUMNS = {"high": "<u8", "low": "<u8", "code": "<u4"}
_CODE_COLUMNS = {"code": "<u4", "since": "<i8", **{p.value: "<u4" for p in PURPOSES}}
_ROWS_AT_ONCE = 1 << 18
_NIBBLES = 16
_KEY_BITS = 64


def columns_of(table: str) -> dict[str, str]:
    """Return a table's columns and their types as numpy writes them."""
    return _CODE_COLUMNS if table == CODES else _KEY_COLUMNS


def empty(table: str) -> Columns:
    """Return no rows of a table."""
    return {name: np.empty(0, kind) for name, kind in columns_of(table).items()}


def split_keys(digests: bytes | Numbers, count: int) -> tuple[Numbers, Numbers]:
    """Return the high and low halves of ``count`` published keys of 16 bytes, one after another."""
    halves = np.frombuffer(digests, ">u8").reshape(count, 2).T.astype("<u8", order="C")
    return halves[0], halves[1]


def find(table: Columns, high: Numbers, low: Numbers) -> Numbers:
    """Return the code of each key, 0 for those that are not in the table."""
    rows = rows_of(table, high, low)
    found, there = np.zeros(len(high), "<u4"), rows > 0
    found[there] = table["code"][rows[there] - 1]
    return found


def rows_of(table: Columns, high: Numbers, low: Numbers) -> Numbers:
    """Return the number of each key's row, the first is 1; 0 for keys that are not in the table."""
    at = np.searchsorted(table["high"], high)
    found = np.zeros(len(high), "<i8")
    waiting = np.arange(len(high))
    # Keys that share their first half are neighbours; there is hardly ever a second one.
    while len(waiting):
        place = at[waiting]
        inside = place < len(table["high"])
        waiting, place = waiting[inside], place[inside]
        same = table["high"][place] == high[waiting]
        waiting, place = waiting[same], place[same]
        hit = table["low"][place] == low[waiting]
        found[waiting[hit]] = place[hit] + 1
        waiting = waiting[~hit]
        at[waiting] += 1
    return found


@dataclass(frozen=True, slots=True)
class Summary:
    """How many rows a table has, and the SHA-256 of them, in hexadecimal."""

    rows: int
    sha256: str


def state_root(summaries: Mapping[str, Summary]) -> str:
    """Return the one hash of all tables: SHA-256 of the canonical JSON of their summaries."""
    stated = {name: {"rows": s.rows, "sha256": s.sha256} for name, s in summaries.items()}
    return hashlib.sha256(canonical_json(stated)).hexdigest()


class StateWriter:
    """Write all tables of one state into a folder, appending rows in order, hashing on the way."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._hashes = {table: hashlib.sha256() for table in TABLES}
        self._rows = dict.fromkeys(TABLES, 0)
        self._files = {
            (table, column): (folder / f"{table}.{column}").open("wb")
            for table in TABLES
            for column in columns_of(table)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with ExitStack() as closing:  # all of them, though the disk be too full for one
            for file in self._files.values():
                closing.callback(file.close)

    def append(self, table: str, columns: Columns) -> None:
        """Write rows that follow those written before."""
        for block in _blocks(columns):
            self._hashes[table].update(_records(table, block))
            self._rows[table] += len(block["code"])
            for name, kind in columns_of(table).items():
                self._files[table, name].write(np.ascontiguousarray(block[name], kind).data)

    def summaries(self) -> dict[str, Summary]:
        """Return what was written so far."""
        return {t: Summary(self._rows[t], self._hashes[t].hexdigest()) for t in TABLES}


def load(folder: Path) -> dict[str, Columns]:
    """Map a state's tables into memory. Raises Corrupt when columns are missing or differ in length."""
    return {table: _load(folder, table) for table in TABLES}


def summarise(state: Mapping[str, Columns]) -> dict[str, Summary]:
    """Hash all tables anew; about a second for ten million keys."""
    summaries = {}
    for table in TABLES:
        hashed = hashlib.sha256()
        for block in _blocks(state[table]):
            hashed.update(_records(table, block))
        summaries[table] = Summary(len(state[table]["code"]), hashed.hexdigest())
    return summaries


def merged(old: Columns, change: Columns) -> Iterator[Columns]:
    """Yield the rows of a key table after a change, in order and in bounded pieces.

    change: in order, each key once; the code 0 takes a key out.
    """
    pieces = max(1, (len(old["high"]) + len(change["high"])) // _ROWS_AT_ONCE)
    edges = [(i << _KEY_BITS) // pieces for i in range(1, pieces)]
    bounds = np.array(edges, "<u8")
    old_cuts = [0, *np.searchsorted(old["high"], bounds).tolist(), len(old["high"])]
    new_cuts = [0, *np.searchsorted(change["high"], bounds).tolist(), len(change["high"])]
    for piece in range(pieces):
        before = _sliced(old, old_cuts[piece], old_cuts[piece + 1])
        changed = _sliced(change, new_cuts[piece], new_cuts[piece + 1])
        yield _merged(before, changed) if len(changed["high"]) else before


def merged_in_turn(pieces: Iterable[Columns], change: Columns) -> Iterator[Columns]:
    """Yield the same of a table that comes in pieces, a piece at a time.

    pieces: in order; no two have keys with one first half, as shards never do.
    """
    done = 0
    for piece in pieces:
        if len(piece["high"]):
            stop = int(np.searchsorted(change["high"], piece["high"][-1], side="right"))
            yield from merged(piece, _sliced(change, done, stop))
            done = stop
    yield from merged(empty(KEY_TABLES[0]), _sliced(change, done, len(change["high"])))


def newest(changes: Iterable[Columns]) -> Columns:
    """Join the changes of a key table, the oldest first, into one; the last word on a key counts."""
    stacked = list(changes)[::-1]
    if not stacked:
        return empty(KEY_TABLES[0])
    joined = {name: np.concatenate([change[name] for change in stacked]) for name in _KEY_COLUMNS}
    return _first_of_each(joined)


def to_arrow(table: str, columns: Columns) -> bytes:
    """Return rows as an Arrow IPC file, the form in which they travel."""
    schema = pa.schema(
        [(n, pa.from_numpy_dtype(np.dtype(k))) for n, k in columns_of(table).items()]
    )
    batch = pa.record_batch([pa.array(columns[name]) for name in schema.names], schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def from_arrow(table: str, data: bytes, *, prefix: str) -> Columns:
    """Read a shard back. Raises Corrupt, and SwappedShard for keys outside of ``prefix``.

    prefix: the hexadecimal digits with which all its keys begin.
    """
    try:
        read = pa.ipc.open_file(data).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise Corrupt(f"a shard of {table} is not an Arrow file") from error
    if read.schema.names != list(columns_of(table)):
        raise Corrupt(f"a shard of {table} has the columns {read.schema.names}")
    if any(column.null_count for column in read.columns):
        raise Corrupt(f"a shard of {table} has gaps")
    columns = {
        name: read.column(name).to_numpy().astype(kind, casting="equiv")
        for name, kind in columns_of(table).items()
    }
    if table != CODES:
        _require_prefix(table, columns, prefix)
        _require_order(table, columns)
    return columns


def _require_prefix(table: str, columns: Columns, prefix: str) -> None:
    if not prefix or not len(columns["high"]):
        return
    shift = np.uint64(_KEY_BITS - 4 * len(prefix))
    if (columns["high"] >> shift != np.uint64(int(prefix, _NIBBLES))).any():
        raise SwappedShard(f"a shard of {table} holds keys outside of {prefix}")


def _require_order(table: str, columns: Columns) -> None:
    high, low = columns["high"], columns["low"]
    ascending = (high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
    if not ascending.all():
        raise Corrupt(f"a shard of {table} is not in order")


def _load(folder: Path, table: str) -> Columns:
    columns: dict[str, Numbers] = {}
    for name, kind in columns_of(table).items():
        path = folder / f"{table}.{name}"
        try:
            size = path.stat().st_size
            columns[name] = np.memmap(path, kind, "r") if size else np.empty(0, kind)
        except (OSError, ValueError) as error:
            raise Corrupt(f"the column {path.name} cannot be read") from error
    if len({len(column) for column in columns.values()}) > 1:
        raise Corrupt(f"the columns of {table} differ in length")
    return columns


def _blocks(columns: Columns) -> Iterator[Columns]:
    for start in range(0, len(columns["code"]), _ROWS_AT_ONCE):
        yield _sliced(columns, start, start + _ROWS_AT_ONCE)


def _records(table: str, columns: Columns) -> memoryview:
    """Return rows as they are hashed: each column's value in turn, most significant byte first."""
    kinds = [(name, kind.replace("<", ">")) for name, kind in columns_of(table).items()]
    records = np.empty(len(columns["code"]), kinds)
    for name in columns_of(table):
        records[name] = columns[name]
    return records.data.cast("B") if len(records) else memoryview(b"")


def _sliced(columns: Columns, start: int, stop: int) -> Columns:
    return {name: column[start:stop] for name, column in columns.items()}


def _merged(old: Columns, change: Columns) -> Columns:
    joined = {name: np.concatenate([change[name], old[name]]) for name in _KEY_COLUMNS}
    first = _first_of_each(joined)
    kept = first["code"] != 0
    return {name: column[kept] for name, column in first.items()}


def _first_of_each(rows: Columns) -> Columns:
    """Sort rows by key; of several rows of one key keep the one that stood first."""
    order = np.lexsort((rows["low"], rows["high"]))
    high, low = rows["high"][order], rows["low"][order]
    fresh = np.ones(len(order), bool)
    fresh[1:] = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    kept = order[fresh]
    return {name: column[kept] for name, column in rows.items()}
