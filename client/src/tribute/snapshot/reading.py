"""Open a synchronised folder and ask it: one decision per item and purpose, fast and fail-closed.

Owns what a caller sees. What each key says was decided by whoever published the snapshot, with
``tribute.verdict``; here the answers of an item's keys are joined. Grants are not in a snapshot:
it answers as for an unnamed asker.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np

from tribute.snapshot import asked, syncing
from tribute.snapshot.asked import Column
from tribute.snapshot.errors import Corrupt, NoSnapshot
from tribute.snapshot.manifest import Manifest, verify
from tribute.snapshot.probing import prober, scores_of_keys
from tribute.snapshot.scores import PURPOSES, SILENCE, decision_of, micros, rule_of
from tribute.snapshot.tables import (
    CODES,
    Columns,
    Numbers,
    load,
    state_root,
    summarise,
)
from tribute.vocabulary import Decision, IdentifierKind, Purpose

_ALLOW = 1


@dataclass(frozen=True, slots=True)
class Decisions:
    """The answers to a batch, row by row.

    scores: (rows, purposes), as ``tribute.snapshot.scores`` writes them. understood: (rows,);
    an item that was not understood is ``unknown`` for every purpose.
    """

    purposes: tuple[Purpose, ...]
    scores: Numbers
    understood: Numbers

    @property
    def codes(self) -> Numbers:
        """Decisions as numbers, (rows, purposes): 0 unknown, 1 allow, 2 license, 3 deny."""
        return (self.scores & 3).astype("u1")

    @property
    def allowed(self) -> Numbers:
        """Whether every purpose asked about is allowed, (rows,)."""
        allowed: Numbers = ((self.scores & 3) == _ALLOW).all(axis=1)
        return allowed

    @property
    def unknown(self) -> Numbers:
        """Whether nothing is forbidden or asks for a licence, yet not all is allowed, (rows,)."""
        unknown: Numbers = ((self.scores & 3) <= _ALLOW).all(axis=1) & ~self.allowed
        return unknown

    def decision(self, row: int, purpose: Purpose) -> Decision:
        """Return one answer."""
        return decision_of(int(self.scores[row, self.purposes.index(purpose)]))

    def rule(self, row: int, purpose: Purpose) -> str:
        """Return the rule behind one answer, ``<tier>.<decision>`` or ``none.unknown``."""
        return rule_of(int(self.scores[row, self.purposes.index(purpose)]))


class Snapshot:
    """A verified copy of every decision in a registry, mapped into memory.

    Threads may share one; processes that open the same folder share its pages.
    """

    def __init__(
        self, manifest: Manifest, tables: dict[str, Columns], *, plain: bool = False
    ) -> None:
        self.manifest = manifest
        self.tables = tables
        self._prober = prober(tables, plain=plain)
        self._meanings = _Meanings(tables[CODES])

    @classmethod
    def open(
        cls,
        folder: Path | str,
        *,
        public_key: bytes,
        at: datetime | None = None,
        plain: bool = False,
    ) -> Self:
        """Verify and map what ``sync`` left in ``folder``.

        public_key: (32,) raw Ed25519 bytes, the registry's. at: aware; None: now.
        plain: never use the compiled kernel.
        Raises NoSnapshot, InvalidManifest, WrongKey, BadSignature, Rollback, StaleSnapshot,
        Corrupt.
        """
        folder = Path(folder)
        seq = syncing.read_number(folder / syncing.CURRENT)
        if seq is None:
            raise NoSnapshot(f"{folder} holds no snapshot yet")
        state = folder / str(seq)
        try:
            data = (state / syncing.MANIFEST).read_bytes()
        except OSError as error:
            raise Corrupt(f"the manifest of snapshot {seq} cannot be read") from error
        manifest = verify(data, public_key=public_key)
        syncing.require_not_older(manifest.seq, folder)
        syncing.require_current(manifest, at=at or datetime.now(UTC))
        tables = load(state)
        if state_root(summarise(tables)) != manifest.state_root:
            raise Corrupt(f"the tables of snapshot {seq} do not add up to its state root")
        return cls(manifest, tables, plain=plain)

    def check(
        self,
        urls: Column | None = None,
        purposes: Iterable[Purpose] = (Purpose.TRAIN_AI,),
        *,
        sha256: Column | None = None,
        iscc: Column | None = None,
        at: datetime | None = None,
    ) -> Decisions:
        """Answer a batch of items, each known by a URL, the hash of its bytes, an ISCC, or several.

        Texts or bytes, with gaps; a hash is hexadecimal or 32 bytes. An ISCC is matched exactly as
        sent. at: aware; None: now; before the snapshot was made counts as that instant. Raises
        StaleSnapshot from its expiry on, and ValueError when the columns differ in length, none is
        given, or one holds neither texts nor bytes.
        """
        instant = at or datetime.now(UTC)
        syncing.require_current(self.manifest, at=instant)
        wanted = tuple(purposes)
        columns = [column for column in (urls, sha256, iscc) if column is not None]
        if not columns or len({len(column) for column in columns}) > 1:
            raise ValueError("columns of one length are needed, at least one of them")
        rows = len(columns[0])
        scores = self._meanings.at(max(instant, self.manifest.created), wanted)
        found, understood = np.zeros((rows, len(wanted)), "<u4"), np.ones(rows, bool)
        answered = []
        if urls is not None:
            by_url, clear = self._by_url(urls, scores)
            if len(columns) > 1:
                # Without a URL an item is known by what else there is.
                clear |= asked.gaps(urls).to_numpy()
            answered.append((by_url, clear))
        for kind, column in ((IdentifierKind.SHA256, sha256), (IdentifierKind.ISCC, iscc)):
            if column is not None:
                keys = asked.keys(kind, column)
                answered.append(scores_of_keys(self.tables, keys, scores, rows))
        for more, clear in answered:
            np.maximum(found, more, out=found)
            understood &= clear
        found[~understood] = SILENCE
        return Decisions(wanted, found, understood)

    def _by_url(self, urls: Column, scores: Numbers) -> tuple[Numbers, Numbers]:
        found, understood = [np.empty((0, scores.shape[1]), "<u4")], [np.empty(0, bool)]
        for piece in asked.texts(urls):
            answer = self._prober.scores(piece.fill_null(""), scores)
            found.append(answer[0])
            understood.append(answer[1])
        return np.concatenate(found), np.concatenate(understood)


class _Meanings:
    """What every code says, at whichever instant is asked about."""

    def __init__(self, codes: Columns) -> None:
        self._codes = codes
        self._size = int(codes["code"].max(initial=0)) + 1
        self._changes = np.unique(codes["since"])
        self._known: tuple[int, Numbers] | None = None

    def at(self, instant: datetime, purposes: Sequence[Purpose]) -> Numbers:
        """Return scores (codes, purposes); code 0 says nothing."""
        columns = [PURPOSES.index(purpose) for purpose in purposes]
        return np.ascontiguousarray(self._all_at(instant)[:, columns])

    def _all_at(self, instant: datetime) -> Numbers:
        period = int(np.searchsorted(self._changes, micros(instant), side="right"))
        known = self._known
        if known is None or known[0] != period:
            held = self._codes["since"] <= micros(instant)
            scores = np.zeros((self._size, len(PURPOSES)), "<u4")
            # In order of time, so that the last of several is the one that stays.
            for column, purpose in enumerate(PURPOSES):
                scores[self._codes["code"][held], column] = self._codes[purpose.value][held]
            known = self._known = (period, scores)
        return known[1]
