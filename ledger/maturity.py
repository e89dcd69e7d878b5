"""Earnings mature: after the holding period they move from pending to available.

The period counts from when the earning was posted, which no operator can date back. What a
chargeback left a creator owing (`ledger.chargebacks`) is paid from it at once.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from ledger import currencies
from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.models import Account
from ledger.posting import MAX_DRAFTS, Draft, EntryKind, key_for, post
from ledger.sql import statement
from tribute import ids

__all__ = ["mature"]

Row = tuple[int, UUID, int, int, int]
"""Pending account, creator, numeric currency, micros, the last batch that touched the account."""


def mature(*, at: datetime, holding: timedelta) -> int:
    """Move what has been pending for ``holding`` to available; returns how many accounts moved.

    Holds the ledger's lane from reading to posting, so that nothing can be moved twice. Up to
    5,000 accounts a call; call again while it returns that many.
    """
    cutoff = at - holding
    # Opened, and committed, before the lane is held: who opens an account may wait for the lane.
    account_ids(_target(row) for row in _matured(cutoff))
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
        rows = _matured(cutoff)
        if rows:
            post(_drafts(rows, at=at), at=at)
            post(_repayments(rows, at=at), at=at)
    return len(rows)


def _matured(cutoff: datetime) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("find_matured"),
            {"kind": int(AccountKind.CREATOR_PENDING), "cutoff": cutoff, "limit": MAX_DRAFTS},
        )
        rows: list[Row] = cursor.fetchall()
    return rows


def _drafts(rows: list[Row], *, at: datetime) -> list[Draft]:
    available = account_ids(_target(row) for row in rows)
    return [
        Draft(
            key=key_for(f"maturity:{pending}:{last_batch}"),
            kind=EntryKind.MATURITY,
            currency=currencies.find_numeric(currency).code,
            legs=((pending, -micros), (available[_target(row)], micros)),
            effective_at=at,
        )
        for row in rows
        for pending, _, currency, micros, last_batch in [row]
    ]


def _repayments(rows: list[Row], *, at: datetime) -> list[Draft]:
    """Pay debts from what has just become available, as far as it goes."""
    creators = {ids.encode("cre", creator) for _, creator, *_ in rows}
    debts: dict[tuple[str | None, str], Account] = {
        (account.creator_id, account.currency): account
        for account in Account.objects.filter(
            kind=AccountKind.CREATOR_DEBT,
            creator__in=creators,
            balance__balance_micros__lt=0,
        ).select_related("balance")
    }
    owing = [(row, debts[_target(row)[1:]]) for row in rows if _target(row)[1:] in debts]
    available = account_ids(_target(row) for row, _ in owing)
    drafts = []
    for row, debt in owing:
        pending, _, _, matured, last_batch = row
        paid = min(matured, -debt.balance.balance_micros)
        drafts.append(
            Draft(
                key=key_for(f"debt:{pending}:{last_batch}"),
                kind=EntryKind.DEBT_REPAYMENT,
                currency=debt.currency,
                legs=((available[_target(row)], -paid), (debt.pk, paid)),
                effective_at=at,
            )
        )
    return drafts


def _target(row: Row) -> AccountKey:
    _, creator, currency, _, _ = row
    code = currencies.find_numeric(currency).code
    return AccountKind.CREATOR_AVAILABLE, ids.encode("cre", creator), code
