"""The root over the answers of a check, for many rows at once.

Computes what ``receipts.row_salt``, ``receipts.row_digest`` and ``merkle`` define, over lines that are
canonical JSON already: with the compiled kernel where there is one, else by those modules' own
functions. Both give the same root.
"""

import importlib
import itertools
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from tribute.merkle import merkle_root
from tribute.receipts import row_salt

KERNEL: Any
try:
    KERNEL = importlib.import_module("tribute.snapshot._kernel")
except ImportError:  # built without a compiler, or without the extra ``snapshot``
    KERNEL = None


def salted_root(salt: bytes, data: memoryview, limits: memoryview) -> bytes:
    """Return the (32,) byte root over lines that stand one after another.

    salt: (32,) bytes, the check's. data: the lines' bytes. limits: int32, where each line begins,
    and where the last one ends; so one more than there are lines, which is at least one.
    """
    if KERNEL is not None:
        return root_of_parts(salt, len(limits.cast("B")) // 4 - 1, ((data, limits, None),))
    return plain_root(salt, data, limits.cast("B").cast("i").tolist())


def root_of_parts(salt: bytes, rows: int, parts: Sequence[Any]) -> bytes:
    """Return the root over lines that the kernel puts together one by one, of parts as it takes them."""
    return bytes(KERNEL.salted_root(salt, rows, tuple(parts)))


def plain_root(salt: bytes, data: memoryview, limits: Sequence[int]) -> bytes:
    """Return the same root in plain Python."""
    leaves = [
        sha256(row_salt(salt, position) + data[start:stop]).digest()
        for position, (start, stop) in enumerate(itertools.pairwise(limits))
    ]
    return merkle_root(leaves)
