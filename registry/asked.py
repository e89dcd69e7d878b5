"""What a check asks about, as columns, and how that reads in canonical JSON. Pure.

Ten thousand items are handled by the column, so that no row costs a Python object unless it needs one.
Texts are as they were sent; what they mean is found out elsewhere.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from registry.texts import Numbers, Part, joined, json_texts, text_bytes

FIELDS = ("id", "iscc", "sha256", "url")
"""The fields of an item, in the order of canonical JSON."""


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

    def take(self, rows: Numbers) -> "Asked":
        """Return some of the items, by their positions; which loses the names that those give."""
        chosen = pa.array(rows)
        return Asked(len(rows), {name: c.take(chosen) for name, c in self.columns.items()})

    @cached_property
    def public_ids(self) -> pa.Array:
        """Every item's name: its own, or its position in digits."""
        positions = _positions(self.rows)[0]
        own = self.columns.get("id")
        return positions if own is None else pc.coalesce(own, positions)

    @cached_property
    def printed_ids(self) -> pa.Array:
        """Every item's name as a JSON string."""
        return json_texts(self.public_ids) if "id" in self.columns else _positions(self.rows)[1]

    def digest(self) -> bytes:
        """Return the SHA-256 of the canonical JSON array of all items, as receipts state it."""
        data, limits = text_bytes(joined([*self.json_parts, ","]))
        hashed = hashlib.sha256(b"[")
        hashed.update(data[limits[0] : limits[self.rows] - 1])
        hashed.update(b"]")
        return hashed.digest()

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
    def json_parts(self) -> Sequence[Part]:
        """What makes up each item as it was sent, in canonical JSON (RFC 8785); parts for ``joined``."""
        if len(self.columns) == 1 and not any(c.null_count for c in self.columns.values()):
            ((name, column),) = self.columns.items()
            return [f'{{"{name}":', json_texts(column), "}"]
        pieces = [
            pc.coalesce(joined([f'"{name}":', json_texts(column), ","]), "")
            for name, column in sorted(self.columns.items())
        ]
        if not pieces:
            return [pa.array(["{}"] * self.rows, pa.string())]
        return ["{", pc.ascii_rtrim(joined(pieces), ","), "}"]


@lru_cache(maxsize=64)
def _positions(rows: int) -> tuple[pa.Array, pa.Array]:
    """Return the numbers below ``rows`` in digits, and those as JSON strings; most checks are full."""
    digits = pc.cast(pa.array(np.arange(rows)), pa.string())
    return digits, json_texts(digits)
