"""Uploads: take a file in piece by piece, and give its bytes back in order.

What was received is committed part by part, so that an interrupted upload goes on from there. The
parts lie in PostgreSQL rather than in files, since the machine that receives need not be the one
that reads. Knows nothing of what is in a file.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from registry.errors import UploadDigestDiffers, UploadOffsetDiffers, UploadTooLarge
from registry.models import Creator, Operator, Upload, UploadPart

PART_BYTES = 1024 * 1024
ABANDONED_AFTER = timedelta(days=7)


def begin(
    owner: Creator | Operator, *, size: int | None, sha256: bytes | None = None, at: datetime
) -> Upload:
    """Announce a file of ``size`` bytes; None when that will be known at its end.

    sha256: what the sender says the bytes hash to; checked before they are read. Raises
    UploadTooLarge.
    """
    if size is not None:
        _require_within(size)
    return Upload.objects.create(
        creator=owner if isinstance(owner, Creator) else None,
        operator=owner if isinstance(owner, Operator) else None,
        size=size,
        sha256=sha256,
        created_at=at,
        completed_at=at if size == 0 else None,
    )


def receive(upload: Upload, *, offset: int, blocks: Iterable[bytes], at: datetime) -> Upload:
    """Add bytes that begin at ``offset``; what arrived before a break stays.

    Raises UploadOffsetDiffers unless ``offset`` is where the upload stands (so of two senders at
    once one stops), UploadTooLarge for more bytes than were announced.
    """
    _require_at(upload, offset)
    for content in _parts(blocks):
        upload = _append(upload, offset, content, at)
        offset += len(content)
    return upload


def finish(upload: Upload, *, at: datetime) -> Upload:
    """Say that an upload of unknown size has all its bytes."""
    Upload.objects.filter(pk=upload.pk, size=None).update(size=upload.received, completed_at=at)
    upload.refresh_from_db()
    return upload


def read(upload: Upload, *, start: int = 0) -> Iterator[bytes]:
    """Yield the bytes from ``start`` on, a part at a time."""
    while start < upload.received:
        part = upload.parts.filter(start__lte=start).order_by("-start").first()
        assert part is not None, "the parts of an upload have no gap"
        content = bytes(part.content)[start - part.start :]
        yield content
        start += len(content)


def verify(upload: Upload) -> None:
    """Compare the bytes with what the sender announced. Raises UploadDigestDiffers."""
    if upload.sha256 is None:
        return
    digest = hashlib.sha256()
    for content in read(upload):
        digest.update(content)
    if digest.digest() != bytes(upload.sha256):
        raise UploadDigestDiffers(
            f"the bytes received hash to {digest.hexdigest()}, not to what was announced"
        )


def discard(upload: Upload) -> None:
    """Remove the bytes of an upload; that it was there is kept."""
    upload.parts.all().delete()


def forget_abandoned(*, at: datetime) -> int:
    """Remove what came of uploads that were begun long ago and never ended; return how many.

    Who comes back after all finds his upload at its first byte.
    """
    abandoned = Upload.objects.filter(
        completed_at=None, created_at__lt=at - ABANDONED_AFTER, received__gt=0
    )
    forgotten = 0
    for upload in abandoned:
        with transaction.atomic():
            locked = Upload.objects.select_for_update(no_key=True).get(pk=upload.pk)
            if locked.completed_at is None:
                discard(locked)
                locked.received = 0
                locked.save(update_fields=["received"])
                forgotten += 1
    return forgotten


def _parts(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Join small blocks to parts, so that a slow sender does not make a million rows."""
    waiting = bytearray()
    try:
        for block in blocks:
            waiting += block
            while len(waiting) >= PART_BYTES:
                yield bytes(waiting[:PART_BYTES])
                del waiting[:PART_BYTES]
    except OSError:
        # The sender went away: what came is kept, and he asks where to go on.
        pass
    if waiting:
        yield bytes(waiting)


@transaction.atomic
def _append(upload: Upload, offset: int, content: bytes, at: datetime) -> Upload:
    locked = Upload.objects.select_for_update(no_key=True).get(pk=upload.pk)
    _require_at(locked, offset)
    received = offset + len(content)
    if locked.size is not None and received > locked.size:
        raise UploadTooLarge(f"{locked.size:,} bytes were announced, and more came")
    _require_within(received)
    UploadPart.objects.create(upload=locked, start=offset, content=content)
    locked.received = received
    if received == locked.size:
        locked.completed_at = at
    locked.save(update_fields=["received", "completed_at"])
    return locked


def _require_at(upload: Upload, offset: int) -> None:
    if upload.received != offset:
        raise UploadOffsetDiffers(f"{upload.pk} goes on at byte {upload.received}, not {offset}")


def _require_within(size: int) -> None:
    if size > settings.INTAKE_MAX_BYTES:
        raise UploadTooLarge(f"a file has at most {settings.INTAKE_MAX_BYTES:,} bytes")
