"""Act one: the cast signs up, registers real works, proves a host, and says what it allows."""

import hashlib
import io
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from registry import collections, consent, creators, fetching, licensing, works
from registry.models import Collection, Creator, Statement, User, Work
from server.demo import works as sources
from server.demo.narration import progress, say, table
from server.demo.works import CAST, CLAIMS, HOLDINGS, TERMS, WISHES, SourceWork
from tribute.features import reduce
from tribute.fingerprints import fingerprint
from tribute.vocabulary import Decision, IdentifierKind, Medium


def sign_up(*, password: str, at: datetime) -> dict[str, Creator]:
    """Make a user and a verified creator of each cast member; returns them by handle."""
    cast = {}
    for member in CAST:
        creator = Creator.objects.filter(handle=member.handle).first()
        if creator is None:
            user = make_user(member.handle, member.name, password=password)
            creator = creators.join(user, handle=member.handle, display_name=member.name, at=at)
            creators.verify_identity(creator, at=at)
        cast[member.handle] = creator
        say(f"{member.name} {member.introduction}.")
    return cast


def make_user(handle: str, name: str, *, password: str, **rights: bool) -> User:
    """Return the demo's user with this handle, made if need be."""
    email = f"{handle}@demo.example"
    found = User.objects.filter(email=email).first()
    return found or User.objects.create_user(email, password, name=name, **rights)


def register(cast: dict[str, Creator], *, at: datetime) -> dict[str, Work]:
    """Register every held work; SHA-256, ISCC and features are computed from its real bytes."""
    by_slug: dict[str, Work] = {}
    shares = _shares(cast)
    for source in progress(sources.registered(), "works registered, with SHA-256 and ISCC"):
        holders = shares[source.slug]
        first = next(iter(holders))
        known = Work.objects.filter(registered_by_id=first, title=source.title).first()
        by_slug[source.slug] = known or _register(source, holders, at=at)
    _say_licences()
    return by_slug


def _register(source: SourceWork, shares: dict[str, int], *, at: datetime) -> Work:
    content = source.read()
    text = content.decode() if source.medium == Medium.TEXT else None
    first = Creator.objects.get(pk=next(iter(shares)))
    work = works.register(
        first,
        title=source.title,
        medium=source.medium,
        identifiers=[(IdentifierKind.URL, source.url)],
        shares=shares,
        fingerprint=fingerprint(io.BytesIO(content), source.medium),
        features=None if text is None else reduce(text),
        at=at,
    )
    for co_owner in Creator.objects.filter(pk__in=set(shares) - {first.pk}):
        works.confirm_share(work, co_owner, at=at)
    return work


def _shares(cast: dict[str, Creator]) -> dict[str, dict[str, int]]:
    shares: dict[str, dict[str, int]] = {}
    for holding in sorted(HOLDINGS, key=lambda holding: -holding.share_ppm):
        holder = cast[holding.creator_handle].pk
        shares.setdefault(holding.slug, {})[holder] = holding.share_ppm
    return shares


def _say_licences() -> None:
    stated = sorted(
        {
            (work.licence.name, f"{work.distribution} {work.version}")
            for work in sources.registered()
        }
    )
    table([("Licence of the real works", "stated in the package"), *stated])


def prove_hosts(cast: dict[str, Creator], *, site: Path, at: datetime) -> None:
    """Claim each whole host and prove it by a file that the host really serves."""
    for claim in CLAIMS:
        creator = cast[claim.creator_handle]
        collection = Collection.objects.filter(creator=creator, kind=claim.kind).first()
        if collection is None:
            collection = collections.claim(creator, kind=claim.kind, value=claim.value, at=at)
        if collection.control_proven_at is None:
            challenge = collections.challenge(collection)
            file = site / urlsplit(challenge.urls[0]).path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(challenge.body)
            collections.verify(collection, fetch=fetching.fetch, at=at)
        say(f"{creator.display_name} proved control of {claim.value}, all that lies below it.")


def state_wishes(cast: dict[str, Creator], by_slug: dict[str, Work], *, at: datetime) -> None:
    """Make each creator's statements, once."""
    offers = {}
    for asking in TERMS:
        creator = cast[asking.creator_handle]
        offers[asking.creator_handle] = creator.terms.first() or licensing.offer(
            creator,
            price_micros=asking.price_micros,
            currency=asking.currency,
            attribution_required=asking.attribution_required,
            text_sha256=hashlib.sha256(asking.text.encode()).digest(),
            at=at,
        )
    for wish in WISHES:
        claimant = cast[wish.creator_handle]
        subject = _subject(wish.subject, claimant, by_slug)
        if consent.history(subject).filter(purpose=wish.purpose).exists():
            continue
        consent.state(
            claimant,
            subject,
            purpose=wish.purpose,
            decision=wish.decision,
            paid=wish.paid,
            terms=offers.get(wish.creator_handle) if wish.decision == Decision.LICENSE else None,
            effective_from=at,
            at=at,
        )
    say(f"{Statement.objects.count()} statements are in force, each with its log leaf.")


def _subject(name: str, claimant: Creator, by_slug: dict[str, Work]) -> Work | Collection | Creator:
    if name == claimant.handle:
        return claimant
    return by_slug.get(name) or Collection.objects.get(creator=claimant, canonical=name)
