"""Say who earns by a work, and why somebody does not.

Owns the rules between a work's rights and its money. They hold as they stand at each settlement:
what was asked about a work is remembered only until ``rights_changes`` tells of it, or something
announced takes effect. Whether the work was allowed at ingestion has been asked before; what a
creator wants is the registry's word.
"""

import threading
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from attribution import reading, related_parties
from attribution.rights_changes import Listener, News
from attribution.rosters import Roster
from attribution.shares import Owner
from registry import claims, consent
from registry.consent import Standing
from registry.models import Creator, Operator
from tribute import ids
from tribute.vocabulary import Decision, Purpose

REMEMBERED_WORKS = 1_000_000
"""About 200 bytes each."""

ASKED_AT_ONCE = 5_000
MANY_NEW = 1_000
"""Works of one manifest: when so many are asked for that are not known, so will the others be."""
MOST_OTHERS = 100_000
"""Of those, as many are asked for at once: queries wait for it, and other batches follow."""

_USES = (Decision.ALLOW, Decision.LICENSE)


class Withheld(StrEnum):
    """Why an owner of a contributing work earns nothing by it."""

    WAIVED = "waived"
    """The rightsholder allowed the use without asking to be paid."""
    NO_PAYMENT = "no_payment"
    """This creator wants no money at all."""
    OWN_WORK = "own_work"
    """The operator's own people would be paying themselves."""
    RELATED = "related"
    """A person confirmed that operator and creator belong together."""
    ERASED = "erased"
    """The creator had left, when that still ended what was earned; said no more."""


class Escrow(StrEnum):
    """Why an owner's part is kept apart for now."""

    CLAIM = "claim"
    """A claim holds the work's earnings, and nobody has decided about it."""
    CAP = "cap"
    """The work earned more from one operator in a day than the model's policy lets pass unseen."""


Owners = tuple[Owner, ...]


class _Rights(NamedTuple):
    """What is remembered of one work: its owners when payment was asked for, and when it was not.

    Holds from the instant ``since`` until just before ``until``; None: no end.
    """

    asked: Owners
    not_asked: Owners
    contested: bool
    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it was asked for a time that includes ``at``."""
        return self.since <= at and (self.until is None or at < self.until)


class _Memory(threading.local):
    """One for each thread, since what a connection may see is its own."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.rights: dict[str, _Rights] = {}


_memory = _Memory()


def owners(
    works: Collection[str], *, roster: Roster, operator: Operator, at: datetime
) -> dict[str, Owners]:
    """Return each work's owners and their shares, with the reason for who is not paid.

    A creator asks to be paid in the statement that allows the use, as it stands at ``at``. Once
    the use is no longer allowed, what the model learned before is still owed as it was agreed at
    ingestion. What a work earns while a claim holds it is kept apart. Who has left earns as before:
    the ledger sweeps it to the unclaimed account (``ledger.leaving``).
    """
    return _of(works, _rights(works, roster, at=at), roster, operator, at=at)


def owners_then(
    works: Collection[str], *, roster: Roster, operator: Operator, at: datetime
) -> dict[str, Owners]:
    """Return what `owners` would have returned at a past instant, asking for the words of then.

    Shares and claims are those of today: they are not kept by instant.
    """
    standing = consent.standing(works, Purpose.TRAIN_AI, at=at)
    return _of(works, _ask(works, standing, at=at), roster, operator, at=at)


def _of(
    works: Iterable[str],
    rights: Mapping[str, _Rights],
    roster: Roster,
    operator: Operator,
    *,
    at: datetime,
) -> dict[str, Owners]:
    found: dict[str, Owners] = {}
    claimed = []
    for work in works:
        each = rights[work]
        owned = each.asked
        if owned is not each.not_asked and not roster.is_agreed(work):
            owned = each.not_asked
        found[work] = owned
        if each.contested:
            claimed.append(work)
    for work in set(claimed) - claims.held(claimed, at=at):
        found[work] = tuple(owner._replace(escrow="") for owner in found[work])
    own = set(Creator.objects.filter(members__operators=operator).values_list("pk", flat=True))
    related = related_parties.confirmed_with(operator) - own
    if own or related:
        return {work: _without(own, related, each) for work, each in found.items()}
    return found


def _without(own: Collection[str], related: Collection[str], owned: Owners) -> Owners:
    """Withhold what the operator would pay itself, or people who belong to it."""
    judged = []
    for owner in owned:
        reason = owner.withheld
        if owner.creator in own:
            reason = Withheld.OWN_WORK.value
        elif owner.creator in related:
            reason = reason or Withheld.RELATED.value
        judged.append(owner._replace(withheld=reason))
    return tuple(judged)


def _rights(works: Collection[str], roster: Roster, *, at: datetime) -> Mapping[str, _Rights]:
    """Return what is known of the works, asking for what is not."""
    _forget(_memory.listener.news())
    known = _memory.rights
    missing = [work for work in works if not ((of := known.get(work)) and of.holds(at))]
    if len(missing) >= MANY_NEW:
        room = REMEMBERED_WORKS - len(known)
        others = (work for work in roster.works if work not in known)
        missing = list(dict.fromkeys([*missing, *islice(others, max(0, min(room, MOST_OTHERS)))]))
    if len(known) + len(missing) > REMEMBERED_WORKS:
        kept = {work: known[work] for work in works if work in known}
        known.clear()
        known |= kept
    for first in range(0, len(missing), ASKED_AT_ONCE):
        asked = missing[first : first + ASKED_AT_ONCE]
        known |= _ask(asked, consent.standing_now(asked, Purpose.TRAIN_AI, at=at), at=at)
    return known


def _forget(news: News) -> None:
    if news.everything:
        _memory.rights.clear()
    for work in news.works:
        _memory.rights.pop(work, None)


def _ask(
    works: Collection[str], standing: Mapping[str, Standing], *, at: datetime
) -> dict[str, _Rights]:
    work_of = {reading.raw("wrk", work): work for work in works}
    shares: dict[str, list[tuple[bytes, int, bool, bool]]] = {work: [] for work in works}
    for raw, *share in reading.rows("read_owners", {"works": reading.array(work_of)}):
        shares[work_of[raw]].append(tuple(share))
    creators = {share[0] for each in shares.values() for share in each}
    names = {raw: ids.encode("cre", UUID(bytes=raw)) for raw in creators}
    alike: dict[Owners, Owners] = {}
    return {
        work: _judged(
            standing[work],
            [(names[raw], ppm, wants, contested) for raw, ppm, wants, contested in each],
            alike,
            at=at,
        )
        for work, each in shares.items()
    }


def _judged(
    stands: Standing,
    shares: Iterable[tuple[str, int, bool, bool]],
    alike: dict[Owners, Owners],
    *,
    at: datetime,
) -> _Rights:
    """Apply the rules; equal answers are one object, since most works of a creator are alike."""
    by_agreement = {}
    for agreed in (True, False):
        asked = stands.paid if stands.decision in _USES else agreed
        owned = tuple(
            Owner(
                creator,
                ppm,
                _reason(wants, waived=not asked or creator in stands.waived),
                Escrow.CLAIM.value if contested else "",
            )
            for creator, ppm, wants, contested in shares
        )
        by_agreement[agreed] = alike.setdefault(owned, owned)
    contested = any(owner.escrow for owner in by_agreement[True])
    return _Rights(by_agreement[True], by_agreement[False], contested, at, stands.until)


def _reason(wants: bool, *, waived: bool) -> str:  # noqa: FBT001 - a column of a row
    if waived:
        return Withheld.WAIVED.value
    return "" if wants else Withheld.NO_PAYMENT.value
