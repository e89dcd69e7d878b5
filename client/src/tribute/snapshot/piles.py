"""Rows put by on disk in piles, each of which is small enough to be sorted in memory.

Owns where they lie: a pile holds the rows whose keys begin with the same bits, so that piles one after
another are in the order of keys. Files have no name: whatever ends the process, nothing stays behind.
"""

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from tribute.snapshot.tables import Numbers

MOST_BITS = 12
UNIT = np.dtype("<u8")
_PILE_BYTES = 1 << 23
_AT_ONCE = 1 << 24
_SHARE = 1 << 15
_KEY_BITS = 64
_NOTHING = np.empty(0, UNIT)


class Scratch:
    """A file without a name, with rows of one type."""

    def __init__(self, folder: Path, kind: np.dtype[Any]) -> None:
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by close
        self._kind, self.rows = kind, 0

    def append(self, rows: Numbers) -> int:
        """Write rows behind those written before; return the number of the first."""
        rest = memoryview(rows.tobytes())
        while rest:
            rest = rest[self._file.write(rest) :]
        self.rows += len(rows)
        return self.rows - len(rows)

    def read(self, start: int, stop: int) -> Numbers:
        """Return rows from the one of a number to another."""
        size = self._kind.itemsize
        data, wanted = bytearray(), (stop - start) * size
        while len(data) < wanted:
            piece = os.pread(self._file.fileno(), wanted - len(data), start * size + len(data))
            assert piece, "nobody but us has this file"
            data += piece
        return np.frombuffer(data, self._kind)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


class Piles:
    """Rows of one type with a field ``high``, in 2**bits piles.

    Where the type has a field ``units``, each row has a part of so many units beside it.
    """

    def __init__(self, folder: Path, kind: np.dtype[Any], *, bits: int) -> None:
        self.count = 1 << bits
        self._bits, self._with_parts = bits, "units" in (kind.names or ())
        self._most = max(_AT_ONCE, _SHARE * self.count)
        self._rows, self._parts = Scratch(folder, kind), Scratch(folder, UNIT)
        self._layers: list[tuple[Numbers, Numbers]] = []
        self._waiting: list[tuple[Numbers, Numbers]] = []
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rows.__exit__(kind, error, trace)
        self._parts.__exit__(kind, error, trace)

    def add(self, rows: Numbers, parts: Numbers = _NOTHING) -> None:
        """Put rows by, in any order."""
        self._waiting.append((rows, parts))
        self._size += rows.nbytes + parts.nbytes
        if self._size > self._most:
            self._put_by()

    def pile(self, number: int) -> tuple[Numbers, Numbers]:
        """Return the rows of a pile, and their parts, in no order. Nothing may be added afterwards."""
        if self._waiting or not self._layers:
            self._put_by()
        found = [
            (
                self._rows.read(*rows[number : number + 2]),
                self._parts.read(*parts[number : number + 2]),
            )
            for rows, parts in self._layers
        ]
        return np.concatenate([r for r, _ in found]), np.concatenate([p for _, p in found])

    def _put_by(self) -> None:
        """Write what waits as one layer: a share of every pile."""
        rows = np.concatenate([rows for rows, _ in self._waiting] or [self._rows.read(0, 0)])
        parts = np.concatenate([parts for _, parts in self._waiting] or [_NOTHING])
        self._waiting, self._size = [], 0
        numbers = _first_bits(rows["high"], self._bits)
        order = np.argsort(numbers, kind="stable")
        limits = np.searchsorted(numbers[order], np.arange(self.count + 1))
        beside = np.zeros_like(limits)
        if self._with_parts:
            units = rows["units"].astype("<i8")
            beside = limits_of(units[order])[limits] + self._parts.append(
                gathered(parts, units, order)
            )
        self._layers.append((limits + self._rows.append(rows[order]), beside))


def bits_for(size: int) -> int:
    """Return by how many bits of their keys ``size`` bytes of rows are to be parted."""
    bits = 0
    while bits < MOST_BITS and size > _PILE_BYTES << bits:
        bits += 1
    return bits


def gathered(parts: Numbers, units: Numbers, order: Numbers) -> Numbers:
    """Return parts in another order. units: (rows,) how long each is, as they lie now."""
    if len(units) and (units == units[0]).all():
        alike: Numbers = parts.reshape(len(units), -1)[order].ravel()
        return alike
    starts, sizes = limits_of(units)[:-1][order], units[order]
    ends = limits_of(sizes)
    at = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], sizes)
    laid: Numbers = parts[at]
    return laid


def limits_of(sizes: Numbers) -> Numbers:
    """Return where things of these sizes, laid one after another, begin; and where the last ends."""
    limits = np.zeros(len(sizes) + 1, "<i8")
    np.cumsum(sizes, out=limits[1:])
    return limits


def _first_bits(high: Numbers, bits: int) -> Numbers:
    if not bits:
        return np.zeros(len(high), "<u2")
    return (high >> np.uint64(_KEY_BITS - bits)).astype("<u2")
