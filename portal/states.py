"""Own the words for states and bookings: what happened, and what comes next."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from attribution.models import Query
from ledger.vocabulary import AccountKind, BatchStatus, EntryKind, PayoutStatus
from portal.wording import Words


@dataclass(frozen=True, slots=True)
class State:
    """A state's word, the tone of its chip, and its sign."""

    word: Words
    tone: str
    sign: str


_WAITS = ("license", "waiting")
_GOES = ("accent", "next")
_GOOD = ("allow", "success")
_BAD = ("deny", "error")

PAYOUTS = {
    PayoutStatus.PLANNED: State(_("Planned"), *_WAITS),
    PayoutStatus.RESERVED: State(_("Approved, waiting to be sent"), *_GOES),
    PayoutStatus.SENDING: State(_("Being sent"), *_GOES),
    PayoutStatus.UNKNOWN: State(_("The provider did not answer; safe, we are checking"), *_WAITS),
    PayoutStatus.TRANSFERRED: State(_("At the payment provider"), *_GOES),
    PayoutStatus.IN_TRANSIT: State(_("On its way to the bank"), *_GOES),
    PayoutStatus.PAID: State(_("Paid"), *_GOOD),
    PayoutStatus.BANK_FAILED: State(_("The bank sent it back; it is tried again"), *_WAITS),
    PayoutStatus.HELD: State(_("Held; safe, a person looks at it"), *_WAITS),
    PayoutStatus.FAILED: State(_("Refused; the money is available again"), *_BAD),
    PayoutStatus.REVERSED: State(_("Taken back; the money is available again"), *_BAD),
    PayoutStatus.CANCELED: State(_("Called off before it was sent"), "plain", "deny"),
}
BATCHES = {
    BatchStatus.DRAFT: State(_("Draft"), *_WAITS),
    BatchStatus.SUBMITTED: State(_("Waiting for approval"), *_WAITS),
    BatchStatus.APPROVED: State(_("Approved"), *_GOES),
    BatchStatus.SENDING: State(_("Being sent"), *_GOES),
    BatchStatus.CLOSED: State(_("Closed"), *_GOOD),
    BatchStatus.CANCELED: State(_("Canceled"), "plain", "deny"),
}
QUERIES = {
    Query.State.RECEIVED: State(_("Waiting to be settled"), *_WAITS),
    Query.State.SETTLED: State(_("Settled"), *_GOOD),
    Query.State.REFUSED: State(_("Refused: not funded"), *_BAD),
    Query.State.PARKED: State(_("Put aside: a person looks at it"), *_WAITS),
}
ACCOUNTS: dict[AccountKind, Words] = {
    AccountKind.OPERATOR_PREPAID: _("Prepaid"),
    AccountKind.OPERATOR_RESERVED: _("Reserved for queries in settlement"),
    AccountKind.CREATOR_PENDING: _("Pending"),
    AccountKind.CREATOR_AVAILABLE: _("Ready to be paid"),
    AccountKind.CREATOR_DISPUTED: _("Set aside"),
    AccountKind.CREATOR_IN_PAYOUT: _("On its way to you"),
    AccountKind.CREATOR_RESERVED: _("Reserved"),
    AccountKind.CREATOR_DEBT: _("Owed after a payer took money back"),
}
ENTRIES: dict[EntryKind, Words] = {
    EntryKind.QUERY: _("Answers that drew on your works"),
    EntryKind.TOPUP: _("Paid in"),
    EntryKind.MATURITY: _("The holding period ended"),
    EntryKind.PAYOUT_RESERVE: _("Set aside for a payout"),
    EntryKind.PAYOUT_SENT: _("Sent to you"),
    EntryKind.PAYOUT_RELEASE: _("A payout was called off"),
    EntryKind.PAYOUT_RETURN: _("A payout was taken back"),
    EntryKind.PROCESSOR_FEE: _("Fee of the payment provider"),
    EntryKind.ADJUSTMENT: _("Correction by a person"),
    EntryKind.REVERSAL: _("Reversal of an earlier entry"),
    EntryKind.CLAIM: _("A claim was opened or settled"),
    EntryKind.DISTRIBUTION: _("Part of a pool"),
    EntryKind.HOLD: _("Reserved"),
    EntryKind.HOLD_RELEASE: _("No longer reserved"),
    EntryKind.CHARGEBACK: _("A payer took money back"),
    EntryKind.REINSTATEMENT: _("A payer's chargeback was turned down"),
    EntryKind.DEBT_REPAYMENT: _("Paid towards what is owed"),
}
