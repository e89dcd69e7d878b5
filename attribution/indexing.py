"""Put registered texts into the index by which their passages are found in outputs.

Owns the order in which texts enter the index and the pairs of near-duplicate texts. Texts arrive
already reduced, in the registry's WorkFeatures; whether a work may be paid is not asked here.
"""

from datetime import datetime
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from attribution import ngram_index, reading
from attribution.models import NearDuplicate
from registry.models import WorkFeatures
from tribute import ids
from tribute.features import sections

MILLION = 1_000_000
LEAST_OVERLAP_PPM = 200_000
"""Texts that share a fifth of their n-grams are one cluster: each copy of which up to a tenth of
the words was exchanged. A text that is a third quotation is not, nor are two different texts; light
revisions of one text mostly are (docs/attribution-quality.md has the curve)."""

_INDEX_LOCK = 0x7472_6962_696E_6478


def index_works(*, limit: int, at: datetime) -> int:
    """Index up to ``limit`` texts that wait for it, earliest registration first; return how many.

    Each text is indexed in a transaction of its own, one at a time over all processes, so that of
    two copies the later one always finds the earlier. Running it again changes nothing.
    """
    done = 0
    while done < limit and _index_next(at=at):
        done += 1
    return done


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
    _pair(waiting)
    reading.run("number_indexed_text", {"work": ids.decode("wrk", waiting.work_id)})
    waiting.indexed_at = at
    waiting.save(update_fields=["indexed_at"])
    return True


def _pair(text: WorkFeatures) -> None:
    """Note the texts indexed before that share most of their n-grams with this one."""
    own = _distinct(text)
    index = ngram_index.current()
    _, found = index.find(own)
    shared = np.bincount(found, minlength=1)
    numbers = np.flatnonzero(shared * MILLION >= np.maximum(1, len(own) * LEAST_OVERLAP_PPM))
    raw = index.ids_of(numbers.astype(np.uint32))
    # Numpy takes zeros off the end of bytes.
    works = [ids.encode("wrk", UUID(bytes=each.ljust(16, b"\0"))) for each in raw.tolist()]
    ngrams_shared = dict(zip(works, shared[numbers].tolist(), strict=True))
    pairs = []
    for other in WorkFeatures.objects.filter(work__in=works).exclude(pk=text.pk):
        both = ngrams_shared[other.work_id]
        overlap = both * MILLION // (len(own) + len(_distinct(other)) - both)
        if overlap >= LEAST_OVERLAP_PPM:
            pair = NearDuplicate(work_id=text.pk, other_id=other.pk, overlap_ppm=overlap)
            pairs.append(pair)
    NearDuplicate.objects.bulk_create(pairs, ignore_conflicts=True)


def _distinct(text: WorkFeatures) -> NDArray[np.uint64]:
    """Return a text's n-grams, rising, each once."""
    return np.unique(np.frombuffer(sections(bytes(text.features))[3], ">u8")).astype(np.uint64)
