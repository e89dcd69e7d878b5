"""What the ledger refuses, and why. ``code`` is stable API; HTTP is not known here."""


class LedgerError(Exception):
    """The ledger did not do what it was asked; nothing was written."""

    code = "ledger_error"


class UnknownCurrency(LedgerError):
    """Books are kept only in the currencies that the service was set up with."""

    code = "unknown_currency"


class InvalidAmount(LedgerError):
    """An amount is a whole number of micros that fits 64 bits, within the asked limits."""

    code = "invalid_amount"


class CurrencyMismatch(LedgerError):
    """Amounts of two currencies are never added, compared or paid for one another."""

    code = "currency_mismatch"


class NothingToSplit(LedgerError):
    """Weights must be whole numbers of zero or more, and not all zero."""

    code = "nothing_to_split"


class InvalidDraft(LedgerError):
    """An entry has 2 to 4,096 legs, none of them zero, that add up to zero."""

    code = "invalid_draft"


class UnknownAccount(LedgerError):
    """Every leg names an account that is open in the entry's currency."""

    code = "unknown_account"


class KeyReused(LedgerError):
    """A key stands for one content for ever; it came back with another."""

    code = "ledger_key_reused"


class InvalidReversal(LedgerError):
    """A reversal mirrors one entry exactly, once, and is not itself reversed."""

    code = "invalid_reversal"


class LedgerUnavailable(LedgerError):
    """The database could not be asked just now; nothing was posted, say the same again."""

    code = "ledger_unavailable"


class LaneBusy(LedgerUnavailable):
    """Other posters kept winning the race; nothing was posted, say the same again."""

    code = "ledger_busy"


class HoldError(LedgerError):
    """A hold did not begin or end as asked."""

    code = "hold_error"


class UnknownHold(HoldError):
    """Only money that was reserved under a key is settled or released under it."""

    code = "unknown_hold"


class CannotHold(HoldError):
    """Only an operator's prepaid and a creator's available money, more than zero, is held."""

    code = "cannot_hold"


class NotPayoutAdmin(LedgerError):
    """Only an active payout admin draws up, approves, cancels or takes back payouts."""

    code = "not_payout_admin"


class PayoutError(LedgerError):
    """A payout or a batch of them did not change."""

    code = "payout_error"


class OpenBatchExists(PayoutError):
    """One batch per currency is drawn up at a time: submit, approve or cancel the open one."""

    code = "open_batch_exists"


class NothingDue(PayoutError):
    """No creator who can be paid has reached the payout minimum in this currency."""

    code = "nothing_due"


class BooksInDoubt(PayoutError):
    """No batch is drawn up while the audit or the last reconciliation has findings."""

    code = "books_in_doubt"


class TransfersDoubled(PayoutError):
    """No batch goes out while the provider has several transfers for one payout."""

    code = "transfers_doubled"


class ComparisonStale(PayoutError):
    """No batch is approved unless the books were compared with the provider's list of late."""

    code = "comparison_stale"


class WrongState(PayoutError):
    """A batch or payout moves only along the published transitions."""

    code = "wrong_state"


class MakerIsChecker(PayoutError):
    """Who prepared or submitted a batch does not approve it; who proposed does not confirm."""

    code = "maker_is_checker"


class OwnMatter(PayoutError):
    """Nobody decides about money that is, or may become, the own creator's."""

    code = "own_matter"


class ProposalOpen(PayoutError):
    """One proposal about a thing waits at a time: confirm or withdraw that first."""

    code = "proposal_open"


class FactorMissing(PayoutError):
    """Who confirms a proposal has just shown a second factor."""

    code = "factor_missing"


class LinesChanged(PayoutError):
    """An approval is for exactly the lines that were submitted; they are not the same now."""

    code = "lines_changed"


class NotCovered(PayoutError):
    """A creator's available balance no longer covers what the batch plans to pay."""

    code = "payout_not_covered"


class NoPaymentFile(PayoutError):
    """A payment file needs payouts issued for a bank, and an account to pay from."""

    code = "no_payment_file"


class ReasonMissing(PayoutError):
    """Whoever decides by hand says why."""

    code = "reason_missing"


class PayeeError(LedgerError):
    """A creator's account at the payment provider is not as needed."""

    code = "payee_error"


class NoPayee(PayeeError):
    """The creator has not begun onboarding with the payment provider."""

    code = "no_payee"


class InvalidBankAccount(PayeeError):
    """A bank account has a holder and an IBAN whose check digits are right, and is one creator's."""

    code = "invalid_bank_account"


class UnknownPeriod(LedgerError):
    """A statement's period is a month, written YYYY-MM, that has begun."""

    code = "unknown_period"


class UnknownObject(LedgerError):
    """A provider's event names an object that is not (yet) in our books."""

    code = "unknown_object"
