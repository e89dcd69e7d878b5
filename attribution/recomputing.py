"""Divide a settled query again from its record, and compare.

Owns the proof that what was kept gives what was paid. It writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attribution import judging, records
from attribution.errors import NotRecomputable, NotSettled
from attribution.models import Query
from attribution.shares import share
from ledger.money import Money

Row = tuple[str, str, int, int, str, str]
"""Work, creator, weight, micros, why withheld, why kept apart; the remainder has no names."""


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What a query's record gives today beside what was written then; ``same`` when alike."""

    paid: tuple[Row, ...]
    recomputed: tuple[Row, ...]

    @property
    def same(self) -> bool:
        """Tell whether every amount and weight is the same."""
        return self.paid == self.recomputed


def recompute(query: Query) -> Recomputation:
    """Weigh and divide a settled query again from its record alone.

    Raises NotSettled, and NotRecomputable for another version of its method than today's or for a
    query that was settled before records were kept.
    """
    if query.state != Query.State.SETTLED:
        raise NotSettled(f"{query.pk} is {query.state}; it is recomputed once it is settled")
    if query.record is None or judging.VERSIONS.get(query.method) != query.method_version:
        raise NotRecomputable(f"{query.pk} was weighed by {query.method}/{query.method_version}")
    found = divide(query.fee, query.method, query.parameters, bytes(query.record))
    rows = query.contributions.values_list(
        "work_id", "creator_id", "weight", "micros", "withheld", "escrow"
    )
    paid: list[Row] = [
        (work or "", creator or "", weight, micros, withheld, escrow)
        for work, creator, weight, micros, withheld, escrow in rows
    ]
    return Recomputation(tuple(sorted(paid)), tuple(sorted(found)))


def divide(fee: Money, method: str, parameters: Mapping[str, Any], record: bytes) -> list[Row]:
    """Weigh and divide ``fee`` from a record; asks no database."""
    kept = records.read(record)
    weights = judging.weigh(method, kept.inputs, dict(parameters))
    shares = share(
        fee,
        weights,
        kept.owners,
        platform_ppm=parameters["platform_fee_ppm"],
        carry=kept.carry,
    )
    found: list[Row] = [
        (part.work, part.creator, part.weight, part.micros, part.withheld, part.escrow)
        for part in shares.parts
    ]
    rest = shares.weight - sum(part.weight for part in shares.parts if not part.withheld)
    if rest or shares.remainder:
        found.append(("", "", rest, shares.remainder, "", ""))
    return found
