"""Exported books prove themselves: sound as written, and every change is found."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pyarrow import parquet

from ledger import book_files, exports
from ledger.accounts import AccountKind
from ledger.models import Entry
from ledger.posting import Draft, EntryKind, key_for, mirror, post
from registry.models import Creator
from tests.factories import NOON
from tests.ledger.cast import account


@pytest.fixture
def folder(world: None, ada: Creator, tmp_path: Path) -> Path:
    pool, pending = account(AccountKind.POOL), account(AccountKind.CREATOR_PENDING, ada)
    clearing = account(AccountKind.PROVIDER_CLEARING)
    legs = ((clearing, -(10**14)), (pool, 10**14 - 10**9), (pending, 10**9))
    wrong = Draft(key_for("wrong"), EntryKind.ADJUSTMENT, "EUR", legs, NOON)
    entry = post([wrong], at=NOON).entry_ids[wrong.key]
    post([Draft(key_for("undo"), EntryKind.REVERSAL, "EUR", mirror(legs), NOON, entry)], at=NOON)
    written = exports.write(tmp_path / "books")
    assert written["entries"] == Entry.objects.count()
    return tmp_path / "books"


def change(folder: Path, name: str, deed: Callable[[list[dict[str, Any]]], object]) -> None:
    file = book_files.path(folder, name)
    rows = parquet.read_table(file).to_pylist()
    deed(rows)
    parquet.write_table(pa.Table.from_pylist(rows, schema=book_files.SCHEMAS[name]), file)


def test_the_books_are_sound_as_written(folder: Path) -> None:
    assert book_files.verify(folder) == []
    command = [sys.executable, "-m", "ledger.book_files", str(folder)]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PYTHONPATH": "."}
    )
    assert told.stdout == "sound\n"


@pytest.mark.parametrize(
    ("name", "column", "value", "expected"),
    [
        ("entries", "kind", 11, "entries are not those sealed"),
        ("entries", "amounts", [-7, 7], "its legs are"),
        ("entries", "amounts", [-7, 8], "adds up to 1"),
        ("entries", "id", 99 << 20, "lies in no batch"),
        ("accounts", "balance_micros", 5, "holds 5 micros"),
        ("accounts", "creator_id", b"m" * 16, "accounts first used"),
        ("batches", "entries_count", 7, "figures are not those"),
        ("batches", "posted_at", NOON, "chain is broken"),
        ("batches", "previous_hash", b"m" * 32, "chain is broken"),
        ("batches", "seq", 99, "stands in place"),
    ],
)
def test_every_change_is_found(
    folder: Path, name: str, column: str, value: object, expected: str
) -> None:
    change(folder, name, lambda rows: rows[0].update({column: value}))
    found = book_files.verify(folder)
    assert any(expected in finding for finding in found), found


def test_a_missing_entry_and_a_missing_account_are_found(folder: Path) -> None:
    change(folder, "entries", lambda rows: rows.pop())
    assert any("not those sealed" in finding for finding in book_files.verify(folder))
    change(folder, "accounts", lambda rows: rows.pop(0))
    assert any("is missing" in finding for finding in book_files.verify(folder))


def test_the_command_writes_once(folder: Path, tmp_path: Path) -> None:
    call_command("export_books", str(tmp_path / "again"), verbosity=0)
    assert book_files.verify(tmp_path / "again") == []
    with pytest.raises(CommandError):
        call_command("export_books", str(folder))
