"""Manifests: what a model was trained on, matched against what was allowed at the time.

Small ones are received and matched at once. Large ones are read from an upload by workers, a chunk
and a transaction at a time: killed anywhere, the next goes on after the last chunk. The digest of
a manifest is d(n) = SHA-256(d(n-1) ‖ row n), each row in canonical JSON and d(0) 32 zero bytes:
the same however the rows arrive.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from registry import answers, log, manifest_files, manifest_matching, uploads
from registry.errors import EmptyManifest, RegistryError
from registry.manifest_files import ManifestItem, Numbered, Source
from registry.manifest_matching import VIOLATIONS, Asker
from registry.manifest_reports import Report, report, summarise, violations
from registry.models import Grant, Manifest, ManifestRow, Operator, Upload, Work
from registry.webhooks import events
from registry.webhooks.events import Happening
from tribute import verdict
from tribute.vocabulary import Decision, Purpose

__all__ = [
    "VIOLATIONS",
    "ManifestItem",
    "Report",
    "allowed_works",
    "expect",
    "grants_of",
    "receive",
    "report",
    "violations",
    "work_off",
    "works_of",
]

ROWS_AT_ONCE = 10_000
ROWS_SWEPT_AT_ONCE = 50_000

Clock = Callable[[], datetime]


@transaction.atomic
def receive(
    operator: Operator,
    rows: Iterable[ManifestItem],
    *,
    purpose: Purpose = Purpose.TRAIN_AI,
    at: datetime,
) -> Manifest:
    """Store and match a manifest at once; its digest goes into the log. All of it or nothing.

    Raises InvalidManifestRow with the row's number (from 1), EmptyManifest.
    """
    manifest = Manifest.objects.create(operator=operator, received_at=at, started_at=at)
    asker = _asker(operator, purpose)
    numbered = (Numbered(number, item, number) for number, item in enumerate(rows, start=1))
    while batch := list(islice(numbered, ROWS_AT_ONCE)):
        manifest_matching.take(manifest, batch, asker)
    _close(manifest, at)
    return manifest


def expect(
    operator: Operator, upload: Upload, *, written_as: Manifest.Format, at: datetime
) -> Manifest:
    """Announce a manifest that is read from ``upload`` once that is complete."""
    return Manifest.objects.create(
        operator=operator, upload=upload, format=written_as, received_at=at
    )


def work_off(*, clock: Clock, until: datetime) -> int:
    """Read and match what was uploaded, chunk by chunk, until ``until``; return how many rows.

    Each manifest is one worker's at a time; what another has in hand is left to it.
    """
    taken, seen = 0, set[str]()
    while clock() < until and (manifest := _next(seen)) is not None:
        seen.add(manifest.pk)
        taken += _work_off(manifest, clock, until)
    _sweep()
    return taken


def works_of(manifest: Manifest) -> QuerySet[Work]:
    """Return the registered works in a manifest."""
    rows = manifest.rows.exclude(work=None)
    return Work.objects.filter(pk__in=rows.values("work_id"))


def allowed_works(manifest: Manifest) -> QuerySet[Work]:
    """Return the works in a manifest that were allowed when they were ingested."""
    rows = manifest.rows.filter(decision=Decision.ALLOW).exclude(work=None)
    return Work.objects.filter(pk__in=rows.values("work_id"))


def grants_of(operator: Operator) -> Iterator[verdict.Grant]:
    """Yield an operator's grants as the verdict takes them, each from when it was recorded."""
    for grant in Grant.objects.filter(operator=operator):
        # Not known before it was recorded, whatever it says.
        begins = max(grant.effective_from, grant.recorded_at)
        yield verdict.Grant(
            id=grant.pk,
            operator=operator.pk,
            subject=grant.subject_id,
            purpose=Purpose(grant.purpose),
            effective_from=begins,
            effective_until=grant.effective_until,
        )


def _asker(operator: Operator, purpose: Purpose) -> Asker:
    return Asker(operator.pk, answers.by_subject(grants_of(operator)), purpose)


def _uploaded() -> QuerySet[Manifest]:
    waiting = Manifest.objects.filter(
        status__in=[Manifest.Status.RECEIVING, Manifest.Status.MATCHING],
        upload__completed_at__isnull=False,
    )
    return waiting.order_by("received_at", "pk")


def _next(seen: set[str]) -> Manifest | None:
    return _uploaded().exclude(pk__in=seen).select_related("operator", "upload").first()


def _work_off(manifest: Manifest, clock: Clock, until: datetime) -> int:
    """Take chunks of one manifest until it is done, time is up, or somebody else has it."""
    before = manifest.rows_count
    try:
        if manifest.status == Manifest.Status.RECEIVING:
            assert manifest.upload is not None, "of those uploaded"
            uploads.verify(manifest.upload)
        with manifest_files.source_of(manifest) as source:
            asker = _asker(manifest.operator, Purpose.TRAIN_AI)
            while clock() < until and (taken := _take_chunk(manifest.pk, source, asker, clock())):
                manifest = taken
                if manifest.status == Manifest.Status.READY:
                    break
    except RegistryError as error:
        _fail(manifest.pk, error, clock())
    return manifest.rows_count - before


@transaction.atomic
def _take_chunk(manifest_id: str, source: Source, asker: Asker, at: datetime) -> Manifest | None:
    """Read, match and store the next rows; after the last, close. None: another worker has it."""
    locked = _uploaded().select_for_update(skip_locked=True, no_key=True, of=("self",))
    manifest = locked.filter(pk=manifest_id).first()
    if manifest is None:
        return None
    manifest.status = Manifest.Status.MATCHING
    manifest.started_at = manifest.started_at or at
    manifest.progressed_at = at
    rows = source(manifest.read_to, manifest.rows_count)
    if batch := list(islice(rows, ROWS_AT_ONCE)):
        manifest_matching.take(manifest, batch, asker)
        manifest.save()
    else:
        _close(manifest, at)
    return manifest


def _close(manifest: Manifest, at: datetime) -> None:
    if manifest.rows_count == 0:
        raise EmptyManifest("the manifest has no rows")
    manifest.digest = bytes(manifest.running_digest)
    manifest.status = Manifest.Status.READY
    manifest.summary = summarise(manifest)
    # The report has what they were kept for.
    manifest.codes.all().delete()
    manifest.progressed_at = at
    manifest.save()
    if manifest.upload is not None:
        uploads.discard(manifest.upload)
    leaf: dict[str, log.LeafValue] = {
        "t": "manifest.digest",
        "manifest": manifest.pk,
        "digest": manifest.digest.hex(),
        "rows": manifest.rows_count,
    }
    log.append(leaf, at=at)
    if manifest.upload is not None:
        _tell(manifest, "manifest.ready", at)


@transaction.atomic
def _fail(manifest_id: str, error: RegistryError, at: datetime) -> None:
    """Refuse the whole for good; whoever else reads it finds the same."""
    locked = _uploaded().select_for_update(no_key=True, of=("self",))
    manifest = locked.filter(pk=manifest_id).select_related("upload").first()
    if manifest is None:
        return
    manifest.status = Manifest.Status.FAILED
    manifest.failure = f"{error.code}: {error}"[:300]
    manifest.progressed_at = at
    manifest.save()
    _tell(manifest, "manifest.failed", at)
    if manifest.upload is not None:
        uploads.discard(manifest.upload)


def _tell(manifest: Manifest, event: str, at: datetime) -> None:
    """Tell the operator how a manifest ended that he did not wait for."""
    told = {
        "manifest": manifest.pk,
        "rows": manifest.rows_count,
        "matched": manifest.matched_count,
        "violations": manifest.violations_count,
        "failure": manifest.failure.partition(":")[0],
    }
    events.publish([Happening(manifest.operator_id, event, manifest.pk, told)], at=at)


def _sweep() -> None:
    """Remove some of the rows that failed manifests left; the next call goes on."""
    left = ManifestRow.objects.filter(manifest=OuterRef("pk"))
    failed = Manifest.objects.filter(Exists(left), status=Manifest.Status.FAILED).first()
    if failed is None:
        return
    failed.codes.all().delete()
    first = failed.rows.order_by("row_number").values_list("row_number", flat=True)[0]
    failed.rows.filter(row_number__lt=first + ROWS_SWEPT_AT_ONCE).delete()
