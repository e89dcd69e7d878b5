"""Polars: filter a DataFrame, or a LazyFrame as a step of its plan.

Tested with polars 2.1.
"""

from typing import TypeVar

import polars as pl
import pyarrow as pa

from tribute.adapters.gate import Gate
from tribute.snapshot.parquet import FLAG

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)


def filter_frame(frame: Frame, gate: Gate) -> Frame:
    """Return the rows that may be used, in order.

    A LazyFrame stays lazy, streams, and may be optimised around this step: no later condition or
    choice of columns changes what a row's own answer is. Raises KeyError for a missing column when
    the plan runs, and what opening the snapshot raises.
    """
    if isinstance(frame, pl.DataFrame):
        return _filter(frame, gate)
    schema = dict(frame.collect_schema())
    if gate.unknown == "flag":
        schema[FLAG] = pl.Boolean()
    return frame.map_batches(
        lambda whole: _filter(whole, gate),
        projection_pushdown=False,
        predicate_pushdown=False,
        streamable=True,
        schema=pl.Schema(schema),
    )


def _filter(frame: pl.DataFrame, gate: Gate) -> pl.DataFrame:
    """Ask with the columns that are needed alone: the others need not become Arrow."""
    missing = [name for name in gate.columns if name not in frame.columns]
    if missing:
        raise KeyError(f"the frame has {', '.join(frame.columns)}, not {', '.join(missing)}")
    asked = pa.table({name: frame[name].cast(pl.String).to_arrow() for name in gate.columns})
    decisions = gate.decide(asked)
    if gate.unknown == "flag":
        frame = frame.with_columns(pl.Series(FLAG, decisions.unknown))
    return frame.filter(pl.Series(gate.keeps(decisions)))
