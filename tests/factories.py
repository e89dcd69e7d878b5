"""The cast, made through the domain's own functions. Ada and Ben create, Acme operates."""

import io
import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from registry import consent, creators, erasures, forgetting, operators, works
from registry.models import (
    ApiKey,
    Collection,
    Creator,
    Erasure,
    Operator,
    Statement,
    User,
    Work,
)
from tests.described import DescribedClient
from tribute import features, fingerprints
from tribute.vocabulary import Decision, IdentifierKind, Medium, Purpose

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PASSWORD = "correct horse battery staple"

_numbers = itertools.count(1)


def make_user(email: str | None = None, **fields: Any) -> User:
    """A person with PASSWORD; ``is_payout_admin=True`` and the like go through."""
    return User.objects.create_user(
        email or f"user{next(_numbers)}@example.org", PASSWORD, **fields
    )


def make_creator(
    handle: str = "ada", *, user: User | None = None, verified: bool = True, at: datetime = NOON
) -> Creator:
    """A creator; with a verified identity unless told otherwise, so that an allow counts."""
    creator = creators.join(
        user or _member(handle), handle=handle, display_name=handle.capitalize(), at=at
    )
    if verified:
        creators.verify_identity(creator, at=at)
    return creator


def erase(creator: Creator, *, at: datetime = NOON) -> None:
    """The creator has left: only the registry's part of it, permissions left as they are."""
    (member,) = creator.members.all()
    requested = erasures.request(
        member,
        creator=creator,
        refusals=Erasure.Refusals.KEEP,
        leaves_money=True,
        language="en",
        delay=timedelta(0),
        at=at,
    )
    forgetting.forget_creator(creator, requested.erasure, at=at)


def make_operator(
    handle: str = "acme", *, user: User | None = None, at: datetime = NOON
) -> Operator:
    return operators.found(user or _member(handle), handle=handle, name=handle.capitalize(), at=at)


def make_work(
    creator: Creator,
    *,
    title: str | None = None,
    text: str | None = None,
    url: str | None = None,
    identifiers: Sequence[tuple[IdentifierKind, str]] = (),
    shares: dict[str, int] | None = None,
    medium: Medium = Medium.TEXT,
    at: datetime = NOON,
) -> Work:
    """A work: from a text (hash, ISCC and features are taken of it), a URL, or both.

    With neither text, URL nor identifiers it lives at an address of its own.
    """
    number = next(_numbers)
    given = list(identifiers)
    if url is not None or (text is None and not given):
        given.append((IdentifierKind.URL, url or f"https://{creator.handle}.example/{number}"))
    return works.register(
        creator,
        title=title or f"Work {number}",
        medium=medium,
        identifiers=given,
        shares=shares,
        fingerprint=None
        if text is None
        else fingerprints.fingerprint(io.BytesIO(text.encode()), Medium.TEXT),
        features=None if text is None else features.reduce(text),
        at=at,
    )


def allow(
    subject: Work | Collection | Creator,
    purpose: Purpose = Purpose.TRAIN_AI,
    *,
    paid: bool = True,
    by: Creator | None = None,
    at: datetime = NOON,
) -> Statement:
    """The subject's (registering) creator allows the purpose."""
    return consent.state(
        by or speaker(subject), subject, purpose=purpose, decision=Decision.ALLOW, paid=paid, at=at
    )


def deny(
    subject: Work | Collection | Creator,
    purpose: Purpose = Purpose.TRAIN_AI,
    *,
    by: Creator | None = None,
    at: datetime = NOON,
    effective_from: datetime | None = None,
) -> Statement:
    """The subject's (registering) creator denies the purpose."""
    return consent.state(
        by or speaker(subject),
        subject,
        purpose=purpose,
        decision=Decision.DENY,
        effective_from=effective_from,
        at=at,
    )


def speaker(subject: Work | Collection | Creator) -> Creator:
    """Who speaks for a subject unless somebody else is named."""
    match subject:
        case Work():
            return subject.registered_by
        case Collection():
            return subject.creator
        case Creator():
            return subject


def make_key(
    owner: Operator | Creator | User, *, scopes: Iterable[str] | None = None, name: str = "tests"
) -> tuple[ApiKey, str]:
    """A key with every scope its owner may have, and its secret."""
    issued = operators.issue_key(
        owner, scopes=operators.scopes_of(owner) if scopes is None else scopes, name=name, at=NOON
    )
    return issued.key, issued.secret


def api_client(
    owner: Operator | Creator | User | None = None, *, scopes: Iterable[str] | None = None
) -> DescribedClient:
    """A client that sends a key of ``owner``; without an owner it sends none."""
    client = DescribedClient(raise_request_exception=True)
    if owner is not None:
        _, secret = make_key(owner, scopes=scopes, name=f"client {next(_numbers)}")
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def _member(handle: str) -> User:
    email = f"{handle}@example.org"
    return User.objects.filter(email=email).first() or make_user(email)
