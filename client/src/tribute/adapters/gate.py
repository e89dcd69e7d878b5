"""The gate: rows in, the rows that may be used out, for any engine that speaks Arrow.

A gate is a small value that pickles, so that it travels to the workers of Ray, Spark or
multiprocessing; each process opens the snapshot when the first batch arrives, shares its pages
with the others, and opens the newer one when ``sync`` has brought it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import pyarrow as pa

from tribute.snapshot import syncing
from tribute.snapshot.parquet import FLAG
from tribute.snapshot.reading import Decisions, Snapshot
from tribute.snapshot.tables import Numbers
from tribute.vocabulary import Purpose

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)

WORDS = ("unknown", "allow", "license", "deny")
"""Decisions by their code in a snapshot, the most restrictive last."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What is asked, of which snapshot, and what becomes of the answers.

    folder: what ``tribute sync`` has filled, on every machine that works.
    public_key: (32,) raw Ed25519 bytes, the registry's.
    purposes: all must be allowed.
    unknown: rows about which nobody entitled has spoken: left out (``deny``, the default), kept,
    or kept and marked in the column ``tribute_unknown`` (``flag``).
    url, sha256, iscc: the columns by which rows are known; None: there is none.

    Raises ValueError for a gate that asks nothing or about nothing.
    """

    folder: str
    public_key: bytes
    purposes: tuple[Purpose, ...] = (Purpose.TRAIN_AI,)
    unknown: Literal["deny", "keep", "flag"] = "deny"
    url: str | None = "url"
    sha256: str | None = None
    iscc: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could only let everything through."""
        if self.unknown not in ("deny", "keep", "flag"):
            raise ValueError(f"unknown is deny, keep or flag, not {self.unknown!r}")
        if not self.purposes or not all(isinstance(word, Purpose) for word in self.purposes):
            raise ValueError("a gate asks about at least one Purpose")
        if not self.columns:
            raise ValueError("a gate knows rows by at least one column")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        return tuple(name for name in (self.url, self.sha256, self.iscc) if name is not None)

    def __call__(self, rows: Rows) -> Rows:
        """Return the rows that may be used, in order; see `Gate` for the unknown ones.

        Raises KeyError for a missing column, and what `Snapshot.open` and `Snapshot.check` raise.
        """
        decisions = self.decide(rows)
        if self.unknown == "flag":
            if FLAG in rows.schema.names:
                raise ValueError(f"there is a column {FLAG} already")
            rows = rows.append_column(pa.field(FLAG, pa.bool_()), pa.array(decisions.unknown))
        return rows.filter(pa.array(self.keeps(decisions)))

    def over(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Pass a stream of batches; those that lose every row still come, empty."""
        for batch in batches:
            yield self(batch)

    def mask(self, rows: pa.RecordBatch | pa.Table) -> Numbers:
        """Say of each row whether it may be used, (rows,) of bool. For who cannot add a column.

        Raises ValueError for a gate that flags: the flag would be lost.
        """
        if self.unknown == "flag":
            raise ValueError("this way of filtering has no place for a flag; choose deny or keep")
        return self.keeps(self.decide(rows))

    def check(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Answer each row: a column of decisions per purpose, and the rule behind each.

        Columns ``train-ai``, ``train-ai.rule`` and so on: text, never null.
        """
        decisions = self.decide(rows)
        words = pa.array(WORDS)
        columns: dict[str, pa.Array] = {}
        for place, purpose in enumerate(decisions.purposes):
            columns[purpose.value] = words.take(pa.array(decisions.codes[:, place]))
            scores, rules = np.unique(decisions.scores[:, place], return_inverse=True)
            first = np.array([int(np.argmax(rules == n)) for n in range(len(scores))], np.int64)
            named = pa.array([decisions.rule(row, purpose) for row in first.tolist()], pa.string())
            columns[f"{purpose.value}.rule"] = named.take(pa.array(rules))
        return pa.RecordBatch.from_pydict(columns)

    def decide(self, rows: pa.RecordBatch | pa.Table) -> Decisions:
        """Answer each row, as numbers."""
        missing = [name for name in self.columns if name not in rows.schema.names]
        if missing:
            raise KeyError(f"rows have {', '.join(rows.schema.names)}, not {', '.join(missing)}")
        columns = [
            None if name is None else rows.column(name)
            for name in (self.url, self.sha256, self.iscc)
        ]
        urls, sha256, iscc = columns
        at = datetime.now(UTC)
        snapshot = self._snapshot(at)
        return snapshot.check(urls, self.purposes, sha256=sha256, iscc=iscc, at=at)

    def keeps(self, decisions: Decisions) -> Numbers:
        """Say which rows pass with these answers, (rows,) of bool."""
        if self.unknown == "deny":
            return decisions.allowed
        kept: Numbers = decisions.allowed | decisions.unknown
        return kept

    def snapshot_number(self) -> int | None:
        """The number of the snapshot that is there now; None: there is none yet."""
        return syncing.read_number(Path(self.folder) / syncing.CURRENT)

    def _snapshot(self, at: datetime) -> Snapshot:
        """Return the newest snapshot that is there; asking which one takes microseconds."""
        snapshot = _open(self.folder, self.public_key, self.snapshot_number())
        syncing.require_current(snapshot.manifest, at=at)
        return snapshot


@lru_cache(maxsize=4)
def _open(folder: str, public_key: bytes, seq: int | None) -> Snapshot:  # noqa: ARG001 - the number
    # makes a newer snapshot another entry, so that it is opened and the old one let go
    return Snapshot.open(folder, public_key=public_key)
