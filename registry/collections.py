"""Collections: claim a host, a domain or a path, and show that one controls it.

Control of a place is not authorship of what lies there, and proves nothing above it: whoever
controls a path proves that path, not its host.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from http import HTTPStatus

from django.db import IntegrityError, transaction
from publicsuffixlist import PublicSuffixList

from registry import creators, decision_index, log
from registry.errors import (
    CollectionClaimed,
    ControlNotShown,
    FetchFailed,
    FetchRefused,
    InvalidIdentifier,
    PublicSuffix,
)
from registry.fetching import Fetched
from registry.models import COLLECTION_KINDS, Collection, Creator
from tribute import identifiers
from tribute.identifiers import Key
from tribute.vocabulary import IdentifierKind

RECHECK_AFTER = timedelta(days=60)
WELL_KNOWN = ".well-known/tribute"
METHOD = "well-known"

Fetch = Callable[[str], Fetched]


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a creator must publish, and where; any one of ``urls`` will do.

    body: the whole content of the file; space around it does not matter.
    """

    urls: tuple[str, ...]
    body: str


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
    """Return the file that shows control, bound to the creator's account.

    A path's file lies within the path; a domain's at its top host.
    """
    body = f"{collection.challenge_token}.{creators.thumbprint(collection.creator)}"
    return Challenge(tuple(_addresses(collection)), body)


def verify(collection: Collection, *, fetch: Fetch, at: datetime) -> Collection:
    """Look for the challenge's file; record the proof, log it, and let what was allowed count.

    fetch: reads a URL, safely (``registry.fetching.fetch``). Raises ControlNotShown, which says
    what was found instead.
    """
    wanted = challenge(collection)
    evidence = _evidence(wanted, fetch)
    with transaction.atomic():
        locked = Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        locked.control_proven_at = locked.control_proven_at or at
        locked.method = METHOD
        locked.evidence_sha256 = hashlib.sha256(evidence).digest()
        locked.recheck_at = at + RECHECK_AFTER
        locked.save()
        log.append(
            {
                "t": "control.proven",
                "collection": locked.pk,
                "method": METHOD,
                "evidence": bytes(locked.evidence_sha256).hex(),
                "subj": creators.commitment(locked.creator),
            },
            at=at,
        )
        decision_index.refresh(decision_index.keys_below(locked), at=at)
    collection.refresh_from_db()
    return collection


def _key(kind: IdentifierKind, value: str) -> Key:
    if kind not in COLLECTION_KINDS:
        raise InvalidIdentifier(f"a collection is a host, a domain or a path, not {kind}")
    try:
        return identifiers.key_of(kind, value)
    except identifiers.InvalidIdentifier as error:
        raise InvalidIdentifier(str(error)) from error


def _addresses(collection: Collection) -> Iterator[str]:
    """Yield where the file may lie; ``www.`` is the same place under the canonical form."""
    host, _, path = collection.canonical.partition("/")
    for name in (host, f"www.{host}"):
        for scheme in ("https", "http"):
            yield f"{scheme}://{name}/{path}{WELL_KNOWN}/{collection.challenge_token}"


def _evidence(wanted: Challenge, fetch: Fetch) -> bytes:
    found = []
    for url in wanted.urls:
        try:
            fetched = fetch(url)
        except (FetchFailed, FetchRefused) as error:
            found.append(str(error))
            continue
        if fetched.status == HTTPStatus.OK and hmac.compare_digest(
            fetched.body.strip(), wanted.body.encode()
        ):
            return fetched.body
        found.append(f"{url} answered {fetched.status} with another content")
    raise ControlNotShown("; ".join(dict.fromkeys(found)))


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
