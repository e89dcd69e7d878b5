"""Publish the signed offline copy of every decision, and its deltas.

Owns what goes into a release and when a base replaces deltas; the format is ``tribute.snapshot``'s.
Reads the decision index and nothing else of what was said. Files live in a folder that every
builder and web server of the service shares; the newest release is a row, written in the
transaction that marks which changes it shows.
"""

import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import connection, transaction
from psycopg import Cursor

from registry import log, snapshot_base, snapshot_rows
from registry.errors import NotFound
from registry.models import SnapshotChange, SnapshotRelease
from tribute.snapshot import SnapshotError
from tribute.snapshot.changes import Changes, gate_of
from tribute.snapshot.manifest import Manifest, verify
from tribute.snapshot.publishing import (
    CodeBook,
    Edition,
    Publisher,
    Signer,
    files_folder,
    state_folder,
)
from tribute.snapshot.sayings import SayingsWriter, is_whole
from tribute.snapshot.tables import CODES, Columns, load, state_root, summarise

LIFETIME = timedelta(days=7)
BASE_EVERY = timedelta(days=7)
MOST_CHANGES = 250_000
MOST_TIMES_CHANGED = 4
"""So often may keys have changed, on average, for a delta: each change is a row."""
KEPT_CHANGES = 48
"""For how many releases it is remembered which keys each changed."""

LONGEST_NAME = 100
BUILDER_LOCK = 0x7472_6962_736E_6101
_SQL = Path(__file__).parent / "sql"
COUNT_SNAPSHOT_CHANGES = (_SQL / "count_snapshot_changes.sql").read_text()
MARK_SNAPSHOT_CHANGES = (_SQL / "mark_snapshot_changes.sql").read_text()
TAKE_SNAPSHOT_CHANGES = (_SQL / "take_snapshot_changes.sql").read_text()


@transaction.atomic
def build(*, at: datetime, root: Path | None = None) -> SnapshotRelease:
    """Publish what is decided now: a delta after the last release, or a base when that is due.

    root: a folder shared by all builders and web servers; None: ``snapshots`` in the project's
    home. One builder at a time; a second waits, then publishes what changed meanwhile. A base is
    made of the registry anew each week, after very many changes, and when the builder's own copy
    of the last state is lost or spoilt.
    """
    root = root or home()
    _take_turns()
    previous = _previous()
    seq = 0 if previous is None else previous.seq + 1
    edition = Edition(previous, at, at + LIFETIME, log.size())
    publisher = Publisher(root, _signer())
    # Taken first: whatever was committed by now is seen by the queries that follow.
    changed = _take_changes(seq)
    old = None if changed is None else _usable_state(root, previous, at)
    before = None if old is None else said_folder(root, seq - 1)
    with SayingsWriter(said_folder(root, seq), before=before) as said:
        if old is None or changed is None:
            data = _base(publisher, edition, said, at)
        else:
            data = _delta(publisher, edition, changed, old=old, said=said, at=at)
        manifest = verify(data, public_key=publisher.signer.public_key)
        tables = load(state_folder(root, seq))
        said.finish(tables, old=old, manifest=manifest.sha256, signer=publisher.signer)
    release = SnapshotRelease.objects.create(
        seq=seq,
        kind=manifest.kind,
        manifest=data,
        sha256=bytes.fromhex(manifest.sha256),
        created_at=at,
        expires_at=manifest.expires,
        complete=True,
    )
    _forget(root, release)
    return release


def newest() -> SnapshotRelease:
    """Return the last release. Raises NotFound before the first."""
    release = SnapshotRelease.objects.order_by("-seq").first()
    if release is None:
        raise NotFound("no snapshot has been published yet")
    return release


def file(name: str, *, root: Path | None = None) -> Path:
    """Return where a published file lies. Raises NotFound."""
    path = files_folder(root or home()) / name
    # Longer and stranger names are none of ours, and more than file systems can look for.
    ours = name.isascii() and len(name) <= LONGEST_NAME
    if not ours or path.parent != files_folder(root or home()) or not path.is_file():
        raise NotFound(f"there is no file {name[:LONGEST_NAME]!r}")
    return path


def home() -> Path:
    """Return the folder of snapshots in the project's home."""
    return Path(settings.HOME) / "snapshots"


def said_folder(root: Path, seq: int) -> Path:
    """Return where it lies what is said under the keys of one snapshot, with its statements' ids."""
    return root / "said" / str(seq)


def public_key() -> bytes:
    """Return the 32 bytes with which manifests are verified: those that verify receipts."""
    return _signer().public_key


def _take_turns() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BUILDER_LOCK])


def _previous() -> Manifest | None:
    release = SnapshotRelease.objects.order_by("-seq").first()
    if release is None:
        return None
    return verify(bytes(release.manifest), public_key=public_key())


def _take_changes(seq: int) -> frozenset[bytes] | None:
    """Mark all changes as shown by this release; return whose they are, None for too many.

    After millions of registrations as many keys would not fit into memory, and a base is due anyway.
    """
    most = MOST_TIMES_CHANGED * MOST_CHANGES
    # Django's own cursor would hand bytea over as memoryviews.
    with Cursor(connection.connection) as cursor:
        cursor.execute(COUNT_SNAPSHOT_CHANGES, {"most": most + 1})
        (count,) = cursor.fetchone() or (0,)
        if count > most:
            cursor.execute(MARK_SNAPSHOT_CHANGES, {"seq": seq})
            return None
        cursor.execute(TAKE_SNAPSHOT_CHANGES, {"seq": seq}, binary=True)
        changed = frozenset(key for (key,) in cursor)
        return changed if len(changed) <= MOST_CHANGES else None


def _usable_state(root: Path, previous: Manifest | None, at: datetime) -> dict[str, Columns] | None:
    """Return the tables of the last release when a delta may follow it, None when a base must.

    None also after a base that does not list every key: web processes would not answer from it;
    and where it is not written down what is said under them.
    """
    if previous is None:
        return None
    base = SnapshotRelease.objects.filter(seq=previous.base_seq, complete=True).first()
    if base is None or at - base.created_at >= BASE_EVERY:
        return None
    said = said_folder(root, previous.seq)
    if not is_whole(said, manifest=previous.sha256, public_key=public_key()):
        return None
    try:
        state = load(state_folder(root, previous.seq))
    except SnapshotError:
        return None
    return state if state_root(summarise(state)) == previous.state_root else None


def _base(publisher: Publisher, edition: Edition, said: SayingsWriter, at: datetime) -> bytes:
    codes = CodeBook()
    with snapshot_base.everything(publisher.root, codes, at=at, said=said) as rows:
        return publisher.base(rows.pieces(), codes, edition, sizes=rows.sizes)


def _delta(  # noqa: PLR0913 - what a release is made of
    publisher: Publisher,
    edition: Edition,
    changed: Iterable[bytes],
    *,
    old: dict[str, Columns],
    said: SayingsWriter,
    at: datetime,
) -> bytes:
    codes, changes = CodeBook.of(old[CODES]), Changes(old)
    silent = set(changed)
    for each in snapshot_rows.some(silent, at=at):
        silent.discard(each.key)
        said.put(each.kind, each.key, each.record)
        changes.put(each.kind, each.key, codes.number(each.timeline))
        if gate := gate_of(each.kind, each.canonical):
            changes.open_gate(*gate)
    for key in silent:
        changes.remove(key)
    return publisher.delta(changes.columns(), codes, edition, old=old)


def _signer() -> Signer:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.RECEIPT_SIGNING_KEY))
    return Signer(key.public_key().public_bytes_raw(), key.sign)


def _forget(root: Path, release: SnapshotRelease) -> None:
    """Remove what nobody builds upon any more: old states, and what came before the base before.

    Readers that are in the middle of older files have until the next base but one.
    """
    SnapshotChange.objects.filter(seq__lt=release.seq - KEPT_CHANGES).delete()
    bases = SnapshotRelease.objects.filter(kind="base").order_by("-seq").values_list("seq")
    for (oldest,) in bases[1:2]:
        SnapshotRelease.objects.filter(seq__lt=oldest).delete()
        for path in files_folder(root).iterdir():
            number = path.name.partition("-")[0].partition(".")[0]
            if number.isdigit() and int(number) < oldest:
                path.unlink(missing_ok=True)
    for folder in (*(root / "state").iterdir(), *(root / "said").iterdir()):
        # The state before stays: should this transaction fail, the next builds upon it.
        if folder.name.isdigit() and int(folder.name) < release.seq - 1:
            shutil.rmtree(folder, ignore_errors=True)
