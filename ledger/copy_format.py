"""Entries in PostgreSQL's binary COPY format (pure).

Documented under "Binary Format" of COPY in PostgreSQL's manual; arrays are as ``array_send``
writes them. Packing rows ourselves costs a third of what the driver's adapters do, and posting
is the busiest path of the ledger.
"""

import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

COLUMNS = ("id", "key", "kind", "currency", "accounts", "amounts", "reverses", "effective_at")
HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)

_INT4_OID, _INT8_OID = 23, 20
_POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def row(  # noqa: PLR0913 - one argument a column
    *,
    entry_id: int,
    key: UUID,
    kind: int,
    currency: int,
    accounts: Sequence[int],
    amounts: Sequence[int],
    reverses: int | None,
    effective_at: datetime,
) -> bytes:
    """One row of ``ledger_entry``. ``currency`` is numeric, ``effective_at`` aware."""
    microseconds = (effective_at - _POSTGRES_EPOCH) // _MICROSECOND
    n = len(accounts)
    sized_accounts, sized_amounts = [4] * (2 * n), [8] * (2 * n)
    sized_accounts[1::2], sized_amounts[1::2] = accounts, amounts
    reversal = (-1,) if reverses is None else (8, reverses)
    return _layout(n, len(reversal)).pack(
        *(len(COLUMNS), 8, entry_id, 16, key.bytes, 2, kind, 2, currency),
        *(20 + n * 8, 1, 0, _INT4_OID, n, 1, *sized_accounts),
        *(20 + n * 12, 1, 0, _INT8_OID, n, 1, *sized_amounts),
        *(*reversal, 8, microseconds),
    )


@lru_cache(maxsize=256)
def _layout(legs: int, reversal: int) -> struct.Struct:
    """A whole row; each value after its width, each array after its shape.

    An array is its length in bytes, its dimensions, whether it has nulls, the type of its items,
    their number and the lowest index. A null is a width of -1 alone: ``reversal`` is 1 or 2.
    """
    arrays = f"6i {'ii' * legs} 6i {'iq' * legs}"
    return struct.Struct(f">h iq i16s ih ih {arrays} {'iq'[:reversal]} iq")
