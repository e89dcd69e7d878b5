"""DuckDB: a function for SQL that says whether a row may be used.

    register(connection, gate)
    connection.sql("SELECT * FROM 'pages.parquet' WHERE tribute_allows(url)")

Tested with duckdb 2.0.
"""

import duckdb
import pyarrow as pa
from duckdb import func, sqltypes

from tribute.adapters.gate import Gate

NAME = "tribute_allows"


def register(connection: duckdb.DuckDBPyConnection, gate: Gate, *, name: str = NAME) -> None:
    """Make ``name(url, …)`` known to a connection: BOOLEAN, never null.

    It takes the gate's columns as VARCHAR in the order url, sha256, iscc, those it has. DuckDB
    calls it with vectors of some 2,000 rows. Raises ValueError for a gate that flags.
    """
    if gate.unknown == "flag":
        raise ValueError("a condition cannot flag; choose deny or keep")

    def allows(*columns: pa.ChunkedArray) -> pa.Array:
        return pa.array(gate.mask(pa.table(dict(zip(gate.columns, columns, strict=True)))))

    connection.create_function(
        name,
        allows,
        [sqltypes.VARCHAR] * len(gate.columns),
        sqltypes.BOOLEAN,
        type=func.ARROW,
        null_handling=func.SPECIAL,  # a null is an unknown row, not an unknown answer
        side_effects=True,  # never folded into a constant, never remembered: answers expire
    )
