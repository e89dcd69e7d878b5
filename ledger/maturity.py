"""Earnings mature: after the holding period they move from pending to available.

The period counts from when the earning was posted, which no operator can date back.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from ledger import currencies
from ledger.accounts import AccountKey, AccountKind, account_ids
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


def _target(row: Row) -> AccountKey:
    _, creator, currency, _, _ = row
    code = currencies.find_numeric(currency).code
    return AccountKind.CREATOR_AVAILABLE, ids.encode("cre", creator), code
