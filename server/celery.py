"""The Celery application and its timetable.

Rows are the queue; a task is a doorbell that asks a noun module to look. Each period below is how
late work may be when a doorbell was lost with the broker.
"""

import os

from celery import Celery
from celery.signals import worker_process_init

from server import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.settings")

app = Celery("tribute")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def begin(**_: object) -> None:
    """Make a process of a worker ready to run long."""
    garbage.look_seldom()


SECOND, MINUTE, HOUR = 1.0, 60.0, 3600.0

app.conf.beat_schedule = {
    name: {"task": name, "schedule": period, "options": {"expires": period}}
    for name, period in {
        "attribution.adopt_manifests": 2 * SECOND,
        "attribution.index_works": 10 * SECOND,
        "attribution.notify_revocations": HOUR,
        "attribution.prune_rights_changes": HOUR,
        "attribution.delete_kept_evidence": HOUR,
        "attribution.find_related_parties": 24 * HOUR,
        "attribution.run_shadows": MINUTE,
        "attribution.release_escrow": HOUR,
        "attribution.settle_queries": 2 * SECOND,
        "ledger.process_provider_events": 2 * SECOND,
        "ledger.fetch_missed_events": 10 * MINUTE,
        "ledger.send_due_payouts": 5 * SECOND,
        "ledger.resolve_unknown": MINUTE,
        "ledger.mature": HOUR,
        "ledger.expire_holds": MINUTE,
        "ledger.reconcile": HOUR,
        "ledger.audit": 24 * HOUR,
        "ledger.publish_head": HOUR,
        "portal.erase_those_who_leave": 10 * MINUTE,
        "portal.make_exports": 5 * SECOND,
        "registry.forget_exports": HOUR,
        "registry.build_snapshots": HOUR,
        "registry.flag_overdue_revocations": HOUR,
        "registry.forget_uploads": 24 * HOUR,
        "registry.recheck_control": 10 * MINUTE,
        "registry.remind_of_signers": 10 * MINUTE,
        "registry.sequence_latecomers": HOUR,
        "registry.sequence_log": 5 * SECOND,
        "registry.send_webhooks": 2 * SECOND,
        "registry.work_off_imports": 2 * SECOND,
        "registry.work_off_manifests": 2 * SECOND,
    }.items()
}
