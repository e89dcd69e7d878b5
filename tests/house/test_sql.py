"""The import order holds in SQL too: a file names only tables of its own app or a lower one."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ORDER = ["registry", "ledger", "attribution"]
TABLE = re.compile(
    r"\b(?:from|join|into|update|on|table)\s+(?:only\s+)?\"?(registry|ledger|attribution)_\w+",
    re.IGNORECASE,
)


def test_sql_files_name_only_tables_of_their_own_or_a_lower_app() -> None:
    upward = []
    files = [path for app in ORDER for path in PROJECT.glob(f"{app}/**/*.sql")]
    for path in files:
        rank = ORDER.index(path.relative_to(PROJECT).parts[0])
        text = re.sub(r"--[^\n]*", "", path.read_text())
        upward += [
            f"{path.relative_to(PROJECT)}: {match.group(0)}"
            for match in TABLE.finditer(text)
            if ORDER.index(match.group(1).lower()) > rank
        ]
    assert files
    assert upward == []


def test_query_files_say_what_they_take_and_give() -> None:
    silent = [
        str(path.relative_to(PROJECT))
        for app in ORDER
        for path in PROJECT.glob(f"{app}/sql/*.sql")
        if not path.read_text().startswith(f"-- {path.stem}:")
    ]
    assert silent == []
