"""Write the sealed books as Parquet, from one snapshot. `ledger.book_files` verifies them."""

from pathlib import Path

import pyarrow as pa
from django.db import connection, transaction
from pyarrow import parquet

from ledger.book_files import SCHEMAS, path
from ledger.sql import statement

__all__ = ["write"]

_ROWS = 10_000


def write(folder: Path) -> dict[str, int]:
    """Write accounts, batches and entries into a folder; returns how many rows each file has.

    The folder is made when missing. Raises FileExistsError rather than write over an export.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if taken := [path(folder, name) for name in SCHEMAS if path(folder, name).exists()]:
        raise FileExistsError(f"{taken[0]} is there already")
    begun = connection.in_atomic_block
    with transaction.atomic():
        if not begun:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return {name: _write(folder, name, schema) for name, schema in SCHEMAS.items()}


def _write(folder: Path, name: str, schema: pa.Schema) -> int:
    count = 0
    with (
        parquet.ParquetWriter(path(folder, name), schema, compression="zstd") as writer,
        connection.chunked_cursor() as cursor,
    ):
        cursor.execute(statement(f"export_{name}"))
        while rows := cursor.fetchmany(_ROWS):
            columns = zip(*rows, strict=True)
            arrays = [
                pa.array(column, type=field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            count += len(rows)
    return count
