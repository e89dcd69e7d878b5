"""Settle what is due: claim, settle, commit; knows no Celery.

Owns claiming, retries and giving up. The rows are the queue, so the process may be killed
anywhere: what was not committed is due again.
"""

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction

from attribution import fees, settlement
from attribution.models import GenerativeModel, Query
from ledger.errors import LedgerUnavailable

BATCH = 1_000
"""Queries settled in one transaction; the ledger writes a line for each account a batch touches."""

MOST_ATTEMPTS = 8
FIRST_DELAY = timedelta(seconds=15)
"""Doubled at each failure: the eighth attempt is half an hour after the first."""

_TRANSIENT = (OperationalError, InterfaceError, LedgerUnavailable)
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
    """Make a parked query due again once its cause is gone; false when it was not parked.

    Its fee is kept aside again. Raises NotFunded when the balance does not cover it.
    """
    with transaction.atomic():
        rows = Query.objects.filter(pk=query.pk, state=Query.State.PARKED)
        parked = rows.select_for_update().defer("evidence").first()
        if parked is None:
            return False
        fees.reserve_again(parked, at=at)
        parked.state, parked.attempts, parked.due_at = Query.State.RECEIVED, 0, at
        parked.save(update_fields=["state", "attempts", "due_at", "hold"])
    return True


def _settle_batch(*, at: datetime, limit: int, only: Sequence[str] | None = None) -> int:
    claimed: list[str] = []
    try:
        with transaction.atomic(), _without_collecting():
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
            # One half is fine, or both are tried again by halves: the culprit stands alone soon.
            half = len(claimed) // 2
            for some in (claimed[:half], claimed[half:]):
                _settle_batch(at=at, limit=len(some), only=some)
        elif claimed:
            _log.exception("query %s was not settled", claimed[0])
            _put_off(claimed, error, at=at)
        else:
            raise
    return len(claimed)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Let Python look for rings of garbage between batches only: a batch makes none.

    It makes so many objects that each search would go through all that is remembered of works.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _claim(*, at: datetime, limit: int, only: Sequence[str] | None) -> list[Query]:
    due = Query.objects.due(at) if only is None else Query.objects.due(at).filter(pk__in=only)
    batch = list(
        due.select_for_update(skip_locked=True, of=("self",))
        .only("model", "operator", "fee_micros", "currency", "hold", "evidence", "evidence_key_id")
        .order_by("due_at", "pk")[:limit]
    )
    wanted = GenerativeModel.objects.filter(pk__in={query.model_id for query in batch})
    models = {model.pk: model for model in wanted.select_related("manifest", "operator", "space")}
    for query in batch:
        query.model = models[query.model_id]
    return batch


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
        fees.give_back([query for query in rows if query.state == Query.State.PARKED], at=at)
        for query in rows:
            query.save(update_fields=["attempts", "reason", "due_at", "state", "hold"])
