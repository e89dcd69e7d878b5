"""The index of n-grams: which registered texts hold a run of words, in files mapped into memory.

Owns the numbering of indexed texts (IndexedText, the only thing the database knows of the index),
the files below ``settings.HOME``, and the part of the index that is newer than they are. Every
process has all texts that were indexed before it asks: what the files lack it reads from the
database, and writes further files when there is enough. Files hold fixed ranges of texts, so all
processes write the same ones; they may be deleted while no worker runs.

With the first n texts indexed the index is always the same, so that n names a snapshot of it.
"""

import shutil
import tempfile
import threading
from hashlib import sha256
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from attribution import ngrams, reading
from attribution.ngrams import Segment
from tribute.features import sections

LEAF = 16_384
"""Texts in the smallest file."""

FAN = 8
"""Files of one size that are joined into one of the next."""

READ_AT_ONCE = 2_048
_ID_BYTES = 16


class Index:
    """All texts that were indexed when it was last asked for; of one thread."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._ids = b""
        self._files: list[Segment] = []
        self._recent: list[Segment] = []

    def _forget(self) -> None:
        self._ids, self._files, self._recent = b"", [], []

    @property
    def texts(self) -> int:
        """How many texts it holds: the name of the snapshot."""
        return len(self._ids) // _ID_BYTES

    def find(
        self, wanted: NDArray[np.uint64], *, most: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Search as ``ngrams.find`` does."""
        return ngrams.find([*self._files, *self._recent], wanted, most=most)

    def ids_of(self, texts: NDArray[np.uint32]) -> NDArray[np.bytes_]:
        """Return the 16 bytes of the works' ids, by the numbers of texts."""
        return np.frombuffer(self._ids, f"S{_ID_BYTES}")[texts]

    def catch_up(self) -> None:
        """Add the texts that were indexed since."""
        known = self.texts
        rows = reading.rows("read_indexed_texts", {"first": max(0, known - 1)})
        if known and (not rows or rows[0][0] != self._ids[-_ID_BYTES:]):
            # Another database, or one that was set back: nothing that is known holds.
            self._forget()
            known, rows = 0, reading.rows("read_indexed_texts", {"first": 0})
        fresh = rows[1:] if known else rows
        if not fresh:
            return
        self._ids += b"".join(work for (work,) in fresh)
        filed = self.texts // LEAF * LEAF
        if filed > sum(each.count for each in self._files):
            self._files = [self._file(first, count) for first, count in _ranges(filed)]
            self._recent, known = [], filed
        for first in range(known, self.texts, READ_AT_ONCE):
            self._add(self._built(first, min(READ_AT_ONCE, self.texts - first)))

    def _add(self, segment: Segment) -> None:
        """Join it with what is not larger, so that there are few segments and little to join."""
        while self._recent and self._recent[-1].count <= segment.count:
            segment = ngrams.merge([self._recent.pop(), segment])
        self._recent.append(segment)

    def _built(self, first: int, count: int) -> Segment:
        rows = reading.rows("read_texts_to_index", {"first": first, "count": count})
        hashes = dict.fromkeys(range(first, first + count), b"")
        hashes |= {number: sections(features)[3] for number, features in rows}
        return ngrams.build(list(hashes.values()), first=first)

    def _file(self, first: int, count: int) -> Segment:
        """Map a range of texts from its file, made when it is needed first."""
        own = self._ids[first * _ID_BYTES : (first + count) * _ID_BYTES]
        name = f"{first}-{count}-{sha256(own).hexdigest()[:16]}"
        folder = Path(settings.HOME) / "ngrams" / name
        if not folder.exists():
            _write(self._joined(first, count), folder)
        hashes, texts = (
            np.load(folder / f"{part}.npy", mmap_mode="r").view(np.ndarray)
            for part in ("hashes", "texts")
        )
        return Segment(first, count, hashes, texts)

    def _joined(self, first: int, count: int) -> Segment:
        if count > LEAF:
            part = count // FAN
            return ngrams.merge([self._file(first + n * part, part) for n in range(FAN)])
        steps = range(first, first + count, READ_AT_ONCE)
        return ngrams.merge([self._built(step, READ_AT_ONCE) for step in steps])


class _Memory(threading.local):
    """One for each thread, since what a connection may see is its own."""

    def __init__(self) -> None:
        self.index = Index()


_memory = _Memory()


def current() -> Index:
    """Return the index with every text that was indexed up to now."""
    _memory.index.catch_up()
    return _memory.index


def snapshot() -> int:
    """Name the snapshot that this thread was last given."""
    return _memory.index.texts


def _ranges(texts: int) -> list[tuple[int, int]]:
    """Cut a multiple of LEAF into as few ranges as there can be: first text and count."""
    size = LEAF
    while size * FAN <= texts:
        size *= FAN
    found, first = [], 0
    while size >= LEAF:
        while first + size <= texts:
            found.append((first, size))
            first += size
        size //= FAN
    return found


def _write(segment: Segment, folder: Path) -> None:
    """Write the files beside their place and move them there at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent))
    np.save(beside / "hashes.npy", segment.hashes)
    np.save(beside / "texts.npy", segment.texts)
    try:
        beside.rename(folder)
    except OSError:
        # Another worker was faster; it wrote the same.
        shutil.rmtree(beside)
        if not folder.exists():
            raise
