"""What creators and operators see and download: what is theirs now, and a month's statement."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime
from decimal import Decimal
from itertools import groupby
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet, Sum

from ledger import currencies
from ledger.drafts import key_for
from ledger.errors import UnknownPeriod
from ledger.models import Balance, Batch, Entry, Line, Payout
from ledger.models.books import POSITION_BITS
from ledger.money import Money
from ledger.payout_steps import SENT
from ledger.sql import statement
from ledger.vocabulary import AccountKind, EntryKind, PayoutStatus
from registry import csv_lines
from registry.models import Creator, Operator
from tribute import ids

__all__ = [
    "Earnings",
    "Section",
    "StatementLine",
    "csv",
    "currencies_of",
    "decimal",
    "described",
    "earnings",
    "first_month",
    "lines",
    "month",
    "paid_out",
    "sections",
]

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
    "first_entry",
    "last_entry",
)
_PERIOD = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


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

    what: the kinds of entries in it. batch: its number; first_entry, last_entry: ids of the
    entries behind it, for drilling down.
    """

    account: AccountKind
    at: datetime
    what: tuple[EntryKind, ...]
    credit: Money
    debit: Money
    balance: Money
    batch: int
    first_entry: int
    last_entry: int


@dataclass(frozen=True, slots=True)
class Section:
    """One account's part of a statement: opening + credits - debits = closing, line by line."""

    account: AccountKind
    opening: Money
    lines: tuple[StatementLine, ...]
    closing: Money


def earnings(creator: Creator, *, currency: str) -> Earnings:
    """What the creator has earned, by where it is now; zeros when there is nothing."""
    rows = _balances(creator).filter(currency=currency)
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
    return sorted(set(_balances(creator).values_list("currency", flat=True)))


def lines(owner: Creator | Operator, period: str) -> list[StatementLine]:
    """The owner's lines of one month (UTC), by currency, account and order of recording.

    period: ``YYYY-MM``. Raises UnknownPeriod.
    """
    start, end = month(period)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("read_statement"),
            {"owner": _owner(owner), "from": start, "until": end},
        )
        return [_line(*row) for row in cursor.fetchall()]


def sections(found: list[StatementLine]) -> list[Section]:
    """The lines by account, in their order, with the balances before and after."""

    def place(line: StatementLine) -> tuple[str, int]:
        return line.balance.currency, line.account

    grouped = [tuple(each) for _, each in groupby(found, place)]
    return [
        Section(
            account=of_account[0].account,
            opening=of_account[0].balance - of_account[0].credit + of_account[0].debit,
            lines=of_account,
            closing=of_account[-1].balance,
        )
        for of_account in grouped
    ]


def paid_out(creator: Creator, period: str) -> list[Payout]:
    """The payouts that left for the creator in one month (UTC), in that order.

    When they left is when the books say so, as of every line: about midnight on the last day the
    sender's own clock may say another month. Raises UnknownPeriod.
    """
    start, end = month(period)
    sent = creator.payouts.filter(status__in=[*SENT, PayoutStatus.REVERSED])
    by_key = {key_for(f"payout:{payout.pk}:sent"): payout for payout in sent}
    entries = Entry.objects.filter(key__in=by_key).order_by("pk").values_list("key", "pk")
    keys = defaultdict[int, list[UUID]](list)
    for key, entry in entries:
        keys[entry >> POSITION_BITS].append(key)
    batches = Batch.objects.filter(batch_id__in=keys, posted_at__gte=start, posted_at__lt=end)
    return [
        by_key[key]
        for batch_id in batches.order_by("seq").values_list("batch_id", flat=True)
        for key in keys[batch_id]
    ]


def csv(owner: Creator | Operator, period: str) -> str:
    """The month as CSV (RFC 4180): opening balance, lines, closing balance of each account.

    Amounts are decimals of the major unit with six places. A text that a spreadsheet would
    take for a formula is preceded by an apostrophe (`registry.csv_lines`).
    """
    whose = "creator" if isinstance(owner, Creator) else "operator"
    name = owner.display_name if isinstance(owner, Creator) else owner.name
    heading = csv_lines.line([whose, *COLUMNS[1:]])
    rows = _rows(lines(owner, period))
    return heading + "".join(csv_lines.line([name, *row]) for row in rows)


def first_month(owner: Creator | Operator) -> datetime | None:
    """When the month began in which the owner's money first moved; None when it never has."""
    lines_of = Line.objects.filter(account__owner=_owner(owner))
    earliest = lines_of.select_related("batch").order_by("batch_id").first()
    if earliest is None:
        return None
    return earliest.batch.posted_at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _owner(owner: Creator | Operator) -> UUID:
    return ids.decode("cre" if isinstance(owner, Creator) else "opr", owner.pk)


def _balances(creator: Creator) -> QuerySet[Balance]:
    """Of the creator's accounts, by the column that is indexed."""
    return Balance.objects.filter(account__owner=_owner(creator))


def month(period: str) -> tuple[datetime, datetime]:
    """The instants at which a month begins and ends (UTC). Raises UnknownPeriod."""
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
    first_entry: int,
    last_entry: int,
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
        first_entry=first_entry,
        last_entry=last_entry,
    )


def _rows(found: list[StatementLine]) -> Iterator[list[csv_lines.Cell]]:
    for section in sections(found):
        word, currency = section.account.word, section.opening.currency
        opening = Decimal(decimal(section.opening))
        closing = Decimal(decimal(section.closing))
        yield [word, "", "opening balance", "", "", opening, currency, "", "", ""]
        for line in section.lines:
            amounts = [Decimal(decimal(each)) for each in (line.credit, line.debit, line.balance)]
            behind = (line.batch, line.first_entry, line.last_entry)
            yield [word, line.at.isoformat(), described(line), *amounts, currency, *behind]
        yield [word, "", "closing balance", "", "", closing, currency, "", "", ""]


def described(line: StatementLine) -> str:
    """What a line sums up, in words: ``maturity + payout reserve``."""
    return " + ".join(kind.name.lower().replace("_", " ") for kind in line.what)


def decimal(money: Money) -> str:
    """The amount with six places, without its currency."""
    return str(money).split(" ", 1)[0]
