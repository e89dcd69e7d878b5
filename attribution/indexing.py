"""Put registered texts into the index by which their passages are found in outputs.

Owns the n-gram postings and the pairs of near-duplicate texts. Texts arrive already reduced, in
the registry's WorkFeatures; whether a work may be paid is not asked here.
"""

from collections.abc import Iterable
from datetime import datetime
from struct import Struct

from django.db import connection, transaction

from attribution.sql import statement
from registry.models import WorkFeatures
from tribute import ids
from tribute.features import Features

LEAST_OVERLAP_PPM = 200_000
"""Texts that share a fifth of their n-grams are one cluster: each copy of which up to a tenth of
the words was exchanged. A text that is a third quotation is not, nor are two different texts; light
revisions of one text mostly are (docs/attribution-quality.md has the curve)."""

_INDEX_LOCK = 0x7472_6962_696E_6478
_UNSIGNED, _SIGNED = Struct(">Q"), Struct(">q")


def index_works(*, limit: int, at: datetime) -> int:
    """Index up to ``limit`` texts that wait for it, earliest registration first; return how many.

    Each text is indexed in a transaction of its own, one at a time over all processes, so that of
    two copies the later one always finds the earlier. Running it again changes nothing.
    """
    done = 0
    while done < limit and _index_next(at=at):
        done += 1
    return done


def signed(hashes: Iterable[int]) -> list[int]:
    """Return 64-bit hashes as PostgreSQL's bigint holds them: the same bits, signed."""
    return [_SIGNED.unpack(_UNSIGNED.pack(each))[0] for each in hashes]


@transaction.atomic
def _index_next(*, at: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_INDEX_LOCK])
    waiting = (
        WorkFeatures.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(indexed_at=None)
        .order_by("work__registered_at", "work_id")
        .first()
    )
    if waiting is None:
        return False
    features = Features.from_bytes(bytes(waiting.features))
    work = ids.decode("wrk", waiting.work_id)
    with connection.cursor() as cursor:
        cursor.execute(
            statement("insert_postings"), {"work": work, "hashes": signed(features.hashes)}
        )
        cursor.execute(
            statement("insert_near_duplicates"), {"work": work, "least_ppm": LEAST_OVERLAP_PPM}
        )
    waiting.indexed_at = at
    waiting.save(update_fields=["indexed_at"])
    return True
