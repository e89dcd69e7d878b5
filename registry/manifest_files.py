"""Read the rows of a manifest from JSON Lines or Parquet, one after the other.

Owns the form of a row. What it matches, and whether it was allowed, is for others.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, NamedTuple

import orjson
import pyarrow as pa
from pyarrow import parquet

from registry import records, uploads
from registry.errors import InvalidManifestRow, UnreadableFile
from registry.models import Manifest, Upload

IDENTIFIERS = ("url", "sha256", "iscc")
FIELDS = frozenset({*IDENTIFIERS, "ingested_at"})
LONGEST_LINE = 16_384
PARQUET_ROWS_AT_ONCE = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class ManifestItem(NamedTuple):
    """One thing ingested, by one or more identifiers, and when; ``ingested_at`` is aware."""

    ingested_at: datetime
    url: str | None = None
    sha256: str | None = None
    iscc: str | None = None


class Numbered(NamedTuple):
    """A row, its number from 1, and where reading goes on after it: a byte or a row."""

    number: int
    item: ManifestItem
    read_to: int


Source = Callable[[int, int], Iterator[Numbered]]
"""From where reading goes on and how many rows came before, to the rows that follow."""


def items(rows: Iterable[object]) -> Iterator[ManifestItem]:
    """Yield parsed JSON objects as rows. Raises InvalidManifestRow with the row's number."""
    for number, row in enumerate(rows, start=1):
        yield item(row, number)


def item(row: object, number: int) -> ManifestItem:
    """Return a parsed JSON object as a row. Raises InvalidManifestRow with its number."""
    if not isinstance(row, dict) or not FIELDS.issuperset(row):
        raise InvalidManifestRow(f"row {number}: an object of {sorted(FIELDS)}")
    given = (row.get("url"), row.get("sha256"), row.get("iscc"))
    texts = 0
    for value in given:
        if value is not None and type(value) is not str:
            raise InvalidManifestRow(f"row {number}: a url, a sha256 or an iscc, as texts")
        texts += value is not None
    if not texts:
        raise InvalidManifestRow(f"row {number}: a url, a sha256 or an iscc, as texts")
    return ManifestItem(_instant(row.get("ingested_at"), number), *given)


def json_lines(blocks: Iterable[bytes], *, start: int = 0, before: int = 0) -> Iterator[Numbered]:
    """Yield the rows of JSON Lines whose first byte is at ``start``, after ``before`` rows.

    Lines of spaces alone do not count. Raises InvalidManifestRow with the row's number.
    """
    number = before
    for line in records.lines(blocks, start=start, longest=LONGEST_LINE):
        if line.whole and not line.content.strip():
            continue
        number += 1
        if not line.whole:
            raise InvalidManifestRow(f"row {number}: longer than {LONGEST_LINE:,} bytes")
        try:
            row = orjson.loads(line.content)
        except orjson.JSONDecodeError as error:
            raise InvalidManifestRow(f"row {number}: not JSON") from error
        yield Numbered(number, item(row, number), line.end)


@contextlib.contextmanager
def source_of(manifest: Manifest) -> Iterator[Source]:
    """Open the uploaded file of a manifest. Raises UnreadableFile for what is not Parquet."""
    upload = manifest.upload
    assert upload is not None, "a manifest that is read later has an upload"
    if manifest.format == Manifest.Format.JSON_LINES:
        yield lambda start, before: json_lines(
            uploads.read(upload, start=start), start=start, before=before
        )
        return
    with _spooled(upload) as file:
        try:
            opened = parquet.ParquetFile(file, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFile(f"the file is not Parquet: {error}") from error
        _require_columns(opened.schema_arrow)
        yield lambda start, _before: _parquet_rows(opened, start)


@contextlib.contextmanager
def _spooled(upload: Upload) -> Iterator[IO[bytes]]:
    """Put an upload into a file on disk: Parquet is read from its end."""
    with tempfile.TemporaryFile() as file:
        for content in uploads.read(upload):
            file.write(content)
        file.seek(0)
        yield file


def _require_columns(schema: pa.Schema) -> None:
    names = set(schema.names)
    if len(names) != len(schema.names) or not names <= FIELDS or "ingested_at" not in names:
        raise UnreadableFile(f"the columns are some of {sorted(FIELDS)}, not {schema.names[:20]}")
    for name in names:
        kind = schema.field(name).type
        is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        is_instant = name == "ingested_at" and pa.types.is_timestamp(kind) and kind.tz
        if not (is_text or is_instant):
            raise UnreadableFile(f"column {name} is of texts (ingested_at: of instants with zone)")


def _parquet_rows(file: parquet.ParquetFile, start: int) -> Iterator[Numbered]:
    """Yield the rows after the first ``start``, leaving whole row groups out unread."""
    groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    passed = 0
    while groups and passed + groups[0] <= start:
        passed += groups.pop(0)
    wanted = range(file.metadata.num_row_groups - len(groups), file.metadata.num_row_groups)
    number = passed
    try:
        for batch in file.iter_batches(PARQUET_ROWS_AT_ONCE, list(wanted), use_threads=False):
            skipped = min(max(start - number, 0), batch.num_rows)
            number += skipped
            for row in _objects(batch.slice(skipped)):
                number += 1
                yield Numbered(number, item(row, number), number)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"the Parquet file breaks off after row {number}: {error}") from error


def _objects(batch: pa.RecordBatch) -> Iterator[dict[str, object]]:
    """Yield each row; instants by the microsecond, which costs a tenth of what Arrow's own take."""
    names, columns = batch.schema.names, []
    for column in batch.columns:
        if pa.types.is_timestamp(column.type):
            micros = column.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64())
            columns.append([None if n is None else _at(n) for n in micros.to_pylist()])
        else:
            columns.append(column.to_pylist())
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def _at(micros: int) -> datetime | None:
    """Return an instant; None before year 1 and after year 9999, as for one that is missing."""
    try:
        return EPOCH + micros * MICROSECOND
    except OverflowError:
        return None


def _instant(value: object, number: int) -> datetime:
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        if at.tzinfo is UTC:
            return at
        if at.utcoffset() is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass  # said below, as for an instant of nowhere
    raise InvalidManifestRow(f"row {number}: ingested_at is an instant with its offset from UTC")
