"""The sequencer: give leaves their places, write the tree's tiles, and sign it. One at a time.

The order is the promise. Places are committed first; then tiles are written and flushed; then the
checkpoint is signed, remembered outside the database, and published. A kill anywhere leaves a
signed log as it was, and the next ring goes on. What contradicts what was signed is never signed.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from registry import log, log_files, log_signing
from registry.errors import LogBegun, LogDamaged, LogForked, LogNotBegun
from registry.models import LogOutbox
from tribute.log.checkpoints import Checkpoint
from tribute.log.errors import TamperedTile
from tribute.log.tiles import ENTRIES, WIDTH, Tile, TileTree, grown, pack
from tribute.merkle import EMPTY_ROOT

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """How the log does. size: leaves with a place; signed: those below the checkpoint."""

    size: int
    signed: int
    oldest_waiting: timedelta


def begin() -> bytes:
    """Sign the empty tree, once in the log's life; return its checkpoint.

    Raises LogBegun when anything was ever signed as far as the files know.
    """
    with log_files.alone():
        if log_files.last_signed() is not None or log_files.checkpoint() is not None:
            raise LogBegun("there is a signed checkpoint already")
        note = log_signing.signed(0, EMPTY_ROOT)
        log_files.remember(note)
        log_files.publish(note)
    return note


def grow(*, limit: int, latecomers: bool = False) -> int:
    """Place up to ``limit`` waiting leaves and sign the tree with up to ``limit`` more in it.

    latecomers: among all that wait, not only the newest leaves; see ``log.sequence``.
    Returns how many leaves came below the checkpoint. Raises LogNotBegun, LogForked, LogDamaged,
    and leaves the log as it is.
    """
    if settings.EMBEDDED and log_files.last_signed() is None and log_files.checkpoint() is None:
        _begin_embedded()
    with transaction.atomic(durable=True), _alone():
        _require_same_history(last_signed())
        log.sequence(limit=limit, latecomers=latecomers)
    with transaction.atomic(durable=True), _alone():
        return _sign(last_signed(), limit)


def last_signed() -> Checkpoint:
    """Return what was signed last; the published checkpoint is never ahead of it.

    Raises LogNotBegun, LogForked, LogDamaged.
    """
    past = log_signing.opened(_note())
    published = log_files.checkpoint()
    if published is not None and log_signing.opened(published).size > past.size:
        raise LogForked(
            f"{log_files.last_signed_path()} is older than the published checkpoint:"
            " put the newest signed checkpoint back"
        )
    return past


def state(*, at: datetime) -> State:
    """Return how far the log has come, and how long the oldest leaf outside it has waited.

    Raises LogNotBegun, LogDamaged.
    """
    size, signed = log.size(), log_signing.opened(_note()).size
    times = [
        LogOutbox.objects.filter(entry__index=signed).values_list("recorded_at", flat=True).first(),
        log.oldest_waiting(),
    ]
    oldest = min((time for time in times if time is not None), default=at)
    return State(size, signed, max(timedelta(), at - oldest))


@contextmanager
def _alone() -> Iterator[None]:
    """Be the only sequencer: by the database's lock, and by one on this machine's files."""
    log.take_turns()
    with log_files.alone():
        yield


def _sign(past: Checkpoint, limit: int) -> int:
    tree = _require_same_history(past)
    size = min(log.size(), past.size + limit)
    if size > past.size:
        _extend(tree, log.leaves(past.size // WIDTH * WIDTH, size))
    elif log_files.checkpoint() != log_files.last_signed():
        log_files.publish(log_signing.signed(past.size, past.root))
    return size - past.size


def _require_same_history(past: Checkpoint) -> TileTree:
    """Refuse a database or tiles that are not what was signed; return the tree that was.

    The database's last leaves below the signed size are compared, of those before them the places:
    a backup that grew again has other leaves just there. Raises LogForked, LogDamaged.
    """
    size = log.size()
    if size < past.size:
        raise LogForked(
            f"{past.size} leaves were signed and the database holds {size}: was it restored from"
            " a backup? Nothing is signed; `manage.py log recover` brings them back"
        )
    tree = TileTree(log_files.tile, past.size)
    _require_signed_tiles(tree, past)
    start = max(past.size - 1, 0) // WIDTH * WIDTH
    held = [log.hash_of(leaf) for leaf in log.leaves(start, past.size)]
    if [tree.leaf_hash(index) for index in range(start, past.size)] != held:
        raise LogForked(
            f"the database's leaves before place {past.size} are not those that were signed:"
            " was it restored from a backup, and written to? Nothing is signed"
        )
    return tree


def _extend(tree: TileTree, leaves: list[bytes]) -> None:
    """Add what is new among ``leaves``, which begin where the tree's last narrow tile does."""
    fresh = [log.hash_of(leaf) for leaf in leaves[tree.size % WIDTH :]]
    frontier = tree.frontier()
    for leaf_hash in fresh:
        frontier.append(leaf_hash)
    tiles = [*grown(log_files.tile, tree.size, fresh), *_bundles(tree.size // WIDTH, leaves)]
    log_files.write_tiles(tiles)
    note = log_signing.signed(frontier.size, frontier.root())
    log_files.remember(note)
    log_files.publish(note)
    for tile, _ in tiles:
        log_files.forget_narrow(tile)


def _bundles(first: int, leaves: list[bytes]) -> list[tuple[Tile, bytes]]:
    parts = [leaves[start : start + WIDTH] for start in range(0, len(leaves), WIDTH)]
    return [
        (Tile(ENTRIES, number, len(part)), pack(part)) for number, part in enumerate(parts, first)
    ]


def _require_signed_tiles(tree: TileTree, past: Checkpoint) -> None:
    try:
        whole = tree.root() == past.root
    except TamperedTile as error:
        raise LogDamaged(str(error)) from error
    if not whole:
        raise LogDamaged(f"the tiles do not give the root that was signed at size {past.size}")


def _note() -> bytes:
    note = log_files.last_signed()
    if note is None:
        raise LogNotBegun(
            f"there is no {log_files.last_signed_path()}: a new log is begun by `manage.py log"
            " begin`; after a restore put the last signed checkpoint there"
        )
    return note


def _begin_embedded() -> None:
    try:
        begin()
    except LogBegun:
        logger.info("Another process began the log first.")
