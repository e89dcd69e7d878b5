"""The offline copy of a registry's decisions: bring it here, verify it, ask it by the million.

    sync(HttpSource("https://registry.example"), folder, public_key=key, at=now)
    decisions = Snapshot.open(folder, public_key=key).check(urls, [Purpose.TRAIN_AI])

Needs the extra ``snapshot`` (pyarrow, numpy, cryptography). ``docs/snapshots.md`` is the format.
"""

from tribute.snapshot.errors import SnapshotError
from tribute.snapshot.lookups import LookedUp, look_up
from tribute.snapshot.reading import Decisions, Snapshot
from tribute.snapshot.sources import FolderSource, HttpSource
from tribute.snapshot.syncing import Synchronised, sync

__all__ = [
    "Decisions",
    "FolderSource",
    "HttpSource",
    "LookedUp",
    "Snapshot",
    "SnapshotError",
    "Synchronised",
    "look_up",
    "sync",
]
