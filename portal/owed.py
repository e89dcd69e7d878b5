"""Read debts: what chargebacks left creators owing, up to which cap, and how it is being paid."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min, Sum

from ledger import limits
from ledger.models import Balance, Line
from ledger.money import Money
from ledger.vocabulary import AccountKind
from registry.models import Creator


@dataclass(frozen=True, slots=True)
class Debt:
    """What one creator owes in one currency, all amounts zero or more.

    ``paid`` is what matured earnings have paid of it so far, ``pending`` what will pay next.
    """

    creator: Creator
    owed: Money
    cap: Money
    paid: Money
    pending: Money
    since: datetime | None

    @property
    def left(self) -> Money:
        """What is still owed once everything that is pending has matured."""
        return Money(max(self.owed.micros - self.pending.micros, 0), self.owed.currency)


def debts(creator: Creator | None = None) -> list[Debt]:
    """Return the debts that are open, the largest first; of one creator if one is given."""
    rows = Balance.objects.filter(account__kind=AccountKind.CREATOR_DEBT, balance_micros__lt=0)
    if creator is not None:
        rows = rows.filter(account__creator=creator)
    owing = list(rows.select_related("account__creator").order_by("balance_micros", "pk"))
    pending = _pending({row.account.creator_id for row in owing})
    moved = _moved([row.pk for row in owing])
    return [_debt(row, pending, moved) for row in owing]


def _debt(
    row: Balance,
    pending: dict[tuple[str | None, str], int],
    moved: dict[int, tuple[int, datetime]],
) -> Debt:
    assert row.account.creator is not None, "a debt is a creator's"
    code = row.currency
    paid, since = moved.get(row.pk, (0, None))
    return Debt(
        creator=row.account.creator,
        owed=Money(-row.balance_micros, code),
        cap=limits.most_debt(code),
        paid=Money(paid, code),
        pending=Money(pending.get((row.account.creator_id, code), 0), code),
        since=since,
    )


def _pending(creators: set[str | None]) -> dict[tuple[str | None, str], int]:
    rows = Balance.objects.filter(
        account__kind=AccountKind.CREATOR_PENDING, account__creator__in=creators
    )
    return {
        (creator, code): micros
        for creator, code, micros in rows.values_list(
            "account__creator", "currency", "balance_micros"
        )
    }


def _moved(accounts: list[int]) -> dict[int, tuple[int, datetime]]:
    """Return, by account, how much was credited so far and when the debt first began."""
    lines = Line.objects.filter(account__in=accounts).values("account")
    rows = lines.annotate(micros=Sum("credit_micros"), since=Min("batch__posted_at"))
    return {row["account"]: (row["micros"], row["since"]) for row in rows}
