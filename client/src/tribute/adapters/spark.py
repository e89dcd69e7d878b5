"""Spark: filter a DataFrame on all its executors, by ``mapInArrow``.

The snapshot's folder must be at the same path on every executor, and ``tribute[snapshot]``
installed there. Tested with pyspark 4.3.
"""

from pyspark.sql import DataFrame
from pyspark.sql.types import BooleanType, StructField, StructType

from tribute.adapters.gate import Gate
from tribute.snapshot.parquet import FLAG


def filter_frame(frame: DataFrame, gate: Gate) -> DataFrame:
    """Return the rows that may be used. Raises KeyError for a missing column, at once."""
    missing = [name for name in gate.columns if name not in frame.columns]
    if missing:
        raise KeyError(f"the frame has {', '.join(frame.columns)}, not {', '.join(missing)}")
    fields = [*frame.schema.fields]
    if gate.unknown == "flag":
        fields.append(StructField(FLAG, BooleanType()))
    return frame.mapInArrow(gate.over, StructType(fields))
