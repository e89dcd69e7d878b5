"""The report of an import as a file: CSV or JSON Lines, a row at a time."""

import csv
import io
from collections.abc import Iterator, Sequence

import orjson

from registry import imports
from registry.models import Import, ImportRow

COLUMNS = ("row", "outcome", "work", "field", "reason")
ROWS_A_BLOCK = 500
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(works_import: Import, *, only: Sequence[str] = ()) -> Iterator[bytes]:
    """Yield the report as CSV (RFC 4180); no cell of it is a formula to a spreadsheet."""
    yield ",".join(COLUMNS).encode() + b"\r\n"
    written = io.StringIO()
    writer = csv.writer(written)
    for count, row in enumerate(imports.report(works_import, only=only), start=1):
        writer.writerow([_harmless(cell) for cell in _cells(row)])
        if count % ROWS_A_BLOCK == 0:
            yield _taken(written)
    yield _taken(written)


def as_json_lines(works_import: Import, *, only: Sequence[str] = ()) -> Iterator[bytes]:
    """Yield the report as JSON Lines."""
    lines: list[bytes] = []
    for row in imports.report(works_import, only=only):
        lines.append(orjson.dumps(dict(zip(COLUMNS, _cells(row), strict=True))))
        if len(lines) == ROWS_A_BLOCK:
            yield b"\n".join(lines) + b"\n"
            lines.clear()
    if lines:
        yield b"\n".join(lines) + b"\n"


def _cells(row: ImportRow) -> tuple[int | str | None, ...]:
    return row.row_number, row.outcome, row.work_id, row.field, row.reason


def _harmless(cell: int | str | None) -> str:
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _taken(written: io.StringIO) -> bytes:
    block = written.getvalue().encode()
    written.seek(0)
    written.truncate()
    return block
