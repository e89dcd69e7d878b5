"""What a check answered, for people: in figures, and a page of its answers at a time. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from registry.kept_answers import Answered
from registry.texts import Numbers
from tribute.vocabulary import Decision, Purpose

_DECISIONS = tuple(Decision)
_UNKNOWN = _DECISIONS.index(Decision.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Line:
    """One item and its answer.

    position: from 0, in the order of the question. item: its identifiers and id as they were sent.
    decisions: by purpose, as the API prints them. problem: why it was not understood, or empty.
    """

    position: int
    item: Mapping[str, str]
    decisions: Mapping[str, Mapping[str, Any]]
    problem: str


class CheckReport:
    """The answers of one check, counted.

    Each different answer is read once, however many items got it.
    """

    def __init__(self, answered: Answered, purposes: Iterable[str]) -> None:
        self._answered = answered
        self._purposes = tuple(purposes)

    @cached_property
    def counts(self) -> Mapping[Purpose, Mapping[Decision, int]]:
        """How many items got each decision, for each purpose that was asked about."""
        return {
            Purpose(purpose): dict(
                zip(
                    _DECISIONS,
                    np.bincount(coded, minlength=len(_DECISIONS)).tolist(),
                    strict=True,
                )
            )
            for purpose, coded in self._coded.items()
        }

    @cached_property
    def not_understood(self) -> int:
        """How many items were malformed, or repeated the id of another."""
        faulty = np.array(["error" in answer for answer in self._different], bool)
        return int(np.count_nonzero(faulty[self._answered.which]))

    def positions(self, purpose: Purpose, decision: Decision) -> Numbers:
        """Return the items that got a decision for a purpose; none if it was not asked about."""
        coded = self._coded.get(purpose.value)
        if coded is None:
            return np.empty(0, np.int64)
        return np.flatnonzero(coded == _DECISIONS.index(decision))

    def lines(self, positions: Iterable[int]) -> list[Line]:
        """Return some items with their answers."""
        return [self._line(int(position)) for position in positions]

    def _line(self, position: int) -> Line:
        answer = self._different[self._answered.which[position]]
        return Line(
            position=position,
            item=self._answered.asked.item(position).as_sent(),
            decisions=answer["decisions"],
            problem=answer.get("error", {}).get("detail", ""),
        )

    @cached_property
    def _different(self) -> list[dict[str, Any]]:
        return [
            orjson.loads(f"{{{text}}}") if text else {"decisions": {}}
            for text in self._answered.answers.texts.to_pylist()
        ]

    @cached_property
    def _coded(self) -> Mapping[str, Numbers]:
        """For each purpose, (rows,) the number of each item's decision."""
        return {
            purpose: np.array([_code(each, purpose) for each in self._different], np.int64)[
                self._answered.which
            ]
            for purpose in self._purposes
        }


def _code(answer: Mapping[str, Any], purpose: str) -> int:
    found = answer["decisions"].get(purpose)
    return _UNKNOWN if found is None else _DECISIONS.index(Decision(found["decision"]))
