"""Statements that every check runs: prepared once in each connection, in binary both ways.

Past Django's own cursor, which would write what it is given into the text of the query, half a megabyte
as hexadecimal, and have it parsed and planned each time; and hand bytea over as memoryviews.
"""

from typing import Any

from django.db import connection
from psycopg import Cursor


def run(sql: str, **fields: object) -> list[tuple[Any, ...]]:
    """Run one statement, in the transaction at hand if there is one; return its rows."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(sql, fields, prepare=True, binary=True)
        # Past cursor.description, which makes an object of each column.
        result = cursor.pgresult
        return cursor.fetchall() if result is not None and result.nfields else []
