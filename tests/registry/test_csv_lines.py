"""No cell that we write is a formula to a spreadsheet, and none is written anywhere else."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.csv_lines import harmless, line

PROJECT = Path(__file__).resolve().parents[2]
SIGNS = "=+-@＝＋－＠"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\0", "\ufeff", "\u3000", "\xa0 "])
def test_what_a_spreadsheet_would_run_is_text(sign: str, before: str) -> None:
    assert harmless(f"{before}{sign}1+1") == f"'{before}{sign}1+1"


@pytest.mark.parametrize("text", ["\ttab", "\rreturn", "\nline", "\0nul"])
def test_a_cell_does_not_begin_with_what_a_spreadsheet_drops(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["", "Ada", "a=b", "7", "0", "艾达", "'quoted"])
def test_other_texts_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


@pytest.mark.parametrize("cell", ["-1+1", "-1.5", "--1", "+1", "-", "-1e5", "-٣"])
def test_a_text_that_looks_like_a_number_is_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


def test_numbers_and_nothing() -> None:
    cells = [1, None, -2, Decimal("-1.250000"), Decimal("0.000000"), Decimal("0.0000001"), "x,y"]
    assert line(cells) == '1,,-2,-1.250000,0.000000,0.0000001,"x,y"\r\n'


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), min_size=1))
def test_a_line_is_read_back_cell_by_cell(cells: list[str]) -> None:
    written = line(cells)
    (read,) = csv.reader(io.StringIO(written, newline=""))
    assert [cell.removeprefix("'") for cell in read] == [cell.removeprefix("'") for cell in cells]
    assert not [cell for cell in read if cell[:1] in (*SIGNS, "\t", "\r")]


def test_csv_is_written_nowhere_else() -> None:
    apps = [PROJECT / name for name in ("registry", "ledger", "attribution", "portal", "server")]
    writers = {
        str(path.relative_to(PROJECT))
        for app in apps
        for path in app.rglob("*.py")
        if re.search(r"\b(csv|comma_separated)\.(writer|DictWriter)\b", path.read_text())
    }
    assert writers == {"registry/csv_lines.py"}
