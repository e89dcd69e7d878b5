"""Earnings mature: after the holding period they move from pending to available.

The period counts from when the earning was posted, which no operator can date back.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from ledger import currencies
from ledger.accounts import AccountKind, account_ids
from ledger.posting import MAX_DRAFTS, Draft, EntryKind, key_for, post
from ledger.sql import statement
from tribute import ids

__all__ = ["mature"]


def mature(*, at: datetime, holding: timedelta) -> int:
    """Move what has been pending for ``holding`` to available; returns how many accounts moved.

    Holds the ledger's lane from reading to posting, so that nothing can be moved twice. Up to
    5,000 accounts a call; call again while it returns that many.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
            kind = int(AccountKind.CREATOR_PENDING)
            cursor.execute(
                statement("find_matured"),
                {"kind": kind, "cutoff": at - holding, "limit": MAX_DRAFTS},
            )
            rows = cursor.fetchall()
        if rows:
            post(_drafts(rows, at=at), at=at)
    return len(rows)


def _drafts(rows: list[tuple[int, UUID, int, int, int]], *, at: datetime) -> list[Draft]:
    targets = [
        (AccountKind.CREATOR_AVAILABLE, ids.encode("cre", creator), _code(currency))
        for _, creator, currency, _, _ in rows
    ]
    available = account_ids(targets)
    return [
        Draft(
            key=key_for(f"maturity:{pending}:{last_batch}"),
            kind=EntryKind.MATURITY,
            currency=_code(currency),
            legs=((pending, -micros), (available[target], micros)),
            effective_at=at,
        )
        for (pending, _, currency, micros, last_batch), target in zip(rows, targets, strict=True)
    ]


def _code(numeric: int) -> str:
    return currencies.find_numeric(numeric).code
