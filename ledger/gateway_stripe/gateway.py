"""Stripe as a gateway: one method of ours, one call of the SDK's."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Literal

from ledger.gateway import (
    BankPayout,
    CheckoutSession,
    CheckoutStatus,
    NotConfigured,
    OutcomeUnknown,
    Page,
    PayeeAccount,
    PaymentStatus,
    ProviderBalance,
    ProviderEvent,
    Refused,
    ReversalResult,
    TransferResult,
)
from ledger.gateway_stripe import events
from ledger.gateway_stripe.refusals import translated
from ledger.gateway_stripe.results import (
    at,
    balance_transaction,
    balances,
    id_of,
    payee_v1,
    payee_v2,
    transfer_result,
)

if TYPE_CHECKING:
    import stripe
    from stripe.v2.core import Account as AccountV2

PAGE_SIZE = 100
"""Stripe's limit for one page of a list (docs.stripe.com/api/pagination)."""


class StripeGateway:
    """Stripe as a `ledger.gateway.Gateway`.

    base_url: where to send requests instead of Stripe, for the simulator; a live key is
    then refused. Each secret may name several webhook secrets separated by commas, one
    for each event destination: the platform's own events, and those of connected
    accounts (snapshot and thin). timeout_s: seconds for one HTTP request.
    Raises `NotConfigured` when a key or secret is missing.
    """

    name: ClassVar[str] = "stripe"

    def __init__(  # noqa: PLR0913 - each is a setting of its own, given by name
        self,
        api_key: str,
        *,
        base_url: str | None,
        platform_webhook_secret: str,
        connect_webhook_secret: str,
        account_api: Literal["v1", "v2"] = "v2",
        timeout_s: float = 20.0,
    ) -> None:
        if not api_key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
            raise NotConfigured("the Stripe key is missing or is not a secret key")
        if base_url and "_live_" in api_key[:8]:
            raise NotConfigured("a live Stripe key goes to Stripe alone, not to another address")
        self._inbox = events.Inbox(
            platform=events.secrets_in(platform_webhook_secret, whose="platform"),
            connect=events.secrets_in(connect_webhook_secret, whose="connect"),
            livemode="_live_" in api_key[:8],
            signed=self._is_signed,
        )
        self._account_api = account_api
        # Importing stripe takes about a second; processes that never pay do not wait for it.
        import stripe

        self._stripe = stripe
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": base_url.rstrip("/") if base_url else stripe.DEFAULT_API_BASE},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=timeout_s),
        )

    def create_payee(self, *, reference: str, email: str, country: str) -> PayeeAccount:
        """Open an account that can receive transfers; Stripe collects its data and papers.

        The platform bears fees and losses, so that a payee owes Stripe nothing. The key
        names the particulars too: a corrected e-mail address opens a new account instead
        of being refused, and the one left behind is empty.
        """
        particulars = hashlib.sha256(f"{email}\n{country}".encode()).hexdigest()[:16]
        options: stripe.RequestOptions = {"idempotency_key": f"payee:{reference}:{particulars}"}
        with self._errors(writes=True):
            if self._account_api == "v1":
                return payee_v1(self._create_v1(reference, email, country, options))
            return payee_v2(self._create_v2(reference, email, country, options))

    def payee(self, account_id: str) -> PayeeAccount:
        """Read the capability and what Stripe still asks for."""
        with self._errors(writes=False):
            if self._account_api == "v1":
                return payee_v1(self._client.v1.accounts.retrieve(account_id))
            return payee_v2(
                self._client.v2.core.accounts.retrieve(
                    account_id, {"include": ["configuration.recipient", "requirements"]}
                )
            )

    def onboarding_link(self, account_id: str, *, return_url: str, refresh_url: str) -> str:
        """Mint Stripe's hosted onboarding address (docs.stripe.com/connect/hosted-onboarding)."""
        with self._errors(writes=False):
            if self._account_api == "v1":
                return self._client.v1.account_links.create(
                    {
                        "account": account_id,
                        "type": "account_onboarding",
                        "return_url": return_url,
                        "refresh_url": refresh_url,
                    }
                ).url
            return self._client.v2.core.account_links.create(
                {
                    "account": account_id,
                    "use_case": {
                        "type": "account_onboarding",
                        "account_onboarding": {
                            "return_url": return_url,
                            "refresh_url": refresh_url,
                        },
                    },
                }
            ).url

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
        """Create a transfer (docs.stripe.com/api/transfers/create)."""
        with self._errors(writes=True):
            return transfer_result(
                self._client.v1.transfers.create(
                    {
                        "amount": amount_minor,
                        "currency": currency.lower(),
                        "destination": payee_account,
                        "transfer_group": group,
                        "metadata": dict(metadata),
                    },
                    {"idempotency_key": key},
                )
            )

    def find_transfers(self, *, group: str) -> tuple[TransferResult, ...]:
        """List the group's transfers, newest first (docs.stripe.com/api/transfers/list)."""
        with self._errors(writes=False):
            found = self._client.v1.transfers.list({"transfer_group": group, "limit": PAGE_SIZE})
            return tuple(transfer_result(each) for each in found.data)

    def reverse_transfer(self, *, key: str, transfer_id: str, amount_minor: int) -> ReversalResult:
        """Create a reversal (docs.stripe.com/api/transfer_reversals/create)."""
        with self._errors(writes=True):
            reversal = self._client.v1.transfers.reversals.create(
                transfer_id, {"amount": amount_minor}, {"idempotency_key": key}
            )
        return ReversalResult(
            id=reversal.id,
            transfer_id=id_of(reversal.transfer),
            amount_minor=reversal.amount,
            currency=reversal.currency.upper(),
            created_at=at(reversal.created),
        )

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
        """Create a Checkout Session of one line (docs.stripe.com/api/checkout/sessions/create)."""
        with self._errors(writes=True):
            session = self._client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": reference,
                    "success_url": success_url,
                    "cancel_url": cancel_url,
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": currency.lower(),
                                "unit_amount": amount_minor,
                                "product_data": {"name": "Prepaid balance"},
                            },
                        }
                    ],
                },
                {"idempotency_key": key},
            )
        if not session.url:
            raise OutcomeUnknown(f"checkout session {session.id} came without an address")
        return CheckoutSession(id=session.id, url=session.url)

    def find_checkout(self, session_id: str) -> CheckoutStatus:
        """Retrieve a Checkout Session; only ``payment_status`` says whether money came."""
        with self._errors(writes=False):
            session = self._client.v1.checkout.sessions.retrieve(session_id)
        return CheckoutStatus(
            id=session.id,
            paid=session.payment_status == "paid",
            amount_minor=session.amount_total or 0,
            currency=(session.currency or "").upper(),
            reference=session.client_reference_id or "",
            payment_id=id_of(session.payment_intent) if session.payment_intent else None,
        )

    def payment(self, payment_id: str) -> PaymentStatus:
        """Add up refunds and what disputes moved (docs.stripe.com/disputes/how-disputes-work).

        A dispute's own balance transactions say whether it took money: an inquiry does not, and
        one that was won has given it back. They are in the currency of our balance; in another than
        the payment's they say nothing exact about it (docs.stripe.com/currencies/disputes-refunds).
        """
        with self._errors(writes=False):
            charge = self._client.v1.payment_intents.retrieve(
                payment_id, {"expand": ["latest_charge"]}
            ).latest_charge
            disputes = self._client.v1.disputes.list(
                {"payment_intent": payment_id, "limit": PAGE_SIZE}
            ).data
        if not isinstance(charge, self._stripe.Charge):
            raise Refused("charge_missing", f"{payment_id} was never charged")
        rows = [row for dispute in disputes for row in dispute.balance_transactions]
        if others := sorted({row.currency for row in rows} - {charge.currency}):
            raise Refused(
                "currency_differs",
                f"{payment_id} was paid in {charge.currency} and disputed in {', '.join(others)}:"
                " book it by hand",
            )
        moved = sum(row.amount for row in rows)
        return PaymentStatus(
            id=payment_id,
            amount_minor=charge.amount,
            returned_minor=charge.amount_refunded - moved,
            currency=charge.currency.upper(),
        )

    def balance(self) -> tuple[ProviderBalance, ...]:
        """Read the platform's balance (docs.stripe.com/api/balance)."""
        with self._errors(writes=False):
            return balances(self._client.v1.balance.retrieve())

    def payee_balance(self, account_id: str) -> tuple[ProviderBalance, ...]:
        """Read a connected account's balance (docs.stripe.com/connect/account-balances)."""
        with self._errors(writes=False):
            return balances(self._client.v1.balance.retrieve(None, {"stripe_account": account_id}))

    def balance_transactions(self, *, since: datetime, cursor: str | None) -> Page:
        """List balance transactions (docs.stripe.com/api/balance_transactions/list)."""
        params: stripe.params.BalanceTransactionListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE_SIZE,
        }
        if cursor:
            params["starting_after"] = cursor
        with self._errors(writes=False):
            rows = self._client.v1.balance_transactions.list(params)
        items = tuple(balance_transaction(row) for row in rows.data)
        return Page(items, cursor=items[-1].id if rows.has_more and items else None)

    def bank_payout(self, payout_id: str, *, account_id: str) -> BankPayout:
        """Read a connected account's payout, and the transfers it carries.

        Automatic payouts name theirs on the balance transactions
        (docs.stripe.com/payouts/reconciliation).
        """
        options: stripe.RequestOptions = {"stripe_account": account_id}
        with self._errors(writes=False):
            payout = self._client.v1.payouts.retrieve(payout_id, options=options)
            rows = self._client.v1.balance_transactions.list(
                {"payout": payout_id, "expand": ["data.source"], "limit": PAGE_SIZE}, options
            )
            sources = [row.source for row in rows.auto_paging_iter()]
        return BankPayout(
            id=payout.id,
            account_id=account_id,
            status=payout.status,
            amount_minor=payout.amount,
            currency=payout.currency.upper(),
            failure_code=payout.failure_code,
            arrives_at=at(payout.arrival_date),
            transfer_ids=tuple(
                id_of(source.source_transfer)
                for source in sources
                if isinstance(source, self._stripe.Charge) and source.source_transfer
            ),
        )

    def list_events(
        self, *, account_id: str | None, since: datetime, until: datetime
    ) -> Iterator[tuple[ProviderEvent, ...]]:
        """List events (docs.stripe.com/api/events/list), thin ones of an account, too.

        Lists reach 30 days back. An account's are read with its header, as everything of its own.
        """
        yield from self._snapshots(account_id, since, until)
        if account_id is not None and self._account_api == "v2":
            yield from self._notifications(account_id, since, until)

    def parse_event(self, payload: bytes, signature: str) -> ProviderEvent:
        """Verify and read a webhook, snapshot (v1) or thin (v2)."""
        return self._inbox.read(payload, signature)

    def _snapshots(
        self, account_id: str | None, since: datetime, until: datetime
    ) -> Iterator[tuple[ProviderEvent, ...]]:
        params: stripe.params.EventListParams = {
            "created": {"gte": int(since.timestamp()), "lte": int(until.timestamp())},
            "types": list(events.OF_ACCOUNT if account_id else events.OF_PLATFORM),
            "limit": PAGE_SIZE,
        }
        options: stripe.RequestOptions = {"stripe_account": account_id} if account_id else {}
        while True:
            with self._errors(writes=False):
                page = self._client.v1.events.list(params, options)
                bodies = [event.to_dict() for event in page.data]
            yield self._readable(bodies, account_id)
            if not page.has_more or not bodies:
                return
            params["starting_after"] = bodies[-1]["id"]

    def _notifications(
        self, account_id: str, since: datetime, until: datetime
    ) -> Iterator[tuple[ProviderEvent, ...]]:
        """List an account's v2 events (docs.stripe.com/api/v2/core/events/list)."""
        with self._errors(writes=False):
            page = self._client.v2.core.events.list(
                {
                    "object_id": account_id,
                    "created": {"gte": since.isoformat(), "lte": until.isoformat()},
                    "limit": PAGE_SIZE,
                }
            )
            bodies = [event.to_dict() for event in page.auto_paging_iter()]
        yield self._readable(bodies, account_id)

    def _readable(
        self, bodies: Iterable[dict[str, object]], account_id: str | None
    ) -> tuple[ProviderEvent, ...]:
        read = (self._inbox.listed(body, account_id) for body in bodies)
        return tuple(event for event in read if event)

    def _create_v1(
        self, reference: str, email: str, country: str, options: "stripe.RequestOptions"
    ) -> "stripe.Account":
        return self._client.v1.accounts.create(
            {
                "country": country.upper(),
                "email": email,
                "controller": {
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "stripe_dashboard": {"type": "express"},
                },
                "capabilities": {"transfers": {"requested": True}},
                "metadata": {"reference": reference},
            },
            options,
        )

    def _create_v2(
        self, reference: str, email: str, country: str, options: "stripe.RequestOptions"
    ) -> "AccountV2":
        return self._client.v2.core.accounts.create(
            {
                "contact_email": email,
                "dashboard": "express",
                "identity": {"country": country.lower()},
                "defaults": {
                    "responsibilities": {
                        "fees_collector": "application",
                        "losses_collector": "application",
                    }
                },
                "configuration": {
                    "recipient": {
                        "capabilities": {
                            "stripe_balance": {"stripe_transfers": {"requested": True}}
                        }
                    }
                },
                "metadata": {"reference": reference},
                "include": ["configuration.recipient", "requirements"],
            },
            options,
        )

    def _is_signed(self, payload: bytes, signature: str, secret: str) -> bool:
        try:
            # The tolerance is named because verify_header, unlike construct_event, has none.
            self._stripe.WebhookSignature.verify_header(
                payload, signature, secret, tolerance=events.TOLERANCE_S
            )
        except self._stripe.SignatureVerificationError:
            return False
        return True

    @contextmanager
    def _errors(self, *, writes: bool) -> Iterator[None]:
        """Translate the SDK's errors; ``writes`` says whether the call could move money."""
        try:
            yield
        except self._stripe.StripeError as error:
            raise translated(self._stripe, error, writes=writes) from error
