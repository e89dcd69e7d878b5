"""Keep on record for what money was set aside, and hand it over when that is decided.

Shared by `ledger.disputed` and `ledger.unclaimed`. Who credits such an account records it here
in the same transaction; the audit compares both.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from ledger import currencies
from ledger.accounts import AccountKind, account_ids
from ledger.errors import NothingToSplit
from ledger.models import Account, SetAside
from ledger.money import Money, split
from ledger.posting import Draft, EntryKind, key_for, post
from ledger.sql import statement

__all__ = ["Aside", "Part", "Waiting", "give_back", "record", "redirect", "release", "waiting"]


@dataclass(frozen=True, slots=True)
class Part:
    """What waits on one account for a subject: how much, in how many bookings."""

    account: str
    creator: str | None
    money: Money
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that waits for a subject up to a booking's id, ``through``; digest: of each booking."""

    parts: tuple[Part, ...]
    through: int
    digest: str


@dataclass(frozen=True, slots=True)
class Aside:
    """``micros`` > 0 that an entry credited to a disputed or the unclaimed account.

    subject: the typed id of the work or creator that earned it.
    """

    account_id: int
    subject: str
    micros: int
    entry_id: int


class _Released(NamedTuple):
    """What one account gives; ``matured`` has been aside for the whole holding period."""

    account_id: int
    currency: int
    matured: int
    young: int
    last: int


def record(asides: Iterable[Aside], *, at: datetime) -> None:
    """Keep what was set aside, in the transaction that credited it; said again, nothing changes."""
    rows = list(asides)
    accounts = Account.objects.in_bulk({row.account_id for row in rows})
    SetAside.objects.bulk_create(
        (
            SetAside(
                account_id=row.account_id,
                subject=row.subject,
                amount_micros=row.micros,
                currency=accounts[row.account_id].currency,
                entry_id=row.entry_id,
                set_aside_at=at,
            )
            for row in rows
        ),
        ignore_conflicts=True,
    )


def release(  # noqa: PLR0913 - a release is said in full
    kind: AccountKind,
    subject: str,
    *,
    to: Mapping[str, int],
    holding: timedelta,
    at: datetime,
    through: int | None = None,
) -> list[Money]:
    """Move all that waits for ``subject`` to creators, in proportion to their weights.

    to: weights >= 0, not all zero, by creator's id. What has been aside for ``holding`` becomes
    available, the rest pending. through: leave what was recorded under a higher id. Returns what
    moved, one amount a currency; said again, nothing. Raises NothingToSplit.
    """
    if not sum(to.values()) or min(to.values()) < 0:
        raise NothingToSplit(f"{subject} for nobody")
    with transaction.atomic():
        by_currency = _taken(kind, subject, cutoff=at - holding, at=at, through=through)
        drafts = [_draft(rows, to, at=at) for rows in by_currency.values()]
        posted = post(drafts, at=at)
        assert not posted.refused, "what was set aside is there"
    return _amounts(by_currency)


def waiting(kind: AccountKind, subject: str, *, through: int | None = None) -> Waiting | None:
    """What waits for a subject now, and how it is named exactly; None when nothing does.

    through: up to this id.
    """
    with connection.cursor() as cursor:
        parameters: dict[str, Any] = {"kind": int(kind), "subject": subject, "through": through}
        cursor.execute(statement("read_set_asides"), parameters)
        rows = cursor.fetchall()
    if not rows:
        return None
    accounts = Account.objects.in_bulk([account for account, *_ in rows])
    parts = tuple(
        Part(accounts[account].code, accounts[account].creator_id, Money(micros, code), count)
        for account, number, count, micros, _last, _digest in rows
        for code in [currencies.find_numeric(number).code]
    )
    digest = hashlib.sha256(b"".join(bytes(row[-1]) for row in rows)).hexdigest()
    return Waiting(parts, max(last for *_, last, _digest in rows), digest)


def give_back(
    subject: str, *, holding: timedelta, at: datetime, through: int | None = None
) -> list[Money]:
    """Move all contested money that waits for ``subject`` to the very creators who earned it.

    Nobody's part changes. through: leave what was recorded under a higher id. Returns what moved,
    one amount a currency; said again, nothing.
    """
    with transaction.atomic():
        kind, cutoff = AccountKind.CREATOR_DISPUTED, at - holding
        taken = _taken(kind, subject, cutoff=cutoff, at=at, through=through)
        accounts = Account.objects.in_bulk(
            [row.account_id for rows in taken.values() for row in rows]
        )
        drafts = [
            _draft([row], {accounts[row.account_id].creator_id or "": 1}, at=at)
            for rows in taken.values()
            for row in rows
        ]
        posted = post(drafts, at=at)
        assert not posted.refused, "what was set aside is there"
    return _amounts(taken)


def _taken(
    kind: AccountKind, subject: str, *, cutoff: datetime, at: datetime, through: int | None
) -> dict[int, list[_Released]]:
    """Mark what waits for a subject as released; returns it by numeric currency."""
    parameters: dict[str, Any] = {
        "kind": int(kind),
        "subject": subject,
        "at": at,
        "cutoff": cutoff,
        "through": through,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement("release_set_asides"), parameters)
        released = [_Released(*row) for row in cursor.fetchall()]
    by_currency: dict[int, list[_Released]] = {}
    for row in released:
        by_currency.setdefault(row.currency, []).append(row)
    return by_currency


def _amounts(taken: dict[int, list[_Released]]) -> list[Money]:
    return [
        Money(sum(row.matured + row.young for row in rows), currencies.find_numeric(number).code)
        for number, rows in sorted(taken.items())
    ]


def redirect(
    kind: AccountKind,
    subject: str,
    *,
    to: AccountKind,
    at: datetime,
    through: int | None = None,
) -> list[Money]:
    """Move all that waits for ``subject`` to an account of the platform's, such as the pool.

    through: leave what was recorded under a higher id. Returns what moved, one amount a currency;
    said again, nothing.
    """
    with transaction.atomic():
        moved = []
        taken = _taken(kind, subject, cutoff=at, at=at, through=through)
        for number, rows in sorted(taken.items()):
            code = currencies.find_numeric(number).code
            legs = [(row.account_id, -(row.matured + row.young)) for row in rows]
            total = -sum(micros for _, micros in legs)
            draft = Draft(
                key=key_for(f"set-aside:{max(row.last for row in rows)}"),
                kind=EntryKind.CLAIM,
                currency=code,
                legs=(*legs, (account_ids([(to, None, code)])[to, None, code], total)),
                effective_at=at,
            )
            posted = post([draft], at=at)
            assert not posted.refused, "what was set aside is there"
            moved.append(Money(total, code))
    return moved


def _draft(rows: list[_Released], to: Mapping[str, int], *, at: datetime) -> Draft:
    code = currencies.find_numeric(rows[0].currency).code
    legs = [(row.account_id, -(row.matured + row.young)) for row in rows]
    totals = {
        AccountKind.CREATOR_AVAILABLE: sum(row.matured for row in rows),
        AccountKind.CREATOR_PENDING: sum(row.young for row in rows),
    }
    winners = sorted(to)
    for kind, total in totals.items():
        parts = split(Money(total, code), [to[winner] for winner in winners])
        given = {
            (kind, winner, code): part.micros
            for winner, part in zip(winners, parts, strict=True)
            if part.micros
        }
        numbers = account_ids(given)
        legs += [(numbers[key], micros) for key, micros in given.items()]
    return Draft(
        key=key_for(f"set-aside:{max(row.last for row in rows)}"),
        kind=EntryKind.CLAIM,
        currency=code,
        legs=tuple(legs),
        effective_at=at,
    )
