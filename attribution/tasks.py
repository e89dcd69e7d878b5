"""Doorbells: each asks a noun module to look for work, and may be rung twice."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from attribution import escrow, indexing, worker

SETTLED_A_RING = 1_000
INDEXED_A_RING = 200
RELEASED_A_RING = 500


@shared_task(name="attribution.settle_queries")
def settle_queries() -> int:
    """Settle what is due."""
    return worker.settle_due(at=timezone.now(), limit=SETTLED_A_RING)


@shared_task(name="attribution.index_works")
def index_works() -> int:
    """Index registered texts."""
    return indexing.index_works(limit=INDEXED_A_RING, at=timezone.now())


@shared_task(name="attribution.release_escrow")
def release_escrow() -> int:
    """Hand over what claims held and hold no more."""
    holding = timedelta(days=settings.HOLDING_DAYS)
    return escrow.release(at=timezone.now(), holding=holding, limit=RELEASED_A_RING)
