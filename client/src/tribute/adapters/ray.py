"""Ray Data: filter a Dataset on all its workers.

The snapshot's folder must be at the same path on every node. Tested with ray 2.60.
"""

from typing import Any

import ray.data

from tribute.adapters.gate import Gate


def filter_dataset(dataset: ray.data.Dataset, gate: Gate, **options: Any) -> ray.data.Dataset:
    """Return the rows that may be used. options: ``map_batches``'s, such as ``concurrency``."""
    options = {"zero_copy_batch": True} | options
    return dataset.map_batches(gate.__call__, batch_format="pyarrow", **options)
