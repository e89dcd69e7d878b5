"""What a creator sees and downloads: earnings now, and a statement of account for a month."""

import csv as comma_separated
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime
from itertools import groupby

from django.db import connection
from django.db.models import F, Sum

from ledger import currencies
from ledger.errors import UnknownPeriod
from ledger.models import Balance, Payout
from ledger.money import Money
from ledger.payout_steps import SENT
from ledger.sql import statement
from ledger.vocabulary import AccountKind, EntryKind
from registry.models import Creator
from tribute import ids

__all__ = ["Earnings", "StatementLine", "csv", "currencies_of", "earnings", "lines"]

COLUMNS = (
    "creator",
    "account",
    "recorded_at",
    "what",
    "credit",
    "debit",
    "balance",
    "currency",
    "batch",
)
_PERIOD = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Earnings:
    """A creator's money in one currency; ``earned`` is the sum of all the others.

    debt: zero or less; what payers took back after it had become available.
    """

    earned: Money
    pending: Money
    available: Money
    disputed: Money
    reserved: Money
    in_payout: Money
    debt: Money
    paid: Money


@dataclass(frozen=True, slots=True)
class StatementLine:
    """What one batch did to one of a creator's accounts.

    what: the kinds of entries in it. batch: its number, for drilling down.
    """

    account: AccountKind
    at: datetime
    what: tuple[EntryKind, ...]
    credit: Money
    debit: Money
    balance: Money
    batch: int


def earnings(creator: Creator, *, currency: str) -> Earnings:
    """What the creator has earned, by where it is now; zeros when there is nothing."""
    rows = Balance.objects.filter(account__creator=creator, currency=currency)
    held = dict(rows.values_list("account__kind", "balance_micros"))
    left = F("amount_micros") - F("reversed_micros")
    sent = Payout.objects.filter(creator=creator, currency=currency, status__in=SENT)
    paid = sent.aggregate(micros=Sum(left))["micros"] or 0
    return Earnings(
        earned=Money(sum(held.values()) + paid, currency),
        pending=Money(held.get(AccountKind.CREATOR_PENDING, 0), currency),
        available=Money(held.get(AccountKind.CREATOR_AVAILABLE, 0), currency),
        disputed=Money(held.get(AccountKind.CREATOR_DISPUTED, 0), currency),
        reserved=Money(held.get(AccountKind.CREATOR_RESERVED, 0), currency),
        in_payout=Money(held.get(AccountKind.CREATOR_IN_PAYOUT, 0), currency),
        debt=Money(held.get(AccountKind.CREATOR_DEBT, 0), currency),
        paid=Money(paid, currency),
    )


def currencies_of(creator: Creator) -> list[str]:
    """The currencies in which the creator ever earned, in alphabetical order."""
    rows = Balance.objects.filter(account__creator=creator)
    return sorted(set(rows.values_list("currency", flat=True)))


def lines(creator: Creator, period: str) -> list[StatementLine]:
    """The creator's lines of one month (UTC), by currency, account and order of recording.

    period: ``YYYY-MM``. Raises UnknownPeriod.
    """
    start, end = _month(period)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("read_statement"),
            {"creator": ids.decode("cre", creator.pk), "from": start, "until": end},
        )
        return [_line(*row) for row in cursor.fetchall()]


def csv(creator: Creator, period: str) -> str:
    """The month as CSV (RFC 4180): opening balance, lines, closing balance of each account.

    Amounts are decimals of the major unit with six places. A text that a spreadsheet would
    take for a formula is preceded by an apostrophe (OWASP, "CSV Injection").
    """
    written = io.StringIO()
    writer = comma_separated.writer(written)
    writer.writerow(COLUMNS)
    for row in _rows(lines(creator, period)):
        writer.writerow([_safe(creator.display_name), *row])
    return written.getvalue()


def _month(period: str) -> tuple[datetime, datetime]:
    match = _PERIOD.fullmatch(period)
    if match is None or not int(match[1]):
        raise UnknownPeriod(f"{period!r} is not a month written YYYY-MM")
    year, month = int(match[1]), int(match[2])
    following = (year, month + 1) if month < 12 else (year + 1, 1)  # noqa: PLR2004 - December
    if following[0] > MAXYEAR:
        raise UnknownPeriod(f"{period!r} is beyond the calendar")
    return datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC)


def _line(  # noqa: PLR0913, PLR0917 - one argument a column
    kind: int,
    currency: int,
    at: datetime,
    what: list[int],
    credit: int,
    debit: int,
    balance: int,
    batch: int,
) -> StatementLine:
    code = currencies.find_numeric(currency).code
    return StatementLine(
        account=AccountKind(kind),
        at=at,
        what=tuple(EntryKind(number) for number in what),
        credit=Money(credit, code),
        debit=Money(debit, code),
        balance=Money(balance, code),
        batch=batch,
    )


def _rows(found: list[StatementLine]) -> Iterator[list[object]]:
    def place(line: StatementLine) -> tuple[str, int]:
        return line.balance.currency, line.account

    for (currency, kind), of_account in groupby(found, place):
        each = list(of_account)
        word = AccountKind(kind).word
        opening = each[0].balance - each[0].credit + each[0].debit
        yield [word, "", "opening balance", "", "", _decimal(opening), currency, ""]
        for line in each:
            what = " + ".join(kind.name.lower().replace("_", " ") for kind in line.what)
            amounts = (_decimal(line.credit), _decimal(line.debit), _decimal(line.balance))
            yield [word, line.at.isoformat(), what, *amounts, currency, line.batch]
        yield [word, "", "closing balance", "", "", _decimal(each[-1].balance), currency, ""]


def _decimal(money: Money) -> str:
    return str(money).split(" ", 1)[0]


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
