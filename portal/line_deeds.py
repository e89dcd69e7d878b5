"""Which deeds an admin is offered for a payout, by its state, and what each sets going."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from ledger import by_hand, gateway_choice, line_decisions, payees, payouts, taking_back
from ledger.models import Payout
from ledger.observing import DOUBLED
from ledger.payout_steps import SENT
from ledger.stuck import TRANSFER_DIFFERS
from ledger.vocabulary import BANK, PayoutStatus
from portal import proposed
from portal.wording import Words
from registry.models import User

Act = Callable[[Payout, User, str, datetime], object]


@dataclass(frozen=True, slots=True)
class LineDeed:
    """One button: what it says, what it causes, and whether a reason is asked for."""

    name: str
    button: Words
    effect: Words
    done: Words
    act: Act
    reason: bool = True
    grave: bool = False


def offered(payout: Payout, admin: User) -> list[LineDeed]:
    """Return what an admin may do with a payout as it is now."""
    return [DEEDS[name] for name in _names(payout, admin)]


def _names(payout: Payout, admin: User) -> list[str]:
    status = PayoutStatus(payout.status)
    maker = admin.pk in {payout.batch.prepared_by_id, payout.batch.submitted_by_id}
    by_bank = payout.gateway == BANK
    names: list[str] = []
    if status == PayoutStatus.HELD and payout.trouble == line_decisions.BY_ADMIN:
        names.append("release")
    if status == PayoutStatus.HELD and payout.trouble == TRANSFER_DIFFERS and not maker:
        names += ["send-anew", "call-off"]
    if payout.trouble == DOUBLED:
        names += ["look-up"] if maker else ["look-up", "bear"]
    if status == PayoutStatus.HELD and not by_bank and not payout.transfer_id:
        names.append("ask-payee")
    if status in {PayoutStatus.SENDING, PayoutStatus.UNKNOWN} and not by_bank:
        names.append("look-up")
    if by_bank and not maker:
        names += {PayoutStatus.SENDING: ["paid", "failed"], PayoutStatus.PAID: ["failed"]}.get(
            status, []
        )
    if status in SENT and not by_bank and not proposed.waiting_about(payout.pk):
        names.append("take-back")
    if status == PayoutStatus.RESERVED:
        names.append("hold")
    if status in line_decisions.CANCELABLE and not payout.transfer_id:
        names.append("take-out")
    return names


def _hold(payout: Payout, admin: User, reason: str, at: datetime) -> object:
    return line_decisions.hold(payout, admin, reason=reason, at=at)


def _release(payout: Payout, admin: User, reason: str, at: datetime) -> object:
    return line_decisions.release(payout, admin, reason=reason, at=at)


def _take_out(payout: Payout, admin: User, reason: str, at: datetime) -> object:
    return line_decisions.cancel(payout, admin, reason=reason, at=at)


def _look_up(payout: Payout, admin: User, _reason: str, at: datetime) -> object:
    return payouts.look_up(payout, admin, gateway=gateway_choice.configured(), at=at)


def _ask_payee(payout: Payout, admin: User, _reason: str, at: datetime) -> object:
    payee = payout.creator.payee
    return payees.look_up(payee, admin, gateway=gateway_choice.configured(), at=at)


def _take_back(payout: Payout, admin: User, reason: str, at: datetime) -> object:
    gateway = gateway_choice.configured()
    return taking_back.propose(payout, admin, gateway=gateway, reason=reason, at=at)


def _paid(payout: Payout, admin: User, _reason: str, at: datetime) -> object:
    return by_hand.mark_paid(payout, admin, at=at)


def _failed(payout: Payout, admin: User, reason: str, at: datetime) -> object:
    return by_hand.mark_failed(payout, admin, reason=reason, at=at)


def _settle(*, send_again: bool) -> Act:
    def settle(payout: Payout, admin: User, reason: str, at: datetime) -> object:
        return payouts.settle_difference(
            payout,
            admin,
            gateway=gateway_choice.configured(),
            reason=reason,
            send_again=send_again,
            at=at,
        )

    return settle


DEEDS = {
    deed.name: deed
    for deed in (
        LineDeed(
            "hold",
            _("Hold this payout"),
            _("It is not sent until somebody releases it. The others of its batch go on."),
            _("Held. Nothing is sent until it is released."),
            _hold,
        ),
        LineDeed(
            "release",
            _("Release this payout"),
            _("It goes out exactly as it was approved."),
            _("Released. It goes out with the next round."),
            _release,
        ),
        LineDeed(
            "take-out",
            _("Take it out of the batch"),
            _(
                "It is not paid now. The money is the creator’s available balance, for a later batch."
            ),
            _("Taken out. The money is available to the creator."),
            _take_out,
            grave=True,
        ),
        LineDeed(
            "look-up",
            _("Ask the provider now"),
            _("It is looked up every minute by itself; this asks at once. Nothing is sent twice."),
            _("The provider was asked; what it knows stands here."),
            _look_up,
            reason=False,
        ),
        LineDeed(
            "ask-payee",
            _("Ask whether the payee can receive now"),
            _("If so, the payout goes out with the next round."),
            _("The provider was asked about the payee’s account."),
            _ask_payee,
            reason=False,
        ),
        LineDeed(
            "take-back",
            _("Propose to ask for the transfer back"),
            _(
                "Once somebody else confirms it, the provider is asked; the money becomes the creator’s "
                "available balance once the provider has it again."
            ),
            _("Proposed. The provider is not asked until somebody else confirms it."),
            _take_back,
            grave=True,
        ),
        LineDeed(
            "send-anew",
            _("Send it anew"),
            _("For when the other transfer was taken back at the provider; we check that first."),
            _("Settled. It is sent anew with the next round."),
            _settle(send_again=True),
        ),
        LineDeed(
            "call-off",
            _("Call it off"),
            _("For when the other transfer was taken back; the money is the creator’s again."),
            _("Settled and called off. The money is available to the creator."),
            _settle(send_again=False),
            grave=True,
        ),
        LineDeed(
            "bear",
            _("Let the platform bear the rest"),
            _(
                "For when a second transfer cannot be taken back. The one asked for is the payout; "
                "book the other where the comparison shows it."
            ),
            _("Settled. The platform bears what was sent beside it."),
            _settle(send_again=False),
            grave=True,
        ),
        LineDeed(
            "paid",
            _("The bank paid it"),
            _("The payout is over; the money has left the platform’s bank account."),
            _("Recorded: the bank paid."),
            _paid,
            reason=False,
        ),
        LineDeed(
            "failed",
            _("The bank refused it or sent it back"),
            _("The money is the creator’s available balance again; the creator reads the reason."),
            _("Recorded: the bank refused. The money is available to the creator."),
            _failed,
            grave=True,
        ),
    )
}
