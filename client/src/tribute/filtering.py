"""Sort items by their answers: what may be used, what may not, what nobody has spoken about.

Works on any items, in memory and in order; asking the registry is the business of ``transport``.
Only a complete set of ``allow`` keeps an item without further ado.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from tribute.transport import Answer
from tribute.vocabulary import Decision

Item = TypeVar("Item")

_CHOICES = ("deny", "keep", "flag")


@dataclass(frozen=True, slots=True)
class Filtered(Generic[Item]):
    """The items in three heaps, each in its original order.

    kept: may be used. dropped: must be left out. flagged: unknown, for somebody to look at; empty
    unless asked for.
    """

    kept: tuple[Item, ...]
    dropped: tuple[Item, ...]
    flagged: tuple[Item, ...]


def keep_allowed(
    items: Sequence[Item],
    answers: Sequence[Answer],
    *,
    unknown: Literal["deny", "keep", "flag"] = "deny",
) -> Filtered[Item]:
    """Sort ``items`` by ``answers``, one for each, in the same order.

    An item is kept when every purpose asked about is allowed, and dropped when any is denied or
    needs a licence. ``unknown`` says what becomes of the rest: dropped with the denied (the
    default), kept, or flagged. Raises ValueError when items and answers differ in number, and for
    any other word.
    """
    if unknown not in _CHOICES:
        raise ValueError(f"unknown is one of {', '.join(_CHOICES)}, not {unknown!r}")
    if len(items) != len(answers):
        raise ValueError(f"{len(answers)} answers to {len(items)} items")
    heaps: dict[str, list[Item]] = {choice: [] for choice in _CHOICES}
    for item, answer in zip(items, answers, strict=True):
        heaps[_heap(answer, unknown)].append(item)
    return Filtered(tuple(heaps["keep"]), tuple(heaps["deny"]), tuple(heaps["flag"]))


def _heap(answer: Answer, unknown: str) -> str:
    decisions = {answered.decision for answered in answer.decisions.values()}
    if decisions & {Decision.DENY, Decision.LICENSE}:
        return "deny"
    return "keep" if decisions == {Decision.ALLOW} else unknown
