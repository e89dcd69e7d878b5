"""Which columns a snapshot can be asked by, and that one bad value spoils its own row alone."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tribute.identifiers import key_of
from tribute.snapshot import asked
from tribute.vocabulary import IdentifierKind

URL = "https://a.example/b"
HASH = hashlib.sha256(b"a poem").digest()
TEXTS = (pa.string(), pa.large_string(), pa.string_view())
BYTES = (pa.binary(), pa.large_binary(), pa.binary_view())


def bytes_of(column: Any) -> list[bytes | None]:
    return [value.as_py() for piece in asked.texts(column) for value in piece.cast(pa.binary())]


def broken_texts() -> pa.Array:
    """A column of texts, as a careless writer leaves it."""
    limits = pa.py_buffer(np.array([0, 2, 2 + len(URL)], "<i4"))
    return pa.Array.from_buffers(
        pa.string(), 2, [None, limits, pa.py_buffer(b"\xff\xfe" + URL.encode())]
    )


@pytest.mark.parametrize("kind", TEXTS + BYTES, ids=str)
def test_texts_and_bytes_of_every_kind_are_read(kind: pa.DataType) -> None:
    values: list[Any] = [URL, None, "x"] if kind in TEXTS else [URL.encode(), None, b"\xff"]
    column = pa.array(values, kind)
    wanted = [URL.encode(), None, values[2].encode() if kind in TEXTS else values[2]]

    assert bytes_of(column) == wanted
    assert bytes_of(column.slice(1)) == wanted[1:]
    assert bytes_of(pa.chunked_array([column, column.slice(0, 0), column])) == wanted * 2
    assert asked.gaps(column).to_pylist() == [False, True, False]


def test_lists_dictionaries_and_columns_of_gaps_are_read() -> None:
    assert bytes_of([URL, None]) == [URL.encode(), None]
    assert bytes_of([URL.encode()]) == [URL.encode()]
    assert bytes_of(pa.array([URL, None, URL]).dictionary_encode()) == [
        URL.encode(),
        None,
        URL.encode(),
    ]
    assert bytes_of(pa.nulls(2)) == [None, None]
    assert bytes_of([]) == []
    assert bytes_of(broken_texts()) == [b"\xff\xfe", URL.encode()]


def test_a_hash_is_hexadecimal_or_32_bytes() -> None:
    key = key_of(IdentifierKind.SHA256, HASH.hex())

    def keys(column: Any) -> list[Any]:
        return list(asked.keys(IdentifierKind.SHA256, column))

    assert keys([HASH.hex().upper(), None, "x", HASH.hex()[:32]]) == [(key,), (), None, None]
    assert keys([HASH, None, b"\xff", HASH.hex().encode()]) == [(key,), (), None, (key,)]
    assert keys(pa.array([HASH, None], pa.binary(32))) == [(key,), ()]
    assert keys(broken_texts()) == [None, None]
    assert list(asked.keys(IdentifierKind.ISCC, [HASH, b"ISCC:nonsense"])) == [None, None]


@pytest.mark.parametrize(
    "column", [pa.array([1]), pa.array([[URL]]), pa.array([{"url": URL}]), [1.5], pa.array([True])]
)
def test_other_columns_are_refused(column: Any) -> None:
    with pytest.raises(ValueError, match="texts or bytes, not"):
        bytes_of(column)
    with pytest.raises(ValueError, match="texts or bytes, not"):
        list(asked.keys(IdentifierKind.SHA256, column))
