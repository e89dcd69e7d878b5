"""Imports: register the works that a file lists, and say of each row what became of it.

The file is uploaded, read into rows, and registered, a chunk and a transaction at a time: killed
anywhere, the next worker goes on after the last chunk. Importing a file again registers nothing
twice. A dry run reports the same and registers nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet

from registry import import_files, import_registering, uploads
from registry.errors import EmptyImport, RegistryError
from registry.import_files import Body, Layout, Row
from registry.import_registering import Outcome, Planned
from registry.models import Creator, Import, ImportKey, ImportRow, Upload
from registry.webhooks import events
from registry.webhooks.events import Happening
from tribute import ids

ROWS_READ_AT_ONCE = 5_000
ROWS_REGISTERED_AT_ONCE = 1_000
COPY_ROWS = """COPY registry_importrow (works_import_id, row_number, body, outcome, field, reason)
 FROM STDIN"""
_SQL = Path(__file__).parent / "sql"
READ_IMPORT_ROWS = (_SQL / "read_import_rows.sql").read_text()
SAVE_OUTCOMES = (_SQL / "save_import_outcomes.sql").read_text()

Clock = Callable[[], datetime]


def expect(
    creator: Creator,
    upload: Upload,
    *,
    written_as: Import.Format,
    dry_run: bool = False,
    at: datetime,
) -> Import:
    """Announce an import of the works in ``upload``, which begins once that is complete."""
    return Import.objects.create(
        creator=creator, upload=upload, format=written_as, dry_run=dry_run, created_at=at
    )


def work_off(*, clock: Clock, until: datetime) -> int:
    """Read and register what was uploaded, chunk by chunk, until ``until``; return how many rows.

    Each import is one worker's at a time; what another has in hand is left to it.
    """
    taken, seen = 0, set[str]()
    while clock() < until:
        found = _uploaded().exclude(pk__in=seen).first()
        if found is None:
            break
        seen.add(found.pk)
        taken += _work_off(found, clock, until)
    return taken


def rows_per_second(works_import: Import) -> float | None:
    """Return the mean pace so far; None before the first chunk."""
    if works_import.started_at is None or works_import.progressed_at is None:
        return None
    seconds = (works_import.progressed_at - works_import.started_at).total_seconds()
    return works_import.processed_count / seconds if seconds > 0 else None


def report(works_import: Import, *, only: Sequence[str] = ()) -> Iterator[ImportRow]:
    """Yield what became of each row, in order, without holding them all.

    only: outcomes to report; all of them unless named.
    """
    rows = works_import.rows.exclude(outcome="").order_by("row_number").defer("body")
    if only:
        rows = rows.filter(outcome__in=only)
    if works_import.status != Import.Status.READY:
        # Rows with a fault are known as such before their turn has come.
        rows = rows.filter(row_number__lte=works_import.processed_count)
    return rows.iterator(chunk_size=2_000)


def _uploaded() -> QuerySet[Import]:
    waiting = Import.objects.filter(
        status__in=[Import.Status.RECEIVING, Import.Status.READING, Import.Status.REGISTERING],
        upload__completed_at__isnull=False,
    )
    return waiting.order_by("created_at", "pk")


def _work_off(found: Import, clock: Clock, until: datetime) -> int:
    before, current = found.processed_count, found
    try:
        if current.status == Import.Status.RECEIVING:
            uploads.verify(current.upload)
        while clock() < until and (taken := _take_chunk(current.pk, clock())) is not None:
            current = taken
            if current.status == Import.Status.READY:
                break
    except RegistryError as error:
        _fail(current.pk, error, clock())
    return current.processed_count - before


@transaction.atomic
def _take_chunk(import_id: str, at: datetime) -> Import | None:
    """Read or register the next rows. None: another worker has the import."""
    locked = _uploaded().select_for_update(skip_locked=True, no_key=True, of=("self",))
    current = locked.filter(pk=import_id).select_related("upload", "creator").first()
    if current is None:
        return None
    current.started_at = current.started_at or at
    current.progressed_at = at
    if current.status == Import.Status.REGISTERING:
        _register_chunk(current, at)
    else:
        _read_chunk(current)
    current.save()
    return current


def _read_chunk(current: Import) -> None:
    current.status = Import.Status.READING
    batch = list(islice(_rows(current), ROWS_READ_AT_ONCE))
    if batch:
        _stage(current, batch)
        return
    if current.rows_count == 0:
        raise EmptyImport("the file has no rows")
    uploads.discard(current.upload)
    current.status = Import.Status.REGISTERING


def _rows(current: Import) -> Iterator[Row]:
    if current.format == Import.Format.JSON_LINES:
        blocks = uploads.read(current.upload, start=current.read_to)
        return import_files.json_rows(blocks, start=current.read_to)
    if current.columns is None:
        form = import_files.layout(uploads.read(current.upload))
        current.columns = {"delimiter": form.delimiter, "names": form.names, "begins": form.begins}
        current.read_to = form.begins
    columns = current.columns
    form = Layout(columns["delimiter"], tuple(columns["names"]), columns["begins"])
    blocks = uploads.read(current.upload, start=current.read_to)
    return import_files.csv_rows(blocks, form, start=current.read_to)


def _stage(current: Import, batch: Sequence[Row]) -> None:
    own = ids.decode("imp", current.pk)
    with connection.cursor() as cursor, cursor.copy(COPY_ROWS) as copy:
        for number, row in enumerate(batch, start=current.rows_count + 1):
            body = None if row.body is None else orjson.dumps(row.body).decode()
            outcome = "error" if row.body is None else ""
            copy.write_row((own, number, body, outcome, row.field, row.reason))
    current.rows_count += len(batch)
    current.read_to = batch[-1].read_to


def _register_chunk(current: Import, at: datetime) -> None:
    last = min(current.processed_count + ROWS_REGISTERED_AT_ONCE, current.rows_count)
    given = _bodies(current, current.processed_count, last)
    described = [(number, body) for number, body in given if body is not None]
    planned, outcomes = import_registering.plan(current.creator, described)
    if current.dry_run:
        outcomes = _rehearse(current, planned, outcomes)
    else:
        import_registering.write(current.creator, planned, at=at)
        outcomes |= {new.number: Outcome("registered", new.id) for new in planned}
    _save(current, outcomes)
    kinds = [outcome.kind for outcome in outcomes.values()]
    current.registered_count += kinds.count("registered")
    current.duplicate_count += kinds.count("duplicate")
    current.error_count += kinds.count("error") + len(given) - len(described)
    current.processed_count = last
    if last == current.rows_count:
        current.keys.all().delete()
        current.status = Import.Status.READY
        _tell(current, "import.ready", at)


def _bodies(current: Import, after: int, last: int) -> list[tuple[int, Body | None]]:
    """Return the numbers of some rows and what they describe; None where that has a fault."""
    parameters: dict[str, Any] = {
        "import": ids.decode("imp", current.pk),
        "after": after,
        "last": last,
    }
    with connection.cursor() as cursor:
        cursor.execute(READ_IMPORT_ROWS, parameters)
        return [(number, body and orjson.loads(body)) for number, body in cursor.fetchall()]


def _rehearse(
    current: Import, planned: Sequence[Planned], outcomes: Mapping[int, Outcome]
) -> dict[int, Outcome]:
    """Say what registering would do, given that the rows before had been registered."""
    numbers = {new.id: new.number for new in planned}
    said = {
        number: _same_as(numbers[outcome.work], outcome) if outcome.work in numbers else outcome
        for number, outcome in outcomes.items()
    }
    marks = {new.number: import_registering.marks_of(new) for new in planned}
    wanted = {mark for own, *rest in marks.values() for mark in (*own, *rest) if mark}
    rows = current.keys.filter(key__in=wanted).values_list("key", "row_number")
    before = {bytes(key): number for key, number in rows}
    fresh = []
    for number, (own, named, content) in marks.items():
        same = next((before[mark] for mark in (named, *own) if mark in before), None)
        if same is None:
            said[number] = Outcome("registered")
            every = [mark for mark in (*own, named, content) if mark]
            fresh += [ImportKey(works_import=current, key=m, row_number=number) for m in every]
        elif named in before and content not in before:
            said[number] = _same_as(same, Outcome("error", None, "reference"))
        else:
            said[number] = _same_as(same, Outcome("duplicate"))
    ImportKey.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=2_000)
    return said


def _same_as(number: int, outcome: Outcome) -> Outcome:
    """Return the outcome of a row that is like one of this file, which has no work yet."""
    kind = outcome.kind
    reason = f"names row {number}, with other content" if kind == "error" else f"as row {number}"
    return Outcome(kind, None, outcome.field, reason)


def _save(current: Import, outcomes: dict[int, Outcome]) -> None:
    numbers = list(outcomes)
    found = list(outcomes.values())
    parameters: dict[str, Any] = {
        "import": ids.decode("imp", current.pk),
        "numbers": numbers,
        "outcomes": [outcome.kind for outcome in found],
        "works": [outcome.work and ids.decode("wrk", outcome.work) for outcome in found],
        "fields": [outcome.field for outcome in found],
        "reasons": [outcome.reason for outcome in found],
    }
    with connection.cursor() as cursor:
        cursor.execute(SAVE_OUTCOMES, parameters)


@transaction.atomic
def _fail(import_id: str, error: RegistryError, at: datetime) -> None:
    """Refuse the whole file for good; whoever else reads it finds the same."""
    locked = _uploaded().select_for_update(no_key=True, of=("self",))
    current = locked.filter(pk=import_id).select_related("upload").first()
    if current is None:
        return
    current.status = Import.Status.FAILED
    current.failure = f"{error.code}: {error}"[:300]
    current.progressed_at = at
    current.save()
    _tell(current, "import.failed", at)
    uploads.discard(current.upload)


def _tell(current: Import, event: str, at: datetime) -> None:
    told = {
        "import": current.pk,
        "dry_run": current.dry_run,
        "rows": current.rows_count,
        "registered": current.registered_count,
        "duplicates": current.duplicate_count,
        "failed": current.error_count,
        "failure": current.failure.partition(":")[0],
    }
    events.publish([Happening(current.creator_id, event, current.pk, told)], at=at)
