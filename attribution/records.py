"""What is kept of a settled query so that it can be divided again, to the micro.

Owns the form of a record: JSON in UTF-8, an object with what the method read (``inputs``, see
``judging``), who owned the works (``owners``: by work, [creator, ppm, why withheld, why kept apart]
of each) and what rounding owed (``carry``: [work, creator, parts]).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from attribution.judging import Inputs
from attribution.shares import Owner, Payee, Shares


@dataclass(frozen=True, slots=True)
class Record:
    """A record, read again."""

    inputs: Inputs
    owners: Mapping[str, Sequence[Owner]]
    carry: Mapping[Payee, int]


def write(inputs: Inputs, owners: Mapping[str, Sequence[Owner]], shares: Shares) -> bytes:
    """Return the record of one division."""
    return orjson.dumps(
        {
            "inputs": inputs.to_json(),
            "owners": {work: _form(tuple(each)) for work, each in owners.items()},
            "carry": [[work, creator, parts] for (work, creator), parts in shares.carry.items()],
        }
    )


@lru_cache(maxsize=4_096)
def _form(owners: tuple[Owner, ...]) -> list[list[str | int]]:
    """Return owners as JSON has them; most works of a creator are owned alike."""
    return [list(owner) for owner in owners]


def form(record: bytes) -> dict[str, Any]:
    """Return the JSON form of a record."""
    return dict(orjson.loads(record))


def read(record: bytes) -> Record:
    """Read what ``write`` returned."""
    said = form(record)
    return Record(
        Inputs.from_json(said["inputs"]),
        {work: [Owner(*owner) for owner in each] for work, each in said["owners"].items()},
        {(work, creator): parts for work, creator, parts in said["carry"]},
    )
