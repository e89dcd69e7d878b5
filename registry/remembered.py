"""A bounded memory of answers that were just given. Pure.

Two generations: what is asked for again moves to the younger one, and when that is full, the older one
goes. Threads may share it; at worst something is forgotten early.
"""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_IN_A_GENERATION = 30_000


@dataclass(frozen=True, slots=True)
class Memory:
    """An answer without its id, and how long it holds.

    body: as ``kept_answers.body_of`` writes it. subjects: what it is about. since, until:
    microseconds since 1970; it holds from the one until just before the other (None: no end).
    """

    body: bytes
    subjects: Sequence[str]
    since: int
    until: int | None

    def holds(self, now: int) -> bool:
        """Whether it is the answer at ``now``, microseconds since 1970."""
        return self.since <= now and (self.until is None or now < self.until)


class Remembered:
    """Answers by what was asked."""

    def __init__(self) -> None:
        self._younger: dict[bytes, Memory] = {}
        self._older: dict[bytes, Memory] = {}

    def get(self, asked: bytes) -> Memory | None:
        """Return what was answered, if it is still remembered."""
        found = self._younger.get(asked)
        if found is None:
            found = self._older.get(asked)
            if found is not None:
                self.put(asked, found)
        return found

    def put(self, asked: bytes, answer: Memory) -> None:
        """Remember an answer."""
        if len(self._younger) >= MOST_IN_A_GENERATION:
            self._older, self._younger = self._younger, {}
        self._younger[asked] = answer
