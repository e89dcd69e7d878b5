"""The snapshot that this process answers from, and what changed since it was made.

Each process maps the newest release that can be trusted, and asks PostgreSQL at every check which keys
changed since: so a statement counts in every process from its commit. Where there is no snapshot that
is whole, authentic, current and near enough, there is nothing to answer from, and the caller asks
PostgreSQL for everything; ``state`` says why. Publishing is ``registry.snapshots``'s part.
"""

import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from registry import prepared, snapshots
from registry.models import SnapshotRelease
from registry.remembered import Remembered
from tribute.snapshot import SnapshotError
from tribute.snapshot.changes import Changes, gate_of
from tribute.snapshot.manifest import Manifest, verify
from tribute.snapshot.presence import Presence
from tribute.snapshot.probing import KERNEL
from tribute.snapshot.publishing import state_folder
from tribute.snapshot.sayings import Sayings
from tribute.snapshot.tables import Columns, Numbers, load, state_root, summarise
from tribute.snapshot.telling import firsts
from tribute.vocabulary import IdentifierKind

READ_OVERLAY = (Path(__file__).parent / "sql" / "read_overlay.sql").read_text()
MOST_CHANGED = 20_000
"""Past so many keys changed since, a process no longer answers from its snapshot."""
FARTHEST_BEHIND = snapshots.KEPT_CHANGES // 2
"""So many releases later, changes that this process never saw may soon be forgotten."""

Change = tuple[bytes, str | None, str | None]
"""A key that changed, with its kind and canonical form; None where it leads nowhere now."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class View:
    """What one check answers from.

    presence: which keys lead somewhere, as far as this process knows by now. changed: the keys
    (32 bytes) about which the snapshot is not to be believed; changed_firsts: their first halves.
    said: what is said under the keys of addresses, None where that has to be read from the
    decision index. log_size: how many leaves of the log had their place when it was asked what
    changed. remembered: answers from there that hold as long as none of their keys changes.
    """

    seq: int
    presence: Presence
    changed: frozenset[bytes]
    changed_firsts: Numbers
    said: Sayings | None
    log_size: int
    remembered: Remembered


class _Opened:
    """One release, mapped, and the changes after it that this process has seen."""

    def __init__(self, manifest: Manifest, root: Path) -> None:
        tables = load(state_folder(root, manifest.seq))
        if state_root(summarise(tables)) != manifest.state_root:
            raise SnapshotError(f"the tables of snapshot {manifest.seq} are not what was signed")
        self.manifest, self.root = manifest, root
        self.known_from = 0
        self._base = self._presence = Presence(tables)
        self._changes = Changes()
        self._changed: frozenset[bytes] = frozenset()
        self._firsts = firsts(self._changed)
        self._said = _said(manifest, root, tables) if KERNEL else None
        self._seen: set[Change] = set()
        self._remembered = Remembered()

    @property
    def sha256(self) -> bytes:
        return bytes.fromhex(self.manifest.sha256)

    def learn(self, news: "_News") -> View:
        """Add changes; return what holds now."""
        fresh = [change for change in news.changes if change not in self._seen]
        for digest, kind, canonical in fresh:
            if kind is None or canonical is None:
                continue  # it leads nowhere now, and did so at most in the snapshot
            self._changes.put(IdentifierKind(kind), digest, 1)
            if gate := gate_of(IdentifierKind(kind), canonical):
                self._changes.open_gate(*gate)
        if fresh:
            self._seen.update(fresh)
            self._changed |= {digest for digest, _, _ in fresh}
            self._firsts = firsts(self._changed)
            self._presence = self._base.with_changed(self._changes.columns())
        self.known_from = max(self.known_from, news.horizon)
        return View(
            seq=self.manifest.seq,
            presence=self._presence,
            changed=self._changed,
            changed_firsts=self._firsts,
            said=self._said,
            log_size=news.log_size,
            remembered=self._remembered,
        )

    @property
    def changes(self) -> int:
        return len(self._changed)


def _said(manifest: Manifest, root: Path, tables: Mapping[str, Columns]) -> Sayings | None:
    folder, key = snapshots.said_folder(root, manifest.seq), snapshots.public_key()
    try:
        return Sayings.open(folder, tables, manifest=manifest.sha256, public_key=key)
    except SnapshotError as error:
        logger.warning("Statements are read from PostgreSQL at each check: %s.", error)
        return None


@dataclass(slots=True)
class _Process:
    """What this process holds, under one lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    opened: _Opened | None = None
    opening: threading.Thread | None = None
    spoilt: bytes = b""
    reason: str = "nothing was asked yet"


_process = _Process()


@dataclass(frozen=True, slots=True)
class _News:
    """One answer to ``read_overlay``."""

    newest_seq: int | None
    newest_sha256: bytes
    newest_complete: bool
    own_sha256: bytes | None
    horizon: int
    log_size: int
    changes: Sequence[Change]
    too_many: bool


def view(*, at: datetime) -> View | None:
    """Return what to answer from at ``at``, or None: ask PostgreSQL for everything.

    What was committed before counts.
    """
    opened = _process.opened
    news = _read(opened)
    if opened is None or _must_reopen(opened, news):
        opened = _open_newest(news)
        if opened is None:
            return None
        news = _read(opened)
    elif news.newest_sha256 != opened.sha256:
        _open_in_the_background(opened)
    return _agreed(opened, news, at)


def state() -> dict[str, str | int]:
    """Return what checks are answered from here: ``from``, and the snapshot's number or why not."""
    opened = _process.opened
    if _process.reason or opened is None:
        return {"from": "database", "reason": _process.reason}
    return {"from": "snapshot", "seq": opened.manifest.seq, "changed_since": opened.changes}


def forget() -> None:
    """Let go of everything; the next check opens the newest release again."""
    with _process.lock:
        _process.opened, _process.spoilt = None, b""


def _agreed(opened: _Opened, news: _News, at: datetime) -> View | None:
    if at >= opened.manifest.expires:
        _refuse(f"snapshot {opened.manifest.seq} has expired")
        return None
    if news.own_sha256 != opened.sha256:
        _refuse(f"snapshot {opened.manifest.seq} is not this registry's")
        return None
    if not news.too_many:
        with _process.lock:
            learnt = opened.learn(news)
        if len(learnt.changed) <= MOST_CHANGED:
            _process.reason = ""
            return learnt
    _refuse(f"too much changed since snapshot {opened.manifest.seq}")
    return None


def _refuse(reason: str) -> None:
    if reason != _process.reason:
        logger.warning("Checks are answered from PostgreSQL alone: %s.", reason)
    _process.reason = reason


def _must_reopen(opened: _Opened, news: _News) -> bool:
    """Whether what is open cannot be used at all, so that it is worth waiting for another."""
    if opened.root != snapshots.home() or news.own_sha256 != opened.sha256:
        return True
    behind = (news.newest_seq or 0) - opened.manifest.seq
    too_many = news.too_many or opened.changes > MOST_CHANGED
    return behind > FARTHEST_BEHIND or (behind > 0 and too_many)


def _open_newest(news: _News) -> _Opened | None:
    """Open the newest release now; None when there is none that can be trusted."""
    if news.newest_seq is None:
        _refuse("no snapshot has been published yet")
        return None
    if not news.newest_complete:
        _refuse("the newest snapshot does not list every key")
        return None
    if news.newest_sha256 == _process.spoilt:
        return None  # tried before; why not stands in the state
    release = SnapshotRelease.objects.filter(seq=news.newest_seq).first()
    opened = None if release is None else _open(bytes(release.manifest))
    with _process.lock:
        _process.opened = opened
    return opened


def _open(data: bytes) -> _Opened | None:
    try:
        manifest = verify(data, public_key=snapshots.public_key())
        return _Opened(manifest, snapshots.home())
    except SnapshotError as error:
        _process.spoilt = hashlib.sha256(data).digest()
        _refuse(f"the newest snapshot cannot be used: {error}")
        return None


def _open_in_the_background(mine: _Opened) -> None:
    """Open a newer release while the one at hand goes on answering."""
    with _process.lock:
        if _process.opening is not None and _process.opening.is_alive():
            return
        release = SnapshotRelease.objects.order_by("-seq").filter(complete=True).first()
        if release is None or bytes(release.sha256) in {mine.sha256, _process.spoilt}:
            return
        _process.opening = threading.Thread(
            target=_take_over, args=[bytes(release.manifest)], daemon=True
        )
        _process.opening.start()


def _take_over(data: bytes) -> None:
    opened = _open(data)
    if opened is not None:
        with _process.lock:
            _process.opened = opened


def _read(opened: _Opened | None) -> _News:
    asked = {
        "seq": -1 if opened is None else opened.manifest.seq,
        "known_from": 0 if opened is None else opened.known_from,
        "most": 0 if opened is None else MOST_CHANGED + 1,
    }
    rows = prepared.run(READ_OVERLAY, **asked)
    seq, sha256, complete, own_sha256, horizon, log_size = rows[0][:6]
    changes = [row[6:] for row in rows if row[6] is not None]
    return _News(
        newest_seq=seq,
        newest_sha256=sha256 or b"",
        newest_complete=bool(complete),
        own_sha256=own_sha256,
        horizon=horizon,
        log_size=log_size,
        changes=changes,
        too_many=len(changes) > MOST_CHANGED,
    )
