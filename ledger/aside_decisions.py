"""What admins decide about money that was set apart: give it to who earned it, or to another.

Whether a claim is true is found elsewhere, by people; here their finding moves the money, proposed
by one admin with a reason and confirmed by another, neither of whom it concerns. Money released
goes to balances: paying it out still takes two.
"""

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction

from ledger import journal, proposals, set_asides
from ledger.accounts import AccountKind
from ledger.errors import LinesChanged, WrongState
from ledger.models import Proposal, SetAside
from ledger.money import Money
from ledger.proposals import Lines
from ledger.vocabulary import Deed, Proposed
from registry.models import Creator, User

__all__ = ["carry_out", "lines", "lock", "propose", "record", "require_stranger"]

_TO_EARNERS = AccountKind.CREATOR_DISPUTED
_DEEDS = {
    Proposed.RELEASE_ASIDE: Deed.ASIDE_RELEASED,
    Proposed.REASSIGN_ASIDE: Deed.ASIDE_REASSIGNED,
    Proposed.RELEASE_CAPPED: Deed.ASIDE_RELEASED,
    Proposed.REDIRECT_CAPPED: Deed.ASIDE_REASSIGNED,
}


def lines(
    subject: str, *, kind: AccountKind = _TO_EARNERS, to: str = "", through: int | None = None
) -> Lines:
    """What would be given: every booking that waits for a subject, by account.

    kind: disputed or unclaimed. to: the one creator who gets it all; without, each gets back the
    own part. through: nothing recorded under a higher id. Raises WrongState when nothing waits.
    """
    waiting = set_asides.waiting(kind, subject, through=through)
    if waiting is None:
        raise WrongState(f"nothing waits for {subject}")
    totals = Counter[str]()
    for part in waiting.parts:
        totals[part.money.currency] += part.money.micros
    return {
        "subject": subject,
        "kind": int(kind),
        "to": to,
        "through": waiting.through,
        "bookings": waiting.digest,
        "parts": [[each.account, each.count, each.money.micros] for each in waiting.parts],
        "totals": dict(totals),
    }


def propose(  # noqa: PLR0913 - a proposal is said in full, each part by name
    subject: str,
    admin: User,
    *,
    reason: str,
    at: datetime,
    kind: AccountKind = _TO_EARNERS,
    to: Creator | None = None,
    dry_run: bool = False,
) -> Proposal:
    """Propose to give all that waits for a subject away, as `lines` says; a dry run keeps nothing.

    What is recorded later is not part of it. Raises WrongState when nothing waits or the creator has
    left, OwnMatter, and what `proposals.propose` raises.
    """
    journal.require_admin(admin)
    _require_there(to)
    deed = Proposed.REASSIGN_ASIDE if to else Proposed.RELEASE_ASIDE
    found = lines(subject, kind=kind, to=to.pk if to else "")
    require_stranger(subject, admin, to=to.pk if to else "")
    return proposals.propose(
        deed, subject, admin, lines=found, reason=reason, at=at, dry_run=dry_run
    )


def carry_out(
    proposal: Proposal, admin: User, *, factor: str, holding: timedelta, at: datetime
) -> list[Money]:
    """Move exactly what was proposed, as the second admin; one amount a currency.

    What has been aside for ``holding`` becomes available, the rest pending. Raises WrongState,
    OwnMatter, LinesChanged, and what `proposals.confirm` raises.
    """
    told = proposal.told
    kind, to, through = AccountKind(int(told["kind"])), str(told["to"]), int(told["through"])
    receiver = Creator.objects.get(pk=to) if to else None
    _require_there(receiver)
    require_stranger(proposal.subject, admin, to=to)
    with transaction.atomic():
        lock(proposal.subject, through=through)
        now = lines(proposal.subject, kind=kind, to=to, through=through)
        proposal = proposals.confirm(proposal, admin, lines=now, factor=factor, at=at)
        if to:
            moved = set_asides.release(
                kind, proposal.subject, to={to: 1}, holding=holding, at=at, through=through
            )
        else:
            moved = set_asides.give_back(proposal.subject, holding=holding, at=at, through=through)
        record(proposal, admin, moved, factor=factor, at=at)
    return moved


def record(
    proposal: Proposal, admin: User, moved: list[Money], *, factor: str, at: datetime
) -> None:
    """Put on record what was moved. Raises LinesChanged when it is not what was proposed."""
    told = proposal.told
    amounts = {amount.currency: amount.micros for amount in moved}
    if amounts != told["totals"]:
        raise LinesChanged(f"more waits for {proposal.subject} than {proposal.pk} is for")
    journal.record(
        admin,
        _DEEDS[Proposed(proposal.deed)],
        proposal=proposal,
        subject=proposal.subject,
        reason=proposal.reason,
        at=at,
        amounts=amounts,
        to=told["to"],
        factor=factor,
    )


def require_stranger(subject: str, admin: User, *, to: str = "") -> None:
    """Let nobody decide who belongs to a creator that it concerns. Raises OwnMatter."""
    held = {
        part.creator
        for kind in (AccountKind.CREATOR_DISPUTED, AccountKind.UNCLAIMED)
        for waiting in [set_asides.waiting(kind, subject)]
        for part in (waiting.parts if waiting else ())
        if part.creator
    }
    proposals.require_stranger(admin, {*held, *proposals.parties(subject), *([to] if to else [])})


def lock(subject: str, *, through: int) -> None:
    """Let nobody else hand over what waits for a subject until this transaction ends."""
    rows = SetAside.objects.filter(subject=subject, released_at=None, pk__lte=through)
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def _require_there(to: Creator | None) -> None:
    if to is not None and to.erased_at is not None:
        raise WrongState(f"{to.pk} has left: nobody could be paid")
