"""What Tribute asks of a payment provider: a Protocol, its results and its errors.

Owns the words both sides share. It knows no provider and no database, moves no money
and rounds nothing: amounts are whole minor units of the currency (cents for EUR, yen
for JPY), as the provider counts them, and `ledger.money` alone converts to micros.

Every call that moves money takes a ``key``. Saying the same call with the same key
again changes nothing and returns the first answer; a key said with other amounts is
`Refused` with code ``idempotency_key_reused``. What a caller must do about a failure
depends on one question only, *did anything happen?*, and the error classes answer it:
`Refused` no and never will, `TryAgain` no but it may, `OutcomeUnknown` nobody knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol


class GatewayError(Exception):
    """The provider did not do what it was asked. See the subclasses for what to do."""

    code: str = "gateway_error"


class Refused(GatewayError):
    """The provider said no: nothing happened, and saying it again will not help.

    The caller records the refusal, releases what it had reserved, and tells a person.
    A later attempt is a new intent and needs a new key. ``code`` is the provider's.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class InsufficientFunds(Refused):
    """The platform's balance at the provider does not cover the amount: nothing happened.

    The provider will not retry. The caller keeps the reservation, pauses the batch and
    alerts the operator; creators see "waiting for funds". Sending later needs a new key,
    since the provider repeats a stored refusal for the old one.
    """


class PayeeCannotReceive(Refused):
    """The payee's account is missing, closed or not (yet) allowed transfers: nothing happened.

    The caller holds the payout and asks the payee to finish onboarding. Sending later
    needs a new key.
    """


class TryAgain(GatewayError):
    """The provider turned the request away unread, or a mere question went unanswered.

    Nothing happened. The caller waits and says the same again with the same key.
    """

    code = "gateway_try_again"


class OutcomeUnknown(GatewayError):
    """A request that moves money got no usable answer: it may or may not have happened.

    Timeout, connection lost, 5xx, or the same key still in flight. The caller marks the
    attempt ``unknown`` and resolves it by look-up (`Gateway.find_transfers`) or by a
    webhook. It may say the same again with the *same* key and amount within 24 hours,
    after which the provider may have forgotten the key; it never uses a second key
    before a look-up has shown that nothing happened.
    """

    code = "gateway_outcome_unknown"


class NotConfigured(GatewayError):
    """Keys or secrets are missing, refused or of the wrong mode: nothing happened.

    The caller stops sending altogether and alerts the operator; nothing about the
    payout itself is wrong, and the same key may be used once the setting is right.
    """

    code = "gateway_not_configured"


class InvalidSignature(GatewayError):
    """A webhook's signature is missing, forged or too old. Answer 400 and store nothing."""

    code = "webhook_invalid_signature"


class InvalidPayload(GatewayError):
    """A webhook is signed but is no event of the provider we expect. Answer 400."""

    code = "webhook_invalid_payload"


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """A payee's account at the provider, as it stands now.

    requirements: what the provider still wants from the payee, in its own words; may be
    non-empty although ``can_receive`` is true (due later).
    """

    id: str
    can_receive: bool
    requirements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TransferResult:
    """Money moved from the platform's balance to a payee's, less what was taken back.

    amount_minor: what was sent; reversed_minor: 0 ≤ reversed ≤ amount.
    """

    id: str
    payee_account: str
    amount_minor: int
    reversed_minor: int
    currency: str
    group: str
    metadata: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ReversalResult:
    """Part or all of a transfer taken back onto the platform's balance."""

    id: str
    transfer_id: str
    amount_minor: int
    currency: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A hosted payment page: send the payer's browser to ``url``."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class CheckoutStatus:
    """What became of a hosted payment page. ``payment_id`` is set once it is paid."""

    id: str
    paid: bool
    amount_minor: int
    currency: str
    reference: str
    payment_id: str | None


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """A payment made on a hosted page, and how much of it the payer has got back by now.

    returned_minor: refunds, and chargebacks less what came again because they were turned
    down. It may fall, and it may be more than the payment, since a bank knows nothing of refunds.
    """

    id: str
    amount_minor: int
    returned_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class ProviderBalance:
    """What an account at the provider holds in one currency; pending is not yet spendable.

    A payee's may be below zero: then the payee owes the provider, who keeps what comes next.
    """

    currency: str
    available_minor: int
    pending_minor: int


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of the platform's balance: net effect = amount_minor - fee_minor.

    kind is the provider's word (``charge``, ``transfer``, ``transfer_refund``, ``payout``,
    …), amount_minor signed, fee_minor ≥ 0 when the provider charges, source_id the object
    that caused it.
    """

    id: str
    kind: str
    amount_minor: int
    fee_minor: int
    currency: str
    source_id: str | None
    created_at: datetime
    available_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Balance transactions, newest first; ``cursor`` fetches the next page, None at the end."""

    items: tuple[BalanceTransaction, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class BankPayout:
    """A payee's balance on its way to the payee's bank, scheduled by the provider.

    status: ``pending | in_transit | paid | failed | canceled``; ``paid`` may still become
    ``failed`` days later. transfer_ids: those of our transfers that it carries.
    """

    id: str
    account_id: str
    status: str
    amount_minor: int
    currency: str
    failure_code: str | None
    arrives_at: datetime
    transfer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A verified webhook. Store it once by ``id``; it may come twice, late and in any order.

    account_id names the payee's account when the event happened there. The payload is a
    snapshot and may be stale, so read the object again before acting on it.
    """

    id: str
    type: str
    object_id: str
    account_id: str | None
    created_at: datetime
    livemode: bool
    payload: Mapping[str, object]


class Gateway(Protocol):
    """A payment provider.

    Any method may raise `NotConfigured`, `TryAgain` or `Refused`; those with a ``key``,
    and `create_payee`, also `OutcomeUnknown`.
    """

    name: ClassVar[str]

    def create_payee(self, *, reference: str, email: str, country: str) -> PayeeAccount:
        """Open an account for a payee, once for each ``reference`` (our own id of the payee).

        country: ISO 3166-1 alpha-2.
        """
        ...

    def payee(self, account_id: str) -> PayeeAccount:
        """Read a payee's account again; a returning browser proves nothing, this does."""
        ...

    def onboarding_link(self, account_id: str, *, return_url: str, refresh_url: str) -> str:
        """Mint a short-lived single-use address where the payee gives what is required.

        refresh_url: where the provider sends the browser when the link was used or is too
        old; that page must mint another.
        """
        ...

    def transfer(  # noqa: PLR0913 - a payment is said in full, each part by name
        self,
        *,
        key: str,
        payee_account: str,
        amount_minor: int,
        currency: str,
        group: str,
        metadata: Mapping[str, str],
    ) -> TransferResult:
        """Move ``amount_minor`` > 0 from the platform's available balance to a payee.

        group: what `find_transfers` looks up later, one per payout. Raises `InsufficientFunds`
        and `PayeeCannotReceive` beside the rest.
        """
        ...

    def find_transfers(self, *, group: str) -> tuple[TransferResult, ...]:
        """Look up the transfers of a group, newest first: resolves an `OutcomeUnknown`.

        There should be one; of very many, the newest hundred. None of them says that no transfer
        with this group exists at the provider at this moment; a request still in flight may create
        one, so wait longer than the timeout first.
        """
        ...

    def reverse_transfer(self, *, key: str, transfer_id: str, amount_minor: int) -> ReversalResult:
        """Take ``amount_minor`` of a transfer back; several reversals may add up to all of it.

        Raises `Refused` when it exceeds what is left, `InsufficientFunds` when the payee's
        balance no longer holds it.
        """
        ...

    def checkout(  # noqa: PLR0913 - a payment is said in full, each part by name
        self,
        *,
        key: str,
        amount_minor: int,
        currency: str,
        reference: str,
        success_url: str,
        cancel_url: str,
    ) -> CheckoutSession:
        """Open a hosted payment page for an operator's top-up; ``reference`` is our own id."""
        ...

    def find_checkout(self, session_id: str) -> CheckoutStatus:
        """Read what became of a hosted payment page."""
        ...

    def payment(self, payment_id: str) -> PaymentStatus:
        """Read how much of a payment its payer has got back.

        Raises `Refused` with code ``currency_differs`` when it went back in another currency.
        """
        ...

    def balance(self) -> tuple[ProviderBalance, ...]:
        """The platform's balance, one row a currency, ordered by currency."""
        ...

    def payee_balance(self, account_id: str) -> tuple[ProviderBalance, ...]:
        """The balance of a payee's account, one row a currency, ordered by currency.

        Raises `PayeeCannotReceive` when the account is closed or no longer ours to read.
        """
        ...

    def balance_transactions(self, *, since: datetime, cursor: str | None) -> Page:
        """One page of what moved the platform's balance at or after ``since``, newest first."""
        ...

    def bank_payout(self, payout_id: str, *, account_id: str) -> BankPayout:
        """Read a payee's payout to the bank, and which of our transfers it carries."""
        ...

    def list_events(
        self, *, account_id: str | None, since: datetime, until: datetime
    ) -> Iterator[tuple[ProviderEvent, ...]]:
        """Page by page, the events of a time that webhooks should have told; in any order.

        account_id: of a payee's account, or None for the platform's own. The ids are those of the
        webhooks. What the provider no longer keeps is left out, as is what cannot be read. Any page
        may raise; those before it count. Raises `PayeeCannotReceive` when the account is closed or
        no longer ours to read.
        """
        ...

    def parse_event(self, payload: bytes, signature: str) -> ProviderEvent:
        """Verify and read a webhook's raw body. Raises `InvalidSignature`, `InvalidPayload`."""
        ...
