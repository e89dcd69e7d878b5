"""What settlement has to know of a manifest, remembered from batch to batch.

Owns the works of a manifest by number, which row is which work, and which work stands for a cluster
of near-copies. A manifest's rows never change; when works become near-copies, or are found to be
none, ``rights_changes`` tells. Who is paid for a work is ``eligibility``'s.
"""

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from attribution import reading
from attribution.methods.clusters import leaders
from attribution.rights_changes import Listener, News
from registry import clusters
from registry.manifests import allowed_works
from registry.models import ClaimConflict, Manifest, Work
from tribute import ids

REMEMBERED_WORKS = 4_000_000
"""Of all manifests together; the one used longest ago goes first. About 150 bytes each."""


@dataclass(slots=True, eq=False)
class Roster:
    """The registered works of one manifest, by number in the order of their ids.

    works: typed ids. raw: the ids' bytes, 16 each. of_row: (rows + 1,) a manifest row's work, -1 for
    a row of none that was allowed. allowed, agreed: (n,) at ingestion, and whether to be paid.
    stands_for: numbers of followers and of the work that stands for each; others stand for
    themselves. paired: works with a near-copy.
    """

    works: list[str]
    raw: bytes
    of_row: NDArray[np.int32]
    allowed: NDArray[np.bool_]
    agreed: NDArray[np.bool_]
    stands_for: dict[int, int] = field(default_factory=dict)
    paired: frozenset[str] = frozenset()

    def number(self, work: str) -> int | None:
        """Return a work's number, None for a work that is not in the manifest."""
        at = bisect_left(self.works, work)
        return at if at < len(self.works) and self.works[at] == work else None

    def numbers_of(self, raw: NDArray[np.bytes_]) -> NDArray[np.int64]:
        """Return works' numbers by the bytes of their ids; -1 for works not in the manifest."""
        own = np.frombuffer(self.raw, "S16")
        if not len(own):
            return np.full(len(raw), -1)
        at = np.minimum(np.searchsorted(own, raw), len(own) - 1)
        return np.where(own[at] == raw, at, -1)

    def leader_of(self, works: Iterable[str]) -> dict[str, str]:
        """Map those of ``works`` that the manifest allows to the work that stands for each."""
        found = {}
        for work in works:
            number = self.number(work)
            if number is not None and self.allowed[number]:
                found[work] = self.works[self.stands_for.get(number, number)]
        return found

    def followers(self) -> set[str]:
        """Return the works that another work stands for."""
        return {self.works[number] for number in self.stands_for}

    def works_of_rows(self, rows: Sequence[int]) -> list[str]:
        """Return, for manifest rows, the work that stands for each; "" for one of no allowed work."""
        numbers = np.array(rows, np.int64)
        known = numbers < len(self.of_row)
        found = self.of_row[np.where(known, numbers, 0)].tolist()
        works, stands_for = self.works, self.stands_for
        if stands_for:
            found = [stands_for.get(number, number) for number in found]
        return [works[number] if number >= 0 else "" for number in found]

    def is_agreed(self, work: str) -> bool:
        """Whether the work was ingested under a statement that asks for payment, or a licence."""
        number = self.number(work)
        return number is not None and bool(self.agreed[number])


class _Memory(threading.local):
    """One for each thread, since what a connection may see is its own."""

    def __init__(self) -> None:
        self.listener = Listener()
        self.rosters: OrderedDict[str, Roster] = OrderedDict()


_memory = _Memory()


def of_manifest(manifest: Manifest) -> Roster:
    """Return what is known of a manifest that has been matched, as it stands now."""
    _forget(_memory.listener.news())
    rosters = _memory.rosters
    if manifest.pk not in rosters:
        rosters[manifest.pk] = _load(manifest.pk)
        while len(rosters) > 1 and sum(len(r.works) for r in rosters.values()) > REMEMBERED_WORKS:
            rosters.popitem(last=False)
    rosters.move_to_end(manifest.pk)
    return rosters[manifest.pk]


def _forget(news: News) -> None:
    if news.everything:
        _memory.rosters.clear()
        return
    if not (news.works or news.pairs):
        return
    for manifest, roster in _memory.rosters.items():
        if not news.works.isdisjoint(roster.paired) or any(
            roster.number(one) is not None and roster.number(other) is not None
            for one, other in news.pairs
        ):
            _pair(roster, manifest)


def _load(manifest: str) -> Roster:
    rows = reading.rows("read_manifest_works", {"manifest": ids.decode("mft", manifest)})
    numbers = np.fromiter((row[0] for row in rows), np.int64, len(rows))
    distinct = sorted({row[1] for row in rows})
    place = {work: number for number, work in enumerate(distinct)}
    of = np.fromiter((place[row[1]] for row in rows), np.int32, len(rows))
    allowed_rows = np.fromiter((row[2] for row in rows), np.bool_, len(rows))
    agreed_rows = np.fromiter((row[3] for row in rows), np.bool_, len(rows))
    allowed, agreed = (np.zeros(len(distinct), np.bool_) for _ in range(2))
    allowed[of[allowed_rows]] = True
    agreed[of[agreed_rows]] = True
    of_row = np.full(int(numbers.max(initial=0)) + 1, -1, np.int32)
    of_row[numbers[allowed_rows]] = of[allowed_rows]
    roster = Roster(
        works=[ids.encode("wrk", UUID(bytes=work)) for work in distinct],
        raw=b"".join(distinct),
        of_row=of_row,
        allowed=allowed,
        agreed=agreed,
    )
    _pair(roster, manifest)
    return roster


def _pair(roster: Roster, manifest: str) -> None:
    """Find out which work stands for which.

    Near-duplicates are what the index or the registry paired, unless a claim was decided to be
    distinct; clusters that people reviewed stand as they left them. The earliest registration stands
    for a cluster; a claim that was lost comes last.
    """
    reviewed = clusters.pairs_of(allowed_works(Manifest(pk=manifest)))
    rows = reading.rows("read_near_copies", {"manifest": ids.decode("mft", manifest)})
    near, claims = set(reviewed.proposed), []
    for one, other, outcome in rows:
        pair = ids.encode("wrk", UUID(bytes=one)), ids.encode("wrk", UUID(bytes=other))
        if outcome is None:
            near.add(frozenset(pair))
        else:
            claims.append((*pair, outcome))
    lost = set()
    for one, other, outcome in claims:
        if outcome == ClaimConflict.Outcome.DISTINCT:
            near.discard(frozenset((one, other)))
            continue
        near.add(frozenset((one, other)))
        lost |= {one} if outcome == ClaimConflict.Outcome.OTHER_UPHELD else set()
        lost |= {other} if outcome == ClaimConflict.Outcome.WORK_UPHELD else set()
    near = reviewed.corrected(near)
    involved = {work for pair in near for work in pair}
    registered = dict(
        Work.objects.filter(pk__in=involved).values_list("pk", "registered_at")
    ) if involved else {}  # fmt: skip
    numbers = {
        work: number
        for work in involved
        if (number := roster.number(work)) is not None and roster.allowed[number]
    }
    in_order = sorted(numbers, key=lambda work: (work in lost, registered[work], work))
    leader = leaders(in_order, near)
    roster.stands_for = {
        numbers[work]: numbers[first] for work, first in leader.items() if work != first
    }
    roster.paired = frozenset(involved)
