"""Texts by the column: put together by the row, chosen, and written as JSON strings. Pure.

With the compiled kernel where there is one and no row has a gap, else with pyarrow; both give the same.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from tribute import sealing
from tribute.snapshot.probing import KERNEL
from tribute.snapshot.telling import texts_of

Numbers = np.ndarray[Any, np.dtype[Any]]

_QUOTE, _BACKSLASH, _FIRST_PRINTABLE = 34, 92, 32


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of some texts without gaps, one for each row. which: (rows,) int32."""

    texts: pa.Array
    which: Numbers

    def as_array(self) -> pa.Array:
        """Return the texts of all rows."""
        return pc.take(self.texts, pa.array(self.which), boundscheck=False)


Part: TypeAlias = pa.Array | Chosen | str
"""What stands in one place of every row: a text of its own, a chosen one, or the same for all."""


def joined(parts: Sequence[Part]) -> pa.Array:
    """Return texts that are put together of columns and of what all rows share.

    A gap in one column makes a gap.
    """
    if KERNEL is None or _has_gaps(parts):
        arrays = [p.as_array() if isinstance(p, Chosen) else p for p in parts]
        return pc.binary_join_element_wise(*arrays, "")
    return texts_of(*KERNEL.join(_rows(parts), _parts(parts)))


def root_of_joined(salt: bytes, parts: Sequence[Part]) -> bytes:
    """Return the root over what ``joined`` returns, as receipts define it; there are no gaps."""
    if KERNEL is None:
        return sealing.salted_root(salt, *text_bytes(joined(parts)))
    return sealing.root_of_parts(salt, _rows(parts), _parts(parts))


def json_texts(column: pa.Array) -> pa.Array:
    """Return texts as JSON strings, gaps as gaps."""
    if KERNEL is None or column.null_count:
        return plain_json_texts(column)
    return texts_of(*KERNEL.quoted(*text_bytes(column)))


def plain_json_texts(column: pa.Array) -> pa.Array:
    """Do the same without the kernel."""
    special = _with_escapes(column)
    quoted = pc.binary_join_element_wise('"', column, '"', "")
    if not special.any():
        return quoted
    mask = pa.array(special)
    printed = [orjson.dumps(text).decode() for text in column.filter(mask).to_pylist()]
    return pc.replace_with_mask(quoted, mask, pa.array(printed, pa.string()))


def text_bytes(column: pa.Array) -> tuple[memoryview, memoryview]:
    """Return the bytes of all texts, one after another, and their int32 limits."""
    _, limits, data = column.buffers()
    first, last = column.offset, column.offset + len(column) + 1
    numbers: Any = np.frombuffer(limits, "<i4")[first:last] if limits else np.zeros(1, "<i4")
    return memoryview(data) if data is not None else memoryview(b""), memoryview(numbers)


def _has_gaps(parts: Sequence[Part]) -> bool:
    return any(isinstance(part, pa.Array) and part.null_count for part in parts)


def _rows(parts: Sequence[Part]) -> int:
    several = next(part for part in parts if not isinstance(part, str))
    return len(several.which if isinstance(several, Chosen) else several)


def _parts(parts: Sequence[Part]) -> tuple[Any, ...]:
    """Return parts as the kernel takes them, those that all rows share in one where they meet."""
    made: list[Any] = []
    for shared, group in itertools.groupby(parts, lambda part: isinstance(part, str)):
        several = list(group)
        made += ["".join(map(str, several)).encode()] if shared else map(_part, several)
    return tuple(made)


def _part(part: Part) -> Any:
    if isinstance(part, Chosen):
        return (*text_bytes(part.texts), np.ascontiguousarray(part.which, "<i4"))
    return (*text_bytes(part), None)


def _with_escapes(column: pa.Array) -> Numbers:
    """Tell which texts hold a quote, a backslash or a control character."""
    data, limits = text_bytes(column)
    used = np.frombuffer(data, "u1")[: limits[len(limits) - 1]]
    special = np.flatnonzero((used < _FIRST_PRINTABLE) | (used == _QUOTE) | (used == _BACKSLASH))
    marked = np.zeros(len(column), bool)
    marked[np.searchsorted(np.asarray(limits), special, side="right") - 1] = True
    return marked
