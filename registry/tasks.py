"""The registry's doorbells: a name, and one call."""

from celery import shared_task

from registry import log

LEAVES_AT_ONCE = 10_000


@shared_task(name="registry.sequence_log")
def sequence_log() -> int:
    """Give waiting log leaves their places; return how many got one."""
    return log.sequence(limit=LEAVES_AT_ONCE)
