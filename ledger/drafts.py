"""Entries to be: what a caller asks to be written, and what is wrong with it before it is sent.

Knows no database. `ledger.posting` writes drafts; `ledger.copy_format` packs their columns.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple, Self
from uuid import UUID, uuid5

import numpy as np

from ledger import currencies
from ledger.errors import InvalidAmount, InvalidDraft, UnknownAccount
from ledger.money import MAX_MICROS
from ledger.vocabulary import EntryKind

MIN_LEGS, MAX_LEGS = 2, 4_096
MAX_ACCOUNT = 2**31 - 1

_REFERENCES = UUID("5bd4d3c1-6c0b-5f0e-9d4e-0f0f3b0c7a11")

Whole = np.ndarray[Any, np.dtype[np.int64]]


class Draft(NamedTuple):
    """An entry to be. A tuple, since thousands are made at a time: a third of a dataclass's time.

    key: what it is known by for ever: a UUIDv7 of its own, or see `key_for`.
    legs: (account number, signed micros), credit > 0, adding up to zero.
    effective_at: when it happened; not part of what makes a repeated draft the same.
    reverses: the id of the entry that this mirrors; see `mirror`.
    """

    key: UUID
    kind: EntryKind
    currency: str
    legs: tuple[tuple[int, int], ...]
    effective_at: datetime
    reverses: int | None = None


def key_for(reference: str) -> UUID:
    """The key of what can be named twice: ``payout:pay_…:sent`` (UUIDv5, RFC 9562)."""
    return uuid5(_REFERENCES, reference)


def mirror(legs: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The legs that undo legs."""
    return tuple((account, -amount) for account, amount in legs)


@dataclass(frozen=True, slots=True)
class Columns:
    """n > 0 sound drafts, their fields and their legs side by side.

    counts: (n,) legs of each draft. accounts, amounts: (sum of counts,) in the drafts' order.
    """

    keys: tuple[UUID, ...]
    kinds: tuple[EntryKind, ...]
    currencies: tuple[str, ...]
    effective_at: tuple[datetime, ...]
    reverses: tuple[int | None, ...]
    counts: Whole
    accounts: Whole
    amounts: Whole

    @classmethod
    def of(cls, drafts: Sequence[Draft]) -> Self:
        """Refuse what PostgreSQL would refuse, with a sentence that names the draft.

        Raises InvalidDraft, InvalidAmount, UnknownAccount, UnknownCurrency.
        """
        keys, kinds, codes, legs, times, reverses = zip(*drafts, strict=True)
        counts = np.fromiter(map(len, legs), dtype=np.int64, count=len(legs))
        numbers = _packed([*chain.from_iterable(chain.from_iterable(legs))])
        accounts, amounts = numbers[0::2], numbers[1::2]
        if not _sound(counts, accounts, amounts):
            for draft in drafts:
                check(draft)
        if any(at.tzinfo is None for at in {*times}):
            naive = next(draft for draft in drafts if draft.effective_at.tzinfo is None)
            raise InvalidDraft(f"{naive.key}: the time it happened has no zone")
        for code in {*codes}:
            currencies.find(code)
        return cls(keys, kinds, codes, times, reverses, counts, accounts, amounts)


def _packed(numbers: list[int]) -> Whole:
    """Numbers as an array; an empty one when some are no whole numbers of 64 bits."""
    if {*map(type, numbers)} != {int}:  # True and 1.0 are no amounts
        return np.empty(0, dtype=np.int64)
    try:  # A third of the time that numpy takes over a list.
        return np.frombuffer(struct.pack(f"={len(numbers)}q", *numbers), dtype=np.int64)
    except struct.error:
        return np.empty(0, dtype=np.int64)


def _sound(counts: Whole, accounts: Whole, amounts: Whole) -> bool:
    """Whether all legs are sound for certain; on False, only `check` of each draft can tell.

    Adding up in 64 bits may wrap to zero, so that amounts near the limit are for `check`.
    """
    if not amounts.size or counts.min() < MIN_LEGS or counts.max() > MAX_LEGS:
        return False
    if accounts.min() < 1 or accounts.max() > MAX_ACCOUNT:
        return False
    largest = max(int(amounts.max()), -int(amounts.min()))
    if largest * int(counts.max()) > MAX_MICROS or not amounts.all():
        return False
    starts = counts.cumsum() - counts
    return not np.add.reduceat(amounts, starts).any()


def check(draft: Draft) -> None:
    """Say what is wrong with a draft's legs. Raises InvalidDraft, InvalidAmount, UnknownAccount."""
    amounts = [amount for _, amount in draft.legs]
    if not MIN_LEGS <= len(amounts) <= MAX_LEGS or 0 in amounts or sum(amounts) != 0:
        raise InvalidDraft(f"{draft.key}: {len(amounts)} legs that add up to {sum(amounts)}")
    if {*map(type, amounts)} != {int} or max(amounts) > MAX_MICROS or min(amounts) < -MAX_MICROS:
        raise InvalidAmount(f"{draft.key}: an amount is no whole number of 64 bits")
    for account, _ in draft.legs:
        if type(account) is not int or not 1 <= account <= MAX_ACCOUNT:
            raise UnknownAccount(f"{draft.key}: {account} is no account's number")
