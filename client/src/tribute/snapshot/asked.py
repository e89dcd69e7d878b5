"""The columns that a batch is asked by, of whichever Arrow type a dataset has them in.

Texts of every kind, bytes, dictionaries of them, and columns of gaps. Bytes that are no UTF-8 stay as they
are, so that their rows are not understood and the other rows are answered. Numbers, lists and records
are refused: nobody meant them.
"""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import pyarrow as pa

from tribute.identifiers import Key
from tribute.snapshot.probing import keys_of
from tribute.vocabulary import IdentifierKind

MOST_ROWS_AT_ONCE = 1 << 20
_SHA256_BYTES = 32

Column: TypeAlias = pa.Array | pa.ChunkedArray | Sequence[str | None] | Sequence[bytes | None]


def texts(column: Column) -> Iterator[pa.Array]:
    """Yield a column as texts, a piece at a time, with its gaps; raises ValueError for other types."""
    for piece in _pieces(column):
        yield _as_bytes(piece).view(pa.string())


def keys(kind: IdentifierKind, column: Column) -> Iterator[Sequence[Key] | None]:
    """Yield the one key of each hash or ISCC; none in a gap, None for what is malformed.

    A hash is hexadecimal, or 32 bytes in a column of bytes. Raises ValueError for other types.
    """
    for piece in _pieces(column):
        raw = kind == IdentifierKind.SHA256 and _is_binary(piece.type)
        for value in _as_bytes(piece):
            yield _keys(kind, value.as_py(), raw=raw)


def gaps(column: Column) -> pa.Array:
    """Return where a column has gaps, (rows,) of bool."""
    return pa.chunked_array([piece.is_null() for piece in _pieces(column)], pa.bool_())


def _pieces(column: Column) -> Iterator[pa.Array]:
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        column = pa.array(column)
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        for start in range(0, len(chunk), MOST_ROWS_AT_ONCE):
            piece = chunk.slice(start, MOST_ROWS_AT_ONCE)
            yield piece.dictionary_decode() if pa.types.is_dictionary(piece.type) else piece


def _as_bytes(piece: pa.Array) -> pa.Array:
    kind = piece.type
    text = (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )
    if not (text or _is_binary(kind) or pa.types.is_null(kind)):
        raise ValueError(f"addresses, hashes and codes are texts or bytes, not {kind}")
    return piece.cast(pa.binary())


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _keys(kind: IdentifierKind, value: bytes | None, *, raw: bool) -> Sequence[Key] | None:
    if value is None:
        return ()
    if raw and len(value) == _SHA256_BYTES:
        return keys_of(kind, value.hex())
    try:
        return keys_of(kind, value.decode())
    except UnicodeDecodeError:
        return None
