"""Read and write many rows at once, by the driver's own cursor.

Owns the short cuts: parameters and answers in binary, and arrays of ids as one text. Django's cursor
would write every parameter into the text of the query, and the driver takes three times as long
over a list of UUIDs.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.db import connection
from psycopg import Cursor

from attribution.sql import statement
from tribute import ids

REMEMBERED_IDS = 2**18


def rows(name: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run ``<name>.sql`` in the caller's transaction and return its rows."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(statement(name), parameters, binary=True)
        return cursor.fetchall()


def run(name: str, parameters: Mapping[str, Any]) -> None:
    """Run ``<name>.sql``, which returns nothing, in the caller's transaction."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(statement(name), parameters)


@lru_cache(maxsize=REMEMBERED_IDS)
def raw(prefix: str, typed_id: str) -> bytes:
    """Return the 16 bytes of a typed id."""
    return ids.decode(prefix, typed_id).bytes


def array(raw_ids: Iterable[bytes | None]) -> str:
    """Write ids as PostgreSQL reads an array of UUIDs; None is NULL."""
    return "{" + ",".join(["NULL" if each is None else each.hex() for each in raw_ids]) + "}"
