"""Facts that must always hold: one query each, from the raw rows, hashes computed anew.

Each ``audit_*.sql`` returns the rows that break its fact. Tests end with them, the timetable
runs them, and no batch of payouts is drawn up while one has something to say. A whole audit leaves
a mark, from which an audit of what is new sets out.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, connection, transaction

from ledger.models import AuditMark, AuditRun, Batch
from ledger.sql import names, statement

_log = logging.getLogger(__name__)

WORK_MEMORY = "128MB"
"""For each sort and hash of the audit. What is beyond it goes to temporary files, for which a full disk
has no room."""

MAX_DETAILS = 100
"""How many rows of one broken fact are reported."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that breaks one invariant."""

    invariant: str
    detail: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.detail}"


def findings(*, since: int = 0) -> list[Finding]:
    """Everything wrong with the books; empty when they are sound.

    since: trust the books up to this batch, and read only what follows: the cost no longer grows
    with the ledger, but what was changed before is not seen. Reads one snapshot, unless the
    caller's transaction has begun one.
    """
    found: list[Finding] = []
    with _snapshot(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('ledger.audit_since', %s, true)", [str(since)])
        for name in names("audit_"):
            cursor.execute(statement(name))
            invariant = name.removeprefix("audit_")
            rows = cursor.fetchmany(MAX_DETAILS)
            found.extend(Finding(invariant, detail) for (detail,) in rows)
    return found


def recent_findings() -> list[Finding]:
    """What is wrong since the last whole audit; everything, when the books before it changed."""
    return findings(since=trusted())


def trusted() -> int:
    """The batch up to which the last whole audit found the books sound; 0 when none stands."""
    mark = AuditMark.objects.order_by("-seq").first()
    if mark is None:
        return 0
    batch = Batch.objects.filter(pk=mark.seq).first()
    return mark.seq if batch and bytes(batch.hash) == bytes(mark.hash) else 0


def audit(*, at: datetime) -> list[Finding]:
    """Read everything; keep on record what was found, and how far the books are sound."""
    newest = Batch.objects.order_by("-seq").first()  # before reading: what comes later is unread
    found = findings()
    mark = []
    if newest and not found:
        mark = [AuditMark(seq=newest.seq, hash=newest.hash, audited_at=at)]
    run = AuditRun(
        seq=newest.seq if newest else None,
        findings_count=len(found),
        findings=[str(finding) for finding in found[:MAX_DETAILS]],
        ran_at=at,
    )
    try:
        with transaction.atomic():
            AuditMark.objects.bulk_create(mark, ignore_conflicts=True)
            run.save(force_insert=True)
    except OperationalError as error:
        # A full disk hides nothing: what was found is returned, and only the record is missing.
        _log.warning("the audit could not be kept on record: %s", error)
    return found


@contextmanager
def _snapshot() -> Iterator[None]:
    """One snapshot for all queries, so that posters at work leave no false findings."""
    begun = connection.in_atomic_block
    with transaction.atomic():
        if not begun:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('work_mem', %s, true)", [WORK_MEMORY])
        yield
