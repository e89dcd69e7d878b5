"""Every deed of the ledger's that takes two admins, behind two doors: propose, and carry out.

Decides nothing itself: which module a deed belongs to, and what it has to be told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ledger import adjusting, aside_decisions, taking_back
from ledger.accounts import AccountKind
from ledger.errors import UnknownObject
from ledger.gateway import Gateway
from ledger.models import Payout, Proposal, Reconciliation
from ledger.vocabulary import Proposed
from registry.ids import find
from registry.models import Creator, User

__all__ = ["Asked", "carry_out", "propose"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What shall be proposed.

    subject: a comparison's number, a payout's id, or the id of what money waits for. kind: of the
    accounts on which it waits. to: the creator who shall get it all; without, each the own part.
    """

    deed: Proposed
    subject: str
    kind: AccountKind = AccountKind.CREATOR_DISPUTED
    to: str = ""


def propose(  # noqa: PLR0913 - a proposal is said in full, each part by name
    asked: Asked,
    admin: User,
    *,
    gateway: Gateway,
    reason: str,
    at: datetime,
    dry_run: bool = False,
) -> Proposal:
    """Propose a deed; a dry run keeps nothing. Raises what the deed's own module raises.

    UnknownObject when there is no such comparison; NotFound for payouts and creators.
    """
    match asked.deed:
        case Proposed.ADJUST:
            row = _comparison(asked.subject)
            return adjusting.propose(row, admin, reason=reason, at=at, dry_run=dry_run)
        case Proposed.TAKE_BACK:
            payout = find(Payout.objects.all(), asked.subject)
            return taking_back.propose(
                payout, admin, gateway=gateway, reason=reason, at=at, dry_run=dry_run
            )
        case Proposed.RELEASE_ASIDE | Proposed.REASSIGN_ASIDE:
            to = find(Creator.objects.all(), asked.to) if asked.to else None
            return aside_decisions.propose(
                asked.subject, admin, kind=asked.kind, to=to, reason=reason, at=at, dry_run=dry_run
            )
        case _:
            raise UnknownObject(f"{asked.deed} is proposed elsewhere")


def carry_out(  # noqa: PLR0913 - a deed is said in full, each part by name
    proposal: Proposal,
    admin: User,
    *,
    gateway: Gateway,
    factor: str,
    holding: timedelta,
    at: datetime,
) -> object:
    """Confirm a proposal and do what it says. Raises what the deed's own module raises."""
    match Proposed(proposal.deed):
        case Proposed.ADJUST:
            return adjusting.carry_out(proposal, admin, factor=factor, at=at)
        case Proposed.TAKE_BACK:
            return taking_back.carry_out(proposal, admin, gateway=gateway, factor=factor, at=at)
        case Proposed.RELEASE_ASIDE | Proposed.REASSIGN_ASIDE:
            return aside_decisions.carry_out(proposal, admin, factor=factor, holding=holding, at=at)
        case _:
            raise UnknownObject(f"{proposal.pk} is carried out elsewhere")


def _comparison(number: str) -> Reconciliation:
    row = Reconciliation.objects.filter(pk=int(number)).first() if number.isdecimal() else None
    if row is None:
        raise UnknownObject(f"there is no comparison {number}")
    return row
