"""img2dataset: filter its list before it downloads, and what it downloaded afterwards.

Before, a picture is known by its address; afterwards by its bytes too: img2dataset writes a
column ``sha256`` of them unless told otherwise, which finds a denied picture wherever it was
copied to. Only files are read and written, so that img2dataset need not be installed here.
Tested with img2dataset 1.47, formats ``files``, ``webdataset`` and ``parquet``.
"""

import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from tribute.adapters.gate import Gate
from tribute.whole_files import require_replaceable

_SEPARATORS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True, slots=True)
class Passed:
    """How many rows there were, and how many passed."""

    rows: int
    kept: int


def filter_list(source: Path, target: Path, gate: Gate) -> Passed:
    """Copy the rows of a list of addresses that may be downloaded.

    source: ``.txt`` (an address a line), ``.csv``, ``.tsv`` or ``.parquet``, as img2dataset takes
    them; target: of the same kind, complete when it appears. Raises ValueError for another kind,
    KeyError for a missing column, and pyarrow's errors for what is not what its name says.
    """
    kind = source.suffix.lower()
    if kind != target.suffix.lower():
        raise ValueError(f"{source.name} and {target.name} are of two kinds")
    require_replaceable(target)
    part = target.with_name(f"{target.name}.part")
    try:
        if kind == ".txt":
            passed = _filter_lines(source, part, gate)
        elif kind in _SEPARATORS:
            passed = _filter_table(source, part, gate, _SEPARATORS[kind])
        elif kind == ".parquet":
            passed = _filter_parquet(source, part, gate)
        else:
            raise ValueError(f"{source.name}: .txt, .csv, .tsv or .parquet is expected")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return passed


def filter_output(folder: Path, gate: Gate) -> Passed:
    """Remove from what img2dataset wrote the pictures that may not be used.

    folder: its output folder, all shards complete. gate: usually with ``sha256="sha256"``. Each
    shard's pictures go first and its table of rows last, so that a run that was interrupted can be
    repeated. Raises ValueError when a shard has no table, or pictures in a format that is not known
    here, before anything is removed; and see `filter_list`.
    """
    tables = sorted(folder.glob("*.parquet"))
    if not tables:
        raise ValueError(f"{folder} holds no shard's table (NNNNN.parquet)")
    _require_known_formats(folder, {path.stem for path in tables})
    rows = kept = 0
    for path in tables:
        table = pq.read_table(path)
        mask = gate.mask(table)
        rows, kept = rows + len(table), kept + int(mask.sum())
        if mask.all():
            continue
        removed = set(table.column("key").filter(pa.array(~mask)).to_pylist())
        _remove(folder, path.stem, removed)
        _replace_table(path, table.filter(pa.array(mask)))
    return Passed(rows, kept)


def _require_known_formats(folder: Path, shards: set[str]) -> None:
    """Raise for what may hold pictures that would stay: a shard in TFRecord, or without its table."""
    for path in folder.iterdir():
        shard, _, ending = path.name.partition(".")
        holds_pictures = shard.isdigit() and ending in {"", "tar", "tfrecord"}
        if holds_pictures and (shard not in shards or ending == "tfrecord"):
            raise ValueError(f"{path} cannot be filtered: it has no table, or is of another format")


def _filter_lines(source: Path, target: Path, gate: Gate) -> Passed:
    rows = kept = 0
    with source.open(encoding="utf-8") as lines, target.open("w", encoding="utf-8") as out:
        for some in _in_batches(lines):
            mask = gate.mask(pa.table({gate.columns[0]: [line.strip() for line in some]}))
            out.writelines(line for line, passes in zip(some, mask, strict=True) if passes)
            rows, kept = rows + len(some), kept + int(mask.sum())
    return Passed(rows, kept)


def _in_batches(lines: Iterator[str], size: int = 1 << 16) -> Iterator[list[str]]:
    some: list[str] = []
    for line in lines:
        some.append(line)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


def _filter_table(source: Path, target: Path, gate: Gate, separator: str) -> Passed:
    """Every column stays the text it is: nothing here may turn 007 into 7."""
    parsing = pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    with pyarrow.csv.open_csv(source, parse_options=parsing) as reader:
        names = reader.schema.names
    converting = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    rows = kept = 0
    with pyarrow.csv.open_csv(source, parse_options=parsing, convert_options=converting) as reader:
        writing = pyarrow.csv.WriteOptions(delimiter=separator)
        with pyarrow.csv.CSVWriter(target, reader.schema, write_options=writing) as writer:
            for batch in reader:
                passed = gate(batch)
                writer.write_batch(passed)
                rows, kept = rows + len(batch), kept + len(passed)
    return Passed(rows, kept)


def _filter_parquet(source: Path, target: Path, gate: Gate) -> Passed:
    rows = kept = 0
    with pq.ParquetFile(source) as file, pq.ParquetWriter(target, file.schema_arrow) as writer:
        for batch in file.iter_batches():
            passed = gate(batch)
            writer.write_batch(passed)
            rows, kept = rows + len(batch), kept + len(passed)
    return Passed(rows, kept)


def _remove(folder: Path, shard: str, keys: set[str]) -> None:
    """Take pictures out of a shard, in whichever format it was written."""
    archive, files = folder / f"{shard}.tar", folder / shard
    if archive.exists():
        _rewrite_archive(archive, keys)
    elif files.is_dir():
        for path in files.iterdir():
            if path.name.partition(".")[0] in keys:
                path.unlink()


def _rewrite_archive(archive: Path, keys: set[str]) -> None:
    """Copy a tar without the members of some samples; a member is named ``<key>.<what>``."""
    part = archive.with_name(f"{archive.name}.part")
    try:
        with tarfile.open(archive) as old, tarfile.open(part, "w") as new:
            for member in old:
                if Path(member.name).name.partition(".")[0] not in keys:
                    new.addfile(member, old.extractfile(member))
        shutil.copymode(archive, part)
        part.replace(archive)
    finally:
        part.unlink(missing_ok=True)


def _replace_table(path: Path, table: pa.Table) -> None:
    part = path.with_name(f"{path.name}.part")
    try:
        pq.write_table(table, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
