"""Revocations: tell operators that what they were allowed to use is allowed no more.

Compares operators' manifests with what a check answers now. It is for the operator to
act; here it is recorded who was told what, by when to take note, and when they did.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import QuerySet

from registry import answers, decision_index, log, manifests
from registry.answers import CheckItem, Grants
from registry.models import (
    Creator,
    Manifest,
    ManifestRow,
    Operator,
    RevocationAcknowledgement,
    RevocationLapse,
    RevocationNotice,
    RightsShare,
)
from registry.webhooks import events
from registry.webhooks.events import Happening
from tribute import verdict
from tribute.vocabulary import Decision, IdentifierKind, Purpose

ACKNOWLEDGE_WITHIN = timedelta(days=30)
ROWS_AT_ONCE = 2_000
PURPOSE = Purpose.TRAIN_AI


def notify(*, at: datetime, in_force: Iterable[str] = ()) -> int:
    """Write a notice for each work whose use is no longer allowed; return how many are new.

    Each operator's newest manifest counts, and those of ``in_force`` (ids): what older ones hold may
    be in another model of the same operator, which whoever knows the models tells.

    A work counts when it was allowed as it was ingested, and a check by the operator answers
    anything but ``allow`` at ``at``: a deny took effect, an allow was taken back or lost its
    proof. One notice for each manifest and work, however often this runs.
    """
    ready = Manifest.objects.filter(status=Manifest.Status.READY)
    newest = ready.order_by("operator_id", "-received_at", "-pk").distinct("operator_id")
    counting = set(newest.values_list("pk", flat=True))
    counting |= set(ready.filter(pk__in=set(in_force)).values_list("pk", flat=True))
    return sum(_notify(manifest, at) for manifest in sorted(counting))


def acknowledge(notice: RevocationNotice, *, at: datetime) -> RevocationAcknowledgement:
    """Record that the operator took note. Saying so again changes nothing."""
    noted, _ = RevocationAcknowledgement.objects.get_or_create(
        notice=notice, defaults={"acknowledged_at": at}
    )
    return noted


@transaction.atomic
def flag_overdue(*, at: datetime, limit: int = 1_000) -> int:
    """Record which deadlines passed without acknowledgement; tell both sides; return how many.

    What is on record stays, also when the operator takes note later.
    """
    late = RevocationNotice.objects.filter(
        acknowledge_by__lt=at, acknowledgement=None, lapse=None
    ).order_by("acknowledge_by", "pk")
    notices = {notice.pk: notice for notice in late[:limit]}
    RevocationLapse.objects.bulk_create(
        (RevocationLapse(notice=notice, recorded_at=at) for notice in notices.values()),
        ignore_conflicts=True,
    )
    holders = RightsShare.objects.filter(work__in={n.work_id for n in notices.values()})
    owners: dict[str, list[str]] = defaultdict(list)
    for work, creator in holders.exclude(confirmed_at=None).values_list("work_id", "creator_id"):
        owners[work].append(creator)
    told = (
        Happening(owner, "revocation.overdue", notice.pk, _told(notice))
        for notice in notices.values()
        for owner in (notice.operator_id, *owners[notice.work_id])
    )
    events.publish(told, at=at)
    return len(notices)


def concerning(creator: Creator) -> QuerySet[RevocationNotice]:
    """Return what was told to operators about works in which a creator has a confirmed part."""
    held = RightsShare.objects.filter(creator=creator).exclude(confirmed_at=None)
    return RevocationNotice.objects.filter(work__in=held.values("work_id"))


@transaction.atomic
def _notify(manifest_id: str, at: datetime) -> int:
    """Compare one manifest; whoever does so already is left to it."""
    locked = Manifest.objects.select_for_update(skip_locked=True, no_key=True)
    manifest = locked.filter(pk=manifest_id).first()
    if manifest is None:
        return 0
    operator = Operator.objects.get(pk=manifest.operator_id)
    grants = answers.by_subject(manifests.grants_of(operator))
    notices: dict[str, RevocationNotice] = {}
    for rows in _batches(_allowed_rows(manifest)):
        for row, found in _judged(rows, grants, operator, at):
            if found.decision != Decision.ALLOW and row.work_id not in notices:
                notices[str(row.work_id)] = _notice(manifest, row, found, at)
    RevocationNotice.objects.bulk_create(notices.values(), batch_size=1_000)
    told = (
        Happening(operator.pk, "revocation.created", notice.pk, _told(notice))
        for notice in notices.values()
    )
    events.publish(told, at=at)
    return len(notices)


def _allowed_rows(manifest: Manifest) -> Iterator[ManifestRow]:
    """Yield one row for each work and key that was allowed and of which nobody was told yet."""
    told = RevocationNotice.objects.filter(manifest=manifest).values("work_id")
    rows = manifest.rows.filter(decision=Decision.ALLOW, work__isnull=False)
    rows = rows.exclude(work__in=told).order_by("work_id", "key").distinct("work_id", "key")
    return rows.iterator(chunk_size=ROWS_AT_ONCE)


def _batches(rows: Iterator[ManifestRow]) -> Iterator[list[ManifestRow]]:
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch


def _judged(
    rows: Sequence[ManifestRow], grants: Grants, operator: Operator, at: datetime
) -> Iterable[tuple[ManifestRow, verdict.Verdict]]:
    """Ask of each row what a check would, in one query."""
    questions = answers.questions([_item(row) for row in rows])
    known = decision_index.read({key.digest for asked in questions for key in asked.keys})
    for row, question in zip(rows, questions, strict=True):
        answer = answers.answer(
            question, known, grants, purposes=[PURPOSE], asker=operator.pk, at=at
        )
        yield row, answer.verdicts[PURPOSE]


def _item(row: ManifestRow) -> CheckItem:
    match IdentifierKind(row.kind):
        case IdentifierKind.SHA256:
            return CheckItem(str(row.pk), sha256=row.canonical)
        case IdentifierKind.ISCC:
            return CheckItem(str(row.pk), iscc=row.canonical)
        case _:
            # A canonical address leaves out the scheme, which makes no difference to its key.
            return CheckItem(str(row.pk), url=f"https://{row.canonical}")


def _notice(
    manifest: Manifest, row: ManifestRow, found: verdict.Verdict, at: datetime
) -> RevocationNotice:
    said = next((s for s in found.deciding if isinstance(s, verdict.Statement)), None)
    return RevocationNotice(
        operator_id=manifest.operator_id,
        manifest=manifest,
        work_id=row.work_id,
        purpose=PURPOSE,
        decision=found.decision,
        statement_id=said and said.id,
        noticed_at=at,
        acknowledge_by=at + ACKNOWLEDGE_WITHIN,
    )


def _told(notice: RevocationNotice) -> dict[str, str | None]:
    """Return what an event says of a notice."""
    return {
        "revocation": notice.pk,
        "operator": notice.operator_id,
        "work": notice.work_id,
        "manifest": notice.manifest_id,
        "purpose": Purpose(notice.purpose).value,
        "decision": Decision(notice.decision).value,
        "statement": notice.statement_id,
        "noticed_at": log.instant(notice.noticed_at),
        "acknowledge_by": log.instant(notice.acknowledge_by),
    }
