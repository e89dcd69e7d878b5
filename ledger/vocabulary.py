"""The words of the books: kinds of accounts and entries, states of payouts (pure).

Numbers are stored and hashed, so a word keeps its number for ever; new words get new ones.
"""

from enum import IntEnum, StrEnum

BANK = "bank"
"""The gateway of payouts that a person makes at a bank (`ledger.by_hand`); no program sends them."""


class AccountKind(IntEnum):
    """What an account's money is. Credit is positive: what Tribute owes somebody."""

    OPERATOR_PREPAID = 1
    """Paid in by an operator, not yet spent."""
    CREATOR_PENDING = 2
    """Earned, inside the holding period."""
    CREATOR_AVAILABLE = 3
    """Earned, ready to be paid out."""
    CREATOR_DISPUTED = 4
    """Set aside while a claim is contested."""
    CREATOR_IN_PAYOUT = 5
    """Reserved by an approved payout."""
    POOL = 6
    """Unattributed remainders that wait for distribution over a manifest."""
    UNATTRIBUTED = 7
    """Unattributed remainders under a policy that keeps them apart."""
    UNCLAIMED = 8
    """Earned by works whose rightsholder is not known yet."""
    PLATFORM_FEE = 9
    """What the platform keeps."""
    PROCESSOR_FEE = 10
    """What the payment provider kept; negative, since it is a cost."""
    PROVIDER_CLEARING = 11
    """Money at the payment provider; negative, since it is ours to have."""
    OPERATOR_RESERVED = 12
    """Prepaid, and held for something that is not settled yet."""
    CREATOR_RESERVED = 13
    """Available, and held for something that is not settled yet."""
    CREATOR_DEBT = 14
    """What money taken back by a payer left the creator owing; negative or zero."""
    PLATFORM_BANK = 15
    """Money at the platform's own bank, from which payouts are made by hand."""

    @property
    def holder(self) -> str:
        """Whose account it is: ``operator``, ``creator`` or ``platform``."""
        return self.name.partition("_")[0].lower() if self in _OTHERS else "platform"

    @property
    def word(self) -> str:
        """The kind without its holder, such as ``prepaid`` or ``fee``."""
        return self.name.lower().removeprefix(f"{self.holder}_").replace("_", "-")

    @property
    def min_balance_micros(self) -> int | None:
        """Zero for other people's money, None where the balance may be negative."""
        return None if self in _MAY_BE_NEGATIVE else 0

    @property
    def max_balance_micros(self) -> int | None:
        """Zero for debts: repaid once they reach it. None where the balance may grow."""
        return 0 if self == AccountKind.CREATOR_DEBT else None


_OTHERS = {kind for kind in AccountKind if kind.name.startswith(("OPERATOR_", "CREATOR_"))}
_MAY_BE_NEGATIVE = {
    AccountKind.PLATFORM_FEE,
    AccountKind.PROCESSOR_FEE,
    AccountKind.PROVIDER_CLEARING,
    AccountKind.CREATOR_DEBT,
    AccountKind.PLATFORM_BANK,
}


class EntryKind(IntEnum):
    """Why an entry was written."""

    QUERY = 1
    """A paid generation was settled: operator to creators, remainder and fee."""
    TOPUP = 2
    """An operator's payment arrived at the provider."""
    MATURITY = 3
    """The holding period ended: pending to available."""
    PAYOUT_RESERVE = 4
    """A payout was approved: available to in payout."""
    PAYOUT_SENT = 5
    """The provider transferred it: in payout to clearing."""
    PAYOUT_RELEASE = 6
    """It will not be sent: in payout back to available."""
    PAYOUT_RETURN = 7
    """A transfer was taken back: clearing to available."""
    PROCESSOR_FEE = 8
    """The provider charged us."""
    ADJUSTMENT = 9
    """A person corrected something, with a reason kept elsewhere."""
    REVERSAL = 10
    """The exact mirror of an earlier entry."""
    CLAIM = 11
    """Money moved because a claim was opened, decided or found its rightsholder."""
    DISTRIBUTION = 12
    """A pool was shared out."""
    WITHDRAWAL = 13
    """The platform took its own money from the provider, or put some there."""
    HOLD = 14
    """Money was set aside for something that is not settled yet."""
    HOLD_RELEASE = 15
    """What was held is not needed, or no longer: back to where it came from."""
    CHARGEBACK = 16
    """A payer got money back: refund or chargeback of a top-up."""
    REINSTATEMENT = 17
    """A payer's chargeback was turned down, and the money came again."""
    DEBT_REPAYMENT = 18
    """Matured earnings went to pay a debt."""


class RefusalReason(IntEnum):
    """Why a draft will never be posted."""

    BELOW_MINIMUM = 1
    """An account would have fallen below its minimum: not funded."""
    ABOVE_MAXIMUM = 2
    """An account would have risen above its maximum."""


class BatchStatus(StrEnum):
    """How far a batch of payouts has come."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    SENDING = "sending"
    CLOSED = "closed"
    CANCELED = "canceled"


class HoldStatus(StrEnum):
    """What became of money held."""

    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


class PayoutStatus(StrEnum):
    """How far one payout has come."""

    PLANNED = "planned"
    """In a batch that is not approved yet; no money is set aside."""
    RESERVED = "reserved"
    """Approved and set aside; waits to be sent."""
    SENDING = "sending"
    """The intent is on record; the provider is being asked."""
    UNKNOWN = "unknown"
    """The provider gave no usable answer; only a look-up or a webhook may end this."""
    TRANSFERRED = "transferred"
    """On the payee's account at the provider."""
    IN_TRANSIT = "in_transit"
    """On its way to the payee's bank."""
    PAID = "paid"
    """At the bank; a bank may still send it back days later."""
    BANK_FAILED = "bank_failed"
    """The bank sent it back to the payee's account at the provider, which tries again."""
    HELD = "held"
    """Set aside, but the payee's account or the provider's answer needs a person."""
    FAILED = "failed"
    """Refused for good; the money is the creator's available balance again."""
    REVERSED = "reversed"
    """Taken back whole; the money is the creator's available balance again."""
    CANCELED = "canceled"
    """Called off before it was sent."""


class Deed(StrEnum):
    """What a payout admin did, in the journal of their actions."""

    PREPARED = "prepared"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    CANCELED = "canceled"
    RESUMED = "resumed"
    LINE_HELD = "line_held"
    LINE_RELEASED = "line_released"
    LINE_CANCELED = "line_canceled"
    LOOKED_UP = "looked_up"
    """The provider was asked what became of it."""
    TAKEN_BACK = "taken_back"
    """The provider was asked to reverse a transfer."""
    DIFFERENCE_SETTLED = "difference_settled"
    FILE_ISSUED = "file_issued"
    FILE_TAKEN = "file_taken"
    """The payment file was downloaded."""
    MARKED_PAID = "marked_paid"
    MARKED_FAILED = "marked_failed"
    EVENT_RETRIED = "event_retried"
    RECONCILED = "reconciled"
    ADJUSTED = "adjusted"
    """A difference was booked to the platform."""
    ASIDE_RELEASED = "aside_released"
    ASIDE_REASSIGNED = "aside_reassigned"
    AUDITED = "audited"
    PROPOSED = "proposed"
    PROPOSAL_WITHDRAWN = "proposal_withdrawn"


class Proposed(StrEnum):
    """What one admin proposes and a second confirms."""

    ADJUST = "adjust"
    """Book what a comparison found missing to the platform."""
    TAKE_BACK = "take_back"
    """Ask the provider to reverse a payout's transfer."""
    RELEASE_ASIDE = "release_aside"
    """Give contested money to the creators who earned it."""
    REASSIGN_ASIDE = "reassign_aside"
    """Give money that was set aside to one creator."""
    RELEASE_CAPPED = "release_capped"
    """Give what passed a model's cap to the creators who earned it."""
    REDIRECT_CAPPED = "redirect_capped"
    """Give what passed a model's cap to the pool."""


class ProposalStatus(StrEnum):
    """What became of a proposal."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


TAKES_TWO = frozenset({Deed.ADJUSTED, Deed.TAKEN_BACK, Deed.ASIDE_RELEASED, Deed.ASIDE_REASSIGNED})
"""Deeds that are done by confirming a proposal of somebody else's, and in no other way."""
