"""The report of an import as a file: CSV or JSON Lines, a row at a time."""

from collections.abc import Iterator, Sequence

import orjson

from registry import csv_lines, imports
from registry.models import Import, ImportRow

COLUMNS = ("row", "outcome", "work", "field", "reason")
ROWS_A_BLOCK = 500


def as_csv(works_import: Import, *, only: Sequence[str] = ()) -> Iterator[bytes]:
    """Yield the report as CSV (RFC 4180); no cell of it is a formula to a spreadsheet."""
    yield ",".join(COLUMNS).encode() + b"\r\n"
    written: list[str] = []
    for row in imports.report(works_import, only=only):
        written.append(csv_lines.line(_cells(row)))
        if len(written) == ROWS_A_BLOCK:
            yield "".join(written).encode()
            written.clear()
    yield "".join(written).encode()


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
