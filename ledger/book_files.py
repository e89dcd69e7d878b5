"""The books as Parquet files, and their proof from the files alone.

Pure: no database and no Django, so that whoever was handed the files needs only this module and
pyarrow: ``python -m ledger.book_files DIR``. The bytes that are hashed are PostgreSQL's own binary
forms (``int8send``, ``array_send``, ``numeric_send``), as `ledger_entry_digest` and the like in
``migrations/0001_initial.sql`` concatenate them.
"""

import hashlib
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

_TIME = pa.timestamp("us", tz="UTC")
_HASH = pa.binary(32)
SCHEMAS = {
    "accounts": pa.schema(
        [
            ("id", pa.int32()),
            ("kind", pa.int16()),
            ("currency", pa.int16()),
            ("operator_id", pa.binary(16)),
            ("creator_id", pa.binary(16)),
            ("min_balance_micros", pa.int64()),
            ("max_balance_micros", pa.int64()),
            ("opened_at", _TIME),
            ("balance_micros", pa.int64()),
        ]
    ),
    "batches": pa.schema(
        [
            ("seq", pa.int64()),
            ("batch_id", pa.int64()),
            ("entries_count", pa.int32()),
            ("legs_count", pa.int32()),
            ("volume_micros", pa.decimal128(38, 0)),
            ("content_hash", _HASH),
            ("accounts_hash", _HASH),
            ("previous_hash", _HASH),
            ("hash", _HASH),
            ("posted_at", _TIME),
        ]
    ),
    "entries": pa.schema(
        [
            ("id", pa.int64()),
            ("key", pa.binary(16)),
            ("kind", pa.int16()),
            ("currency", pa.int16()),
            ("accounts", pa.list_(pa.int32())),
            ("amounts", pa.list_(pa.int64())),
            ("reverses", pa.int64()),
            ("effective_at", _TIME),
        ]
    ),
}
"""One file a name. Currencies are ISO 4217 numbers; accounts carry their balance."""

GENESIS = hashlib.sha256(b"tribute ledger, before the first batch").digest()
POSITION_BITS = 20

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INT4_OID, _INT8_OID = 23, 20
_ROWS = 10_000

Row = dict[str, Any]


@dataclass
class _Content:
    """What the entries of one batch add up to."""

    digest: Any = field(default_factory=hashlib.sha256)
    entries: int = 0
    legs: int = 0
    volume: int = 0


def path(folder: Path, name: str) -> Path:
    """Where a file lies: ``entries.parquet``."""
    return folder / f"{name}.parquet"


def verify(folder: Path) -> list[str]:
    """Everything that is wrong with exported books; empty when they are sound.

    Proves hashes, chain, counts, that entries balance, and that balances are the sums of their
    legs. Raises OSError for a missing file, and pyarrow's errors for a broken one.
    """
    batches = {row["batch_id"]: row for row in _rows(folder, "batches")}
    contents, balances, first_used = dict[int, _Content](), Counter[int](), dict[int, int]()
    wrong: list[str] = []
    for entry in _rows(folder, "entries"):
        batch_id = entry["id"] >> POSITION_BITS
        if sum(entry["amounts"]) or 0 in entry["amounts"]:
            wrong.append(f"entry {entry['id']} adds up to {sum(entry['amounts'])}")
        if batch_id not in batches:
            wrong.append(f"entry {entry['id']} lies in no batch")
            continue
        _add(contents.setdefault(batch_id, _Content()), entry)
        seq = batches[batch_id]["seq"]
        for account, amount in zip(entry["accounts"], entry["amounts"], strict=True):
            balances[account] += amount
            first_used[account] = min(seq, first_used.get(account, seq))
    accounts = {row["id"]: row for row in _rows(folder, "accounts")}
    wrong += [f"account {number} is missing" for number in sorted(first_used.keys() - accounts)]
    wrong += [
        f"account {number} holds {row['balance_micros']} micros, its legs are {balances[number]}"
        for number, row in accounts.items()
        if row["balance_micros"] != balances[number]
    ]
    opened: dict[int, list[int]] = {}
    for account, seq in sorted(first_used.items()):
        opened.setdefault(seq, []).append(account)
    return [*wrong, *_chain(batches, contents, opened, accounts)]


def _chain(
    batches: dict[int, Row],
    contents: dict[int, _Content],
    opened: dict[int, list[int]],
    accounts: dict[int, Row],
) -> Iterator[str]:
    previous = GENESIS
    for place, batch in enumerate(sorted(batches.values(), key=lambda row: row["seq"]), 1):
        content = contents.get(batch["batch_id"], _Content())
        first = [accounts[number] for number in opened.get(place, []) if number in accounts]
        new = hashlib.sha256(b"".join(map(_account_bytes, first))).digest()
        said = (batch["entries_count"], batch["legs_count"], int(batch["volume_micros"]))
        if batch["seq"] != place:
            yield f"batch {batch['seq']} stands in place {place}"
        if batch["content_hash"] != content.digest.digest():
            yield f"batch {batch['seq']}: its entries are not those sealed"
        if said != (content.entries, content.legs, content.volume):
            yield f"batch {batch['seq']}: its figures are not those of its entries"
        if batch["accounts_hash"] != new:
            yield f"batch {batch['seq']}: the accounts first used in it are not those sealed"
        if batch["previous_hash"] != previous or batch["hash"] != _batch_hash(batch):
            yield f"batch {batch['seq']}: the chain is broken"
        previous = batch["hash"]


def _rows(folder: Path, name: str) -> Iterator[Row]:
    with parquet.ParquetFile(path(folder, name)) as file:
        for portion in file.iter_batches(_ROWS):
            yield from portion.to_pylist()


def _add(content: _Content, entry: Row) -> None:
    content.digest.update(_entry_bytes(entry))
    content.entries += 1
    content.legs += len(entry["amounts"])
    content.volume += sum(amount for amount in entry["amounts"] if amount > 0)


def _entry_bytes(entry: Row) -> bytes:
    n = len(entry["accounts"])
    accounts = b"".join(struct.pack(">ii", 4, number) for number in entry["accounts"])
    amounts = b"".join(struct.pack(">iq", 8, amount) for amount in entry["amounts"])
    return b"".join(
        (
            struct.pack(">q16shh", entry["id"], entry["key"], entry["kind"], entry["currency"]),
            struct.pack(">iiiii", 1, 0, _INT4_OID, n, 1) + accounts,
            struct.pack(">iiiii", 1, 0, _INT8_OID, n, 1) + amounts,
            _optional(entry["reverses"]),
            _time(entry["effective_at"]),
        )
    )


def _account_bytes(account: Row) -> bytes:
    return b"".join(
        (
            struct.pack(">ihh", account["id"], account["kind"], account["currency"]),
            *(
                b"\0" if account[name] is None else b"\1" + account[name]
                for name in ("operator_id", "creator_id")
            ),
            _optional(account["min_balance_micros"]),
            _optional(account["max_balance_micros"]),
            _time(account["opened_at"]),
        )
    )


def _batch_hash(batch: Row) -> bytes:
    return hashlib.sha256(
        batch["previous_hash"]
        + batch["content_hash"]
        + batch["accounts_hash"]
        + struct.pack(">qqii", *(batch[name] for name in list(batch)[:4]))
        + _time(batch["posted_at"])
        + _numeric(int(batch["volume_micros"]))
    ).digest()


def _optional(number: int | None) -> bytes:
    return b"\0" if number is None else b"\1" + struct.pack(">q", number)


def _time(at: datetime) -> bytes:
    return struct.pack(">q", (at - _EPOCH) // _MICROSECOND)


def _numeric(number: int) -> bytes:
    """``numeric_send`` of a whole number >= 0: digits to the base 10,000, no zeros at the end."""
    digits: list[int] = []
    while number:
        number, digit = divmod(number, 10_000)
        digits.insert(0, digit)
    weight = max(len(digits) - 1, 0)
    while digits and not digits[-1]:
        digits.pop()
    return struct.pack(f">hhhh{len(digits)}h", len(digits), weight, 0, 0, *digits)


if __name__ == "__main__":
    found = verify(Path(sys.argv[1]))
    sys.stdout.write("".join(f"{finding}\n" for finding in found) or "sound\n")
    sys.exit(bool(found))
