"""Read the SDK's objects into `ledger.gateway`'s results. Knows types only, calls nothing."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ledger.gateway import BalanceTransaction, PayeeAccount, ProviderBalance, TransferResult

if TYPE_CHECKING:
    import stripe
    from stripe.v2.core import Account as AccountV2


def payee_v1(account: "stripe.Account") -> PayeeAccount:
    """Read a v1 account: the ``transfers`` capability decides."""
    capabilities, requirements = account.capabilities, account.requirements
    due = (requirements.currently_due if requirements else None) or []
    status = getattr(capabilities, "transfers", None) if capabilities else None
    return PayeeAccount(account.id, status == "active", tuple(due))


def payee_v2(account: "AccountV2") -> PayeeAccount:
    """Read a v2 account: the recipient's ``stripe_balance.stripe_transfers`` decides."""
    recipient = account.configuration.recipient if account.configuration else None
    capabilities = recipient.capabilities if recipient else None
    balance = capabilities.stripe_balance if capabilities else None
    transfers = balance.stripe_transfers if balance else None
    entries = (account.requirements.entries if account.requirements else None) or []
    return PayeeAccount(
        id=account.id,
        can_receive=transfers is not None and transfers.status == "active" and not account.closed,
        requirements=tuple(
            entry.description for entry in entries if entry.awaiting_action_from == "user"
        ),
    )


def transfer_result(transfer: "stripe.Transfer") -> TransferResult:
    """Read a transfer."""
    return TransferResult(
        id=transfer.id,
        payee_account=id_of(transfer.destination) if transfer.destination else "",
        amount_minor=transfer.amount,
        reversed_minor=transfer.amount_reversed,
        currency=transfer.currency.upper(),
        group=transfer.transfer_group or "",
        metadata=transfer.metadata.to_dict(),
        created_at=at(transfer.created),
    )


def balances(balance: "stripe.Balance") -> tuple[ProviderBalance, ...]:
    """Read a balance, ours or a connected account's."""
    available = {row.currency.upper(): row.amount for row in balance.available}
    pending = {row.currency.upper(): row.amount for row in balance.pending}
    return tuple(
        ProviderBalance(currency, available.get(currency, 0), pending.get(currency, 0))
        for currency in sorted(available.keys() | pending.keys())
    )


def balance_transaction(row: "stripe.BalanceTransaction") -> BalanceTransaction:
    """Read a balance transaction; Stripe's ``type`` is our kind."""
    return BalanceTransaction(
        id=row.id,
        kind=row.type,
        amount_minor=row.amount,
        fee_minor=row.fee,
        currency=row.currency.upper(),
        source_id=id_of(row.source) if row.source else None,
        created_at=at(row.created),
        available_at=at(row.available_on),
    )


def id_of(reference: Any) -> str:
    """Read an expandable field: the id, also when the object itself was sent."""
    return reference if isinstance(reference, str) else str(reference.id)


def at(seconds: int) -> datetime:
    """Read Unix seconds as an aware UTC time."""
    return datetime.fromtimestamp(seconds, UTC)
