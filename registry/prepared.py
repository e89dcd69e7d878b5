"""Statements that every check runs: prepared once in each connection, in binary both ways.

Past Django's own cursor, which would write what it is given into the text of the query, half a megabyte
as hexadecimal, and have it parsed and planned each time; and hand bytea over as memoryviews.
"""

from typing import Any

from django.db import OperationalError, connection
from psycopg import Cursor


def run(sql: str, **fields: object) -> list[tuple[Any, ...]]:
    """Run one statement, in the transaction at hand if there is one; return its rows.

    A connection that dies now is let go of at this request's end, not kept until it is old.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        cursor.execute(sql, fields, prepare=True, binary=True)
        # Past cursor.description, which makes an object of each column.
        result = cursor.pgresult
        return cursor.fetchall() if result is not None and result.nfields else []


def ask_first(sql: str, **fields: object) -> list[tuple[Any, ...]]:
    """Run a statement that only reads and comes first in a request.

    Where the connection died since the last request, it is made anew and asked again: what Django
    finds out by another statement before each request, this finds out by itself.
    """
    try:
        return run(sql, **fields)
    except OperationalError:
        if connection.in_atomic_block or connection.is_usable():
            raise
        connection.close()
        return run(sql, **fields)
