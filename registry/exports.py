"""Exports: ask for all that is kept of oneself, and take it, before it is removed again.

Owns the rows and their bytes. What is in an archive takes the other apps too: ``attribution.takeout``.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from registry import zip_files
from registry.errors import NotFound
from registry.models import Creator, DataExport, DataExportPart, User
from registry.zip_files import File

KEPT_FOR = timedelta(days=7)
"""How long an archive waits to be taken."""
PART_BYTES = 1024 * 1024


def request(owner: User | Creator, *, at: datetime) -> DataExport:
    """Ask for an archive; while one is being made, that one is returned.

    A person's holds what every creator of theirs has as well.
    """
    fields = {"user": owner} if isinstance(owner, User) else {"creator": owner}
    try:
        with transaction.atomic():
            return DataExport.objects.create(requested_at=at, **fields)
    except IntegrityError:
        under_way = DataExport.objects.exclude(status=DataExport.Status.READY)
        return under_way.get(**{"user": None, "creator": None} | fields)


def of(user: User) -> QuerySet[DataExport]:
    """Return the exports that a person may take: their own, and their creators', newest first."""
    mine = Q(user=user) | Q(creator__in=user.creators.all())
    return DataExport.objects.filter(mine).order_by("-requested_at", "-pk")


def append(export: DataExport, name: str, content: bytes, *, at: datetime) -> None:
    """Add one file to an archive, in the transaction of its maker."""
    written, file = zip_files.local(name, content, start=export.size, at=at)
    _write(export, written)
    export.files.append(list(file))


def finish(export: DataExport, *, at: datetime) -> None:
    """Close the archive; from now on it can be taken, for KEPT_FOR."""
    files = [File(*each) for each in export.files]
    _write(export, zip_files.directory(files, start=export.size))
    export.status, export.ready_at, export.expires_at = "ready", at, at + KEPT_FOR


def read(export: DataExport, *, at: datetime) -> Iterator[bytes]:
    """Yield the bytes of a finished archive, a part at a time. Raises NotFound when it is gone."""
    if export.expires_at is None or export.expires_at <= at:
        raise NotFound(f"export {export.pk} is not there to take")
    return _parts(export)


def forget_expired(*, at: datetime) -> int:
    """Remove archives whose time is over, with their bytes; return how many."""
    expired = DataExport.objects.filter(expires_at__lte=at)
    _, removed = expired.delete()
    return removed.get(DataExport._meta.label, 0)  # noqa: SLF001 - Django documents it


def _parts(export: DataExport) -> Iterator[bytes]:
    start = 0
    while start < export.size:
        part = DataExportPart.objects.filter(export=export, start=start).first()
        if part is None:
            return
        content = bytes(part.content)
        yield content
        start += len(content)


def _write(export: DataExport, content: bytes) -> None:
    for first in range(0, len(content), PART_BYTES):
        piece = content[first : first + PART_BYTES]
        DataExportPart.objects.create(export=export, start=export.size, content=piece)
        export.size += len(piece)
