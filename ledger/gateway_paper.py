"""A provider that only takes notes, in memory: for tests, demonstrations and dry runs.

Owns its own books and answers like any `ledger.gateway.Gateway`, with the same rules:
a key said twice changes nothing, a stored refusal is repeated, a key said with other
amounts is refused. It opens no socket and pays nobody; whoever pays by hand takes the
notes from `payment_file`. The notes are gone when the process ends.

What people do at a real provider is done by calling `finish_onboarding`, `pay`,
`return_payment`, `pay_out` and `charge_payee`; trouble is asked for with `fail_next`. Ids count upwards.
"""

import hashlib
import hmac
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, TypeVar, cast

from ledger.gateway import (
    BalanceTransaction,
    BankPayout,
    CheckoutSession,
    CheckoutStatus,
    GatewayError,
    InsufficientFunds,
    InvalidPayload,
    InvalidSignature,
    Page,
    PayeeAccount,
    PayeeCannotReceive,
    PaymentStatus,
    ProviderBalance,
    ProviderEvent,
    Refused,
    ReversalResult,
    TransferResult,
)
from registry import csv_lines

Result = TypeVar("Result")
Clock = Callable[[], datetime]

PAGE_SIZE = 100
REQUIREMENTS = ("bank_account",)


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class _Failure:
    """What the next call of a method shall raise, and whether it happens all the same."""

    error: GatewayError
    after: bool


@dataclass
class PaperGateway:
    """Notes of one imaginary provider.

    clock: tells the times written down. secret: signs the events of `signed`.
    """

    clock: Clock = _utc_now
    secret: str = "paper"  # noqa: S105 - signs imaginary events only

    name: ClassVar[str] = "paper"

    events: list[ProviderEvent] = field(default_factory=list, init=False)
    _payees: dict[str, PayeeAccount] = field(default_factory=dict, init=False)
    _transfers: dict[str, TransferResult] = field(default_factory=dict, init=False)
    _checkouts: dict[str, CheckoutStatus] = field(default_factory=dict, init=False)
    _payments: dict[str, PaymentStatus] = field(default_factory=dict, init=False)
    _bank_payouts: dict[str, BankPayout] = field(default_factory=dict, init=False)
    _charged: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)
    _rows: list[BalanceTransaction] = field(default_factory=list, init=False)
    _answers: dict[str, tuple[object, Any]] = field(default_factory=dict, init=False)
    _failures: dict[str, list[_Failure]] = field(
        default_factory=lambda: defaultdict(list), init=False
    )
    _counts: Counter[str] = field(default_factory=Counter, init=False)

    def fail_next(self, method: str, error: GatewayError, *, after: bool = False) -> None:
        """Let the next call of ``method`` raise ``error``; ``after`` lets it happen first."""
        self._failures[method].append(_Failure(error, after))

    def create_payee(self, *, reference: str, email: str, country: str) -> PayeeAccount:
        """Note a payee, who cannot receive before `finish_onboarding`."""

        def note() -> PayeeAccount:
            account = PayeeAccount(self._new_id("acct"), False, REQUIREMENTS)
            return self._payees.setdefault(account.id, account)

        key = f"payee:{reference}:{email}:{country}"
        return self._once("create_payee", key, (reference, email, country), note)

    def payee(self, account_id: str) -> PayeeAccount:
        """Read a payee's note."""

        def read() -> PayeeAccount:
            if account_id not in self._payees:
                raise PayeeCannotReceive("resource_missing", f"no account {account_id}")
            return self._payees[account_id]

        return self._answered("payee", read)

    def onboarding_link(self, account_id: str, *, return_url: str, refresh_url: str) -> str:
        """There is no page to fill in: the link leads straight back."""

        def link() -> str:
            assert refresh_url, "a page that mints another link is part of the contract"
            return return_url if account_id in self._payees else refresh_url

        return self._answered("onboarding_link", link)

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
        """Note a transfer, if the balance covers it and the payee can receive."""

        def note() -> TransferResult:
            if not (payee := self._payees.get(payee_account)) or not payee.can_receive:
                raise PayeeCannotReceive("payee_inactive", f"{payee_account} is not onboarded")
            if self._available(currency) < amount_minor:
                raise InsufficientFunds("balance_insufficient", f"{amount_minor} {currency}")
            transfer = TransferResult(
                id=self._new_id("tr"),
                payee_account=payee_account,
                amount_minor=amount_minor,
                reversed_minor=0,
                currency=currency,
                group=group,
                metadata=dict(metadata),
                created_at=self.clock(),
            )
            self._transfers[transfer.id] = transfer
            self._book("transfer", -amount_minor, currency, transfer.id)
            self._tell("transfer.created", transfer.id)
            return transfer

        asked = (payee_account, amount_minor, currency, group, dict(metadata))
        return self._once("transfer", key, asked, note)

    def find_transfers(self, *, group: str) -> tuple[TransferResult, ...]:
        """Read the transfers of a group, newest first."""

        def read() -> tuple[TransferResult, ...]:
            found = [each for each in self._transfers.values() if each.group == group]
            return tuple(reversed(found))

        return self._answered("find_transfers", read)

    def reverse_transfer(self, *, key: str, transfer_id: str, amount_minor: int) -> ReversalResult:
        """Note a reversal, up to what is left of the transfer and not yet at the bank."""

        def note() -> ReversalResult:
            transfer = self._transfers.get(transfer_id)
            if transfer is None:
                raise Refused("resource_missing", f"no transfer {transfer_id}")
            if amount_minor > transfer.amount_minor - transfer.reversed_minor:
                raise Refused("reversal_too_large", f"{amount_minor} of {transfer}")
            if self._is_at_the_bank(transfer_id):
                raise InsufficientFunds("balance_insufficient", "the money is at the payee's bank")
            reversed_minor = transfer.reversed_minor + amount_minor
            self._transfers[transfer_id] = replace(transfer, reversed_minor=reversed_minor)
            reversal_id = self._new_id("trr")
            self._book("transfer_refund", amount_minor, transfer.currency, reversal_id)
            said = {"transfer_group": transfer.group}
            self._tell("transfer.reversed", transfer_id, said=said)
            return ReversalResult(
                reversal_id, transfer_id, amount_minor, transfer.currency, self.clock()
            )

        return self._once("reverse_transfer", key, (transfer_id, amount_minor), note)

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
        """Note a payment to come; the address leads straight to ``success_url``."""

        def note() -> CheckoutSession:
            status = CheckoutStatus(
                self._new_id("cs"), False, amount_minor, currency, reference, None
            )
            self._checkouts[status.id] = status
            return CheckoutSession(status.id, success_url)

        asked = (amount_minor, currency, reference, success_url, cancel_url)
        return self._once("checkout", key, asked, note)

    def find_checkout(self, session_id: str) -> CheckoutStatus:
        """Read a payment's note."""

        def read() -> CheckoutStatus:
            if session_id not in self._checkouts:
                raise Refused("resource_missing", f"no checkout {session_id}")
            return self._checkouts[session_id]

        return self._answered("find_checkout", read)

    def payment(self, payment_id: str) -> PaymentStatus:
        """Read a payment's note."""

        def read() -> PaymentStatus:
            if payment_id not in self._payments:
                raise Refused("resource_missing", f"no payment {payment_id}")
            return self._payments[payment_id]

        return self._answered("payment", read)

    def balance(self) -> tuple[ProviderBalance, ...]:
        """Add the notes up."""

        def add_up() -> tuple[ProviderBalance, ...]:
            currencies = sorted({row.currency for row in self._rows})
            return tuple(ProviderBalance(each, self._available(each), 0) for each in currencies)

        return self._answered("balance", add_up)

    def payee_balance(self, account_id: str) -> tuple[ProviderBalance, ...]:
        """Add up what lies on a payee's account: transfers not at the bank, less charges."""

        def add_up() -> tuple[ProviderBalance, ...]:
            if account_id not in self._payees:
                raise PayeeCannotReceive("resource_missing", f"no account {account_id}")
            held = Counter[str]()
            for (account, currency), minor in self._charged.items():
                held[currency] -= minor if account == account_id else 0
            for each in self._transfers.values():
                if each.payee_account == account_id and not self._is_at_the_bank(each.id):
                    held[each.currency] += each.amount_minor - each.reversed_minor
            return tuple(ProviderBalance(each, held[each], 0) for each in sorted(held))

        return self._answered("payee_balance", add_up)

    def balance_transactions(self, *, since: datetime, cursor: str | None) -> Page:
        """Read the notes of what moved the balance, newest first."""

        def read() -> Page:
            rows = [row for row in reversed(self._rows) if row.created_at >= since]
            ids = [row.id for row in rows]
            start = ids.index(cursor) + 1 if cursor else 0
            page = tuple(rows[start : start + PAGE_SIZE])
            return Page(page, page[-1].id if start + PAGE_SIZE < len(rows) else None)

        return self._answered("balance_transactions", read)

    def bank_payout(self, payout_id: str, *, account_id: str) -> BankPayout:
        """Read the note of a payout to a payee's bank."""

        def read() -> BankPayout:
            payout = self._bank_payouts.get(payout_id)
            if payout is None or payout.account_id != account_id:
                raise Refused("resource_missing", f"no payout {payout_id} of {account_id}")
            return payout

        return self._answered("bank_payout", read)

    def list_events(
        self, *, account_id: str | None, since: datetime, until: datetime
    ) -> Iterator[tuple[ProviderEvent, ...]]:
        """Read what was told between two times, newest first."""
        if account_id is not None and account_id not in self._payees:
            raise PayeeCannotReceive("resource_missing", f"no account {account_id}")
        told = [
            event
            for event in reversed(self.events)
            if event.account_id == account_id and since <= event.created_at <= until
        ]
        for start in range(0, max(len(told), 1), PAGE_SIZE):
            page = tuple(told[start : start + PAGE_SIZE])
            yield self._answered("list_events", partial(tuple, page))

    def parse_event(self, payload: bytes, signature: str) -> ProviderEvent:
        """Verify and read what `signed` wrote."""
        if not hmac.compare_digest(self._sign(payload), signature):
            raise InvalidSignature("the signature is not of this provider's secret")
        try:
            body = json.loads(payload)
            return ProviderEvent(
                **{**body, "created_at": datetime.fromisoformat(body["created_at"])}
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidPayload(f"no event of ours: {error!r}") from error

    def finish_onboarding(self, account_id: str) -> None:
        """The payee gave everything that was asked."""
        self._payees[account_id] = PayeeAccount(account_id, True, ())
        self._tell("account.updated", account_id, account_id=account_id)

    def pay(self, session_id: str, *, fee_minor: int = 0) -> None:
        """The operator paid, once; the money is available at once, less the fee."""
        status = self._checkouts[session_id]
        if status.paid:
            return
        payment_id = self._new_id("pi")
        self._checkouts[session_id] = replace(status, paid=True, payment_id=payment_id)
        self._payments[payment_id] = PaymentStatus(
            payment_id, status.amount_minor, 0, status.currency
        )
        self._book("charge", status.amount_minor, status.currency, payment_id, fee_minor)
        self._tell("checkout.session.completed", session_id)

    def return_payment(self, payment_id: str, amount_minor: int) -> None:
        """The payer got part of a payment back, or (below zero) lost what it had got back."""
        payment = self._payments[payment_id]
        returned = payment.returned_minor + amount_minor
        self._payments[payment_id] = replace(payment, returned_minor=returned)
        kind = "charge.refunded" if amount_minor > 0 else "charge.dispute.funds_reinstated"
        self._book("adjustment", -amount_minor, payment.currency, payment_id)
        self._tell(kind, payment_id, said={"payment_intent": payment_id})

    def pay_out(self, transfer_id: str, *, status: str = "paid") -> BankPayout:
        """The payee's bank got, or refused, what one transfer brought; tells it as an event."""
        transfer = self._transfers[transfer_id]
        payout = BankPayout(
            id=self._new_id("po"),
            account_id=transfer.payee_account,
            status=status,
            amount_minor=transfer.amount_minor - transfer.reversed_minor,
            currency=transfer.currency,
            failure_code="account_closed" if status == "failed" else None,
            arrives_at=self.clock(),
            transfer_ids=(transfer_id,),
        )
        self._bank_payouts[payout.id] = payout
        self._tell(f"payout.{status}", payout.id, account_id=payout.account_id)
        return payout

    def charge_payee(self, account_id: str, amount_minor: int, currency: str) -> None:
        """The provider takes money from a payee's account; below zero it gives some."""
        self._charged[account_id, currency] += amount_minor

    def signed(self, event: ProviderEvent) -> tuple[bytes, str]:
        """The body and signature with which ``event`` would arrive as a webhook."""
        payload = json.dumps({**asdict(event), "created_at": event.created_at.isoformat()}).encode()
        return payload, self._sign(payload)

    def payment_file(self) -> str:
        """What is to be paid by hand: CSV, one row a transfer, amounts in minor units."""
        heading = ("transfer", "payee_account", "amount_minor", "currency", "group")
        left = (
            (each.id, each.payee_account, minor, each.currency, each.group)
            for each in self._transfers.values()
            if (minor := each.amount_minor - each.reversed_minor)
        )
        lines = (csv_lines.line(row, end="\n") for row in left)
        return csv_lines.line(heading, end="\n") + "".join(lines)

    def _once(self, method: str, key: str, asked: object, deed: Callable[[], Result]) -> Result:
        """Do ``deed`` unless ``key`` was said before; repeat its answer, a refusal too."""

        def do() -> Result:
            if key in self._answers:
                before, answer = self._answers[key]
                if before != (method, asked):
                    raise Refused("idempotency_key_reused", f"{key} was said with other amounts")
            else:
                answer = _outcome(deed)
                self._answers[key] = ((method, asked), answer)
            if isinstance(answer, Refused):
                raise answer
            return cast("Result", answer)

        return self._answered(method, do)

    def _answered(self, method: str, deed: Callable[[], Result]) -> Result:
        """Do ``deed``, or fail before or after it as `fail_next` asked."""
        failure = self._failures[method].pop(0) if self._failures[method] else None
        if failure and not failure.after:
            raise failure.error
        result = deed()
        if failure:
            raise failure.error
        return result

    def _is_at_the_bank(self, transfer_id: str) -> bool:
        sent = [each for each in self._bank_payouts.values() if transfer_id in each.transfer_ids]
        return any(each.status not in {"failed", "canceled"} for each in sent)

    def _available(self, currency: str) -> int:
        rows = (row for row in self._rows if row.currency == currency)
        return sum(row.amount_minor - row.fee_minor for row in rows)

    def _book(self, kind: str, amount: int, currency: str, source: str, fee: int = 0) -> None:
        now = self.clock()
        row_id = self._new_id("txn")
        self._rows.append(BalanceTransaction(row_id, kind, amount, fee, currency, source, now, now))

    def _tell(
        self,
        kind: str,
        object_id: str,
        *,
        account_id: str | None = None,
        said: Mapping[str, str] | None = None,
    ) -> None:
        event_id, payload = self._new_id("evt"), dict[str, Any](type=kind, object=object_id)
        if said:
            payload["data"] = {"object": dict(said)}
        self.events.append(
            ProviderEvent(event_id, kind, object_id, account_id, self.clock(), False, payload)
        )

    def _new_id(self, prefix: str) -> str:
        self._counts[prefix] += 1
        return f"{prefix}_paper_{self._counts[prefix]}"

    def _sign(self, payload: bytes) -> str:
        return hmac.new(self.secret.encode(), payload, hashlib.sha256).hexdigest()


def _outcome(deed: Callable[[], Any]) -> Any:
    """What ``deed`` returned, or the refusal it raised."""
    try:
        return deed()
    except Refused as refusal:
        return refusal
