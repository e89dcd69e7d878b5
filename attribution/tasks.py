"""Doorbells: each asks a noun module to look for work, and may be rung twice."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from attribution import (
    adjusting,
    escrow,
    generative_models,
    indexing,
    related_parties,
    retention,
    rights_changes,
    shadowing,
    worker,
)
from registry import revocations

SETTLED_A_RING = 5_000
INDEXED_A_RING = 200
SHADOWED_A_RING = 500
RELEASED_A_RING = 500


@shared_task(name="attribution.settle_queries")
def settle_queries() -> int:
    """Settle what is due."""
    return worker.settle_due(at=timezone.now(), limit=SETTLED_A_RING)


@shared_task(name="attribution.index_works")
def index_works() -> int:
    """Index registered texts."""
    return indexing.index_works(limit=INDEXED_A_RING, at=timezone.now())


@shared_task(name="attribution.adopt_manifests")
def adopt_manifests() -> int:
    """Let manifests that are matched take their places."""
    return generative_models.adopt_manifests()


@shared_task(name="attribution.notify_revocations")
def notify_revocations() -> int:
    """Tell operators what in any of their models' manifests is allowed no more."""
    in_force = generative_models.manifests_in_force()
    return revocations.notify(at=timezone.now(), in_force=in_force)


@shared_task(name="attribution.prune_rights_changes")
def prune_rights_changes() -> int:
    """Remove notes of changes that every worker has heard."""
    return rights_changes.prune()


@shared_task(name="attribution.run_shadows")
def run_shadows() -> int:
    """Weigh what shadow runs ask for, and book what was accepted."""
    at = timezone.now()
    weighed = shadowing.advance_all(limit=SHADOWED_A_RING)
    return weighed + adjusting.post_accepted(at=at, limit=SHADOWED_A_RING)


@shared_task(name="attribution.delete_kept_evidence")
def delete_kept_evidence() -> int:
    """Delete evidence that was kept long enough."""
    return retention.delete_due(at=timezone.now())


@shared_task(name="attribution.find_related_parties")
def find_related_parties() -> int:
    """Look for operators and creators who may be the same people."""
    return related_parties.scan(at=timezone.now())


@shared_task(name="attribution.release_escrow")
def release_escrow() -> int:
    """Hand over what claims held and hold no more."""
    holding = timedelta(days=settings.HOLDING_DAYS)
    return escrow.release(at=timezone.now(), holding=holding, limit=RELEASED_A_RING)
