"""What accounts hold, now and as of any instant, and the lines and entries behind it."""

from collections.abc import Iterable
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from ledger.errors import UnknownAccount
from ledger.models import Account, Balance, Entry, Line
from ledger.models.books import POSITION_BITS
from ledger.money import Money
from ledger.sql import statement
from ledger.vocabulary import AccountKind
from registry.models import Operator

__all__ = ["as_of", "balance", "balances", "entries", "lines", "prepaid", "reserved"]


def balance(account_id: int) -> Money:
    """What the account holds. Raises UnknownAccount."""
    return balances([account_id])[account_id]


def balances(account_ids: Iterable[int]) -> dict[int, Money]:
    """What each account holds, in one query. Raises UnknownAccount when one is missing."""
    wanted = set(account_ids)
    found = {row.pk: row.money for row in Balance.objects.filter(pk__in=wanted)}
    if missing := wanted - found.keys():
        raise UnknownAccount(f"no account has the number {min(missing)}")
    return found


def as_of(account_id: int, at: datetime) -> Money:
    """What the account held by what had been recorded until ``at``. Raises UnknownAccount.

    Batches still uncommitted when asked may later count as recorded before ``at``; ask about
    instants a minute past for an answer that stands.
    """
    account = Account.objects.filter(pk=account_id).first()
    if account is None:
        raise UnknownAccount(f"no account has the number {account_id}")
    with connection.cursor() as cursor:
        cursor.execute(statement("read_as_of"), {"account": account_id, "at": at})
        row = cursor.fetchone()
    return Money(row[0] if row else 0, account.currency)


def prepaid(operator: Operator) -> list[Money]:
    """What an operator has paid in and not spent, one amount a currency, in alphabetical order."""
    return _of(operator, AccountKind.OPERATOR_PREPAID)


def reserved(operator: Operator) -> list[Money]:
    """What is kept aside of an operator's money for queries that are not settled yet, likewise."""
    return _of(operator, AccountKind.OPERATOR_RESERVED)


def _of(operator: Operator, kind: AccountKind) -> list[Money]:
    rows = Balance.objects.filter(account__operator=operator, account__kind=kind)
    return sorted((row.money for row in rows), key=lambda money: money.currency)


def lines(account_id: int) -> QuerySet[Line]:
    """The account's lines, newest first, each with its batch."""
    rows = Line.objects.filter(account_id=account_id)
    return rows.select_related("batch").order_by("-batch_id")


def entries(line: Line) -> QuerySet[Entry]:
    """The entries that a line sums up, in the order they were posted."""
    first = line.batch.batch_id << POSITION_BITS
    following = (line.batch.batch_id + 1) << POSITION_BITS
    rows = Entry.objects.filter(pk__gte=first, pk__lt=following)
    return rows.filter(accounts__contains=[line.account_id]).order_by("pk")
