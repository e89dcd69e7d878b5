"""Collections: claim a host, a domain or a path, and show, again and again, that one controls it.

Three things show control, and each is as good: a TXT record, a file, a tag on the front page.

Control of a place is not authorship of what lies there, and proves nothing above it: whoever
controls a path proves that path, not its host.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, partial
from http import HTTPStatus

from django.db import IntegrityError, transaction
from publicsuffixlist import PublicSuffixList

from registry import creators, decision_index, fetching, front_pages, log
from registry.errors import (
    CollectionClaimed,
    ControlNotShown,
    FetchFailed,
    FetchRefused,
    InvalidIdentifier,
    LookUpFailed,
    PublicSuffix,
)
from registry.fetching import Fetched
from registry.models import COLLECTION_KINDS, Collection, Creator, PastControl
from tribute import identifiers
from tribute.identifiers import Key
from tribute.vocabulary import IdentifierKind

RECHECK_AFTER = timedelta(days=60)
# A proof ends when so many looks in a row found nothing, each this long after the one before.
MOST_FAILURES = 3
LOOK_AGAIN_AFTER = timedelta(days=3)
WELL_KNOWN = ".well-known/tribute"
TXT_LABEL = "_tribute-challenge"

Fetch = Callable[[str], Fetched]
LookUp = Callable[[str], list[str]]


class Method(StrEnum):
    """How control is shown, the strongest first."""

    DNS_TXT = "dns-txt"
    WELL_KNOWN = "well-known"
    META = "meta"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a creator must publish, and where; any one place will do.

    body: the content of the TXT record, of the whole file, or of the tag; space around it does
        not matter. name: of the TXT record, None for a path, which lies on a host of others.
    urls: of the file. pages: whose head may carry ``<meta name="tribute-challenge">``.
    """

    urls: tuple[str, ...]
    body: str
    name: str | None
    pages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where to look, strangers' machines all: a source that is None is left out.

    fetch: reads a whole small file (``registry.fetching.fetch``). beginning: reads the first part
    of a page (``fetch_beginning``). look_up: reads TXT records (``registry.name_records.txt``).
    """

    fetch: Fetch | None = None
    beginning: Fetch | None = None
    look_up: LookUp | None = None


@transaction.atomic
def claim(creator: Creator, *, kind: IdentifierKind, value: str, at: datetime) -> Collection:
    """Claim a place. What is allowed there counts only once control is shown; a deny at once.

    Raises InvalidIdentifier; PublicSuffix for a domain like ``co.uk`` or ``github.io``, below
    which strangers register their own; CollectionClaimed when this creator has it already.
    """
    key = _key(kind, value)
    if key.kind == IdentifierKind.DOMAIN and _suffixes().privatesuffix(key.canonical) is None:
        raise PublicSuffix(f"{key.canonical} belongs to nobody alone")
    decision_index.hold_creator(creator.pk)
    try:
        with transaction.atomic():
            collection = Collection.objects.create(
                creator=creator,
                kind=key.kind,
                canonical=key.canonical,
                key=key.digest,
                challenge_token=secrets.token_urlsafe(32),
                claimed_at=at,
            )
    except IntegrityError as error:
        raise CollectionClaimed(f"{key.kind} {key.canonical} is claimed already") from error
    decision_index.refresh({key.digest}, at=at)
    return collection


def challenge(collection: Collection) -> Challenge:
    """Return what shows control, bound to the creator's account.

    A path's file and tag lie within the path; a domain's at its top host.
    """
    body = f"{collection.challenge_token}.{creators.thumbprint(collection.creator)}"
    places = tuple(_places(collection))
    host = collection.canonical.partition("/")[0].partition(":")[0]
    named = collection.kind != IdentifierKind.PATH and fetching.is_name(host)
    return Challenge(
        urls=tuple(f"{place}{WELL_KNOWN}/{collection.challenge_token}" for place in places),
        body=body,
        name=f"{TXT_LABEL}.{host}" if named else None,
        pages=places,
    )


def verify(
    collection: Collection,
    *,
    fetch: Fetch | None = None,
    beginning: Fetch | None = None,
    look_up: LookUp | None = None,
    at: datetime,
) -> Collection:
    """Look for the challenge; record the proof, log it, and let what was allowed count.

    fetch, beginning, look_up: see Sources. Raises ControlNotShown, which says what was found
    instead.
    """
    found = _look(challenge(collection), Sources(fetch, beginning, look_up))
    with transaction.atomic():
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        _record(locked, found, at)
        log.append(
            {
                "t": "control.proven",
                "collection": locked.pk,
                "method": locked.method,
                "evidence": found.sha256.hex(),
                "subj": creators.commitment(locked.creator),
            },
            at=at,
        )
        decision_index.refresh(decision_index.keys_below(locked), at=at)
    collection.refresh_from_db()
    return collection


@transaction.atomic
def end(collection: Collection, *, at: datetime) -> Collection:
    """End a proof because its creator leaves; without one, nothing changes."""
    locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
    if locked.control_proven_at is not None:
        _end(locked, max(at, locked.control_proven_at + datetime.resolution))
    collection.refresh_from_db()
    return collection


def recheck(*, sources: Sources, at: datetime, limit: int) -> int:
    """Look again for up to ``limit`` challenges that are due; return how many proofs ended.

    Rows are claimed first, by putting their next look off, and no transaction waits for a
    stranger's machine. Whoever shows control meanwhile has the last word.
    """
    return sum(_recheck(collection, sources, at) for collection in _take_due(at, limit))


def _take_due(at: datetime, limit: int) -> list[Collection]:
    with transaction.atomic():
        due = Collection.objects.filter(control_proven_at__isnull=False, recheck_at__lte=at)
        taken = list(
            due.select_related("creator")
            .select_for_update(of=("self",), no_key=True, skip_locked=True)
            .order_by("recheck_at", "pk")[:limit]
        )
        for collection in taken:
            collection.recheck_at = at + LOOK_AGAIN_AFTER
            collection.save(update_fields=["recheck_at"])
    return taken


def _recheck(collection: Collection, sources: Sources, at: datetime) -> bool:
    """Look again, and write down what was found; whether the proof ended."""
    try:
        found = _look(challenge(collection), sources)
    except ControlNotShown:
        found = None
    with transaction.atomic():
        # Shown or looked for anew since it was taken: that look counts, not this one.
        still = Collection.objects.filter(pk=collection.pk, recheck_at=collection.recheck_at)
        locked = still.select_for_update(no_key=True).first()
        if locked is None:
            return False
        if found is not None:
            _record(locked, found, at)
            return False
        locked.recheck_failures += 1
        if locked.recheck_failures < MOST_FAILURES:
            locked.save(update_fields=["recheck_failures"])
            return False
        _end(locked, at)
        return True


def _record(locked: Collection, found: "_Found", at: datetime) -> None:
    locked.control_proven_at = locked.control_proven_at or at
    locked.method = found.method
    locked.evidence_sha256 = found.sha256
    locked.recheck_at = at + RECHECK_AFTER
    locked.recheck_failures = 0
    locked.save()


def _end(locked: Collection, at: datetime) -> None:
    """End a proof: what was allowed counts no more from ``at`` on, and did until then."""
    assert locked.control_proven_at is not None, "only a proof can end"
    assert locked.evidence_sha256 is not None, "collection_proof_is_whole"
    PastControl.objects.create(
        collection=locked,
        method=locked.method,
        evidence_sha256=locked.evidence_sha256,
        proven_at=locked.control_proven_at,
        ended_at=at,
    )
    log.append({"t": "control.ended", "collection": locked.pk, "method": locked.method}, at=at)
    locked.control_proven_at = locked.evidence_sha256 = locked.recheck_at = None
    locked.method, locked.recheck_failures = "", 0
    locked.save()
    decision_index.refresh(decision_index.keys_below(locked), at=at)


def _key(kind: IdentifierKind, value: str) -> Key:
    if kind not in COLLECTION_KINDS:
        raise InvalidIdentifier(f"a collection is a host, a domain or a path, not {kind}")
    try:
        return identifiers.key_of(kind, value)
    except identifiers.InvalidIdentifier as error:
        raise InvalidIdentifier(str(error)) from error


def _places(collection: Collection) -> Iterator[str]:
    """Yield the front of the place; ``www.`` is the same place under the canonical form."""
    host, _, path = collection.canonical.partition("/")
    for name in (host, f"www.{host}"):
        for scheme in ("https", "http"):
            yield f"{scheme}://{name}/{path}"


@dataclass(frozen=True, slots=True)
class _Found:
    """What showed control: the method, and the SHA-256 of what was read."""

    method: Method
    sha256: bytes


def _look(wanted: Challenge, sources: Sources) -> _Found:
    """Return the strongest thing that shows control. Raises ControlNotShown."""
    instead: list[str] = []
    for method, place, read in _readings(wanted, sources):
        try:
            contents = read()
        except (FetchFailed, FetchRefused, LookUpFailed) as error:
            instead.append(str(error))
            continue
        for content in contents:
            if hmac.compare_digest(content.strip(), wanted.body.encode()):
                return _Found(method, hashlib.sha256(content).digest())
        instead.append(f"{place} has another content" if contents else f"{place} has none")
    raise ControlNotShown("; ".join(dict.fromkeys(instead)))


def _readings(
    wanted: Challenge, sources: Sources
) -> Iterator[tuple[Method, str, Callable[[], list[bytes]]]]:
    """Yield each place to look at, and how to read what is there."""
    if sources.look_up is not None and wanted.name is not None:
        yield Method.DNS_TXT, wanted.name, partial(_records, sources.look_up, wanted.name)
    if sources.fetch is not None:
        for url in wanted.urls:
            yield Method.WELL_KNOWN, url, partial(_file, sources.fetch, url)
    if sources.beginning is not None:
        for url in wanted.pages:
            yield Method.META, url, partial(_tags, sources.beginning, url)


def _records(look_up: LookUp, name: str) -> list[bytes]:
    return [record.encode() for record in look_up(name)]


def _file(fetch: Fetch, url: str) -> list[bytes]:
    fetched = fetch(url)
    return [fetched.body] if fetched.status == HTTPStatus.OK else []


def _tags(beginning: Fetch, url: str) -> list[bytes]:
    fetched = beginning(url)
    if fetched.status != HTTPStatus.OK:
        return []
    return [content.encode() for content in front_pages.challenges(fetched.body)]


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
