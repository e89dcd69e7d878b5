"""What rounding of a model's tiny fees still owes its payees: read once a batch, kept up, written.

Owns the rows of RoundingCarry. Whoever uses it holds the model's row, so that carries are read and
changed by one batch at a time. How a carry is made is ``shares``'s.
"""

from collections.abc import Mapping, Sequence

from attribution import reading
from attribution.shares import REMAINDER, Owner, Payee
from tribute import ids


class Carries:
    """The carries of one model towards the owners of some works, and the remainder's."""

    def __init__(self, model_id: str, owned: Mapping[str, Sequence[Owner]]) -> None:
        """Read what stands; what is owed to anybody else waits for him."""
        self._model = ids.decode("mdl", model_id)
        # In the order of the index, which so is walked and not searched. The place 0 is the
        # remainder's.
        self._payees = [(work, each.creator) for work in sorted(owned) for each in owned[work]]
        parameters = {"model": self._model, **_packed(self._payees)}
        in_place = [REMAINDER, *self._payees]
        self._before: dict[Payee, int] = {
            in_place[place]: parts for place, parts in reading.rows("read_carries", parameters)
        }
        self.parts: dict[Payee, int] = dict(self._before)
        """By payee, in parts of a micro, as it stands within this batch."""

    def add(self, carried: Mapping[Payee, int]) -> None:
        """Count what a query changes."""
        parts = self.parts
        for payee, change in carried.items():
            parts[payee] = parts.get(payee, 0) + change

    def take_back(self, carried: Mapping[Payee, int]) -> None:
        """Count what a query did not change after all."""
        self.add({payee: -change for payee, change in carried.items()})

    def write(self) -> None:
        """Write what has changed since it was read."""
        before, after = self._before, self.parts
        known: dict[Payee, int] = {}
        new: dict[Payee, int] = {}
        for payee in [*self._payees, REMAINDER]:
            stands, stood = after.get(payee), before.get(payee)
            if stood is None and stands:
                new[payee] = stands
            elif stands != stood:
                known[payee] = (stands or 0) - (stood or 0)
        assert sum(known.values()) + sum(new.values()) == 0, "carries add up to zero"
        for name, changes in (("change_carries", known), ("insert_carries", new)):
            if changes:
                self._run(name, changes)

    def _run(self, name: str, changes: dict[Payee, int]) -> None:
        remainder = changes.pop(REMAINDER, None)
        reading.run(
            name,
            {
                "model": self._model,
                "remainder": remainder,
                "parts": reading.longs(list(changes.values())),
                **_packed(list(changes)),
            },
        )


def _packed(payees: Sequence[Payee]) -> dict[str, reading.Uuids]:
    return {
        "works": reading.uuids([reading.raw("wrk", work) for work, _ in payees]),
        "creators": reading.uuids([reading.raw("cre", creator) for _, creator in payees]),
    }
