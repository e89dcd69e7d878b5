"""Entries in PostgreSQL's binary COPY format (pure).

Documented under "Binary Format" of COPY in PostgreSQL's manual; arrays are as ``array_send``
writes them. Rows of as many legs look alike, so that numpy lays a whole group of them out at
once: a fifth of the time that packing row by row takes, and posting is the busiest path of the
ledger.
"""

import struct
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from ledger import currencies
from ledger.drafts import Columns, Draft, Whole

COLUMNS = ("id", "key", "kind", "currency", "accounts", "amounts", "reverses", "effective_at")
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
ROWS_AT_ONCE = 500
"""PostgreSQL reads one piece while the next is packed; small pieces cost numpy's calls each."""

_INT4_OID, _INT8_OID = 23, 20
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Rows = np.ndarray[Any, np.dtype[np.void]]


def rows(columns: Columns, *, first_id: int) -> Iterator[bytes]:
    """Pack drafts as rows of ``ledger_entry`` with consecutive ids, some rows at a time.

    Within a piece rows of as many legs stand together; their ids tell their order.
    """
    starts = columns.counts.cumsum() - columns.counts
    for first in range(0, len(columns.drafts), ROWS_AT_ONCE):
        places = np.arange(first, min(first + ROWS_AT_ONCE, len(columns.drafts)))
        yield b"".join(
            _pack(columns, group, starts, first_id=first_id) for group in _alike(columns, places)
        )


def _alike(columns: Columns, places: Whole) -> Iterator[Whole]:
    """Split places into those whose rows have the same layout."""
    reversing = np.array([columns.drafts[place].reverses is not None for place in places.tolist()])
    layouts = 2 * columns.counts[places] + reversing
    for layout in np.unique(layouts):
        yield places[layouts == layout]


def _pack(columns: Columns, places: Whole, starts: Whole, *, first_id: int) -> bytes:
    """Pack the drafts at ``places``, all of one layout."""
    drafts = [columns.drafts[place] for place in places.tolist()]
    legs = int(columns.counts[places[0]])
    reverses = [draft.reverses for draft in drafts if draft.reverses is not None]
    packed = np.repeat(_template(legs, reversing=bool(reverses)), len(drafts))
    packed["id"] = first_id + places
    packed["key"] = np.frombuffer(b"".join([draft.key.bytes for draft in drafts]), dtype="V16")
    packed["kind"] = [draft.kind for draft in drafts]
    packed["currency"] = [currencies.find(draft.currency).numeric for draft in drafts]
    of_group = starts[places][:, np.newaxis] + np.arange(legs)
    packed["accounts"]["value"] = columns.accounts[of_group]
    packed["amounts"]["value"] = columns.amounts[of_group]
    if reverses:
        packed["reverses"] = reverses
    packed["effective_at"] = _microseconds(drafts)
    return packed.tobytes()


def _microseconds(drafts: Sequence[Draft]) -> list[int]:
    """When each happened, counted from PostgreSQL's epoch; most of a batch at the same instant."""
    counted: dict[datetime, int] = {}
    for draft in drafts:
        if draft.effective_at not in counted:
            counted[draft.effective_at] = (draft.effective_at - _POSTGRES_EPOCH) // _MICROSECOND
    return [counted[draft.effective_at] for draft in drafts]


@lru_cache(maxsize=1024)
def _template(legs: int, *, reversing: bool) -> Rows:
    """One row, (1,), whose widths and shapes are filled in.

    Each value follows its width in bytes; a null is a width of -1 alone. An array is its width,
    its dimensions, whether it has nulls, the type of its items, their number and lowest index.
    """
    names = ["columns", "w0", "id", "w1", "key", "w2", "kind", "w3", "currency"]
    formats: list[Any] = [">i2", ">i4", ">i8", ">i4", "V16", ">i4", ">i2", ">i4", ">i2"]
    names += ["accounts_shape", "accounts", "amounts_shape", "amounts", "w6"]
    formats += [(">i4", (6,)), ([("w", ">i4"), ("value", ">i4")], (legs,))]
    formats += [(">i4", (6,)), ([("w", ">i4"), ("value", ">i8")], (legs,)), ">i4"]
    if reversing:
        names, formats = [*names, "reverses"], [*formats, ">i8"]
    names, formats = [*names, "w7", "effective_at"], [*formats, ">i4", ">i8"]
    row = np.zeros(1, dtype=np.dtype({"names": names, "formats": formats}))
    row["columns"] = len(COLUMNS)
    row["w0"], row["w1"], row["w2"], row["w3"], row["w7"] = 8, 16, 2, 2, 8
    row["accounts_shape"] = 20 + 8 * legs, 1, 0, _INT4_OID, legs, 1
    row["amounts_shape"] = 20 + 12 * legs, 1, 0, _INT8_OID, legs, 1
    row["accounts"]["w"], row["amounts"]["w"] = 4, 8
    row["w6"] = 8 if reversing else -1
    return row
