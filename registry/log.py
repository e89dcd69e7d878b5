"""The way into the transparency log: append a leaf, give leaves their places.

A leaf is written in the transaction of what it records, as canonical JSON (RFC 8785) of opaque
ids, words of a vocabulary, times, hashes and counts, so that erasing a person leaves the tree
valid. Tiles and checkpoints are made of the places by ``registry.log_tree``.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
from django.db import connection, transaction
from django.db.models import Min, QuerySet

from registry import prepared
from registry.errors import InvalidLeaf, LeafTooLarge
from registry.models import LogEntry, LogOutbox

LEAF_VERSION = 1
LEAF_TYPES = frozenset(
    {
        "consent.set",
        "control.proven",
        "control.ended",
        "creator.erased",
        "person.erased",
        "check.batch",
        "dispute.decided",
        "cluster.decided",
        "manifest.digest",
        "ledger.head",
    }
)
LARGEST_LEAF = 4096
LARGEST_NUMBER = 2**53 - 1
LATECOMERS = 100_000
"""A leaf may wait behind so many later ones, while its transaction is still open."""
_SQL = Path(__file__).parent / "sql"
INSERT_LEAF = (_SQL / "insert_leaf.sql").read_text()
COUNT_LOG_ENTRIES = (_SQL / "count_log_entries.sql").read_text()
COPY_LEAVES = "COPY registry_logoutbox (leaf, leaf_hash, recorded_at) FROM STDIN"
SEQUENCER_LOCK = 0x7472_6962_6C6F_6701

LeafValue = str | int | bool | Sequence[str]

# Ids, words, times, hexadecimal and versions; no space, so no sentence and no name.
_WORD = re.compile(r"[A-Za-z0-9_.:/+\-]{1,128}")
# A whole leaf of such words: what most leaves are, seen at once rather than word by word.
_TOKEN = f'"{_WORD.pattern}"'
_VALUE = rf"(?:{_TOKEN}|-?[0-9]{{1,15}}|true|false|\[{_TOKEN}(?:,{_TOKEN})*\])"
_OPAQUE = re.compile(rf"\{{{_TOKEN}:{_VALUE}(?:,{_TOKEN}:{_VALUE})*\}}".encode())


def append(leaf: Mapping[str, LeafValue], *, at: datetime) -> bytes:
    """Write a leaf into the outbox; return its RFC 6962 hash (32 bytes).

    leaf: ``t`` names one of LEAF_TYPES; ``v`` and ``at`` are added here.
    Raises InvalidLeaf for an unknown type or anything like free text, LeafTooLarge over 4 KiB.
    """
    data = encoded(leaf, at=at)
    leaf_hash = hash_of(data)
    prepared.run(INSERT_LEAF, leaf=data, leaf_hash=leaf_hash, recorded_at=at)
    return leaf_hash


def append_many(leaves: Iterable[bytes], *, at: datetime) -> None:
    """Write leaves that ``encoded`` made into the outbox, in their order."""
    now = at.isoformat()
    with connection.cursor() as cursor, cursor.copy(COPY_LEAVES) as copy:
        for data in leaves:
            copy.write_row((data, hash_of(data), now))


def encoded(leaf: Mapping[str, LeafValue], *, at: datetime) -> bytes:
    """Return a leaf's bytes. Raises InvalidLeaf, LeafTooLarge."""
    if leaf.get("t") not in LEAF_TYPES:
        raise InvalidLeaf(f"there is no leaf type {leaf.get('t')!r}")
    # Of ASCII words and small whole numbers this writes what RFC 8785 does, many times faster.
    stamped = {"v": LEAF_VERSION, **leaf, "at": instant(at)}
    try:
        data = orjson.dumps(stamped, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        _require_opaque(leaf)
        raise InvalidLeaf(f"the leaf is not JSON: {error}") from error
    if not _OPAQUE.fullmatch(data):
        _require_opaque(leaf)
    if len(data) > LARGEST_LEAF:
        raise LeafTooLarge(f"the leaf has {len(data)} bytes, more than {LARGEST_LEAF}")
    return data


def hash_of(leaf: bytes) -> bytes:
    """Return the leaf's hash: SHA-256 of a zero byte and the leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def instant(at: datetime) -> str:
    """Print an aware instant as the log does: UTC, microseconds, ``Z``."""
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def size() -> int:
    """Return how many leaves have their place: N in "as of log size N"."""
    ((count,),) = prepared.run(COUNT_LOG_ENTRIES)
    return int(count)


def oldest_waiting() -> datetime | None:
    """Return when the oldest leaf without a place was written, among the newest leaves."""
    waiting = _newest().filter(entry=None)
    oldest: datetime | None = waiting.aggregate(oldest=Min("recorded_at"))["oldest"]
    return oldest


def restore(placed: Iterable[tuple[int, bytes]], *, at: datetime) -> int:
    """Put leaves back into the places that were signed for them; return how many.

    For a database restored from a backup. ``at`` stands for when they were recorded.
    """
    missing = dict(placed)
    by_hash = {hash_of(leaf): leaf for leaf in missing.values()}
    known = _ids(by_hash)
    append_many([leaf for digest, leaf in by_hash.items() if digest not in known], at=at)
    ids = _ids(by_hash)
    LogEntry.objects.bulk_create(
        LogEntry(index=index, leaf_id=ids[hash_of(leaf)]) for index, leaf in missing.items()
    )
    return len(missing)


@transaction.atomic
def sequence(*, limit: int, latecomers: bool = False) -> int:
    """Give up to ``limit`` waiting leaves the next places; return how many got one.

    latecomers: look at every leaf ever written, not only at the newest: for those whose
    transaction stayed open very long. That reads the whole outbox. One sequencer at a time holds the lock until commit, so places have no gap and no leaf two.
    """
    take_turns()
    waiting = (LogOutbox.objects if latecomers else _newest()).filter(entry=None)
    waiting_ids = waiting.order_by("id").values_list("id", flat=True)
    first = size()
    entries = [
        LogEntry(index=index, leaf_id=leaf_id)
        for index, leaf_id in enumerate(waiting_ids[:limit], start=first)
    ]
    LogEntry.objects.bulk_create(entries)
    return len(entries)


def placed(hashes: Iterable[bytes | memoryview]) -> int:
    """Return how many of the leaves with these hashes have their place."""
    wanted = [bytes(each) for each in hashes]
    return LogEntry.objects.filter(leaf__leaf_hash__in=wanted).count()


def leaves(start: int, end: int) -> list[bytes]:
    """Return the leaves in the places from ``start`` up to, not including, ``end``."""
    placed = LogEntry.objects.filter(index__gte=start, index__lt=end).order_by("index")
    return [bytes(leaf) for leaf in placed.values_list("leaf__leaf", flat=True)]


def take_turns() -> None:
    """Be the only sequencer until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SEQUENCER_LOCK])


def _newest() -> QuerySet[LogOutbox]:
    """Return the leaves among which any is that waits, but for very late ones."""
    newest = LogEntry.objects.order_by("-index").values_list("leaf_id", flat=True).first() or 0
    return LogOutbox.objects.filter(id__gt=newest - LATECOMERS)


def _ids(hashes: Iterable[bytes]) -> dict[bytes, int]:
    rows = LogOutbox.objects.filter(leaf_hash__in=list(hashes)).values_list("leaf_hash", "id")
    return {bytes(leaf_hash): leaf_id for leaf_hash, leaf_id in rows}


def _require_opaque(leaf: Mapping[str, LeafValue]) -> None:
    """Raise InvalidLeaf unless every name and value is a word, or a number that JSON keeps."""
    for name, value in leaf.items():
        words: Sequence[str] = [value] if isinstance(value, str) else []
        if isinstance(value, int):
            if abs(value) > LARGEST_NUMBER:
                raise InvalidLeaf(f"{name} is not exact in every reader of JSON")
        elif not isinstance(value, str):
            words = value
        for word in (name, *words):
            if not isinstance(word, str) or not _WORD.fullmatch(word):
                raise InvalidLeaf(f"{name} would put free text into the public log")
