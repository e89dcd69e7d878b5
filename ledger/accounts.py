"""The chart of accounts: which account somebody's money lies in, opened on first use.

Owns the translation from (kind, owner, currency) to an account's number. Limits follow from
the kind (`AccountKind.min_balance_micros` and ``max``), and PostgreSQL refuses an account that says
otherwise.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection, transaction

from ledger import currencies
from ledger.outages import told_apart
from ledger.sql import statement
from ledger.vocabulary import AccountKind
from tribute import ids

__all__ = ["AccountKey", "AccountKind", "account_id", "account_ids"]

AccountKey = tuple[AccountKind, str | None, str]
"""Kind, typed id of the operator or creator (None for the platform), currency code."""

_PLATFORM = UUID(int=0)
_PREFIXES = {"operator": "opr", "creator": "cre"}


def account_id(kind: AccountKind, owner_id: str | None, currency: str) -> int:
    """The number of one account, opened when it is new. See `account_ids`."""
    return account_ids([(kind, owner_id, currency)])[kind, owner_id, currency]


@told_apart
def account_ids(wanted: Iterable[AccountKey]) -> dict[AccountKey, int]:
    """The numbers of accounts, opening those that are new: one or three statements in all.

    Raises UnknownCurrency, InvalidId for an owner that is not of the kind's holder, and
    LedgerUnavailable.
    """
    keys = list(dict.fromkeys(wanted))
    found = _find(keys)
    if missing := [key for key in keys if key not in found]:
        _open(missing)
        found |= _find(missing)
    return found


def _find(keys: Sequence[AccountKey]) -> dict[AccountKey, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            statement("find_accounts"),
            {
                "kinds": [int(kind) for kind, _, _ in keys],
                "owners": [_owner(key) or _PLATFORM for key in keys],
                "currencies": [currencies.find(currency).numeric for _, _, currency in keys],
            },
        )
        return {keys[position - 1]: number for position, number in cursor.fetchall()}


def _open(keys: Sequence[AccountKey]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            statement("open_accounts"),
            {
                "kinds": [int(kind) for kind, _, _ in keys],
                "operators": [_owner(k) if k[0].holder == "operator" else None for k in keys],
                "creators": [_owner(k) if k[0].holder == "creator" else None for k in keys],
                "currencies": [currencies.find(currency).numeric for _, _, currency in keys],
                "minima": [kind.min_balance_micros for kind, _, _ in keys],
                "maxima": [kind.max_balance_micros for kind, _, _ in keys],
            },
        )


def _owner(key: AccountKey) -> UUID | None:
    kind, owner_id, _ = key
    prefix = _PREFIXES.get(kind.holder)
    if prefix is None and owner_id is None:
        return None
    return ids.decode(prefix or "nobody", owner_id or "")
