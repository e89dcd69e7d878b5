"""The ledger's tables, by what they hold: books, holds, payments, payouts, set-asides, decisions."""

from ledger.models.books import (
    Account,
    AuditMark,
    Balance,
    Batch,
    Entry,
    Line,
    PublishedHead,
    Refusal,
)
from ledger.models.holds import Hold
from ledger.models.journal import AdminAction, AuditRun
from ledger.models.payments import (
    EventListing,
    Payee,
    PaymentReturn,
    ProviderEvent,
    ProviderTransaction,
    Reconciliation,
    TopUp,
)
from ledger.models.payouts import PaymentFile, Payout, PayoutBatch, PayoutEvent
from ledger.models.proposals import Proposal
from ledger.models.set_asides import SetAside

__all__ = [
    "Account",
    "AdminAction",
    "AuditMark",
    "AuditRun",
    "Balance",
    "Batch",
    "Entry",
    "EventListing",
    "Hold",
    "Line",
    "Payee",
    "PaymentFile",
    "PaymentReturn",
    "Payout",
    "PayoutBatch",
    "PayoutEvent",
    "Proposal",
    "ProviderEvent",
    "ProviderTransaction",
    "PublishedHead",
    "Reconciliation",
    "Refusal",
    "SetAside",
    "TopUp",
]
