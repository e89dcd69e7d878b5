"""Erasures: ask to be forgotten, think again in time, and what an erasure is about.

What stands in the way, and carrying it out, takes the other apps too: ``attribution.departures``.
What the registry itself forgets: ``registry.forgetting``.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, F, QuerySet

from registry.errors import ErasureBegun, ErasureOpen, NotFound
from registry.models import Creator, Erasure, Operator, User

REMIND_BEFORE = timedelta(days=3)
"""How long before it is carried out the person is told once more."""


@dataclass(frozen=True, slots=True)
class Requested:
    """An erasure, and the code with which money left behind is claimed; shown once, never stored."""

    erasure: Erasure
    claim_code: str


def request(  # noqa: PLR0913 - an erasure is described in full, each part by name
    user: User,
    *,
    creator: Creator | None = None,
    refusals: Erasure.Refusals,
    leaves_money: bool,
    language: str,
    delay: timedelta,
    at: datetime,
) -> Requested:
    """Record that a person wants to be forgotten, or one creator of theirs, after ``delay``.

    Raises NotFound for a creator of whom others are members too, ErasureOpen while another is open.
    """
    if creator is not None and creator not in own_creators(user):
        raise NotFound(f"creator {creator.pk} is not yours alone")
    code = secrets.token_hex(16)
    try:
        with transaction.atomic():
            erasure = Erasure.objects.create(
                user=user,
                creator=creator,
                refusals=refusals,
                leaves_money=leaves_money,
                claim_digest=digest_of(code),
                language=language,
                requested_at=at,
                due_at=at + delay,
            )
    except IntegrityError as error:
        raise ErasureOpen(f"user {user.pk} has asked for an erasure already") from error
    return Requested(erasure, code)


def cancel(erasure: Erasure, *, at: datetime) -> None:
    """Call an erasure off; again, nothing changes. Raises ErasureBegun once it was begun."""
    Erasure.objects.filter(pk=erasure.pk, begun_at=None, canceled_at=None).update(canceled_at=at)
    erasure.refresh_from_db()
    if erasure.canceled_at is None:
        raise ErasureBegun(f"erasure {erasure.pk} was begun at {erasure.begun_at}")


def open_of(user: User) -> Erasure | None:
    """Return the erasure that a person has asked for, if one is neither canceled nor over."""
    return Erasure.objects.filter(user=user, canceled_at=None, finished_at=None).first()


def open_by_due() -> QuerySet[Erasure]:
    """Return what is asked for and not over, the first due first."""
    rows = Erasure.objects.filter(canceled_at=None, finished_at=None)
    return rows.select_related("user", "creator").order_by("due_at", "pk")


def to_remind(*, at: datetime) -> QuerySet[Erasure]:
    """Return erasures that are due soon, whose people were not told so yet."""
    soon = open_by_due().filter(begun_at=None, reminded_at=None, due_at__lte=at + REMIND_BEFORE)
    return soon.filter(due_at__gt=at).filter(due_at__gt=F("requested_at") + REMIND_BEFORE)


def own_creators(user: User) -> list[Creator]:
    """Return the creators of which nobody else is a member, the oldest first."""
    alone = user.creators.filter(erased_at=None).values("pk")
    rows = Creator.objects.filter(pk__in=alone).annotate(people=Count("members"))
    return list(rows.filter(people=1).order_by("created_at", "pk"))


def own_operators(user: User) -> list[Operator]:
    """Return the operators of which nobody else is a member."""
    alone = Operator.objects.filter(pk__in=user.operators.values("pk"))
    return list(alone.annotate(people=Count("members")).filter(people=1).order_by("pk"))


def subjects(erasure: Erasure) -> list[Creator]:
    """Return the creators that an erasure is about: as fixed when it was begun, else as of now."""
    if erasure.begun_at is not None:
        return list(Creator.objects.filter(pk__in=erasure.creators).order_by("created_at", "pk"))
    if erasure.creator is not None:
        return [erasure.creator]
    return own_creators(erasure.user)


def claimable(code: str, *, within: timedelta, at: datetime) -> Erasure:
    """Return the finished erasure whose claim code this is. Raises NotFound, also after ``within``."""
    rows = Erasure.objects.filter(claim_digest=digest_of(code), finished_at__gt=at - within)
    erasure = rows.first()
    if erasure is None:
        raise NotFound("no money waits under this code")
    return erasure


def digest_of(code: str) -> bytes:
    """Return what is kept of a claim code: 128 random bits need no slow hash."""
    return hashlib.sha256(code.strip().lower().encode()).digest()
