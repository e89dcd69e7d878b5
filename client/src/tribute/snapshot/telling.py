"""Ask the compiled kernel what is said under the keys of many URLs, and let it fill in the answers.

Between the two calls somebody else turns each different case, which has no names in it, into a text with
blanks for names. No row, and no combination of keys, is a Python object unless something about it is odd.
There is no plain twin: without the kernel, the registry asks its database, which says the same.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tribute.snapshot.presence import Presence
from tribute.snapshot.probing import KERNEL
from tribute.snapshot.sayings import KINDS, PURPOSES, Sayings
from tribute.snapshot.tables import Numbers
from tribute.vocabulary import Purpose

UNUSUAL, ODD = -1, -1
_HALF = 8

Form = tuple[Sequence[bytes], Sequence[int]]
"""Fixed texts, and between each two of them the rank of the name that belongs there."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said about some URLs.

    which: (rows,) int32, the combination of keys by which a URL is reached; UNUSUAL: not told here.
    numbers: (combinations,) int32, the case of each; ODD: ask elsewhere by the keys in ``odd``, 33
    bytes each, which has one entry for each such combination, in order.
    cases: as ``sayings.read_case`` reads them. names: 16 bytes for each id of a statement by which to
    fill in, those of one combination after those of another. limits: int32, where they begin and end.
    """

    which: Numbers
    numbers: Numbers
    cases: Sequence[bytes]
    names: bytes
    limits: bytes
    odd: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills the blanks of some answers.

    numbers: (n,) int32, the form of each answer; negative where there is none. names: as ``named``
    writes them, to choose from; limits: (n + 1,) int32, where those for each begin and end.
    """

    numbers: Numbers
    names: bytes
    limits: Numbers


def named(ids: bytes) -> bytes:
    """Return the names of statements, written out, by their ids of 16 bytes."""
    names: bytes = KERNEL.names(ids, b"stm_")
    return names


def filled(forms: Sequence[Form], by: Filling, which: Numbers | None = None) -> pa.Array:
    """Return texts made of forms whose blanks are filled; empty where an answer has no form.

    which: (rows,) int32, the answers that are wanted; None: all.
    """
    texts = [text for fixed, _ in forms for text in fixed]
    blanks = [blank for _, ranks in forms for blank in (-1, *ranks)]
    parts = _limits(len(fixed) for fixed, _ in forms)
    return texts_of(*KERNEL.fill(*_parts(texts, blanks, parts, by, which)))


def filled_lists(
    forms: Sequence[Sequence[bytes | int]], by: Filling, which: Numbers | None = None
) -> pa.ListArray:
    """Return lists of texts: of each answer those of its form, names where that has their rank."""
    entries = [entry for form in forms for entry in form]
    texts = [entry for entry in entries if isinstance(entry, bytes)]
    place = itertools.count(-1, -1)
    blanks = [next(place) if isinstance(entry, bytes) else entry for entry in entries]
    parts = _limits(map(len, forms))
    data, ends, lists = KERNEL.fill_lists(*_parts(texts, blanks, parts, by, which))
    return pa.ListArray.from_arrays(pa.array(np.frombuffer(lists, "<i4")), texts_of(data, ends))


def _parts(
    texts: Sequence[bytes],
    blanks: Sequence[int],
    parts: Numbers,
    by: Filling,
    which: Numbers | None,
) -> tuple[Any, ...]:
    ends, ranks = _limits(map(len, texts)), np.array(blanks, "<i4")
    return b"".join(texts), ends, ranks, parts, by.numbers, by.names, by.limits, which


def tell(  # noqa: PLR0913 - one look, with all that bears on it
    urls: pa.Array,
    presence: Presence,
    sayings: Sayings,
    *,
    now: int,
    purposes: Iterable[Purpose],
    changed: Numbers,
    granted: Numbers,
) -> Told:
    """Look what is said about URLs at an instant.

    urls: texts without gaps. now: microseconds since 1970. changed: uint64 in order, the first half
    of each key that is not to be believed. granted: uint64 in order, the last 8 bytes of the id of
    each subject that is to be looked at elsewhere.
    """
    assert presence.indexed is not None, "there is a kernel, or nobody asks it"
    _, offsets, data = urls.buffers()
    which, numbers, cases, names, limits, odd = KERNEL.said(
        tuple(presence.indexed),
        tuple(sayings.columns[kind.value] for kind in KINDS),
        sayings.blob,
        changed,
        granted,
        now,
        sum(1 << PURPOSES.index(purpose) for purpose in set(purposes)),
        data or b"",
        np.frombuffer(offsets, "<i4")[urls.offset : urls.offset + len(urls) + 1],
    )
    return Told(
        np.frombuffer(which, "<i4"), np.frombuffer(numbers, "<i4"), cases, names, limits, odd
    )


def firsts(keys: Iterable[bytes]) -> Numbers:
    """Return the first 8 bytes of each as uint64, in order."""
    return np.sort(np.frombuffer(b"".join(key[:_HALF] for key in keys), ">u8").astype("<u8"))


def texts_of(data: bytes, limits: bytes) -> pa.Array:
    """Return texts that the kernel wrote."""
    buffers = [None, pa.py_buffer(limits), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.string(), len(limits) // 4 - 1, buffers)


def _limits(lengths: Iterable[int]) -> Any:
    return np.array([0, *itertools.accumulate(lengths)], "<i4")
