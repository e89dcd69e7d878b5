"""What a check asks about, as columns, and how that reads in canonical JSON. Pure.

Ten thousand items are handled by the column, so that no row costs a Python object unless it needs one.
Texts are as they were sent; what they mean is found out elsewhere.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

FIELDS = ("id", "iscc", "sha256", "url")
"""The fields of an item, in the order of canonical JSON."""

Numbers = np.ndarray[Any, np.dtype[Any]]

_QUOTE, _BACKSLASH, _FIRST_PRINTABLE = 34, 92, 32


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One thing somebody wants to use, by one to three identifiers.

    id: the asker's own name for it; None leaves it to its position.
    """

    id: str | None = None
    url: str | None = None
    sha256: str | None = None
    iscc: str | None = None

    def as_sent(self) -> dict[str, str]:
        """Return the item as it stood in the question."""
        fields = {"id": self.id, "url": self.url, "sha256": self.sha256, "iscc": self.iscc}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class Asked:
    """The items of one check.

    columns: by field, (rows,) texts with gaps where an item lacks the field; a field that no item
    has may be left out.
    """

    rows: int
    columns: Mapping[str, pa.Array]

    @classmethod
    def of(cls, items: Sequence[CheckItem]) -> Self:
        """Return items as columns."""
        return cls.of_values({f: [getattr(item, f) for item in items] for f in FIELDS}, len(items))

    @classmethod
    def of_values(cls, values: Mapping[str, Sequence[str | None]], rows: int) -> Self:
        """Return columns of lists; raises pyarrow's ArrowInvalid or TypeError for other than texts."""
        columns = {name: pa.array(column, pa.string()) for name, column in values.items()}
        return cls(rows, {n: c for n, c in columns.items() if c.null_count < rows or not rows})

    def texts(self, field: str) -> list[str | None]:
        """Return one field of every item."""
        column = self.columns.get(field)
        return [None] * self.rows if column is None else column.to_pylist()

    def item(self, row: int) -> CheckItem:
        """Return one item."""
        return CheckItem(**{name: column[row].as_py() for name, column in self.columns.items()})

    @cached_property
    def public_ids(self) -> pa.Array:
        """Every item's name: its own, or its position in digits."""
        positions = pc.cast(pa.array(np.arange(self.rows)), pa.string())
        own = self.columns.get("id")
        return positions if own is None else pc.coalesce(own, positions)

    def digest(self) -> bytes:
        """Return the SHA-256 of the canonical JSON array of all items, as receipts state it."""
        data, limits = text_bytes(joined([self.json, ","]))
        listed = data[limits[0] : limits[self.rows] - 1]
        return hashlib.sha256(b"[" + bytes(listed) + b"]").digest()

    def repeated(self) -> list[int]:
        """Return the rows whose name an earlier row has."""
        if "id" not in self.columns:
            return []
        names = self.public_ids.to_pylist()
        if len(set(names)) == len(names):
            return []
        seen: set[str] = set()
        again = []
        for row, name in enumerate(names):
            if name in seen:
                again.append(row)
            seen.add(name)
        return again

    @cached_property
    def json(self) -> pa.Array:
        """Each item as it was sent, in canonical JSON (RFC 8785)."""
        pieces = [
            pc.coalesce(joined([f'"{name}":', json_texts(column), ","]), "")
            for name, column in sorted(self.columns.items())
        ]
        if not pieces:
            return pa.array(["{}"] * self.rows, pa.string())
        return joined(["{", pc.ascii_rtrim(joined(pieces), ","), "}"])


def json_texts(column: pa.Array) -> pa.Array:
    """Return texts as JSON strings, gaps as gaps."""
    special = _with_escapes(column)
    quoted = pc.binary_join_element_wise('"', column, '"', "")
    if not special.any():
        return quoted
    mask = pa.array(special)
    printed = [orjson.dumps(text).decode() for text in column.filter(mask).to_pylist()]
    return pc.replace_with_mask(quoted, mask, pa.array(printed, pa.string()))


def joined(parts: Iterable[pa.Array | str]) -> pa.Array:
    """Return texts that are put together of columns without gaps and of what all rows share."""
    return pc.binary_join_element_wise(*parts, "")


def text_bytes(column: pa.Array) -> tuple[memoryview, memoryview]:
    """Return the bytes of all texts, one after another, and their int32 limits."""
    _, limits, data = column.buffers()
    first, last = column.offset, column.offset + len(column) + 1
    numbers: Any = np.frombuffer(limits, "<i4")[first:last]
    return memoryview(data) if data is not None else memoryview(b""), memoryview(numbers)


def _with_escapes(column: pa.Array) -> Numbers:
    """Tell which texts hold a quote, a backslash or a control character."""
    data, limits = text_bytes(column)
    used = np.frombuffer(data, "u1")[: limits[len(limits) - 1]]
    special = np.flatnonzero((used < _FIRST_PRINTABLE) | (used == _QUOTE) | (used == _BACKSLASH))
    marked = np.zeros(len(column), bool)
    marked[np.searchsorted(np.asarray(limits), special, side="right") - 1] = True
    return marked
