"""What is kept of a settled query so that it can be divided again, to the micro.

Owns the JSON form of a record: what the method read, who owned the works, what rounding owed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from attribution.judging import Inputs
from attribution.shares import Owner, Payee, Shares
from attribution.weighing import Finding


@dataclass(frozen=True, slots=True)
class Record:
    """A record, read again."""

    inputs: Inputs
    owners: Mapping[str, Sequence[Owner]]
    carry: Mapping[Payee, int]


def write(
    finding: Finding, owners: Mapping[str, Sequence[Owner]], shares: Shares
) -> dict[str, Any]:
    """Return the record of one division."""
    return {
        "inputs": finding.inputs.to_json(),
        "owners": {
            work: [[owner.creator, owner.ppm, owner.withheld, owner.escrow] for owner in each]
            for work, each in owners.items()
        },
        "carry": [[work, creator, parts] for (work, creator), parts in shares.carry.items()],
    }


def read(form: Mapping[str, Any]) -> Record:
    """Read what ``write`` returned."""
    return Record(
        Inputs.from_json(form["inputs"]),
        {work: [Owner(*owner) for owner in each] for work, each in form["owners"].items()},
        {(work, creator): parts for work, creator, parts in form["carry"]},
    )
