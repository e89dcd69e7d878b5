"""Look keys up in a snapshot's tables: in plain Python and numpy, or with the compiled kernel.

Both give the same answers: for each row and purpose the greatest score that any key of the row
leads to. The plain way is the reference and is always there; the kernel handles ordinary URLs by
the block and hands unusual ones back.
"""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from tribute.identifiers import InvalidIdentifier, Key, candidate_keys, key_of
from tribute.snapshot.tables import CODE_MASK, KEY_TABLES, Columns, Numbers, find, split_keys
from tribute.vocabulary import IdentifierKind

KERNEL: Any
try:
    KERNEL = importlib.import_module("tribute.snapshot._kernel")
except ImportError:  # built without a compiler
    KERNEL = None

_KEY_BYTES = 16
_URL_TABLES = ("domain", "host", "path", "url")
_FEWEST_BITS, _MOST_BITS = 1, 28
_KEY_BITS = 64


class Prober(Protocol):
    """Finds what the URLs of a block lead to."""

    def scores(self, urls: pa.Array, scores: Numbers) -> tuple[Numbers, Numbers]:
        """Return scores (rows, purposes) and whether each row was understood (rows,).

        urls: texts, no gaps. scores: (codes, purposes), what each code says.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlainProber:
    """Canonical forms by ``identifiers``, look-ups by numpy."""

    tables: Mapping[str, Columns]

    def scores(self, urls: pa.Array, scores: Numbers) -> tuple[Numbers, Numbers]:
        """Answer each URL by all of its candidate keys."""
        return scores_of_keys(self.tables, map(_keys_of_url, _texts(urls)), scores, len(urls))


class KernelProber:
    """The compiled kernel for ordinary URLs, ``PlainProber`` for the rest."""

    def __init__(self, tables: Mapping[str, Columns]) -> None:
        self._plain = PlainProber(tables)
        self._tables = [part for name in _URL_TABLES for part in indexed(tables[name])]

    def scores(self, urls: pa.Array, scores: Numbers) -> tuple[Numbers, Numbers]:
        """Answer ordinary URLs by the block, then the others one by one."""
        rows, purposes = len(urls), scores.shape[1]
        found = np.empty((rows, purposes), "<u4")
        slow = np.empty(rows, "u1")
        _, offsets, data = urls.buffers()
        offsets = np.frombuffer(offsets, "<i4")[urls.offset : urls.offset + rows + 1]
        table_scores = np.ascontiguousarray(scores, "<u4")
        if KERNEL.check(*self._tables, table_scores, purposes, data or b"", offsets, found, slow):
            unusual = np.flatnonzero(slow)
            again, understood = self._plain.scores(urls.take(pa.array(unusual)), scores)
            found[unusual] = again
            slow[unusual] = ~understood
        return found, slow == 0


def prober(tables: Mapping[str, Columns], *, plain: bool = False) -> Prober:
    """Return the fastest prober there is; with ``plain``, the one without the kernel."""
    return PlainProber(tables) if plain or not KERNEL else KernelProber(tables)


def scores_of_keys(
    tables: Mapping[str, Columns],
    keys_of_rows: Iterable[Sequence[Key] | None],
    scores: Numbers,
    rows: int,
) -> tuple[Numbers, Numbers]:
    """Return the greatest scores of each row's keys, and which rows had keys at all (not None)."""
    found = np.zeros((rows, scores.shape[1]), "<u4")
    understood = np.ones(rows, bool)
    digests: dict[IdentifierKind, list[bytes]] = {kind: [] for kind in KEY_TABLES}
    places: dict[IdentifierKind, list[int]] = {kind: [] for kind in KEY_TABLES}
    for row, keys in enumerate(keys_of_rows):
        if keys is None:
            understood[row] = False
            continue
        for key in keys:
            digests[key.kind].append(key.digest[:_KEY_BYTES])
            places[key.kind].append(row)
    for kind, asked in digests.items():
        if not asked:
            continue
        codes = find(tables[kind], *split_keys(b"".join(asked), len(asked))) & CODE_MASK
        said = scores[np.where(codes < len(scores), codes, 0)]
        # A row's keys of one kind stand together.
        row_of_key = np.array(places[kind])
        first = np.flatnonzero(np.diff(row_of_key, prepend=-1))
        here = row_of_key[first]
        found[here] = np.maximum(found[here], np.maximum.reduceat(said, first, axis=0))
    return found, understood


def keys_of(kind: IdentifierKind, value: str | None) -> Sequence[Key] | None:
    """Return the one key of a hash or ISCC; none without a value, None when it is malformed."""
    if value is None:
        return ()
    try:
        return (key_of(kind, value),)
    except InvalidIdentifier:
        return None


def _keys_of_url(url: str | None) -> Sequence[Key] | None:
    try:
        return None if url is None else candidate_keys(url)
    except InvalidIdentifier:
        return None


def _texts(urls: pa.Array) -> Iterable[str | None]:
    """Yield texts; None for bytes that are no UTF-8, which a careless writer may have left."""
    for value in urls.cast(pa.binary()):
        try:
            yield value.as_py().decode()
        except UnicodeDecodeError:
            yield None


def indexed(table: Columns) -> tuple[Any, ...]:
    """Return a table as the kernel takes it, with a directory of its keys' first bits."""
    rows = len(table["high"])
    # One or two keys to an entry: hardly slower than fewer, at half the memory.
    bits = min(max(rows.bit_length() - 1, _FEWEST_BITS), _MOST_BITS)
    shift = _KEY_BITS - bits
    counts = np.zeros((1 << bits) + 1, "<u4")
    for start in range(0, rows, 1 << 20):
        top = (table["high"][start : start + (1 << 20)] >> np.uint64(shift)).astype("<i8")
        first, last = int(top[0]), int(top[-1])
        counts[first + 1 : last + 2] += np.bincount(top - first).astype("<u4")
    directory = np.cumsum(counts, dtype="<u4")
    return table["high"], table["low"], table["code"], directory, shift
