"""Departures: erase a person, and the creators that are theirs alone, in every app.

Owns what stands in the way, what it will come to in numbers, and the order of the steps: first
nobody can act any more, then permissions end, then the registry, the ledger and attribution forget,
and last the person. Each step is a transaction of its own app and may be said again, so a worker
killed anywhere is followed by one that goes through all of them. What each app forgets is its own
to say (``registry.forgetting``, ``ledger.leaving``).
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import NamedTuple

from django.db import DatabaseError, transaction
from django.db.models import Q

from attribution.errors import ErasureBlocked
from attribution.models import RelatedParty, WorkEmbedding
from ledger import leaving, payees, unclaimed
from ledger.errors import LedgerError
from ledger.money import Money
from registry import disputes, erasures, forgetting
from registry.erasures import Requested
from registry.errors import RegistryError
from registry.models import (
    ApiKey,
    Collection,
    Creator,
    Erasure,
    Grant,
    Statement,
    User,
    Work,
)
from tribute.vocabulary import Decision

OPERATOR, DISPUTE, MONEY = "operator", "dispute", "money"
"""Of what stands in the way, beside the ledger's words (``ledger.leaving.Tie``)."""

Tell = Callable[[Erasure, str], None]
"""Tell the person of an erasure: ``reminder``, ``blocked`` or ``finished``."""
LogOut = Callable[[User], None]
"""End a person's sessions and remove their ways to log in, which are not this app's to know."""
log_of_trouble = logging.getLogger(__name__)


class Blocker(NamedTuple):
    """One thing that has to end first: its kind, the id or name of it, and how much money it is."""

    kind: str
    subject: str
    money: Money | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure comes to, in numbers.

    shared: works that stay with their other owners. grants: of operators, which run on.
    """

    creators: list[Creator]
    works: int
    shared: int
    places: int
    keys: int
    permissions: int
    denials: int
    grants: int
    money: list[Money]


def preview(user: User, *, creator: Creator | None = None) -> Preview:
    """Count what would go and what would stay, were this carried out now."""
    creators = [creator] if creator else erasures.own_creators(user)
    alone = [forgetting.works_of(each) for each in creators]
    mine = {work for works in alone for work in works.values_list("pk", flat=True)}
    said = Counter(word for each in creators for word in _last_words(each))
    whole = Q() if creator else Q(user=user)
    return Preview(
        creators=creators,
        works=len(mine),
        shared=Work.objects.filter(shares__creator__in=creators).exclude(pk__in=mine).count(),
        places=Collection.objects.filter(creator__in=creators).count(),
        keys=ApiKey.objects.filter(whole | Q(creator__in=creators)).count(),
        permissions=said[Decision.ALLOW] + said[Decision.LICENSE],
        denials=said[Decision.DENY],
        grants=Grant.objects.filter(terms__creator__in=creators).count(),
        money=[money for each in creators for money in leaving.left(each)],
    )


def blockers(user: User, *, creator: Creator | None = None) -> list[Blocker]:
    """Return what has to end before the person, or one creator of theirs, can be erased."""
    found = []
    if creator is None:
        found += [Blocker(OPERATOR, each.handle) for each in erasures.own_operators(user)]
    for each in [creator] if creator else erasures.own_creators(user):
        contested = disputes.concerning(each).filter(resolved_at=None).order_by("pk")
        found += [Blocker(DISPUTE, conflict.pk) for conflict in contested]
        found += [Blocker(*tie) for tie in leaving.ties(each)]
    return found


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
    """Ask for an erasure. Raises ErasureBlocked, which names everything that stands in the way.

    leaves_money: what is left unpaid may go to the unclaimed account; otherwise it stands in the way.
    """
    _require_free(user, creator, leaves_money=leaves_money)
    return erasures.request(
        user,
        creator=creator,
        refusals=refusals,
        leaves_money=leaves_money,
        language=language,
        delay=delay,
        at=at,
    )


def remind(*, tell: Tell, at: datetime) -> int:
    """Tell those whose erasure is due soon; return how many. Whom no mail reaches is told again."""
    told = 0
    for erasure in erasures.to_remind(at=at):
        if _told(tell, erasure, "reminder"):
            Erasure.objects.filter(pk=erasure.pk).update(reminded_at=at)
            told += 1
    return told


def carry_out_due(
    *, tell: Tell, log_out: LogOut, clock: Callable[[], datetime], until: datetime
) -> int:
    """Carry out what is due, or was begun, until ``until``; return how many were finished.

    Money that reached a creator after it was erased is swept up as well.
    """
    finished = 0
    for erasure in erasures.open_by_due().filter(due_at__lte=clock()):
        if clock() >= until:
            break
        try:
            finished += carry_out(erasure, tell=tell, log_out=log_out, clock=clock, until=until)
        except (DatabaseError, RegistryError, LedgerError):
            # It stays open and is tried again; one that does not work out holds no other up.
            log_of_trouble.exception("erasure %s was not carried out", erasure.pk)
    leaving.sweep(at=clock())
    return finished


def carry_out(
    erasure: Erasure,
    *,
    tell: Tell,
    log_out: LogOut,
    clock: Callable[[], datetime],
    until: datetime,
) -> bool:
    """Go through the steps of one erasure; says whether it is finished."""
    if not _begin(erasure, tell=tell, at=clock()):
        return False
    whole = erasure.creator is None
    if whole:
        forgetting.disable_person(erasure.user)
        log_out(erasure.user)
    creators = erasures.subjects(erasure)
    for creator in creators:
        if creator.erased_at is None and not _end_say(creator, erasure, clock=clock, until=until):
            return False
        forgetting.forget_creator(creator, erasure, at=clock())
        leaving.leave_behind(creator, at=clock())
        payees.forget(creator, at=clock())
        _forget(creator)
    return _finish(erasure, tell=tell, log_out=log_out, at=clock())


def claim_left(
    code: str, *, by: Creator, holding: timedelta, within: timedelta, at: datetime
) -> list[Money]:
    """Give money that a person left behind to a creator of theirs who shows the code.

    Returns what moved, one amount a currency; said again, nothing. Raises NotFound for an unknown
    code, and ``within`` a time after the erasure.
    """
    erasure = erasures.claimable(code, within=within, at=at)
    return [
        money
        for creator in erasure.creators
        for money in unclaimed.claim(creator, by=by, holding=holding, at=at)
    ]


def _require_free(user: User, creator: Creator | None, *, leaves_money: bool) -> None:
    found = blockers(user, creator=creator)
    if not leaves_money:
        found += _money(user, creator)
    if found:
        raise ErasureBlocked(found)


def _money(user: User, creator: Creator | None) -> list[Blocker]:
    creators = [creator] if creator else erasures.own_creators(user)
    return [Blocker(MONEY, each.pk, money) for each in creators for money in leaving.left(each)]


def _begin(erasure: Erasure, *, tell: Tell, at: datetime) -> bool:
    """Fix whom it is about, unless something stands in the way now; says whether it is begun."""
    with transaction.atomic():
        locked = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if locked.canceled_at is not None or locked.finished_at is not None:
            return False
        found: list[Blocker] = []
        if locked.begun_at is None:
            found = blockers(locked.user, creator=locked.creator)
            if not locked.leaves_money:
                found += _money(locked.user, locked.creator)
            news = sorted({each.kind for each in found})
            tell_it = bool(set(news) - set(locked.blocked_by))
            locked.blocked_by = news
            if not found:
                locked.creators = [each.pk for each in erasures.subjects(locked)]
                locked.begun_at = at
            locked.save()
    erasure.refresh_from_db()
    if found and tell_it:
        _told(tell, erasure, "blocked")
    return not found


def _end_say(
    creator: Creator, erasure: Erasure, *, clock: Callable[[], datetime], until: datetime
) -> bool:
    """End what acts and speaks for the creator; says whether there was time for all of it."""
    forgetting.disown(creator, at=clock())
    forgetting.end_proofs(creator, at=clock())
    return forgetting.take_back(creator, refusals=erasure.refusals, clock=clock, until=until)


@transaction.atomic
def _forget(creator: Creator) -> None:
    """Forget what attribution knows of the creator beside what was paid."""
    mine = forgetting.works_of(creator).values("pk")
    WorkEmbedding.objects.filter(work__in=mine).delete()
    parties = RelatedParty.objects.filter(creator=creator)
    parties.update(evidence=forgetting.NAMELESS)
    parties.exclude(reason="").update(reason=forgetting.NAMELESS)


def _finish(erasure: Erasure, *, tell: Tell, log_out: LogOut, at: datetime) -> bool:
    """Tell the person while there is an address, then forget the person: last of all.

    A worker killed in between tells it twice.
    """
    _told(tell, erasure, "finished")
    with transaction.atomic():
        locked = Erasure.objects.select_for_update().get(pk=erasure.pk)
        if locked.finished_at is None:
            if locked.creator is None:
                user = User.objects.select_for_update().get(pk=locked.user_id)
                log_out(user)
                forgetting.forget_person(user, locked, at=at)
            locked.finished_at = at
            locked.save(update_fields=["finished_at"])
    return True


def _told(tell: Tell, erasure: Erasure, moment: str) -> bool:
    try:
        tell(erasure, moment)
    except (OSError, SMTPException) as error:
        log_of_trouble.warning("%s of erasure %s was not sent: %s", moment, erasure.pk, error)
        return False
    return True


def _last_words(creator: Creator) -> list[str]:
    """Return the newest decision of the creator on each subject and purpose."""
    rows = Statement.objects.filter(claimant=creator)
    newest = rows.order_by("work", "collection", "creator", "purpose", "-sequence").distinct(
        "work", "collection", "creator", "purpose"
    )
    return list(newest.values_list("decision", flat=True))
