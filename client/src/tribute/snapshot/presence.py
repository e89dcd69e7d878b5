"""Tell which keys of many URLs are in a snapshot at all, or changed since it was made.

For a registry that answers online: most addresses lead nowhere, and those need nothing but this. What
is said under the keys that are there is read elsewhere. Plain Python is the reference; the kernel
answers ordinary URLs by the block and hands unusual ones back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa

from tribute.identifiers import TAGS, InvalidIdentifier, Key, candidate_keys
from tribute.snapshot.changes import KEY_BYTES
from tribute.snapshot.probing import KERNEL, indexed
from tribute.snapshot.tables import CODE_MASK, Columns, empty, find, split_keys
from tribute.vocabulary import IdentifierKind

TAGGED_BYTES = 33
URL_KINDS = (IdentifierKind.DOMAIN, IdentifierKind.HOST, IdentifierKind.PATH, IdentifierKind.URL)
KIND_OF_TAG = {tag[0]: kind for kind, tag in TAGS.items()}
"""By the byte with which a key of 33 bytes begins."""


class Presence:
    """The keys of a snapshot, with those that changed since laid over them.

    plain: never use the compiled kernel.
    """

    def __init__(self, tables: Mapping[str, Columns], *, plain: bool = False) -> None:
        self._layers = [tables, {kind.value: empty(kind.value) for kind in IdentifierKind}]
        self._indexed: list[tuple[Any, ...]] | None = None
        if KERNEL and not plain:
            self._indexed = [part for tables in self._layers for part in _indexed(tables)]

    def with_changed(self, changed: Mapping[str, Columns]) -> Self:
        """Return the same snapshot under other changed keys, in order, each with a code above 0."""
        other = object.__new__(type(self))
        other._layers = [self._layers[0], changed]
        own = self._indexed
        other._indexed = own and [*own[: len(URL_KINDS)], *_indexed(changed)]
        return other

    @property
    def indexed(self) -> Sequence[tuple[Any, ...]] | None:
        """The tables as the kernel takes them; None without it."""
        return self._indexed

    def of_urls(self, urls: pa.Array) -> list[bytes | None]:
        """Return for each URL its keys that are there, one after another; None for a malformed URL.

        urls: texts without gaps. Each key is 33 bytes: its kind's tag and its digest; the most
        specific comes first, as ``identifiers.candidate_keys`` orders them.
        """
        if self._indexed is None:
            return self._plainly(urls.to_pylist())
        _, offsets, data = urls.buffers()
        limits = np.frombuffer(offsets, "<i4")[urls.offset : urls.offset + len(urls) + 1]
        found: list[bytes | None] = KERNEL.present(*self._indexed, data or b"", limits)
        unusual = [row for row, keys in enumerate(found) if keys is None]
        if unusual:
            again = self._plainly(urls.take(pa.array(unusual)).to_pylist())
            for row, keys in zip(unusual, again, strict=True):
                found[row] = keys
        return found

    def of_digests(self, kind: IdentifierKind, digests: Sequence[bytes]) -> list[bool]:
        """Tell of each key (32 bytes) of one kind whether it is there."""
        if not digests:
            return []
        short = b"".join(digest[:KEY_BYTES] for digest in digests)
        high, low = split_keys(short, len(digests))
        there = [find(layer[kind.value], high, low) & CODE_MASK != 0 for layer in self._layers]
        return [bool(each) for each in np.logical_or(*there)]

    def _plainly(self, urls: Sequence[str]) -> list[bytes | None]:
        keys_of_rows = [_keys(url) for url in urls]
        asked: dict[IdentifierKind, dict[bytes, bool]] = {kind: {} for kind in URL_KINDS}
        for keys in keys_of_rows:
            for key in keys or ():
                asked[key.kind][key.digest] = False
        for kind, known in asked.items():
            digests = list(known)
            known.update(zip(digests, self.of_digests(kind, digests), strict=True))
        return [
            None
            if keys is None
            else b"".join(tagged(key) for key in keys if asked[key.kind][key.digest])
            for keys in keys_of_rows
        ]


def tagged(key: Key) -> bytes:
    """Return a key as ``Presence.of_urls`` does: 33 bytes."""
    return TAGS[key.kind] + key.digest


def untagged(keys: bytes) -> tuple[Key, ...]:
    """Read keys of 33 bytes each back; their canonical text is not in them, and left empty."""
    return tuple(
        Key(KIND_OF_TAG[keys[start]], "", keys[start + 1 : start + TAGGED_BYTES])
        for start in range(0, len(keys), TAGGED_BYTES)
    )


def _keys(url: str) -> tuple[Key, ...] | None:
    try:
        return candidate_keys(url)
    except InvalidIdentifier:
        return None


def _indexed(tables: Mapping[str, Columns]) -> list[tuple[Any, ...]]:
    return [indexed(tables[kind.value]) for kind in URL_KINDS]
