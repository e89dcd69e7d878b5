"""Own the words for states of payouts, batches and queries: what happened, and what comes next."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from attribution.models import Query
from ledger.vocabulary import BatchStatus, PayoutStatus
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
