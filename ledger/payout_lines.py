"""What exactly an approval is for: the digest of a batch's lines, computed by PostgreSQL."""

from django.db import connection

from ledger.models import PayoutBatch

__all__ = ["lines_changed", "lines_digest"]


def lines_digest(batch: PayoutBatch) -> bytes:
    """SHA-256 of every payout of the batch: whom, where, how much."""
    with connection.cursor() as cursor:
        field = PayoutBatch._meta.pk  # noqa: SLF001 - Django's documented Options
        key = field.get_prep_value(batch.pk)
        cursor.execute("SELECT ledger_payout_lines_digest(%s)", [key])
        (digest,) = cursor.fetchone()
    return bytes(digest)


def lines_changed(batch: PayoutBatch) -> bool:
    """Whether the lines are no longer those that were submitted."""
    return batch.lines_digest is None or bytes(batch.lines_digest) != lines_digest(batch)
