"""Register many works at once: every table is written once for all of them.

The same rules as ``registry.works.register`` and ``registry.consent.state``, one by one, in the
same order of locks; tests compare the two. A row that breaks one gets an outcome, its neighbours
are registered.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection as CollectionOf
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import Cursor

from registry import (
    addresses,
    checks,
    clusters,
    consent,
    creators,
    decision_index,
    log,
    near_copies,
)
from registry.history import NewIdentifier, NewStatement, NewWork
from registry.import_files import PURPOSES, Body
from registry.models import (
    WHOLE_PPM,
    ClaimConflict,
    Creator,
    DisputeEvent,
    Identifier,
    RightsShare,
    Terms,
    Work,
)
from registry.near_copies import PPM, ContentCode
from tribute import identifiers, ids
from tribute.identifiers import Key
from tribute.vocabulary import VOCABULARY_VERSION, IdentifierKind

CODES_LOCK = 0x7472_6962_6E65_6172
"""What a work with a content code takes when it is inserted; see migration 0011. Here before."""

_SQL = Path(__file__).parent / "sql"
FIND_OWN_WORKS = (_SQL / "find_own_works.sql").read_text()
FIND_REFERENCES = (_SQL / "find_references.sql").read_text()
COPY_WORKS = """COPY registry_work (id, title, medium, registered_by_id, registered_at, status,
 sha256, iscc, iscc_type, iscc_bits) FROM STDIN"""
COPY_IDENTIFIERS = """COPY registry_identifier (work_id, kind, canonical, key, scopes, added_at)
 FROM STDIN"""
COPY_SHARES = "COPY registry_rightsshare (work_id, creator_id, ppm, confirmed_at) FROM STDIN"
COPY_STATEMENTS = """COPY registry_statement (id, subject_type, work_id, claimant_id, purpose,
 decision, paid, terms_id, vocabulary_version, sequence, effective_from, recorded_at, leaf_hash)
 FROM STDIN"""
COPY_REFERENCES = "COPY registry_workreference (creator_id, reference, work_id, digest) FROM STDIN"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: ``registered`` (of a dry run: would be), ``duplicate`` or ``error``."""

    kind: str
    work: str | None = None
    field: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A work to register: its row's number, id (typed, too), description, keys, owners' parts by id.

    digest: what changes with what the row says, its reference apart.
    """

    number: int
    work: UUID
    id: str
    body: Body
    keys: tuple[Key, ...]
    shares: Mapping[str, int]
    digest: bytes

    @property
    def code(self) -> ContentCode | None:
        """Return the content code by which near-copies are found."""
        iscc = self.first(IdentifierKind.ISCC)
        return near_copies.content_code(iscc) if iscc else None

    def first(self, kind: IdentifierKind) -> str | None:
        """Return the first identifier of a kind."""
        return next((key.canonical for key in self.keys if key.kind == kind), None)


def digest_of(body: Body) -> bytes:
    """Return SHA-256 of what a row says, its reference apart."""
    said = {name: value for name, value in body.items() if name != "reference"}
    return hashlib.sha256(checks.canonical_json(said)).digest()


def marks_of(new: Planned) -> tuple[list[bytes], bytes | None, bytes | None]:
    """Return what no second work of a creator has: its hashes and addresses, and its reference.

    Last, what says that the reference has this content.
    """
    own = [key.digest for key in new.keys if key.kind != IdentifierKind.ISCC]
    reference = new.body["reference"].encode()
    if not reference:
        return own, None, None
    named = hashlib.sha256(b"reference:" + reference).digest()
    return own, named, hashlib.sha256(named + new.digest).digest()


def plan(
    creator: Creator, rows: Iterable[tuple[int, Body]]
) -> tuple[list[Planned], dict[int, Outcome]]:
    """Decide which rows are new works, and the outcome of those that are not.

    Call it in the transaction that registers; others who register for the creator wait.
    """
    given = list(rows)
    decision_index.lock_creator(creator.pk)
    keys = {number: tuple(_key(*pair) for pair in body["keys"]) for number, body in given}
    known = _Known(creator, given, keys)
    planned: list[Planned] = []
    outcomes: dict[int, Outcome] = {}
    for number, body in given:
        found = known.outcome(body, keys[number])
        if found is None:
            shares = {known.owners[h]: ppm for h, ppm in body["shares"].items()}
            shares = shares or {creator.pk: WHOLE_PPM}
            work = ids.new_uuid7()
            new = Planned(
                number=number,
                work=work,
                id=ids.encode("wrk", work),
                body=body,
                keys=keys[number],
                shares=shares,
                digest=digest_of(body),
            )
            planned.append(new)
            known.add(new)
        else:
            outcomes[number] = found
    return planned, outcomes


def write(creator: Creator, planned: Sequence[Planned], *, at: datetime) -> None:
    """Register what was planned, with its statements, conflicts and index, in this transaction."""
    if not planned:
        return
    near = _near(planned)
    keys = Counter(key.digest for new in planned for key in new.keys)
    decision_index.lock(keys)
    shared = decision_index.taken(keys) | {key for key, times in keys.items() if times > 1}
    _copy_works(creator, planned, at)
    identifiers = _copy_identifiers(planned, at)
    statements = _state(creator, planned, at)
    rivals = _open_conflicts(creator, planned, near, shared, at)
    touched = decision_index.keys_of_claims(rivals) if rivals else set[bytes]()
    fresh = []
    for new in planned:
        own = {key.digest for key in new.keys}
        if own.isdisjoint(shared) and new.id not in rivals:
            fresh.append(NewWork(new.id, identifiers[new.number], statements[new.number]))
        else:
            touched |= own
    decision_index.refresh(touched, at=at)
    decision_index.add(fresh, creator.pk, at=at)


class _Known:
    """What the registry knows about some rows, and about those before them."""

    def __init__(
        self,
        creator: Creator,
        rows: Sequence[tuple[int, Body]],
        keys: Mapping[int, Sequence[Key]],
    ) -> None:
        self.creator = creator
        wanted = {body["reference"] for _, body in rows} - {""}
        self.references = {
            reference: (ids.encode("wrk", work), digest)
            for reference, work, digest in _found(
                FIND_REFERENCES, creator, {"references": list(wanted)}
            )
        }
        digests = {
            key.digest for own in keys.values() for key in own if key.kind != IdentifierKind.ISCC
        }
        same = _found(FIND_OWN_WORKS, creator, {"keys": list(digests)})
        self.works = {key: ids.encode("wrk", work) for key, work in same}
        handles = {handle for _, body in rows for handle in body["shares"]}
        owners = Creator.objects.filter(handle__in=handles, erased_at=None)
        self.owners = dict(owners.values_list("handle", "pk"))
        named = {said[2] for _, body in rows for said in body["decisions"].values() if said[2]}
        well_formed = [name for name in named if _is_id("trm", name)]
        terms = Terms.objects.filter(creator=creator, pk__in=well_formed)
        self.terms = set(terms.values_list("pk", flat=True))

    def outcome(self, body: Body, keys: Sequence[Key]) -> Outcome | None:
        """Return what a row is, unless it is a new work."""
        known = self.references.get(body["reference"])
        if known is not None:
            work, digest = known
            if digest == digest_of(body):
                return Outcome("duplicate", work)
            return Outcome("error", work, "reference", "names a work already, with other content")
        for key in keys:
            if key.digest in self.works and key.kind != IdentifierKind.ISCC:
                return Outcome("duplicate", self.works[key.digest], key.kind.value)
        return self._fault(body)

    def add(self, new: Planned) -> None:
        """Let the rows that follow know of a work."""
        if new.body["reference"]:
            self.references[new.body["reference"]] = (new.id, new.digest)
        for key in new.keys:
            self.works.setdefault(key.digest, new.id)

    def _fault(self, body: Body) -> Outcome | None:
        shares = body["shares"]
        if missing := sorted(set(shares) - set(self.owners)):
            return Outcome("error", None, "shares", f"nobody is called {missing[0][:40]!r}")
        if shares and self.creator.handle not in shares:
            return Outcome("error", None, "shares", f"{self.creator.handle} has no share")
        for purpose, (_, _, terms) in body["decisions"].items():
            if terms is not None and terms not in self.terms:
                return Outcome("error", None, purpose, f"{terms} are not terms of yours")
        return None


def _is_id(prefix: str, text: str) -> bool:
    try:
        ids.decode(prefix, text)
    except ids.InvalidId:
        return False
    return True


def _key(kind: str, canonical: str) -> Key:
    return identifiers.key_of_canonical(IdentifierKind(kind), canonical)


def _found(query: str, creator: Creator, wanted: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    # Django's own cursor would write every key into the text of the query.
    with Cursor(connection.connection) as cursor:
        asked = {"creator": ids.decode("cre", creator.pk), **wanted}
        return cursor.execute(query, asked, prepare=True, binary=True).fetchall()


def _near(planned: Sequence[Planned]) -> dict[UUID, list[tuple[str, float]]]:
    """Return the registered works near each planned one; who registers codes meanwhile waits."""
    codes = {new.work: code for new in planned if (code := new.code) is not None}
    if not codes:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CODES_LOCK])
    found = near_copies.find_many(set(codes.values()))
    return {work: found[code] for work, code in codes.items()}


def _copy_works(creator: Creator, planned: Sequence[Planned], at: datetime) -> None:
    owner, now = str(ids.decode("cre", creator.pk)), at.isoformat()
    works, shares, references = [], [], []
    for new in planned:
        work = str(new.work)
        sha256, code = new.first(IdentifierKind.SHA256), new.code
        works.append(
            (
                work, new.body["title"], new.body["medium"], owner, now, "active",
                bytes.fromhex(sha256) if sha256 else None, new.first(IdentifierKind.ISCC),
                code and code.type, code and code.bits,
            )
        )  # fmt: skip
        for holder, ppm in new.shares.items():
            confirmed_at = now if holder == creator.pk else None
            shares.append((work, str(ids.decode("cre", holder)), ppm, confirmed_at))
        if new.body["reference"]:
            references.append((owner, new.body["reference"], work, new.digest))
    _copy(COPY_WORKS, works)
    _copy(COPY_SHARES, shares)
    _copy(COPY_REFERENCES, references)


def _copy_identifiers(planned: Sequence[Planned], at: datetime) -> dict[int, list[NewIdentifier]]:
    """Store how to recognise each work; return it by the number of the row."""
    identifiers = {
        new.number: [
            NewIdentifier(key.kind, key.canonical, key.digest, _scopes(key), at) for key in new.keys
        ]
        for new in planned
    }
    now = at.isoformat()
    _copy(
        COPY_IDENTIFIERS,
        [
            (work, i.kind.value, i.canonical, i.key, _array(i.scopes), now)
            for new in planned
            for work in [str(new.work)]
            for i in identifiers[new.number]
        ],
    )
    return identifiers


def _scopes(key: Key) -> tuple[bytes, ...]:
    if key.kind != IdentifierKind.URL:
        return ()
    return _places(addresses.folder_of(key.canonical))


@lru_cache(maxsize=addresses.FOLDERS_KEPT)
def _places(folder: str) -> tuple[bytes, ...]:
    return tuple(place.digest for place in addresses.places(folder))


@lru_cache(maxsize=addresses.FOLDERS_KEPT)
def _array(values: tuple[bytes, ...]) -> str:
    """Write an array of bytes as PostgreSQL reads it; the driver takes as long as for ten rows."""
    return "{" + ",".join(f'"\\\\x{value.hex()}"' for value in values) + "}"


def _state(
    creator: Creator, planned: Sequence[Planned], at: datetime
) -> dict[int, list[NewStatement]]:
    """Record what the rows say may be done with their works, and its leaves."""
    claimant, now = str(ids.decode("cre", creator.pk)), at.isoformat()
    commitment = creators.commitment(creator)
    said: dict[int, list[NewStatement]] = {}
    leaves: list[bytes] = []
    rows = []
    for new in planned:
        prev: bytes | None = None
        said[new.number], work = [], str(new.work)
        for statement_id, statement in _statements(creator, new, at):
            leaf = consent.leaf(statement, prev, commitment=commitment)
            leaves.append(log.encoded(leaf, at=at))
            prev = log.hash_of(leaves[-1])
            terms = statement.terms_id and str(ids.decode("trm", statement.terms_id))
            rows.append(
                (
                    str(statement_id), "work", work, claimant, statement.purpose,
                    statement.decision, statement.paid, terms, statement.vocabulary_version,
                    statement.sequence, now, now, prev,
                )
            )  # fmt: skip
            said[new.number].append(statement)
    log.append_many(leaves, at=at)
    _copy(COPY_STATEMENTS, rows)
    return said


def _statements(
    creator: Creator, new: Planned, at: datetime
) -> Iterator[tuple[UUID, NewStatement]]:
    """Yield what a row says about its work, each with a fresh id."""
    said = new.body["decisions"]
    for sequence, purpose in enumerate(sorted(said, key=PURPOSES.index), start=1):
        decision, paid, terms = said[purpose]
        own = ids.new_uuid7()
        yield (
            own,
            NewStatement(
                pk=ids.encode("stm", own),
                subject_id=new.id,
                claimant_id=creator.pk,
                purpose=purpose,
                decision=decision,
                paid=paid,
                terms_id=terms,
                vocabulary_version=VOCABULARY_VERSION,
                sequence=sequence,
                effective_from=at,
                recorded_at=at,
            ),
        )


def _open_conflicts(
    creator: Creator,
    planned: Sequence[Planned],
    near: Mapping[UUID, Sequence[tuple[str, float]]],
    shared: CollectionOf[bytes],
    at: datetime,
) -> set[str]:
    """Open conflicts with others' works, as ``disputes.open_conflicts``; return all involved."""
    new_ids = {new.id for new in planned}
    by_key = {key.digest: new for new in planned for key in new.keys if key.digest in shared}
    found: dict[tuple[str, str], float] = {}
    for new in planned:
        for other, distance in near.get(new.work, ()):
            # A millionth at least: equal content codes are near-copies, not the same bytes.
            found[new.id, other] = max(distance, 1 / PPM)
    same = Identifier.objects.filter(key__in=list(by_key)).exclude(kind=IdentifierKind.ISCC)
    for key, other in same.exclude(work__in=new_ids).values_list("key", "work_id"):
        found[by_key[bytes(key)].id, other] = 0.0
    if not found:
        return set()
    for work, alike in _by_work(found).items():
        clusters.propose(Work(pk=work), alike, at=at)
    own = RightsShare.objects.filter(creator=creator, work__in={other for _, other in found})
    friends = set(own.exclude(confirmed_at=None).values_list("work_id", flat=True))
    opened = ClaimConflict.objects.bulk_create(
        ClaimConflict(
            work_id=work,
            other_id=other,
            kind=ClaimConflict.Kind.NEAR if distance else ClaimConflict.Kind.EXACT,
            distance_ppm=round(distance * PPM),
            opened_at=at,
        )
        for (work, other), distance in sorted(found.items())
        if other not in friends
    )
    DisputeEvent.objects.bulk_create(
        DisputeEvent(conflict=conflict, kind=DisputeEvent.Kind.OPENED, recorded_at=at)
        for conflict in opened
    )
    return {side for conflict in opened for side in (conflict.work_id, conflict.other_id)}


def _by_work(found: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    alike: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for (work, other), distance in sorted(found.items()):
        alike[work][other] = distance
    return alike


def _copy(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
