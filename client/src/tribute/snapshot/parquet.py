"""Filter Parquet files by a snapshot, a batch at a time, whatever their size.

Owns the reading and writing of files. The file that comes out says in its metadata which snapshot
decided, for which purposes and when, so that it can be shown later.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tribute.receipts import canonical_json
from tribute.snapshot.reading import Decisions, Snapshot
from tribute.snapshot.syncing import Report
from tribute.snapshot.tables import Numbers
from tribute.vocabulary import Purpose
from tribute.whole_files import require_replaceable

METADATA = b"tribute"
FLAG = "tribute_unknown"
ROWS_AT_ONCE = 1 << 17
BYTES_AT_ONCE = 1 << 28
_FEWEST_ROWS = 1 << 10
_SEEN_ROWS = 1 << 12


@dataclass(frozen=True, slots=True)
class Rules:
    """What to keep.

    purposes: all must be allowed. unknown: what becomes of rows about which nobody entitled has
    spoken: left out (``deny``, the default), kept, or kept and marked in the column FLAG.
    url, sha256: names of the columns by which rows are known; None: there is none.
    """

    purposes: tuple[Purpose, ...]
    unknown: Literal["deny", "keep", "flag"] = "deny"
    url: str | None = "url"
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there were, were kept, and were not allowed: forbidden, or unknown."""

    rows: int
    kept: int
    forbidden: int
    unknown: int


def filter_file(  # noqa: PLR0913 - what, where to, by what, and who watches
    source: Path,
    target: Path,
    snapshot: Snapshot,
    rules: Rules,
    *,
    at: datetime,
    report: Report = lambda _done, _wanted: None,
) -> Counts:
    """Copy the rows of ``source`` that may be used at ``at`` to ``target``, in order.

    report: called with the rows done and the rows there are, after each batch.
    ``target`` appears when it is complete. Raises ValueError for rules that the file does not
    fit, for one file in both places and for a target that is no file, StaleSnapshot, OSError, and
    pyarrow's ArrowInvalid for what is not Parquet.
    """
    _require_file_to_write(source, target)
    asked = [name for name in (rules.url, rules.sha256) if name is not None]
    part = target.with_name(f"{target.name}.part")
    counted = np.zeros(4, np.int64)
    with ExitStack() as opened:
        file = opened.enter_context(pq.ParquetFile(_named(source, "rb", opened)))
        plain = _without_views(file.schema_arrow)
        schema = _schema(plain, rules, asked, snapshot, at)
        try:
            batches = _batches(file, plain)
            first = list(itertools.islice(batches, 1))
            with ExitStack() as written:
                to = _named(part, "wb", written)
                codecs, repeating = _codecs(file.metadata), _repeating(first)
                writer = written.enter_context(
                    pq.ParquetWriter(to, schema, use_dictionary=repeating, compression=codecs)
                )
                gathered = _Gathered(writer, schema)
                for batch in itertools.chain(first, batches):
                    kept, decisions = _kept(batch, snapshot, rules, at)
                    gathered.add(_picked(batch, schema, kept, decisions, rules))
                    unknown = int(decisions.unknown.sum())
                    forbidden = len(batch) - unknown - int(decisions.allowed.sum())
                    counted += (len(batch), int(kept.sum()), forbidden, unknown)
                    report(int(counted[0]), file.metadata.num_rows)
                gathered.write()
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    return Counts(*counted.tolist())


def _batches(file: pq.ParquetFile, plain: pa.Schema) -> Iterator[pa.RecordBatch]:
    for read in file.iter_batches(_rows_at_once(file.metadata)):
        yield read if plain.equals(file.schema_arrow) else read.cast(plain)


def _require_file_to_write(source: Path, target: Path) -> None:
    """Raise ValueError for what a file put in its place would destroy."""
    require_replaceable(target)
    if target.exists() and source.samefile(target):
        raise ValueError(f"{target} would be filtered into itself; name another file")


def _named(path: Path, mode: Literal["rb", "wb"], opened: ExitStack) -> Path | IO[bytes]:
    """Return the path for pyarrow to open; a name that is no UTF-8 only Python can open."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return opened.enter_context(path.open(mode))
    return path


def _without_views(schema: pa.Schema) -> pa.Schema:
    """Return the schema with columns of views as plain ones, since only these can be picked from."""
    plain = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    fields = [field.with_type(plain.get(field.type, field.type)) for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


class _Gathered:
    """Rows on their way to a file: however few of a batch are kept, row groups become large."""

    def __init__(self, writer: pq.ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema
        self._batches: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows, and write when they make a group."""
        self._batches.append(batch)
        self._rows += len(batch)
        self._bytes += batch.nbytes
        if self._rows >= ROWS_AT_ONCE or self._bytes >= BYTES_AT_ONCE:
            self.write()

    def write(self) -> None:
        """Write what there is as one group."""
        table = pa.Table.from_batches(self._batches, self._schema)
        if self._rows:
            self._writer.write_table(table, row_group_size=self._rows)
        self._batches, self._rows, self._bytes = [], 0, 0


def _repeating(batches: Iterable[pa.RecordBatch]) -> list[str]:
    """Return the columns whose values repeat: a dictionary of others would only cost time and room."""
    seen = [batch.slice(0, _SEEN_ROWS) for batch in batches]
    return [name for batch in seen for name in batch.schema.names if _repeats(batch.column(name))]


def _repeats(column: pa.Array) -> bool:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_nested(kind):
        return False  # Parquet names what is inside of it, and takes no dictionary for the whole
    try:
        different = int(pc.count_distinct(column.cast(kind), "all").as_py())
    except pa.ArrowNotImplementedError:  # of a rare type
        return True
    return different <= len(column) // 2


def _codecs(metadata: pq.FileMetaData) -> dict[str, str]:
    """Return how each column is compressed, which is how it stays."""
    codecs = {FLAG: "SNAPPY"}
    if metadata.num_row_groups:
        group = metadata.row_group(0)
        for column in map(group.column, range(group.num_columns)):
            codec = column.compression
            codecs[column.path_in_schema] = "NONE" if codec == "UNCOMPRESSED" else codec
    return codecs


def _rows_at_once(metadata: pq.FileMetaData) -> int:
    """Return how many rows to read at once: fewer where they are long, as whole documents are."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    bytes_a_row = sum(group.total_byte_size for group in groups) // max(metadata.num_rows, 1) + 1
    return int(min(max(BYTES_AT_ONCE // bytes_a_row, _FEWEST_ROWS), ROWS_AT_ONCE))


def _schema(
    schema: pa.Schema, rules: Rules, asked: Sequence[str], snapshot: Snapshot, at: datetime
) -> pa.Schema:
    missing = [name for name in asked if name not in schema.names]
    if missing or not asked or not rules.purposes:
        raise ValueError(f"the file has the columns {', '.join(schema.names)}; asked: {missing}")
    if twice := [name for name in asked if schema.names.count(name) > 1]:
        raise ValueError(f"the file has two columns {twice[0]}")
    if rules.unknown == "flag":
        if FLAG in schema.names:
            raise ValueError(f"the file has a column {FLAG} already")
        schema = schema.append(pa.field(FLAG, pa.bool_()))
    decided = {
        "snapshot": snapshot.manifest.seq,
        "manifest_sha256": snapshot.manifest.sha256,
        "purposes": [purpose.value for purpose in rules.purposes],
        "unknown": rules.unknown,
        "at": at.astimezone(UTC).isoformat(),
    }
    return schema.with_metadata({**(schema.metadata or {}), METADATA: canonical_json(decided)})


def _kept(
    batch: pa.RecordBatch, snapshot: Snapshot, rules: Rules, at: datetime
) -> tuple[Numbers, Decisions]:
    decisions = snapshot.check(
        None if rules.url is None else batch.column(rules.url),
        rules.purposes,
        sha256=None if rules.sha256 is None else batch.column(rules.sha256),
        at=at,
    )
    kept = decisions.allowed
    return (kept if rules.unknown == "deny" else kept | decisions.unknown), decisions


def _picked(
    batch: pa.RecordBatch, schema: pa.Schema, kept: Numbers, decisions: Decisions, rules: Rules
) -> pa.RecordBatch:
    columns = batch.columns
    if rules.unknown == "flag":
        columns = [*columns, pa.array(decisions.unknown)]
    return pa.RecordBatch.from_arrays(columns, schema=schema).filter(pa.array(kept))
