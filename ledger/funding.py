"""Which drafts the balances cover, taken in order (pure).

Only asked when a whole batch would break a limit; then what is funded is posted, and the rest
is refused for ever, so that a retry hears the same answer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ledger.vocabulary import RefusalReason

Legs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Limits:
    """An account's balance and what it may become, in micros; None where it has no limit."""

    balance: int
    minimum: int | None
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The first account whose limit the draft would have broken, and how."""

    account_id: int
    reason: RefusalReason


def decide(drafts: Iterable[Legs], limits: Mapping[int, Limits]) -> list[Refusal | None]:
    """For each draft in order: None when it is funded (and then spent), else why not.

    Accounts missing from ``limits`` are unlimited here; the database knows them or refuses.
    """
    balances = {account: limit.balance for account, limit in limits.items()}
    return [_decide_one(legs, balances, limits) for legs in drafts]


def _decide_one(
    legs: Legs, balances: dict[int, int], limits: Mapping[int, Limits]
) -> Refusal | None:
    after: dict[int, int] = {}
    for account, amount in legs:
        after[account] = after.get(account, balances.get(account, 0)) + amount
    for account, balance in after.items():
        limit = limits.get(account)
        if limit and limit.minimum is not None and balance < limit.minimum:
            return Refusal(account, RefusalReason.BELOW_MINIMUM)
        if limit and limit.maximum is not None and balance > limit.maximum:
            return Refusal(account, RefusalReason.ABOVE_MAXIMUM)
    balances.update(after)
    return None
