"""Lines of CSV for people: no cell of them is a formula to a spreadsheet. The one place that writes CSV.

A text that a spreadsheet would run is preceded by an apostrophe, which it takes for "this is text"
(OWASP, "CSV Injection"). A program that reads the file takes one apostrophe off such a cell.
"""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal

__all__ = ["Cell", "harmless", "line"]

Cell = str | int | Decimal | None

_SIGNS = "=+-@＝＋－＠"
"""What begins a formula; the full-width signs where the spreadsheet speaks Chinese or Japanese."""
_CONTROLS = "\t\r\n\v\f\0"
"""What a spreadsheet drops or takes for the end of a cell, so that what follows begins one."""
_BLANKS = f"{_CONTROLS} \xa0\u3000\u200b\u2060\ufeff"


def line(cells: Iterable[Cell], *, end: str = "\r\n") -> str:
    """One line (RFC 4180), harmless."""
    written = io.StringIO()
    csv.writer(written, lineterminator=end).writerow([harmless(cell) for cell in cells])
    return written.getvalue()


def harmless(cell: Cell) -> str:
    """The cell's text; with an apostrophe before it if a spreadsheet would take it for a formula.

    A number is none, below zero either; a text of digits after a minus is not taken for a number.
    """
    if isinstance(cell, int | Decimal):
        return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    text = cell or ""
    begins = text.lstrip(_BLANKS)[:1]
    runs = text[:1] in _CONTROLS if text else False
    return f"'{text}" if runs or (begins and begins in _SIGNS) else text
