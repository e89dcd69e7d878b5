"""The decision index: for each identifier key, what a check has to know, in one row per subject.

Derived from ``registry.history`` in the transaction that changes it, and compared with it by
``differences``. Online checks read nothing else, in one query.
"""

from collections import defaultdict
from collections.abc import Collection as CollectionOf
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection
from django.db.models import Q
from psycopg import Cursor

from registry import history
from registry.history import Link, NewWork, Said
from registry.models import ClaimConflict, Collection, DecisionIndex, Identifier, RightsShare
from tribute import ids
from tribute.verdict import Statement as Matched
from tribute.verdict import Tier
from tribute.vocabulary import IdentifierKind, Purpose

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EVERYTHING_LOCK = 0x7472_6962_6978_0001
MOST_SINGLE_LOCKS = 500
AUDIT_BATCH = 2_000
_SQL = Path(__file__).parent / "sql"
COPY_DECISIONS = """COPY registry_decisionindex
 (key, subject, subject_type, tier, specificity, statements) FROM STDIN"""
READ_DECISIONS = (_SQL / "read_decisions.sql").read_text()
READ_STANDING = (_SQL / "read_standing_decisions.sql").read_text()
DELETE_DECISIONS = (_SQL / "delete_decisions.sql").read_text()
FIND_TAKEN_KEYS = (_SQL / "find_taken_keys.sql").read_text()
LOCK_KEYS = (_SQL / "lock_keys.sql").read_text()

_PREFIXES = {"work": "wrk", "collection": "col", "creator": "cre"}
_TYPES = {prefix: name for name, prefix in _PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Row:
    """What one key says about one subject.

    statements: each with ``id claimant purpose decision paid terms from sequence proven disputed``
        and, for a near-copy, ``distance``; ``from`` in microseconds since 1970, UTC.
    """

    key: bytes
    subject: str
    tier: Tier
    specificity: int
    statements: Sequence[Mapping[str, Any]]

    def matched(self, kind: IdentifierKind) -> list[Matched]:
        """Return the statements as the verdict takes them, reached by a key of ``kind``."""
        return [self._matched(s, kind) for s in self.statements]

    def _matched(self, s: Mapping[str, Any], kind: IdentifierKind) -> Matched:
        distance = s.get("distance")
        return Matched(
            id=s["id"],
            subject=self.subject,
            tier=self.tier,
            specificity=self.specificity,
            claimant=s["claimant"],
            purpose=Purpose(s["purpose"]),
            decision=s["decision"],
            effective_from=EPOCH + s["from"] * MICROSECOND,
            sequence=s["sequence"],
            proven=s["proven"],
            matched_by=(kind if distance is None else IdentifierKind.ISCC).value,
            distance=distance,
            terms=s["terms"],
            disputed=s["disputed"],
        )


class Way(NamedTuple):
    """What is said of a work by one way to it, as it is stored; equal texts mean equal words."""

    subject: bytes
    subject_type: str
    tier: int
    specificity: int
    statements: str

    @property
    def begins(self) -> Sequence[datetime]:
        """Since when each statement is in effect."""
        return _begins(self.statements)

    def row(self) -> Row:
        """Return it as rows of the index are read, without the key that led here."""
        subject = ids.encode(_PREFIXES[self.subject_type], UUID(bytes=self.subject))
        statements = orjson.loads(self.statements)
        return Row(b"", subject, Tier(self.tier), self.specificity, statements)


@lru_cache(maxsize=10_000)
def _begins(statements: str) -> tuple[datetime, ...]:
    return tuple(EPOCH + s["from"] * MICROSECOND for s in orjson.loads(statements))


def read_works(works: Iterable[str]) -> dict[str, frozenset[Way]]:
    """Return what is said of each work by any of its identifiers, and of the places they lie in.

    Works of which nothing is said are left out. One query.
    """
    name_of = {ids.decode("wrk", work).bytes: work for work in works}
    connection.ensure_connection()
    found: dict[bytes, set[Way]] = defaultdict(set)
    with Cursor(connection.connection) as cursor:
        # As text: the driver takes three times as long over a list of UUIDs.
        wanted = "{" + ",".join([work.hex() for work in name_of]) + "}"
        cursor.execute(READ_STANDING, {"works": wanted}, binary=True)
        for work, *way in cursor:
            found[work].add(Way(*way))
    return {name_of[work]: frozenset(ways) for work, ways in found.items()}


def read(keys: Iterable[bytes]) -> dict[bytes, list[Row]]:
    """Return the rows of each known key: one query with binary parameters, however many keys."""
    connection.ensure_connection()
    found: dict[bytes, list[Row]] = defaultdict(list)
    # Django's own cursor would write ten thousand keys into the text of the query.
    with Cursor(connection.connection) as cursor:
        cursor.execute(READ_DECISIONS, [list(set(keys))], prepare=True, binary=True)
        for key, subject, subject_type, tier, narrowness, statements in cursor:
            public_id = ids.encode(_PREFIXES[subject_type], subject)
            row = Row(key, public_id, Tier(tier), narrowness, orjson.loads(statements))
            found[key].append(row)
    return found


def as_of(keys: CollectionOf[bytes], at: datetime) -> dict[bytes, list[Row]]:
    """Return what ``read`` would have returned at an instant, from history."""
    return rows_at(history.load(keys), at)


def rows_at(links: Iterable[Link], at: datetime) -> dict[bytes, list[Row]]:
    """Return the rows that ``links`` made at an instant, only what was in effect then."""
    rows: dict[bytes, list[Row]] = defaultdict(list)
    for row in _rows(links, at):
        current = [s for s in row.statements if s["from"] <= _micros(at)]
        rows[row.key].append(_with(row, current))
    return rows


def refresh(keys: Iterable[bytes], *, at: datetime) -> None:
    """Write the rows of ``keys`` anew; call it in the transaction that changed their history.

    Whoever rewrites a key meanwhile waits for this transaction's end, and whoever proves control
    of a place waits for those who register below it.
    """
    wanted = frozenset(keys)
    if not wanted:
        return
    assert connection.in_atomic_block, "the index changes with what it is made from"
    lock(wanted)
    rows = _current(history.load(wanted), at)
    with Cursor(connection.connection) as cursor:
        cursor.execute(DELETE_DECISIONS, [list(wanted)], prepare=True)
    _copy(rows)


def add(works: Sequence[NewWork], owner: str, *, at: datetime) -> None:
    """Write the rows of works whose identifiers were just stored, the first to lead anywhere.

    The same rows, under the same locks, as ``refresh`` would write; what has to hold of the works
    is said by ``history.load_new``.
    """
    if not works:
        return
    assert connection.in_atomic_block, "the index changes with what it is made from"
    lock({identifier.key for work in works for identifier in work.identifiers})
    _copy(_current(history.load_new(works, owner, at=at), at))


def taken(keys: CollectionOf[bytes]) -> set[bytes]:
    """Return those of ``keys`` that lead to a work, or about which the index says anything."""
    with Cursor(connection.connection) as cursor:
        cursor.execute(FIND_TAKEN_KEYS, {"keys": list(keys)}, prepare=True, binary=True)
        return {key for (key,) in cursor}


def lock(keys: CollectionOf[bytes]) -> None:
    """Make everybody who rewrites ``keys`` take turns with this transaction, until it ends.

    The places that contain them are held too, shared: see ``keys_below``.
    """
    exclusive = {_lock_id(key) for key in keys}
    shared = {EVERYTHING_LOCK}
    if len(exclusive) > MOST_SINGLE_LOCKS:
        exclusive, shared = {EVERYTHING_LOCK}, set()
    else:
        scopes = Identifier.objects.filter(key__in=keys).values_list("scopes", flat=True)
        shared |= {_lock_id(bytes(scope)) for row in scopes for scope in row}
    _take(exclusive=exclusive, shared=shared)


def hold_creator(creator: str) -> None:
    """Keep what concerns all of a creator's works waiting until this transaction's end.

    Taken before a new link to the creator is made. The row itself would not do: PostgreSQL looks
    at Django's deferred foreign keys only at commit.
    """
    _take(exclusive=set(), shared={_creator_lock_id(creator)})


def lock_creator(creator: str) -> None:
    """Wait for new links to a creator under way, and keep further ones waiting."""
    _take(exclusive={_creator_lock_id(creator)}, shared=set())


def lock_certificate(sha256: bytes) -> None:
    """Make everybody who shows control of a certificate take turns; taken before any creator's lock."""
    _take(exclusive={_lock_id(sha256)}, shared=set())


def _take(*, exclusive: set[int], shared: set[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOCK_KEYS, {"exclusive": sorted(exclusive), "shared": sorted(shared)})


def _creator_lock_id(creator: str) -> int:
    return int.from_bytes(ids.decode("cre", creator).bytes[8:], "big", signed=True)


def differences(*, at: datetime) -> list[str]:
    """Compare the whole index with history; return a line for each key that is not as expected."""
    stored = set(DecisionIndex.objects.values_list("key", flat=True).distinct())
    keys = {bytes(key) for key in stored}
    keys |= {bytes(key) for key in Identifier.objects.values_list("key", flat=True).distinct()}
    keys |= {bytes(key) for key in Collection.objects.values_list("key", flat=True).distinct()}
    everything = sorted(keys)
    wrong: list[str] = []
    for start in range(0, len(everything), AUDIT_BATCH):
        wrong += _differences(everything[start : start + AUDIT_BATCH], at)
    return wrong


def keys_of_works(works: Iterable[str]) -> set[bytes]:
    """Return the identifier keys of some works."""
    rows = Identifier.objects.filter(work_id__in=set(works)).values_list("key", flat=True)
    return {bytes(key) for key in rows}


def keys_of_claims(works: Iterable[str]) -> set[bytes]:
    """Return the keys that what is said of some works bears on: theirs, and their rivals'.

    Locks the works' own keys first, so that a conflict opened meanwhile is either seen here, or
    sees what this transaction did.
    """
    wanted = set(works)
    lock(keys_of_works(wanted))
    pairs = ClaimConflict.objects.filter(Q(work__in=wanted) | Q(other__in=wanted))
    rivals = {side for pair in pairs.values_list("work", "other") for side in pair}
    return keys_of_works(wanted | rivals)


def keys_of_creator(creator: str) -> set[bytes]:
    """Return every key that leads to a creator: through works and through collections."""
    works = RightsShare.objects.filter(creator=creator).values_list("work_id", flat=True)
    places = Collection.objects.filter(creator=creator).values_list("key", flat=True)
    return keys_of_claims(works) | {bytes(key) for key in places}


def keys_below(collection: Collection) -> set[bytes]:
    """Return a collection's key, and every key of the works that have an address within it.

    Waits for registrations under way below the collection, and keeps new ones waiting.
    """
    lock({bytes(collection.key)})
    works = Identifier.objects.filter(scopes__contains=[bytes(collection.key)])
    return keys_of_claims(works.values_list("work_id", flat=True)) | {bytes(collection.key)}


def _lock_id(key: bytes) -> int:
    return int.from_bytes(key[:8], "big", signed=True)


def _copy(rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY_DECISIONS) as copy:
        for row in rows:
            copy.write_row(_stored(row))


def _current(links: Sequence[Link], at: datetime) -> list[Row]:
    horizon = max([at, *instants(links)])
    return [
        pruned
        for row in _rows(links, horizon)
        if (pruned := _pruned(row, horizon)).statements or row.tier == Tier.WORK
    ]


def instants(links: Iterable[Link]) -> Iterable[datetime]:
    """Yield when things became known: web servers' clocks differ, and none may drop another's."""
    for link in links:
        yield link.during.since
        if link.during.until is not None:
            yield link.during.until
        for said in link.sayings:
            yield said.statement.recorded_at
            yield from said.proof.instants()


def _rows(links: Iterable[Link], at: datetime) -> Iterable[Row]:
    """Join the links of each key and subject that hold at an instant."""
    joined: dict[tuple[bytes, str], list[Link]] = defaultdict(list)
    for link in links:
        if link.during.covers(at):
            joined[link.key, link.subject].append(link)
    for (key, subject), ways in joined.items():
        # The thing itself leaves no room for its being a near-copy.
        exact = [way for way in ways if way.distance is None] or ways[:1]
        statements: dict[str, dict[str, Any]] = {}
        for way in exact:
            for said in way.sayings:
                if said.statement.recorded_at <= at:
                    packed = _packed(said, way, at)
                    proven = statements.get(packed["id"], {}).get("proven", False)
                    statements[packed["id"]] = packed | {"proven": packed["proven"] or proven}
        yield Row(key, subject, exact[0].tier, exact[0].specificity, list(statements.values()))


def _packed(said: Said, link: Link, at: datetime) -> dict[str, Any]:
    statement = said.statement
    packed = {
        "id": statement.pk,
        "claimant": statement.claimant_id,
        "purpose": statement.purpose,
        "decision": statement.decision,
        "paid": statement.paid,
        "terms": statement.terms_id,
        "from": _micros(statement.effective_from),
        "sequence": statement.sequence,
        "proven": said.proof.holds(at),
        "disputed": any(period.covers(at) for period in said.disputes),
    }
    return packed if link.distance is None else packed | {"distance": link.distance}


def _pruned(row: Row, at: datetime) -> Row:
    """Leave out what a later statement of the same claimant has replaced for good."""
    now = _micros(at)
    latest: dict[tuple[str, str], int] = defaultdict(int)
    for s in row.statements:
        if s["from"] <= now:
            speaker = (s["claimant"], s["purpose"])
            latest[speaker] = max(latest[speaker], s["sequence"])
    return _with(row, [s for s in row.statements if _matters(s, latest, now)])


def _matters(s: Mapping[str, Any], latest: Mapping[tuple[str, str], int], now: int) -> bool:
    last = latest[s["claimant"], s["purpose"]]
    if s["from"] > now:
        # Replaced before it begins, when a later statement is in effect already.
        return bool(s["sequence"] > last)
    restricts = s["decision"] in {"deny", "license"}
    return bool(s["sequence"] == last or (s["disputed"] and restricts))


def _with(row: Row, statements: Sequence[Mapping[str, Any]]) -> Row:
    return Row(row.key, row.subject, row.tier, row.specificity, statements)


def _stored(row: Row) -> tuple[bytes, str, str, int, int, str]:
    """Return a row as COPY takes it: Django's own insert takes ten times as long."""
    prefix = ids.prefix_of(row.subject)
    subject = str(ids.decode(prefix, row.subject))
    statements = orjson.dumps(row.statements).decode()
    return row.key, subject, _TYPES[prefix], row.tier.value, row.specificity, statements


def _differences(keys: Sequence[bytes], at: datetime) -> Iterable[str]:
    expected = {(r.key, r.subject): _comparable(r, at) for r in _current(history.load(keys), at)}
    stored = {(r.key, r.subject): _comparable(r, at) for rows in read(keys).values() for r in rows}
    for place in sorted(expected.keys() | stored.keys()):
        if expected.get(place) != stored.get(place):
            yield f"key {place[0].hex()[:32]} and {place[1]}: the index is not what history says"


def _comparable(row: Row, at: datetime) -> tuple[object, ...]:
    statements = sorted(_pruned(row, at).statements, key=lambda s: str(s["id"]))
    return row.tier, row.specificity, [dict(s) for s in statements]


def _micros(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND
