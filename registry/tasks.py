"""The registry's doorbells: a name, and one call."""

from celery import shared_task
from django.utils import timezone

from registry import log, snapshots

LEAVES_AT_ONCE = 10_000


@shared_task(name="registry.sequence_log")
def sequence_log() -> int:
    """Give waiting log leaves their places; return how many got one."""
    return log.sequence(limit=LEAVES_AT_ONCE)


@shared_task(name="registry.build_snapshots")
def build_snapshots() -> int:
    """Publish what is decided now for use offline; return the release's sequence number."""
    return snapshots.build(at=timezone.now()).seq
