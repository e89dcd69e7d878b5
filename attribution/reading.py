"""Read many rows at once: the driver's own cursor, with parameters and answers in binary.

Django's cursor would write every parameter into the text of the query, and read every UUID twice.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection
from psycopg import Cursor

from attribution.sql import statement


def rows(name: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Run ``<name>.sql`` in the caller's transaction and return its rows."""
    connection.ensure_connection()
    with Cursor(connection.connection) as cursor:
        cursor.execute(statement(name), parameters, binary=True)
        return cursor.fetchall()
