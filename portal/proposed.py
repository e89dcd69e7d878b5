"""Own what a proposal says to people, who may do what with it, and the one door through which it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from attribution import cap_reviews
from ledger import gateway_choice, proposed_deeds
from ledger.models import Payout, Proposal
from ledger.money import Money
from ledger.vocabulary import ProposalStatus, Proposed
from portal.wording import Words
from registry.models import Creator, User

WORDS: Mapping[str, Words] = {
    Proposed.ADJUST: _("Book a difference to the platform"),
    Proposed.TAKE_BACK: _("Ask for a payout’s transfer back"),
    Proposed.RELEASE_ASIDE: _("Give money set aside to those who earned it"),
    Proposed.REASSIGN_ASIDE: _("Give money set aside to one creator"),
    Proposed.RELEASE_CAPPED: _("Release what a cap held to the creators"),
    Proposed.REDIRECT_CAPPED: _("Give what a cap held to the pool"),
}
STATES: Mapping[str, Words] = {
    ProposalStatus.OPEN: _("waits for a second person"),
    ProposalStatus.CONFIRMED: _("confirmed"),
    ProposalStatus.WITHDRAWN: _("withdrawn"),
}
_CAPPED = {Proposed.RELEASE_CAPPED, Proposed.REDIRECT_CAPPED}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a proposal moves: from where, to whom, how much, in how many bookings."""

    come_from: str
    to: Words
    money: Money
    count: int = 1


def waiting_about(subject: str) -> Proposal | None:
    """Return the proposal about a thing that waits, if there is one."""
    rows = Proposal.objects.filter(subject=subject, status=ProposalStatus.OPEN)
    return rows.select_related("proposed_by").first()


def lines(proposal: Proposal) -> list[Line]:
    """Return what it moves, for people; the digest is of the text these were read from."""
    told = proposal.told
    if proposal.deed == Proposed.ADJUST:
        return [Line(told["from"], told["to"], Money(told["micros"], told["currency"]))]
    if proposal.deed == Proposed.TAKE_BACK:
        to = f"creator:{told['creator']}:available:{told['currency']}"
        return [Line(told["transfer"], to, Money(told["micros"], told["currency"]))]
    receiver = _receiver(proposal, told["to"])
    return [
        Line(account, receiver, Money(micros, account.rpartition(":")[2]), count)
        for account, count, micros in told["parts"]
    ]


def _receiver(proposal: Proposal, to: str) -> Words:
    match proposal.deed:
        case Proposed.REASSIGN_ASIDE:
            creator = Creator.objects.filter(pk=to).first()
            return f"{creator.handle} ({to})" if creator else to
        case Proposed.REDIRECT_CAPPED:
            return _("the pool")
        case Proposed.RELEASE_CAPPED:
            return ", ".join(sorted(proposal.told["weights"]))
    return _("the same creator’s own balance")


def may_repeat(proposal: Proposal) -> bool:
    """Whether the provider was asked for a transfer back, and has given no answer that we know."""
    if (proposal.deed, proposal.status) != (Proposed.TAKE_BACK, ProposalStatus.CONFIRMED):
        return False
    payout = Payout.objects.get(pk=proposal.subject)
    told = proposal.told
    refused = payout.events.filter(reason__contains="refused to take it back").count()
    return (payout.reversed_micros, refused) == (told["back_before"], told["refused_before"])


def carry_out(proposal: Proposal, admin: User, *, factor: str, at: datetime) -> object:
    """Confirm a proposal as the second person, and do what it says."""
    holding = timedelta(days=settings.HOLDING_DAYS)
    if proposal.deed in _CAPPED:
        return cap_reviews.carry_out(proposal, admin, factor=factor, holding=holding, at=at)
    return proposed_deeds.carry_out(
        proposal,
        admin,
        gateway=gateway_choice.configured(),
        factor=factor,
        holding=holding,
        at=at,
    )
