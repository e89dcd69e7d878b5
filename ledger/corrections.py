"""Change what was given before: give more to some, take back from others, in one balanced entry.

Owns the order in which a decrease is borne. A creator's comes from what is still pending, then
becomes a debt up to the cap that chargebacks have; any other account's from what it holds. What
is left is the platform's, so that a correction is never refused. What is owed, and why, is
decided elsewhere.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from ledger import limits
from ledger.accounts import AccountKey, AccountKind, account_ids
from ledger.models import Balance
from ledger.posting import Draft, EntryKind, key_for, post

__all__ = ["Corrected", "Correction", "correct"]

_PENDING, _DEBT = AccountKind.CREATOR_PENDING, AccountKind.CREATOR_DEBT
_PLATFORM = AccountKind.PLATFORM_FEE


@dataclass(frozen=True, slots=True)
class Correction:
    """Changes in micros by account, adding up to zero, of one currency.

    reference: names it for good. A creator's changes are to CREATOR_PENDING.
    """

    reference: str
    currency: str
    changes: Mapping[AccountKey, int]


@dataclass(frozen=True, slots=True)
class Corrected:
    """What became of one: its entry, and what the platform bore of each account's decrease."""

    entry_id: int
    borne: Mapping[AccountKey, int]


def correct(corrections: Sequence[Correction], *, at: datetime) -> dict[str, Corrected]:
    """Book corrections in their order; answer by reference. Joins the caller's transaction.

    Not safe to say again by itself: what is borne by whom follows from today's balances, so the
    caller remembers what was booked. Holds the ledger's lane from reading to posting.
    """
    for each in corrections:
        assert sum(each.changes.values()) == 0, "a correction gives what it takes"
        assert any(each.changes.values()), "a correction changes something"
    touched = {key for each in corrections for key in each.changes}
    debts = {(_DEBT, owner, code) for kind, owner, code in touched if kind == _PENDING}
    platforms = {(_PLATFORM, None, each.currency) for each in corrections}
    # Opened before the lane is held: who opens an account may wait for the lane.
    numbers = account_ids([*touched, *debts, *platforms])
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
        balances = _balances(numbers)
        planned = [(each, *_plan(each, balances)) for each in corrections]
        drafts = {
            each.reference: Draft(
                key=key_for(each.reference),
                kind=EntryKind.ADJUSTMENT,
                currency=each.currency,
                legs=tuple((numbers[key], micros) for key, micros in legs.items() if micros),
                effective_at=at,
            )
            for each, legs, _ in planned
        }
        posted = post(list(drafts.values()), at=at)
        assert not posted.refused, "a plan from the balances, under the lane, is funded"
    return {
        each.reference: Corrected(posted.entry_ids[drafts[each.reference].key], borne)
        for each, _, borne in planned
    }


def _balances(numbers: Mapping[AccountKey, int]) -> Counter[AccountKey]:
    of = {number: key for key, number in numbers.items()}
    rows = Balance.objects.filter(account__in=of).values_list("account_id", "balance_micros")
    return Counter({of[number]: micros for number, micros in rows})


def _plan(
    correction: Correction, balances: Counter[AccountKey]
) -> tuple[dict[AccountKey, int], dict[AccountKey, int]]:
    """Return legs and what the platform bears; ``balances`` are kept up."""
    legs: Counter[AccountKey] = Counter()
    borne: dict[AccountKey, int] = {}
    platform = (_PLATFORM, None, correction.currency)
    for key, change in sorted(correction.changes.items(), key=str):
        left = -change
        if change >= 0 or key == platform:
            legs[key] += change
            continue
        for source, most in _sources(key, balances):
            part = min(left, max(most, 0))
            legs[source] -= part
            left -= part
        if left:
            borne[key] = left
            legs[platform] -= left
    balances.update(legs)
    return dict(legs), borne


def _sources(
    key: AccountKey, balances: Mapping[AccountKey, int]
) -> Collection[tuple[AccountKey, int]]:
    """Say where a decrease comes from, and how much each gives at most."""
    kind, owner, code = key
    if kind != _PENDING:
        return [(key, balances.get(key, 0))]
    debt = (_DEBT, owner, code)
    most_owed = limits.most_debt(code)
    return [(key, balances.get(key, 0)), (debt, most_owed.micros + balances.get(debt, 0))]
