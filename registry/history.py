"""Everything ever said about identifier keys: when it became known, and since when it is proven.

Reads the registry's own tables, never the decision index, which is made from what this returns.
Writes nothing and decides nothing: that is ``tribute.verdict``'s part.
"""

from collections import defaultdict
from collections.abc import Collection as CollectionOf
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from django.db import connection
from django.db.models import Q
from psycopg import Cursor

from registry.models import (
    ClaimConflict,
    Collection,
    Creator,
    Identifier,
    PastControl,
    RightsShare,
    Signer,
    Statement,
    WorkSignature,
)
from tribute.verdict import Tier
from tribute.vocabulary import IdentifierKind

PPM = 1_000_000
FIND_KNOWN_KEYS = (Path(__file__).parent / "sql" / "find_known_keys.sql").read_text()
_PLACES = {IdentifierKind.DOMAIN: 0, IdentifierKind.HOST: 100, IdentifierKind.PATH: 200}


@dataclass(frozen=True, slots=True)
class Period:
    """From an instant until just before another; None: no end."""

    since: datetime
    until: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Whether ``at`` lies within."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Proof:
    """What establishes a claimant's right to speak for a subject, and what stands against it.

    control: while the claimant demonstrably controlled the place, or the certificate that the work's
        file is signed with.
    identity_at: since when the claimant's identity is verified, or None.
    rivals: while somebody else did.
    contests: while another claims the same thing. A claimant who came later is without proof of
        content meanwhile; one who came first loses only what identity alone would prove.
    """

    control: tuple[Period, ...] = ()
    identity_at: datetime | None = None
    rivals: tuple[Period, ...] = ()
    contests: tuple[Period, ...] = ()
    came_later: bool = False
    of_place: bool = False

    def instants(self) -> Iterator[datetime]:
        """Yield when each part of the proof, and of what stands against it, became known."""
        if self.identity_at is not None:
            yield self.identity_at
        for period in (*self.control, *self.rivals, *self.contests):
            yield period.since
            if period.until is not None:
                yield period.until

    def holds(self, at: datetime) -> bool:
        """Whether the claim is proven at an instant."""
        contested = any(period.covers(at) for period in self.contests)
        controlled = any(period.covers(at) for period in self.control)
        if controlled and (self.of_place or not (contested and self.came_later)):
            return True
        if self.identity_at is None or self.identity_at > at or contested:
            return False
        return not any(period.covers(at) for period in self.rivals)


class NewStatement(NamedTuple):
    """A statement about a work, as ``Statement`` will read once it is stored."""

    pk: str
    subject_id: str
    claimant_id: str
    purpose: str
    decision: str
    paid: bool
    terms_id: str | None
    vocabulary_version: str
    sequence: int
    effective_from: datetime
    recorded_at: datetime


class NewIdentifier(NamedTuple):
    """An identifier of a work, as ``Identifier`` will read once it is stored."""

    kind: IdentifierKind
    canonical: str
    key: bytes
    scopes: Sequence[bytes]
    added_at: datetime


class NewWork(NamedTuple):
    """A work that is being registered, and what its only confirmed owner says about it."""

    id: str
    identifiers: Sequence[NewIdentifier]
    statements: Sequence[NewStatement]


@dataclass(frozen=True, slots=True)
class Said:
    """One statement, as it bears on one key.

    proof: what stands behind it; disputes: while its subject is contested.
    """

    statement: Statement | NewStatement
    proof: Proof
    disputes: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A key leads to a subject, during a period.

    distance: for a near-copy, the share of bits that differ; None for the thing itself.
    """

    key: bytes
    subject: str
    tier: Tier
    specificity: int
    during: Period
    sayings: tuple[Said, ...]
    distance: float | None = None


def load(keys: CollectionOf[bytes], *, places: CollectionOf[bytes] | None = None) -> list[Link]:
    """Return every link from ``keys``, in fourteen queries at most, whatever their number.

    places: keys of hosts, domains and paths, when ``keys`` are of works alone; None: ``keys`` may
        be of either.
    """
    known = known_among(keys, keys if places is None else places)
    return list(_World.about(known).links()) if known else []


def load_new(works: Sequence[NewWork], owner: str, *, at: datetime) -> list[Link]:
    """Return what ``load`` will return for the keys of works that ``owner`` registers at ``at``.

    No other work may have one of their keys, nor contend with one of them; nothing of them need be
    stored yet, and is not read. Five queries, whatever their number.
    """
    return list(_World.of_new(works, owner, at).links())


def known_among(works: CollectionOf[bytes], places: CollectionOf[bytes]) -> set[bytes]:
    """Return those of ``works`` and ``places`` under which a work or a collection was registered."""
    connection.ensure_connection()
    # Django's own cursor would write every key into the text of the query.
    with Cursor(connection.connection) as cursor:
        asked = {"works": list(works), "places": list(places)}
        cursor.execute(FIND_KNOWN_KEYS, asked, prepare=True, binary=True)
        return {key for (key,) in cursor}


class _Holding(NamedTuple):
    """A confirmed part in a work."""

    creator_id: str
    confirmed_at: datetime


class _World:
    """The rows that concern some keys, and how they hang together."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self.keys = frozenset(keys)
        self.works: set[str] = set()
        self.conflicts: Mapping[str, list[tuple[str, ClaimConflict]]] = {}
        self.identifiers: Mapping[str, Sequence[Identifier | NewIdentifier]] = {}
        self.holders: Mapping[str, Sequence[_Holding]] = {}
        self.signed_with: Mapping[str, bytes] = {}
        self.signers: Mapping[tuple[str, bytes], Signer] = {}
        self.past_signing: Mapping[str, Sequence[PastControl]] = {}
        self.statements: Mapping[str, Sequence[Statement | NewStatement]] = {}
        self.here: list[Collection] = []

    @classmethod
    def about(cls, keys: CollectionOf[bytes]) -> Self:
        """Read what is stored under some keys."""
        world = cls(keys)
        matched = Identifier.objects.filter(key__in=world.keys)
        direct = set(matched.values_list("work_id", flat=True))
        partners = {other for pairs in _conflicts_of(direct).values() for other, _ in pairs}
        works = direct | partners
        world.works = direct
        world.conflicts = _conflicts_of(works)
        world.identifiers = _grouped(
            Identifier.objects.filter(work_id__in=works).order_by("id"), "work_id"
        )
        world.holders = _grouped(
            RightsShare.objects.filter(work_id__in=works).exclude(confirmed_at=None), "work_id"
        )
        world._load_places()
        world.here = [c for c in world.collections if bytes(c.key) in world.keys]
        world._load_signers(works)
        world._load_statements(works)
        return world

    @classmethod
    def of_new(cls, works: Sequence[NewWork], owner: str, at: datetime) -> Self:
        """Take works that are not stored yet, and read what surrounds them."""
        world = cls(identifier.key for work in works for identifier in work.identifiers)
        world.works = {work.id for work in works}
        world.identifiers = {work.id: work.identifiers for work in works}
        world.holders = dict.fromkeys(world.works, (_Holding(owner, at),))
        world._load_places()
        defaults = Statement.objects.filter(creator=owner).order_by("sequence")
        world.statements = {owner: list(defaults)} | {work.id: work.statements for work in works}
        world._load_verified({owner})
        return world

    def _load_places(self) -> None:
        scopes = {bytes(s) for rows in self.identifiers.values() for r in rows for s in r.scopes}
        known = known_among((), scopes | self.keys)
        self.collections = list(Collection.objects.filter(key__in=known)) if known else []
        self.places: dict[bytes, list[Collection]] = defaultdict(list)
        for collection in self.collections:
            self.places[bytes(collection.key)].append(collection)
        past = PastControl.objects.filter(collection__in=[c.pk for c in self.collections])
        self.past_control = _grouped(past if known else [], "collection_id")

    def _load_signers(self, works: set[str]) -> None:
        rows = WorkSignature.objects.filter(work__in=works).values_list(
            "work", "certificate_sha256"
        )
        self.signed_with = {work: bytes(certificate) for work, certificate in rows}
        certificates = set(self.signed_with.values())
        signers = Signer.objects.filter(certificate_sha256__in=certificates) if certificates else []
        self.signers = {
            (signer.creator_id, bytes(signer.certificate_sha256)): signer
            for signer in signers
            if signer.certificate_sha256 is not None
        }
        past = PastControl.objects.filter(signer__in=[s.pk for s in self.signers.values()])
        self.past_signing = _grouped(past if self.signers else [], "signer_id")

    def _load_statements(self, works: set[str]) -> None:
        creators = {s.creator_id for shares in self.holders.values() for s in shares}
        creators |= {collection.creator_id for collection in self.collections}
        about = Q(work__in=works) | Q(collection__in=self.here) | Q(creator__in=creators)
        self.statements = _grouped(
            Statement.objects.filter(about).order_by("sequence"), "subject_id"
        )
        spoke = {s.claimant_id for rows in self.statements.values() for s in rows}
        self._load_verified(creators | spoke)

    def _load_verified(self, creators: set[str]) -> None:
        self.verified: dict[str, datetime | None] = dict(
            Creator.objects.filter(pk__in=creators).values_list("pk", "identity_verified_at")
        )

    def links(self) -> Iterator[Link]:
        for work in sorted(self.works):
            for identifier in self.identifiers[work]:
                if bytes(identifier.key) in self.keys:
                    yield from self._links_of_work(work, identifier)
        for collection in self.here:
            yield from self._links_of_collection(collection)

    def _links_of_work(self, work: str, identifier: Identifier | NewIdentifier) -> Iterator[Link]:
        key, since = bytes(identifier.key), identifier.added_at
        said = self._sayings(work, identifier)
        for during in self._standing(work, since):
            yield Link(key, work, Tier.WORK, 0, during, said)
        for share in self.holders.get(work, []):
            if statements := self.statements.get(share.creator_id):
                proof = self._proof(share.creator_id, work, identifier)
                default = tuple(Said(s, proof) for s in statements)
                for during in self._standing(work, max(since, share.confirmed_at)):
                    yield Link(key, share.creator_id, Tier.CREATOR, 0, during, default)
        for other, conflict in self.conflicts.get(work, []):
            said = self._sayings(other, None)
            if said:
                during = Period(max(since, conflict.opened_at), conflict.resolved_at)
                distance = conflict.distance_ppm / PPM
                yield Link(key, other, Tier.WORK, 0, during, said, distance)

    def _links_of_collection(self, collection: Collection) -> Iterator[Link]:
        key, during = bytes(collection.key), Period(collection.claimed_at)
        proof = Proof(control=tuple(self._control(collection)), of_place=True)
        for subject, tier, narrowness in (
            (collection.pk, Tier.COLLECTION, specificity(collection)),
            (collection.creator_id, Tier.CREATOR, 0),
        ):
            said = tuple(Said(s, proof) for s in self.statements.get(subject, []))
            if said:
                yield Link(key, subject, tier, narrowness, during, said)

    def _sayings(
        self, work: str, identifier: Identifier | NewIdentifier | None
    ) -> tuple[Said, ...]:
        disputes = self._contests(work)
        statements = self.statements.get(work, [])
        proofs = {
            claimant: self._proof(claimant, work, identifier)
            for claimant in {s.claimant_id for s in statements}
        }
        return tuple(Said(s, proofs[s.claimant_id], disputes) for s in statements)

    def _standing(self, work: str, since: datetime) -> Iterator[Period]:
        """Yield while the claim on a work stands, from an instant on: always, unless it was lost."""
        for lost in sorted(self._lost(work), key=lambda period: period.since):
            if since < lost.since:
                yield Period(since, lost.since)
            if lost.until is None:
                return
            since = max(since, lost.until)
        yield Period(since)

    def _lost(self, work: str) -> Iterator[Period]:
        """Yield while somebody else was found to be right about the work."""
        for _, conflict in self.conflicts.get(work, []):
            begin = conflict.resolved_at
            if begin is not None and conflict.overturned_at is not None:
                if conflict.loser_by(conflict.first_outcome) == work:
                    yield Period(begin, conflict.overturned_at)
                begin = conflict.overturned_at
            if begin is not None and conflict.loser_id == work:
                yield Period(begin)

    def _contests(self, work: str) -> tuple[Period, ...]:
        return tuple(Period(c.opened_at, c.resolved_at) for _, c in self.conflicts.get(work, []))

    def _proof(
        self, claimant: str, work: str, identifier: Identifier | NewIdentifier | None
    ) -> Proof:
        """What proves the claim on one identifier; None asks about the content.

        An address is proven by control of a place that contains that very address: a work does
        not carry its author's proof to addresses on other people's sites. Content is proven by
        control of a place where it lies, or of the certificate that its file is signed with.
        """
        of_place = identifier is not None and identifier.kind == IdentifierKind.URL
        rows = [identifier] if of_place else self.identifiers[work]
        scopes = {bytes(scope) for row in rows if row is not None for scope in row.scopes}
        proven = [
            (c.creator_id == claimant, period)
            for scope in scopes
            for c in self.places.get(scope, ())
            for period in self._control(c)
        ]
        signing = () if of_place else self._signing(claimant, work)
        return Proof(
            control=(*(period for own, period in proven if own), *signing),
            identity_at=self.verified.get(claimant),
            rivals=tuple(period for own, period in proven if not own and of_place),
            contests=self._contests(work),
            came_later=any(c.work_id == work for _, c in self.conflicts.get(work, [])),
            of_place=of_place,
        )

    def _control(self, collection: Collection) -> Iterator[Period]:
        """Yield while control of a place was proven, up to now if it still is."""
        past = self.past_control.get(collection.pk, [])
        return _shown(past, collection.control_proven_at)

    def _signing(self, claimant: str, work: str) -> tuple[Period, ...]:
        """Return while a claimant was shown to control the certificate that signed a work's file."""
        signer = self.signers.get((claimant, self.signed_with.get(work, b"")))
        if signer is None:
            return ()
        return tuple(_shown(self.past_signing.get(signer.pk, []), signer.control_proven_at))


def _shown(past: Iterable[PastControl], since: datetime | None) -> Iterator[Period]:
    """Yield while control was proven, up to now if it still is."""
    for ended in past:
        yield Period(ended.proven_at, ended.ended_at)
    if since is not None:
        yield Period(since)


def specificity(collection: Collection) -> int:
    """Return how narrow a collection is: path over host over domain, then by its own length."""
    kind = IdentifierKind(collection.kind)
    parts = collection.canonical.count("/" if kind == IdentifierKind.PATH else ".")
    port = ":" in collection.canonical and kind == IdentifierKind.HOST
    return _PLACES[kind] + min(parts, 50) + (50 if port else 0)


def _conflicts_of(works: set[str]) -> dict[str, list[tuple[str, ClaimConflict]]]:
    """Return for each work the others it contends with, settled conflicts included."""
    pairs: dict[str, list[tuple[str, ClaimConflict]]] = defaultdict(list)
    rows = ClaimConflict.objects.filter(Q(work__in=works) | Q(other__in=works)).order_by("pk")
    for conflict in rows:
        pairs[conflict.work_id].append((conflict.other_id, conflict))
        pairs[conflict.other_id].append((conflict.work_id, conflict))
    return pairs


def _grouped(rows: Iterable[Any], attribute: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, attribute)].append(row)
    return groups
