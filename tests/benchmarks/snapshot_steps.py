"""The steps of the snapshots' benchmark, each in a process of its own, so that its memory is its own.

    python -m tests.benchmarks.snapshot_steps STEP DATABASE HOME

Prints one line of JSON: processor seconds of this process and of its PostgreSQL backend, seconds by the
clock, and the most memory it ever held. ``snapshots`` says what steps are for.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django
from psycopg import Cursor

django.setup()

from django.conf import settings  # noqa: E402 - settings need the set-up above
from django.db import connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from registry import snapshots  # noqa: E402
from registry.models import SnapshotRelease  # noqa: E402
from server import garbage  # noqa: E402
from tribute.snapshot import FolderSource, Snapshot, sync  # noqa: E402
from tribute.snapshot.publishing import files_folder  # noqa: E402
from tribute.snapshot.syncing import CURRENT  # noqa: E402

COPY_IN_ORDER = """COPY (
 SELECT key, subject, subject_type, tier, specificity, statements FROM registry_decisionindex ORDER BY key
) TO STDOUT (FORMAT binary)"""


def main() -> None:
    """Take one step and tell what it took."""
    step, database, home = sys.argv[1:]
    connections["default"].settings_dict["NAME"] = database
    settings.HOME = Path(home)
    # As workers do.
    garbage.look_seldom()
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    before = time.perf_counter(), time.process_time(), _busy(backend)
    STEPS[step](Path(home))
    after = time.perf_counter(), time.process_time(), _busy(backend)
    clock, worker, postgresql = (b - a for a, b in zip(before, after, strict=True))
    taken = {"clock": clock, "worker": worker, "postgresql": postgresql, "memory": _most_memory()}
    sys.stdout.write(json.dumps(taken) + "\n")


def rest(home: Path) -> None:
    """Do nothing."""


def base(home: Path) -> None:
    """Publish everything, as the first release."""
    SnapshotRelease.objects.all().delete()
    release = snapshots.build(at=timezone.now())
    assert release.kind == "base", release.kind
    _offer(home, release)


def delta(home: Path) -> None:
    """Publish what changed since."""
    release = snapshots.build(at=timezone.now())
    assert release.kind == "delta", release.kind
    _offer(home, release)


def ordered_copy(home: Path) -> None:
    """Read the rows of a base in the order of keys, and throw them away."""
    with Cursor(connection.connection) as cursor, cursor.copy(COPY_IN_ORDER) as copy:
        for _ in copy:
            pass


def first_copy(home: Path) -> None:
    """Bring a copy to a folder that holds none, and open it."""
    assert not (home / "mine" / CURRENT).exists()
    later_copy(home)


def later_copy(home: Path) -> None:
    """Bring a folder up to date, and open it."""
    key, at = snapshots.public_key(), timezone.now()
    sync(FolderSource(files_folder(snapshots.home())), home / "mine", public_key=key, at=at)
    Snapshot.open(home / "mine", public_key=key, at=at)


def hashing(home: Path) -> None:
    """Read and hash the files of a base once."""
    for path in files_folder(snapshots.home()).glob("*.arrow"):
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")


STEPS: dict[str, Callable[[Path], None]] = {
    "rest": rest,
    "base": base,
    "delta": delta,
    "ordered_copy": ordered_copy,
    "first_copy": first_copy,
    "later_copy": later_copy,
    "hashing": hashing,
}


def _offer(home: Path, release: SnapshotRelease) -> None:
    served = files_folder(snapshots.home())
    (served / "manifest.json").write_bytes(release.manifest)


def _busy(process: int) -> float:
    """Return the processor seconds a process took, to the nanosecond, where /proc tells."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


def _most_memory() -> float:
    """Return the most MiB that this program held. What getrusage tells includes who started it."""
    status = Path(f"/proc/{os.getpid()}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
