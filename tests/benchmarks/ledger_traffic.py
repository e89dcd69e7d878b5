"""What happens in the ledger's benchmarks: queries of 12 legs, creators' popularity after Zipf.

Plain numbers, the same for the same seed; knows no database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import numpy as np

from ledger.posting import Draft, EntryKind, key_for
from tribute import ids

CURRENCY = "EUR"
CREATORS, OPERATORS = 10_000, 20
CREDITS = 10
"""Creators credited by a query; with the operator's debit and the fee, 12 legs."""
LEGS = CREDITS + 2
ZIPF = 1.07
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class World:
    """Account numbers: creators (10,000,) by popularity, operators (20,), the platform's fee."""

    creators: np.ndarray[Any, np.dtype[np.int32]]
    operators: np.ndarray[Any, np.dtype[np.int32]]
    fee: int

    @classmethod
    def numbered(cls) -> Self:
        """A world whose account numbers count from 1: creators, operators, fee."""
        numbers = np.arange(1, CREATORS + OPERATORS + 2, dtype=np.int32)
        return cls(numbers[:CREATORS], numbers[CREATORS:-1], int(numbers[-1]))


Legs = list[tuple[UUID, tuple[tuple[int, int], ...]]]
"""For each query its key, and account number and signed micros of each leg."""


@dataclass(frozen=True, slots=True)
class Queries:
    """n queries as numbers. accounts: (n, 12) int32, amounts: (n, 12) micros, rows sum to 0."""

    accounts: np.ndarray[Any, np.dtype[np.int32]]
    amounts: np.ndarray[Any, np.dtype[np.int64]]


class Traffic:
    """An endless stream of queries, the same for the same seed."""

    def __init__(self, world: World, *, seed: int) -> None:
        self._world = world
        self._chance = np.random.default_rng(seed)
        weights = np.arange(1, CREATORS + 1, dtype=np.float64) ** -ZIPF
        self._popularity = np.cumsum(weights / weights.sum())

    def next(self, n: int) -> Queries:
        """The next n queries."""
        world, chance = self._world, self._chance
        earned = chance.integers(100, 3_000, (n, CREDITS))
        fee = earned.sum(axis=1) // 9  # a tenth of what the operator pays
        operators = world.operators[chance.integers(0, OPERATORS, n)]
        accounts = np.empty((n, LEGS), dtype=np.int32)
        accounts[:, 0], accounts[:, -1] = operators, world.fee
        accounts[:, 1:-1] = world.creators[self.ranks(n)]
        amounts = np.empty((n, LEGS), dtype=np.int64)
        amounts[:, 0], amounts[:, -1] = -(earned.sum(axis=1) + fee), fee
        amounts[:, 1:-1] = earned
        return Queries(accounts, amounts)

    def legs(self, n: int) -> Legs:
        """The next n queries as plain Python values, their keys named as settlement names them."""
        queries = self.next(n)
        rows = zip(queries.accounts.tolist(), queries.amounts.tolist(), strict=True)
        return [(_key(), tuple(zip(*row, strict=True))) for row in rows]

    def ranks(self, n: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Distinct creators for each query, the popular ones more often: (n, 10)."""
        chosen = [self._distinct(row) for row in self._draw((n, 2 * CREDITS)).tolist()]
        return np.array(chosen, dtype=np.int64)

    def _distinct(self, drawn: Sequence[int]) -> list[int]:
        ranks = dict.fromkeys(drawn)
        while len(ranks) < CREDITS:
            ranks |= dict.fromkeys(self._draw((CREDITS,)).tolist())
        return list(ranks)[:CREDITS]

    def _draw(self, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.int64]]:
        drawn = np.searchsorted(self._popularity, self._chance.random(shape), side="right")
        return np.minimum(drawn, CREATORS - 1)


def _key() -> UUID:
    return key_for(f"query:{ids.encode('qry', ids.new_uuid7())}")


def drafts(queries: Legs) -> list[Draft]:
    """The queries as the ledger takes them."""
    return [Draft(key, EntryKind.QUERY, CURRENCY, legs, NOON) for key, legs in queries]
