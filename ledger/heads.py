"""Publish the chain's head, so that not even the owner can rewrite the books unseen.

A chain of hashes binds nobody who can recompute all of it. Once a head stands in the public log,
every batch up to it is fixed: the audit compares, and so can anybody with a copy of the log.
"""

from datetime import datetime

from django.db import connection, transaction

from ledger.models import Batch, PublishedHead
from registry import log

__all__ = ["publish"]


def publish(*, at: datetime) -> PublishedHead | None:
    """Append the newest batch's number and hash to the transparency log, once.

    None when there is nothing new. Waits for batches under way, whose place is not final.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT ledger_take_lane()")
        newest = Batch.objects.order_by("-seq").first()
        if newest is None or PublishedHead.objects.filter(pk=newest.seq).exists():
            return None
        digest = bytes(newest.hash)
        leaf: dict[str, log.LeafValue] = {
            "t": "ledger.head",
            "batch": newest.seq,
            "hash": digest.hex(),
        }
        return PublishedHead.objects.create(
            seq=newest.seq, hash=digest, leaf_hash=log.append(leaf, at=at), published_at=at
        )
