"""Read and write many rows at once, by the driver's own cursor.

Owns the short cuts: parameters and answers in binary, and arrays packed here as PostgreSQL receives
them (``array_recv``). Django's cursor would write every parameter into the text of the query, and
the driver packs an array item by item.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from django.db import connection
from psycopg import Cursor
from psycopg.adapt import Dumper
from psycopg.pq import Format

from attribution.sql import statement
from tribute import ids

REMEMBERED_IDS = 2**18

_UUID_OID, _UUIDS_OID, _LONG_OID, _LONGS_OID = 2950, 2951, 20, 1016
_UUID_ITEM = np.dtype([("width", ">i4"), ("value", "V16")])
_LONG_ITEM = np.dtype([("width", ">i4"), ("value", ">i8")])


class Uuids(bytes):
    """An array of UUIDs as PostgreSQL receives it."""


class Longs(bytes):
    """An array of whole numbers of 64 bits as PostgreSQL receives it."""


def rows(name: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run ``<name>.sql`` in the caller's transaction and return its rows."""
    connection.ensure_connection()
    with _Cursor(connection.connection) as cursor:
        cursor.execute(statement(name), parameters, binary=True)
        return cursor.fetchall()


def run(name: str, parameters: Mapping[str, Any]) -> None:
    """Run ``<name>.sql``, which returns nothing, in the caller's transaction."""
    connection.ensure_connection()
    with _Cursor(connection.connection) as cursor:
        cursor.execute(statement(name), parameters)


@lru_cache(maxsize=REMEMBERED_IDS)
def raw(prefix: str, typed_id: str) -> bytes:
    """Return the 16 bytes of a typed id."""
    return ids.decode(prefix, typed_id).bytes


def array(raw_ids: Iterable[bytes | None]) -> str:
    """Write ids as PostgreSQL reads an array of UUIDs; None is NULL."""
    return "{" + ",".join(["NULL" if each is None else each.hex() for each in raw_ids]) + "}"


def uuids(raw_ids: Sequence[bytes]) -> Uuids:
    """Pack ids, 16 bytes each, for a parameter ``%(name)b``."""
    values = np.frombuffer(b"".join(raw_ids), "V16")
    return Uuids(_packed(values, _UUID_ITEM, _UUID_OID))


def longs(numbers: Sequence[int]) -> Longs:
    """Pack numbers for a parameter ``%(name)b``; OverflowError beyond 64 bits."""
    return Longs(_packed(np.array(numbers, np.int64), _LONG_ITEM, _LONG_OID))


def _packed(values: np.ndarray[Any, Any], item: np.dtype[Any], oid: int) -> bytes:
    """Lay out one dimension without nulls: its type, length and lowest index, then the items."""
    items = np.empty(len(values), item)
    items["width"] = item["value"].itemsize
    items["value"] = values
    return np.array([1, 0, oid, len(values), 1], ">i4").tobytes() + items.tobytes()


class _PackedDumper(Dumper):
    """Hands on what is packed already."""

    format = Format.BINARY

    def dump(self, obj: bytes) -> bytes:
        return obj


class _UuidsDumper(_PackedDumper):
    oid = _UUIDS_OID


class _LongsDumper(_PackedDumper):
    oid = _LONGS_OID


class _Cursor(Cursor[tuple[Any, ...]]):
    """A cursor that knows packed arrays."""

    def __init__(self, connection: Any) -> None:
        super().__init__(connection)
        self.adapters.register_dumper(Uuids, _UuidsDumper)
        self.adapters.register_dumper(Longs, _LongsDumper)
