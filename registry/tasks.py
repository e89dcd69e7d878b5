"""The registry's doorbells: a name, and one call."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from registry import (
    collections,
    exports,
    fetching,
    imports,
    log_tree,
    manifests,
    name_records,
    revocations,
    signers,
    snapshots,
    uploads,
)
from registry.webhooks import sending

LEAVES_AT_ONCE = 10_000
PLACES_AT_ONCE = 20
INTAKE_FOR = timedelta(seconds=10)
"""How long one ring takes files in: other work waits meanwhile where there is one worker."""
DELIVERIES_AT_ONCE = 200
SENDING_FOR = timedelta(seconds=10)


@shared_task(name="registry.sequence_log")
def sequence_log() -> int:
    """Give waiting log leaves their places and sign the tree; return how many it has more."""
    return log_tree.grow(limit=LEAVES_AT_ONCE)


@shared_task(name="registry.sequence_latecomers")
def sequence_latecomers() -> int:
    """Do the same for leaves that thousands of later ones have overtaken."""
    return log_tree.grow(limit=LEAVES_AT_ONCE, latecomers=True)


@shared_task(name="registry.build_snapshots")
def build_snapshots() -> int:
    """Publish what is decided now for use offline; return the release's sequence number."""
    return snapshots.build(at=timezone.now()).seq


@shared_task(name="registry.recheck_control")
def recheck_control() -> int:
    """Look whether control of places can still be shown, and that of certificates was; return how many ended."""
    sources = collections.Sources(
        fetch=fetching.fetch, beginning=fetching.fetch_beginning, look_up=name_records.txt
    )
    ended = signers.end_due(at=timezone.now(), limit=PLACES_AT_ONCE)
    return ended + collections.recheck(sources=sources, at=timezone.now(), limit=PLACES_AT_ONCE)


@shared_task(name="registry.remind_of_signers")
def remind_of_signers() -> int:
    """Tell creators which certificates are to be shown again; return how many were told."""
    return signers.remind_due(send=signers.mail, at=timezone.now(), limit=PLACES_AT_ONCE)


@shared_task(name="registry.notify_revocations")
def notify_revocations() -> int:
    """Tell operators what in their newest manifest is allowed no more; return how many notices.

    ``attribution.notify_revocations`` does so for every model's; the timetable rings that one.
    """
    return revocations.notify(at=timezone.now())


@shared_task(name="registry.work_off_imports")
def work_off_imports() -> int:
    """Register works from uploaded files; return how many rows were taken."""
    return imports.work_off(clock=timezone.now, until=timezone.now() + INTAKE_FOR)


@shared_task(name="registry.work_off_manifests")
def work_off_manifests() -> int:
    """Match uploaded manifests; return how many rows were taken."""
    return manifests.work_off(clock=timezone.now, until=timezone.now() + INTAKE_FOR)


@shared_task(name="registry.forget_uploads")
def forget_uploads() -> int:
    """Remove the bytes of uploads that nobody ended; return how many uploads."""
    return uploads.forget_abandoned(at=timezone.now())


@shared_task(name="registry.forget_exports")
def forget_exports() -> int:
    """Remove archives that nobody may take any more; return how many."""
    return exports.forget_expired(at=timezone.now())


@shared_task(name="registry.flag_overdue_revocations")
def flag_overdue_revocations() -> int:
    """Record which revocations nobody took note of in time; return how many."""
    return revocations.flag_overdue(at=timezone.now())


@shared_task(name="registry.send_webhooks")
def send_webhooks() -> int:
    """Send what webhooks are due; return how many were tried."""
    return sending.send_due(
        post=fetching.post,
        clock=timezone.now,
        until=timezone.now() + SENDING_FOR,
        limit=DELIVERIES_AT_ONCE,
    )
