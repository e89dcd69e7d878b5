"""Hear which works' rights changed, so that what is remembered of the others need not be asked.

Owns the reading of ``attribution_rightschange``, which triggers write in the transaction of each
change (attribution/migrations/0008_settle_by_the_thousand.sql), and for how long it is kept. What
is remembered, and asked again, is the business of whoever listens.
"""

import time
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from attribution import reading
from tribute import ids

MOST_CHANGES = 20_000
"""With more at once it is cheaper to forget everything."""

KEPT = "1 day"
LONGEST_SILENCE_SECONDS = 12 * 3_600.0
"""Who has not listened for so long may have missed what was removed since."""


@dataclass(frozen=True, slots=True)
class News:
    """What changed since the last time. everything: too much to say, or nobody knows.

    works: by typed id. pairs: of works that are, or are no longer, near-copies of each other.
    """

    works: frozenset[str] = field(default_factory=frozenset)
    pairs: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    everything: bool = False


class Listener:
    """One reader of changes; whoever remembers something has a listener of its own.

    Its answers hold for the connection of the thread it lives in. What is remembered must have been
    read after the answer that let it stand, on that connection.
    """

    def __init__(self) -> None:
        """Know nothing yet: the first news are that everything may have changed."""
        self._since: str | None = None
        self._heard = 0.0

    def news(self) -> News:
        """Return what was committed since the last call, or is the caller's own doing.

        A change may be told twice and is never missed: transactions that were under way at the
        last call are looked at again.
        """
        now = time.monotonic()
        fresh = self._since is None or now - self._heard > LONGEST_SILENCE_SECONDS
        self._heard = now
        # Without a past, only the place to read on from is wanted.
        since = str(2**63 - 1) if fresh else self._since
        rows = reading.rows("read_rights_changes", {"since": since, "most": MOST_CHANGES})
        self._since = rows[0][-1]
        if fresh or len(rows) > MOST_CHANGES:
            return News(everything=True)
        return _told(rows)


def prune() -> int:
    """Remove changes that every listener has heard or will no longer rely on; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM attribution_rightschange"
            " WHERE noted_at < clock_timestamp() - %s::interval",
            [KEPT],
        )
        return int(cursor.rowcount)


def _told(rows: list[tuple[bytes | None, bytes | None, bytes | None, str]]) -> News:
    works = {work for work, other, _, _ in rows if work is not None and other is None}
    pairs = {(work, other) for work, other, _, _ in rows if work is not None and other is not None}
    places = [place for _, _, place, _ in rows if place is not None]
    if places:
        within = reading.rows("find_works_in_places", {"places": places, "most": MOST_CHANGES})
        if len(within) > MOST_CHANGES:
            return News(everything=True)
        works |= {work for (work,) in within}
    return News(
        frozenset(map(_work, works)), frozenset((_work(one), _work(other)) for one, other in pairs)
    )


def _work(raw: bytes) -> str:
    return ids.encode("wrk", UUID(bytes=raw))
