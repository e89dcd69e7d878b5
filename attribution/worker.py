"""Settle what is due: claim, settle, commit; knows no Celery.

Owns claiming, retries and giving up. The rows are the queue, so the process may be killed
anywhere: what was not committed is due again.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction

from attribution import settlement
from attribution.models import Query
from ledger.errors import LaneBusy

BATCH = 100
"""Queries settled in one transaction."""

MOST_ATTEMPTS = 8
FIRST_DELAY = timedelta(seconds=15)
"""Doubled at each failure: the eighth attempt is half an hour after the first."""

_TRANSIENT = (OperationalError, InterfaceError, LaneBusy)
_log = logging.getLogger(__name__)


def settle_due(*, at: datetime, limit: int) -> int:
    """Settle up to ``limit`` due queries, longest waiting first; return how many were claimed.

    Several workers may run at once: a claimed row is skipped by the others. A transient failure
    (the database away, the ledger's lane busy) puts the batch off; any other failure puts off only
    the query that causes it, and parks it after MOST_ATTEMPTS.
    """
    done = 0
    while done < limit:
        claimed = _settle_batch(at=at, limit=min(BATCH, limit - done))
        if not claimed:
            break
        done += claimed
    return done


def retry_parked(query: Query, *, at: datetime) -> bool:
    """Make a parked query due again once its cause is gone; false when it was not parked."""
    parked = Query.objects.filter(pk=query.pk, state=Query.State.PARKED)
    return parked.update(state=Query.State.RECEIVED, attempts=0, due_at=at) == 1


def _settle_batch(*, at: datetime, limit: int, only: str | None = None) -> int:
    claimed: list[str] = []
    try:
        with transaction.atomic():
            batch = _claim(at=at, limit=limit, only=only)
            claimed = [query.pk for query in batch]
            if batch:
                settlement.settle(batch, at=at)
    except _TRANSIENT as error:
        if not claimed:
            raise
        _log.warning("settlement put off: %s", type(error).__name__)
        _put_off(claimed, error, at=at)
    except Exception as error:
        if len(claimed) > 1:
            for query_id in claimed:
                _settle_batch(at=at, limit=1, only=query_id)
        elif claimed:
            _log.exception("query %s was not settled", claimed[0])
            _put_off(claimed, error, at=at)
        else:
            raise
    return len(claimed)


def _claim(*, at: datetime, limit: int, only: str | None) -> list[Query]:
    due = Query.objects.due(at) if only is None else Query.objects.due(at).filter(pk=only)
    return list(
        due.select_for_update(skip_locked=True, of=("self",))
        .select_related("model__manifest", "model__operator", "model__space")
        .order_by("due_at", "pk")[:limit]
    )


def _put_off(query_ids: Sequence[str], error: Exception, *, at: datetime) -> None:
    """Count a failed attempt; wait twice as long as the last time, or park."""
    with transaction.atomic():
        rows = Query.objects.waiting().filter(pk__in=query_ids).select_for_update()
        for query in rows:
            query.attempts += 1
            query.reason = type(error).__name__
            query.due_at = at + FIRST_DELAY * 2 ** (query.attempts - 1)
            if query.attempts >= MOST_ATTEMPTS:
                query.state = Query.State.PARKED
            query.save(update_fields=["attempts", "reason", "due_at", "state"])
