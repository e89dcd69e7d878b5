"""Hugging Face ``datasets``: filter a Dataset, a DatasetDict, or one that streams.

Tested with datasets 5.2.
"""

from typing import Any, TypeVar

import pyarrow as pa

from tribute.adapters.gate import Gate

AnyDataset = TypeVar("AnyDataset")

ROWS_AT_ONCE = 10_000


class _Judge:
    """What ``filter`` calls with a batch; a class, since it must pickle and hash alike each time.

    ``datasets`` names its cache after a hash of the function: an object with the same gate and
    snapshot finds what it computed before, and a newer snapshot is computed anew.
    """

    def __init__(self, gate: Gate, snapshot: int | None) -> None:
        self.gate, self.snapshot = gate, snapshot

    def __call__(self, batch: dict[str, list[Any]] | pa.Table) -> list[bool]:
        rows = batch if isinstance(batch, pa.Table) else pa.table(self._columns(batch))
        return [bool(kept) for kept in self.gate.mask(rows)]

    def _columns(self, batch: dict[str, list[Any]]) -> dict[str, pa.Array]:
        return {name: pa.array(batch[name], pa.string()) for name in self.gate.columns}


def filter_dataset(dataset: AnyDataset, gate: Gate, **options: Any) -> AnyDataset:
    """Return the rows that may be used, of a Dataset, DatasetDict, or either that streams.

    options: passed to the dataset's own ``filter``; ``num_proc=4`` works in four processes,
    ``batch_size`` defaults to 10,000. Raises ValueError for a gate that flags, KeyError for a
    missing column, and what opening the snapshot raises.
    """
    if gate.unknown == "flag":
        raise ValueError("a filter of datasets cannot flag; choose deny or keep")
    options = {"batch_size": ROWS_AT_ONCE} | options
    judge = _Judge(gate, gate.snapshot_number())
    filtering: Any = dataset
    filtered: AnyDataset = filtering.filter(judge, batched=True, **options)
    return filtered
